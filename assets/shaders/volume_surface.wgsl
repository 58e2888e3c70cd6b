// Surfaces: where exactly the first one is, and how the light falls on it. Behind the others where a layer has one.

// Halvings of the step in which a surface was found.
const HALVINGS: u32 = 8u;

// What is at a place.
struct Found {
    is_number: bool,
    // Of labels: 1 where it is the same object.
    value: f32,
}

// The value at a place by a level or what is coarser. Constants: type, interpolation and mode.
fn find(l: u32, level: u32, at: vec3f, id: u32, dtype: u32, linear: bool, mode: u32) -> Found {
    let end = layers[l].first + layers[l].levels;
    for (var k = level; k < end; k++) {
        let here = levels[k].offset + levels[k].scale * at;
        if any(here < levels[k].lower) || any(here >= levels[k].upper) {
            continue;
        }
        let brick = clamp(floor(here / STRIDE), vec3f(0.0), vec3f(levels[k].bricks) - 1.0);
        let entry = entry_of(k, brick);
        if entry.x == 0u {
            continue;
        }
        if entry.x == ANSWERED {
            return Found(is_number(entry.y), bitcast<f32>(entry.y));
        }
        let first = slot_texel(entry.x - 1u, dtype);
        if mode == LABELS {
            return Found(true, select(0.0, 1.0, id_in(dtype, first, here - brick * STRIDE) == id));
        }
        // A sampler gives too few digits for a gradient.
        let value = value_at(dtype, linear, true, first, vec3f(0.0), here - brick * STRIDE);
        return Found(dtype != F32 || is_number(bitcast<u32>(value)), value);
    }
    return Found(false, 0.0);
}

// The place of a ray's surface. Constants: type and interpolation.
fn refined(l: u32, ray: Ray, g: Gathered, dtype: u32, linear: bool) -> f32 {
    var before = g.before;
    var behind = g.hit;
    for (var n = 0u; n < HALVINGS; n++) {
        let middle = 0.5 * (before + behind);
        let found = find(l, g.level, ray.origin + ray.direction * middle, 0u, dtype, linear, ISO);
        if found.is_number && found.value >= layers[l].threshold {
            behind = middle;
        } else {
            before = middle;
        }
    }
    return behind;
}

// How far a surface faces the eye, where the light is: 0 = it is seen from its edge, 1 = it lies flat.
fn facing(l: u32, ray: Ray, g: Gathered, hit: f32, dtype: u32, linear: bool, mode: u32) -> f32 {
    let at = ray.origin + ray.direction * hit;
    let middle = find(l, g.level, at, g.id, dtype, linear, mode);
    var gradient = vec3f(0.0);
    for (var axis = 0u; axis < 3u; axis++) {
        let unit = vec3f(vec3u(u32(axis == 0u), u32(axis == 1u), u32(axis == 2u)));
        let aside = unit / levels[g.level].scale;
        var left = find(l, g.level, at - aside, g.id, dtype, linear, mode);
        var right = find(l, g.level, at + aside, g.id, dtype, linear, mode);
        let a = select(middle.value, left.value, left.is_number);
        let b = select(middle.value, right.value, right.is_number);
        gradient += unit * (b - a) * levels[g.level].scale;
    }
    let largest = most(abs(gradient));
    if !(largest > 0.0) {
        return 1.0;
    }
    return abs(dot(normalize(gradient / largest), ray.direction));
}

// The colour of a surface in a light at the eye (Blinn-Phong: the half vector is the way to the eye).
fn lit(color: vec3f, facing: f32) -> vec3f {
    return min(color * (0.2 + 0.7 * facing) + 0.1 * pow(facing, 32.0), vec3f(1.0));
}

// The surface that a ray met. The last two arguments are constants.
fn surface_of(l: u32, ray: Ray, g: Gathered, dtype: u32, linear: bool) -> vec4f {
    if !g.met {
        return vec4f(0.0);
    }
    let hit = refined(l, ray, g, dtype, linear);
    return vec4f(lit(colored(look_of(l), 1.0), facing(l, ray, g, hit, dtype, linear, ISO)), 1.0);
}

// The object that a ray met. The type is a constant.
fn object_of(l: u32, ray: Ray, g: Gathered, dtype: u32) -> vec4f {
    if !g.met {
        return vec4f(0.0);
    }
    let color = label_color(l, g.id, layers[l].lut != NONE);
    return vec4f(lit(color.rgb, facing(l, ray, g, g.hit, dtype, false, LABELS)), color.a);
}
