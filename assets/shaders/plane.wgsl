// Draws one plane: every visible layer, bottom first, composited into one picture.
//
// The body of `main` between the markers is generated per set of visible layers (see plane/program.rs):
// one call of `layer` each, with constants for everything that selects code, so that a driver removes
// the branches that are not taken. shared.wgsl is put behind this text; cubic interpolation and the thick
// slice (wide.wgsl) and labels (labels.wgsl, label_colors.wgsl) where a layer needs them, so that nobody else
// compiles them.

struct Frame {
    // Pixels of the picture.
    size: vec2u,
    // Layers to draw.
    layers: u32,
    _pad: u32,
}

struct Level {
    // Texel of the window = origin + step · (pixel + ½); texel i covers [i, i + 1).
    origin: vec2f,
    step: vec2f,
    // Texels of the plane as seen from the window: [lower, upper).
    lower: vec2f,
    upper: vec2f,
    // Tiles of the window, columns and rows.
    tiles: vec2u,
    // First entry of the page table.
    table: u32,
    // Planes of the thick slice, 1 where there is none; their page tables follow one another.
    planes: u32,
}

struct Layer {
    // Colour of a ramp, and opacity.
    color: vec4f,
    // Lower contrast limit, 1 / (upper − lower), gamma.
    lo: f32,
    per_range: f32,
    gamma: f32,
    // First entry of the colour table.
    lut: u32,
    // Coarser levels that may answer where the target has no tile: first, and how many.
    first_coarser: u32,
    coarser: u32,
    // Of labels: the one that may be shown alone, and the thickness of outlines in texels.
    selected: u32,
    contour: u32,
    // The target level. It stands here and not among the others, so that its place is a constant: a
    // software driver gathers lane by lane what stands at a place that it cannot know.
    wanted: Level,
}

@group(0) @binding(0) var<uniform> frame: Frame;
// Uniform, because a software driver reads a storage buffer lane by lane: three times slower. A picture of
// more layers or levels than these has them in storage buffers (program.rs rewrites the two lines).
@group(0) @binding(1) var<uniform> layers: array<Layer, 64>;
@group(0) @binding(2) var<uniform> levels: array<Level, 256>;
// Slot + 1 of each tile of each window, row by row; 0 = not resident.
@group(0) @binding(3) var<storage, read> table: array<u32>;
@group(0) @binding(4) var<storage, read> luts: array<u32>;
@group(0) @binding(5) var<storage, read> pool8: array<u32>;
@group(0) @binding(6) var<storage, read> pool16: array<u32>;
@group(0) @binding(7) var<storage, read> pool32: array<u32>;
// One pixel each, RGBA8, row 0 on top.
@group(0) @binding(8) var<storage, read_write> picture: array<u32>;

const TILE: u32 = 128u;
const BORDER: u32 = 2u;
const PITCH: u32 = 132u;
const TEXELS: u32 = PITCH * PITCH;

// A raw value, as the bits of an f32; the caller looks for NaN and infinity in the bits, because a
// shader's arithmetic need not keep them. `i` counts texels of the tile's memory.
fn texel(dtype: u32, slot: u32, i: u32) -> u32 {
    switch dtype {
        case U8: {
            let word = pool8[slot * (TEXELS / 4u) + i / 4u];
            return bitcast<u32>(f32((word >> ((i % 4u) * 8u)) & 0xffu));
        }
        case U16: {
            let word = pool16[slot * (TEXELS / 2u) + i / 2u];
            return bitcast<u32>(f32((word >> ((i % 2u) * 16u)) & 0xffffu));
        }
        case I16: {
            let word = pool16[slot * (TEXELS / 2u) + i / 2u];
            // Shifted up and back, the sign comes along.
            return bitcast<u32>(f32(bitcast<i32>(word << (16u - (i % 2u) * 16u)) >> 16u));
        }
        case F32: {
            return pool32[slot * TEXELS + i];
        }
        default: {
            return bitcast<u32>(f32(pool32[slot * TEXELS + i]));
        }
    }
}

const NOTHING: u32 = 0x7fc00000u;
const NOT_HERE: u32 = 0x7fc00001u;

// Where a pixel falls in a level. Layers of the same image at the same level share it: a fifth of the
// work of a picture of three channels.
struct Place {
    // Whether the plane is there at all.
    hit: bool,
    // The tile, counted in the window.
    tile: u32,
    // The texel in the tile's memory: the nearest, and the upper left of the four around.
    near: u32,
    corner: u32,
    // Where between the four.
    between: vec2f,
}

