// The colours of labels, for planes and for volumes. `lut_word` reads the tables of colours.

// See `hashed_colour` of the ledger's labels.
fn hashed_color(id: u32) -> vec4f {
    let hue = f32((id * 0x9e3779b9u) >> 8u) / 16777216.0;
    let x = scramble(id);
    let saturation = 0.5 + 0.5 * f32(x & 0xffu) / 255.0;
    let value = 0.7 + 0.3 * f32((x >> 8u) & 0xffu) / 255.0;
    let ramp = clamp(abs(fract(hue + vec3f(1.0, 2.0 / 3.0, 1.0 / 3.0)) * 6.0 - 3.0) - 1.0, vec3f(0.0), vec3f(1.0));
    return vec4f(value * (1.0 - saturation + saturation * ramp), 1.0);
}

// The colour of an id. The table of given ones is a hash table (see plane/colours.rs): a mask, the most places
// to look at, then an id and a colour for each place.
fn label_color(l: u32, id: u32, given: bool) -> vec4f {
    var color = hashed_color(id);
    if given {
        let first = layers[l].lut;
        let mask = lut_word(first);
        let probes = lut_word(first + 1u);
        let home = scramble(id);
        for (var k = 0u; k < probes; k++) {
            let entry = first + 2u + 2u * ((home + k) & mask);
            if lut_word(entry) == id {
                color = unpack4x8unorm(lut_word(entry + 1u));
            }
        }
    }
    return color;
}
