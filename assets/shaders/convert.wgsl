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

fn byte(v: f32) -> u32 {
    return u32(clamp(v + 0.5, 0.0, 255.0));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let x = id.x * 8u;
    let y = id.y * 2u;
    if x >= frame.stride || y >= frame.size.y {
        return;
    }
    var y_words = array<u32, 4>(0u, 0u, 0u, 0u);
    var u_word = 0u;
    var v_word = 0u;
    for (var pair = 0u; pair < 4u; pair++) {
        var sum = vec3f(0.0);
        for (var i = 0u; i < 4u; i++) {
            let dx = pair * 2u + (i & 1u);
            let dy = i >> 1u;
            let c = color(x + dx, y + dy);
            sum += c;
            y_words[dy * 2u + dx / 4u] |= byte(16.0 + 219.0 * luma(c)) << ((dx % 4u) * 8u);
        }
        let c = sum * 0.25;
        let l = luma(c);
        u_word |= byte(128.0 + 224.0 * (c.b - l) / 1.8556) << (pair * 8u);
        v_word |= byte(128.0 + 224.0 * (c.r - l) / 1.5748) << (pair * 8u);
    }
    let row = frame.stride / 4u;
    planes[y * row + id.x * 2u] = y_words[0];
    planes[y * row + id.x * 2u + 1u] = y_words[1];
    planes[(y + 1u) * row + id.x * 2u] = y_words[2];
    planes[(y + 1u) * row + id.x * 2u + 1u] = y_words[3];
    let chroma = frame.stride / 8u;
    let u_plane = row * frame.size.y;
    let v_plane = u_plane + chroma * (frame.size.y / 2u);
    planes[u_plane + id.y * chroma + id.x] = u_word;
    planes[v_plane + id.y * chroma + id.x] = v_word;
}