// `at` is a texel coordinate of the level's window.
fn place(level: Level, at: vec2f, hit: bool, linear: bool) -> Place {
    // Rounding may step just outside the window.
    let tile = min(vec2u(at) / TILE, level.tiles - 1u);
    // Inside the tile's memory, which begins a border before the tile.
    let inside = at - vec2f(tile * TILE) + f32(BORDER);
    let texel = vec2u(inside);
    var p: Place;
    p.hit = hit;
    p.tile = tile.y * level.tiles.x + tile.x;
    p.near = texel.y * PITCH + texel.x;
    if linear {
        let c = inside - 0.5;
        let corner = vec2u(c);
        p.corner = corner.y * PITCH + corner.x;
        p.between = c - vec2f(corner);
    }
    return p;
}

// Where a pixel falls in the target level of a layer.
fn wanted(l: u32, pixel: vec2f, linear: bool) -> Place {
    let at = layers[l].wanted.origin + layers[l].wanted.step * pixel;
    let hit = all(at >= layers[l].wanted.lower) && all(at < layers[l].wanted.upper);
    return place(layers[l].wanted, at, hit, linear);
}

// The value at a place, as f32 bits; NOT_HERE where no tile is.
fn sample(table_at: u32, p: Place, dtype: u32, linear: bool) -> u32 {
    let slot = table[table_at + p.tile];
    if slot == 0u {
        return NOT_HERE;
    }
    if !linear {
        return texel(dtype, slot - 1u, p.near);
    }
    let v00 = texel(dtype, slot - 1u, p.corner);
    let v10 = texel(dtype, slot - 1u, p.corner + 1u);
    let v01 = texel(dtype, slot - 1u, p.corner + PITCH);
    let v11 = texel(dtype, slot - 1u, p.corner + PITCH + 1u);
    let upper = mix(bitcast<f32>(v00), bitcast<f32>(v10), p.between.x);
    let lower = mix(bitcast<f32>(v01), bitcast<f32>(v11), p.between.x);
    if dtype == F32 && !(is_number(v00) && is_number(v10) && is_number(v01) && is_number(v11)) {
        // Beside a hole the nearest value stands for itself.
        return texel(dtype, slot - 1u, p.near);
    }
    return bitcast<u32>(mix(upper, lower, p.between.y));
}

// The value of a layer at a pixel: the finest resident tile not finer than the target answers.
// Returns f32 bits; not a number where there is nothing.
fn sample_layer(l: u32, p: Place, pixel: vec2f, dtype: u32, linear: bool, single: bool) -> u32 {
    if !p.hit {
        return NOTHING;
    }
    var value = sample(layers[l].wanted.table, p, dtype, linear);
    if single {
        return value;
    }
    let first = layers[l + zero].first_coarser;
    let end = first + layers[l + zero].coarser;
    for (var k = first; k < end; k++) {
        if value != NOT_HERE {
            break;
        }
        let at = levels[k].origin + levels[k].step * pixel;
        let inside = clamp(at, levels[k].lower, levels[k].upper - vec2f(0.001));
        value = sample(levels[k].table, place(levels[k], inside, true, linear), dtype, linear);
    }
    return value;
}

// A value over what is below it. All but the first three arguments are constants at the call.
fn shade(below: vec3f, l: u32, bits: u32, gamma: bool, lut: bool, faded: bool, mode: u32) -> vec3f {
    if !is_number(bits) {
        return below;
    }
    var t = clamp((bitcast<f32>(bits) - layers[l].lo) * layers[l].per_range, 0.0, 1.0);
    if gamma {
        t = pow(t, layers[l].gamma);
    }
    var color = layers[l].color.rgb * t;
    if lut {
        color = unpack4x8unorm(luts[layers[l].lut + u32(t * 255.0 + 0.5)]).rgb;
    }
    // Nothing is ever negative.
    return min(blend(below, color, select(1.0, layers[l].color.a, faded), mode), vec3f(1.0));
}

// One layer over what is below it. All but the first four arguments are constants at the call.
fn layer(below: vec3f, l: u32, p: Place, pixel: vec2f, dtype: u32, linear: bool, single: bool, gamma: bool, lut: bool, faded: bool, mode: u32) -> vec3f {
    return shade(below, l, sample_layer(l, p, pixel, dtype, linear, single), gamma, lut, faded, mode);
}

// 0, which only we know. How many levels may answer decides where the code goes on; at a place that a compiler knows,
// Mesa's llvmpipe takes it for a constant and compiles the program anew for each other value.
var<private> zero: u32;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    zero = id.z;
    if any(id.xy >= frame.size) {
        return;
    }
    let pixel = vec2f(id.xy) + 0.5;
    var color = vec3f(0.0);
    //@layers
    // As pack4x8unorm does it, without its clamping: the colour is within [0, 1].
    let bytes = vec3u(color * 255.0 + 0.5);
    picture[id.y * frame.size.x + id.x] = bytes.r | (bytes.g << 8u) | (bytes.b << 16u) | 0xff000000u;
}
