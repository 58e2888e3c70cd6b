// Enlarges a picture of fewer pixels, linearly: what moves is drawn small where there is no time for more.

struct Frame {
    // Pixels of the small picture and of the large one.
    small: vec2u,
    large: vec2u,
}

@group(0) @binding(0) var<uniform> frame: Frame;
// RGBA8 each, row 0 on top.
@group(0) @binding(1) var<storage, read> small: array<u32>;
@group(0) @binding(2) var<storage, read_write> large: array<u32>;

fn pixel(at: vec2u) -> vec3f {
    return unpack4x8unorm(small[at.y * frame.small.x + at.x]).rgb;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if any(id.xy >= frame.large) {
        return;
    }
    let ratio = vec2f(frame.small) / vec2f(frame.large);
    let at = clamp((vec2f(id.xy) + 0.5) * ratio - 0.5, vec2f(0.0), vec2f(frame.small - 1u));
    let corner = vec2u(at);
    let beyond = min(corner + 1u, frame.small - 1u);
    let between = at - vec2f(corner);
    let upper = mix(pixel(corner), pixel(vec2u(beyond.x, corner.y)), between.x);
    let lower = mix(pixel(vec2u(corner.x, beyond.y)), pixel(beyond), between.x);
    let bytes = vec3u(mix(upper, lower, between.y) * 255.0 + 0.5);
    large[id.y * frame.large.x + id.x] = bytes.r | (bytes.g << 8u) | (bytes.b << 16u) | 0xff000000u;
}
