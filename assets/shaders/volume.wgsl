// Draws a volume: a ray per pixel marches through the bricks of each visible layer, bottom first.
//
// The body of `main` behind the marker is generated per set of visible layers (see volume/program.rs): one call
// each, with constants for what selects code, so that a driver removes the branches that are not taken.
// volume_march.wgsl walks the rays, volume_values.wgsl reads bricks, volume_colors.wgsl makes colours of what was
// gathered, volume_surface.wgsl shades surfaces and labels where a layer has them.
//
// Lengths are in *render units*: pixels at the depth of the point looked at, which is the origin.

struct Frame {
    // The picture's basis.
    right: vec3f,
    // From the eye to the origin; 0 = orthographic.
    eye: f32,
    down: vec3f,
    // Clip planes.
    planes: u32,
    forward: vec3f,
    // Whether rays are counted from the eye (1) or from the plane of the picture (0): from what is nearer to
    // the origin, so that small numbers stay small.
    by_eye: u32,
    // Size of the whole picture, and the pixels that it is drawn with.
    canvas: vec2f,
    size: vec2u,
    // The piece that is drawn now.
    start: vec2u,
    count: vec2u,
    // What is kept has dot(normal, position) + w ≥ 0.
    clip: array<vec4f, 6>,
    // Slots along x, y, z of the pools of bytes, shorts, floats and ids.
    slots: array<vec4u, 4>,
}

struct Level {
    // Voxel centre coordinate in the window = offset + scale · position.
    scale: vec3f,
    // From this depth on a coarser level is wanted.
    until: f32,
    offset: vec3f,
    // First entry of the page table.
    table: u32,
    // What the window answers for: [lower, upper), without end where the image ends.
    lower: vec3f,
    _pad0: u32,
    upper: vec3f,
    _pad1: u32,
    // Bricks of the window.
    bricks: vec3u,
    _pad2: u32,
}

struct Layer {
    // Colour of a ramp, and opacity.
    color: vec4f,
    // The box that is left of the layer.
    lower: vec3f,
    // Lower contrast limit, as textures give values.
    lo: f32,
    upper: vec3f,
    // 1 / (upper − lower), of the same.
    gain: f32,
    // Voxels of the finest level per render unit.
    scale: vec3f,
    gamma: f32,
    // |dot(normal, position) + w| ≤ thickness is shown.
    slab: vec4f,
    thickness: f32,
    // Distance of samples in voxels of the level.
    step: f32,
    attenuation: f32,
    // Of a surface, as textures give values.
    threshold: f32,
    // First entry of the colour table, or NONE.
    lut: u32,
    // Its levels, finest first.
    first: u32,
    levels: u32,
    blending: u32,
    // Of labels: the one shown alone, if `alone` is 1.
    chosen: u32,
    alone: u32,
    // Contrast limits and threshold in raw units, for cells.
    raw_lo: f32,
    raw_gain: f32,
    raw_threshold: f32,
    _pad0: u32,
    _pad1: u32,
    _pad2: u32,
}

// Twice the same. What is read at a place that a compiler knows, and decides where the code goes on, Mesa's llvmpipe
// takes for a constant: it would compile the program anew for each other value, for a fifth of a second. So nothing is
// read at a known place: `zero` is 0, which only we know, and so are the numbers of layers.
@group(0) @binding(0) var<uniform> frames: array<Frame, 2>;
// Uniform up to these many; a picture of more has them in storage buffers (program.rs rewrites the two lines).
@group(0) @binding(1) var<uniform> layers: array<Layer, 64>;
@group(0) @binding(2) var<uniform> levels: array<Level, 256>;
// Two words for each brick of each window, x fastest, then y, z: slot + 1, or 0 where nothing is here, or
// ANSWERED; and what is known of its values (see `known` of volume_values.wgsl). Behind them the colour tables.
@group(0) @binding(3) var<storage, read> table: array<vec2u>;
// Of each slot of each pool 4 × 4 × 4 cells: smallest and largest value, smallest > largest without numbers.
@group(0) @binding(4) var<storage, read> cells8: array<vec2f>;
@group(0) @binding(5) var<storage, read> cells16: array<vec2f>;
@group(0) @binding(6) var<storage, read> cells32: array<vec2f>;
@group(0) @binding(7) var<storage, read> cells_id: array<vec2f>;
@group(0) @binding(8) var bricks8: texture_3d<f32>;
@group(0) @binding(9) var bricks16: texture_3d<f32>;
@group(0) @binding(10) var bricks32: texture_3d<f32>;
@group(0) @binding(11) var bricks_id: texture_3d<u32>;
@group(0) @binding(12) var between: sampler;
// One pixel each, RGBA8, row 0 on top.
@group(0) @binding(13) var<storage, read_write> picture: array<u32>;

const NONE: u32 = 0xffffffffu;
const ANSWERED: u32 = 0x80000000u;
const FAR: f32 = 1e30;

const SIDE: f32 = 64.0;
const STRIDE: f32 = 63.0;
const CELL: f32 = 16.0;

const MIP: u32 = 0u;
const MINIP: u32 = 1u;
const ATTENUATED_MIP: u32 = 2u;
const AVERAGE_MODE: u32 = 3u;
const TRANSLUCENT_MODE: u32 = 4u;
const ADDITIVE_MODE: u32 = 5u;
const ISO: u32 = 6u;
const LABELS: u32 = 7u;

var<private> zero: u32;

struct Ray {
    // Position = origin + length · direction, from `near` on.
    origin: vec3f,
    direction: vec3f,
    near: f32,
    // Depth = depth + length · slope, with slope > 0.
    depth: f32,
    slope: f32,
    // Where in its first step a ray takes its first sample, in [0, 1).
    jitter: f32,
}

fn lut_word(i: u32) -> u32 {
    let pair = table[i / 2u];
    return select(pair.x, pair.y, (i & 1u) == 1u);
}

// The ray through a place of the whole picture.
fn ray_through(place: vec2f) -> Ray {
    let offset = place - 0.5 * frames[zero].canvas;
    let at = frames[zero].right * offset.x + frames[zero].down * offset.y;
    var ray: Ray;
    if frames[zero].eye > 0.0 {
        let to = at + frames[zero].forward * frames[zero].eye;
        let distance = length(to);
        ray.direction = to / distance;
        ray.slope = frames[zero].eye / distance;
        if frames[zero].by_eye == 1u {
            ray.origin = -frames[zero].eye * frames[zero].forward;
            ray.depth = -frames[zero].eye;
        } else {
            ray.origin = at;
            ray.near = -distance;
        }
    } else {
        ray.origin = at;
        ray.direction = frames[zero].forward;
        ray.near = -FAR;
        ray.slope = 1.0;
    }
    let pixel = vec2u(place);
    ray.jitter = f32(scramble(pixel.x + 0x9e3779b9u * pixel.y) >> 8u) / 16777216.0;
    return ray;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    zero = id.z;
    if any(id.xy >= frames[zero].count) {
        return;
    }
    let pixel = frames[zero].start + id.xy;
    let ray = ray_through((vec2f(pixel) + 0.5) * frames[zero].canvas / vec2f(frames[zero].size));
    var color = vec3f(0.0);
    //@layers
    let bytes = vec3u(color * 255.0 + 0.5);
    picture[pixel.y * frames[zero].size.x + pixel.x] = bytes.r | (bytes.g << 8u) | (bytes.b << 16u) | 0xff000000u;
}
