// Colours of what was gathered, and how a layer joins what is below it.

fn toned(look: Look, t: f32) -> f32 {
    if look.gamma == 1.0 {
        return t;
    }
    return pow(t, look.gamma);
}

fn colored(look: Look, t: f32) -> vec3f {
    if look.lut == NONE {
        return look.color * t;
    }
    return unpack4x8unorm(lut_word(look.lut + u32(t * 255.0 + 0.5))).rgb;
}

// The colour of what a ray gathered, and how much of what is below it covers. `mode` is a constant.
fn color_of(l: u32, g: Gathered, mode: u32) -> vec4f {
    if !g.met {
        return vec4f(0.0);
    }
    let look = look_of(l);
    switch mode {
        case AVERAGE_MODE: {
            return vec4f(colored(look, toned(look, clamp(g.sum / max(g.length, 1e-30), 0.0, 1.0))), 1.0);
        }
        case TRANSLUCENT_MODE: {
            let cover = 1.0 - g.through;
            return vec4f(g.light / max(cover, 1e-6), cover);
        }
        case ADDITIVE_MODE: {
            return vec4f(1.0 - exp(-look.attenuation * g.light), 1.0);
        }
        default: {
            return vec4f(colored(look, toned(look, clamp(g.best, 0.0, 1.0))), 1.0);
        }
    }
}

// A layer's colour over what is below it.
fn over(below: vec3f, l: u32, color: vec4f) -> vec3f {
    let whole = blend(below, color.rgb, layers[l].color.a, layers[l].blending);
    return clamp(mix(below, whole, color.a), vec3f(0.0), vec3f(1.0));
}
