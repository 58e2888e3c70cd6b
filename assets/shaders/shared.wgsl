// What the shaders of planes and of volumes have in common. Put behind either.

const U8: u32 = 0u;
const U16: u32 = 1u;
const I16: u32 = 2u;
const F32: u32 = 3u;
const U32: u32 = 4u;

const OPAQUE: u32 = 0u;
const TRANSLUCENT: u32 = 1u;
const ADDITIVE: u32 = 2u;
const MINIMUM: u32 = 3u;
const MAXIMUM: u32 = 4u;
const AVERAGE: u32 = 5u;
const MULTIPLICATIVE: u32 = 6u;

fn is_number(bits: u32) -> bool {
    return (bits & 0x7f800000u) != 0x7f800000u;
}

fn blend(below: vec3f, color: vec3f, opacity: f32, mode: u32) -> vec3f {
    switch mode {
        case OPAQUE: { return color * opacity; }
        case TRANSLUCENT: { return mix(below, color, opacity); }
        case ADDITIVE: { return below + color * opacity; }
        case MINIMUM: { return mix(below, min(below, color), opacity); }
        case MAXIMUM: { return mix(below, max(below, color), opacity); }
        case AVERAGE: { return mix(below, (below + color) * 0.5, opacity); }
        default: { return mix(below, below * color, opacity); }
    }
}

// See `scramble` of the ledger's labels.
fn scramble(id: u32) -> u32 {
    var x = id;
    x = (x ^ (x >> 16u)) * 0x7feb352du;
    x = (x ^ (x >> 15u)) * 0x846ca68bu;
    return x ^ (x >> 16u);
}
