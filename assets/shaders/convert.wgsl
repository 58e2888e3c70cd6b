// RGBA8 to I420, BT.709 limited range (ITU-R BT.709-6 §3): Y = 16 + 219·Y', Cb = 128 + 224·Cb',
// Cr = 128 + 224·Cr', chroma the mean of 2×2 pixels.
//
// One invocation makes 8×2 pixels: two words of each luma row, one word of each chroma plane.

struct Frame {
    // Pixels of the picture; both even.
    size: vec2u,
    // Bytes per luma row, a multiple of 8; chroma rows have half.
    stride: u32,
    // 1 = the bottom row is coded first.
    bottom_up: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<storage, read> picture: array<u32>;
// Y, then U, then V.
@group(0) @binding(2) var<storage, read_write> planes: array<u32>;

fn color(x: u32, y: u32) -> vec3f {
    let row = select(y, frame.size.y - 1u - y, frame.bottom_up == 1u);
    // Beyond the right edge of the picture the stride repeats its last column.
    return unpack4x8unorm(picture[row * frame.size.x + min(x, frame.size.x - 1u)]).rgb;
}

fn luma(c: vec3f) -> f32 {
    return dot(c, vec3f(0.2126, 0.7152, 0.0722));
}

// Of what the formulas make of colours in [0, 1], which is within 16..=240.
fn byte(v: f32) -> u32 {
    return u32(v + 0.5);
}

// Two pixels side by side in two rows: two luma bytes of each row in the low half of a word, and their chroma.
struct Quad {
    upper: u32,
    lower: u32,
    u: u32,
    v: u32,
}

fn quad(x: u32, y: u32) -> Quad {
    let a = color(x, y);
    let b = color(x + 1u, y);
    let c = color(x, y + 1u);
    let d = color(x + 1u, y + 1u);
    let mean = (a + b + c + d) * 0.25;
    let l = luma(mean);
    return Quad(
        byte(16.0 + 219.0 * luma(a)) | (byte(16.0 + 219.0 * luma(b)) << 8u),
        byte(16.0 + 219.0 * luma(c)) | (byte(16.0 + 219.0 * luma(d)) << 8u),
        byte(128.0 + 224.0 * (mean.b - l) / 1.8556),
        byte(128.0 + 224.0 * (mean.r - l) / 1.5748),
    );
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let x = id.x * 8u;
    let y = id.y * 2u;
    if x >= frame.stride || y >= frame.size.y {
        return;
    }
    let q0 = quad(x, y);
    let q1 = quad(x + 2u, y);
    let q2 = quad(x + 4u, y);
    let q3 = quad(x + 6u, y);
    let row = frame.stride / 4u;
    let at = y * row + id.x * 2u;
    planes[at] = q0.upper | (q1.upper << 16u);
    planes[at + 1u] = q2.upper | (q3.upper << 16u);
    planes[at + row] = q0.lower | (q1.lower << 16u);
    planes[at + row + 1u] = q2.lower | (q3.lower << 16u);
    let chroma = frame.stride / 8u;
    let u_plane = row * frame.size.y;
    let v_plane = u_plane + chroma * (frame.size.y / 2u);
    planes[u_plane + id.y * chroma + id.x] = q0.u | (q1.u << 8u) | (q2.u << 16u) | (q3.u << 24u);
    planes[v_plane + id.y * chroma + id.x] = q0.v | (q1.v << 8u) | (q2.v << 16u) | (q3.v << 24u);
}
