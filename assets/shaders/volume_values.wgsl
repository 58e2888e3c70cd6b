// Reading bricks: which one answers at a place, what is known of its values, and the values.

// The stretch of a ray on which one brick answers, or nothing does.
struct Region {
    // The level, or NONE.
    level: u32,
    // The words of the page table.
    entry: vec2u,
    // The brick's first voxel in the window of its level.
    corner: vec3f,
    // How far it goes on.
    rest: f32,
}

// How far a ray at `at` goes on until `edge`, both along one axis each; FAR along axes it does not move on.
fn reach(edge: vec3f, at: vec3f, direction: vec3f) -> vec3f {
    return select((edge - at) / direction, vec3f(FAR), direction == vec3f(0.0));
}

fn least(v: vec3f) -> f32 {
    return min(v.x, min(v.y, v.z));
}

fn most(v: vec3f) -> f32 {
    return max(v.x, max(v.y, v.z));
}

// The entry of the page table for a brick of a window.
fn entry_of(level: u32, brick: vec3f) -> vec2u {
    let b = vec3u(brick);
    let n = levels[level].bricks;
    return table[levels[level].table + (b.z * n.y + b.y) * n.x + b.x];
}

// What answers `along` a ray: the finest level that is wanted at this depth and here.
fn region_at(l: u32, ray: Ray, along: f32) -> Region {
    var region: Region;
    region.level = NONE;
    region.rest = FAR;
    let at = ray.origin + ray.direction * along;
    let depth = ray.depth + ray.slope * along;
    let end = layers[l].first + layers[l].levels;
    for (var k = layers[l].first; k < end; k++) {
        if depth >= levels[k].until {
            continue;
        }
        region.rest = min(region.rest, (levels[k].until - depth) / ray.slope);
        let here = levels[k].offset + levels[k].scale * at;
        let direction = levels[k].scale * ray.direction;
        let lower = levels[k].lower;
        let upper = levels[k].upper;
        if any(here < lower) || any(here >= upper) {
            // It may be entered further on.
            let enter = most(select(reach(select(upper, lower, direction > vec3f(0.0)), here, direction), vec3f(-FAR), direction == vec3f(0.0)));
            if enter > 0.0 {
                region.rest = min(region.rest, enter);
            }
            continue;
        }
        let last = vec3f(levels[k].bricks) - 1.0;
        let brick = clamp(floor(here / STRIDE), vec3f(0.0), last);
        let corner = brick * STRIDE;
        let ahead = select(corner + STRIDE, upper, brick == last);
        let behind = select(corner, lower, brick == vec3f(0.0));
        region.rest = min(region.rest, least(reach(select(behind, ahead, direction > vec3f(0.0)), here, direction)));
        region.entry = entry_of(k, brick);
        if region.entry.x != 0u {
            region.level = k;
            region.corner = corner;
            break;
        }
    }
    region.rest = max(region.rest, 0.0);
    return region;
}

// The first texel of a slot in its pool.
fn slot_texel(slot: u32, dtype: u32) -> vec3f {
    let n = slots_of(dtype);
    return vec3f(vec3u(slot % n.x, (slot / n.x) % n.y, slot / (n.x * n.y))) * SIDE;
}

// Slots of a type's pool along x, y, z.
fn slots_of(dtype: u32) -> vec3u {
    switch dtype {
        case U8: { return frames[zero].slots[0].xyz; }
        case U16, I16: { return frames[zero].slots[1].xyz; }
        case F32: { return frames[zero].slots[2].xyz; }
        default: { return frames[zero].slots[3].xyz; }
    }
}

fn cell_range(dtype: u32, i: u32) -> vec2f {
    switch dtype {
        case U8: { return cells8[i]; }
        case U16, I16: { return cells16[i]; }
        case F32: { return cells32[i]; }
        default: { return cells_id[i]; }
    }
}

// Smallest and largest normalised value of a brick that is here; of surfaces and labels 0, and 1 where there may
// be something.
fn known(word: u32) -> vec2f {
    return vec2f(f32(word & 0xffffu), f32(word >> 16u)) / 65535.0;
}

// A value, as textures give it, of the texel nearest to a place in the pool.
fn texel(dtype: u32, place: vec3f) -> f32 {
    let at = vec3i(place);
    switch dtype {
        case U8: { return textureLoad(bricks8, at, 0).r; }
        case U16, I16: { return textureLoad(bricks16, at, 0).r; }
        default: { return textureLoad(bricks32, at, 0).r; }
    }
}

// Trilinear by eight loads; where one that has a part is not a number, the nearest stands for itself.
// `first` is the slot's first texel, `p` in [0, 63]. The type is a constant.
fn by_eight(dtype: u32, first: vec3f, p: vec3f) -> f32 {
    let corner = min(floor(p), vec3f(SIDE - 2.0));
    let f = p - corner;
    var sum = 0.0;
    for (var n = 0u; n < 8u; n++) {
        let side = vec3f(vec3u(n & 1u, (n >> 1u) & 1u, n >> 2u));
        let parts = mix(1.0 - f, f, side);
        let weight = parts.x * parts.y * parts.z;
        let value = texel(dtype, first + corner + side);
        if weight > 0.0 {
            if dtype == F32 && !is_number(bitcast<u32>(value)) {
                return texel(dtype, first + p + 0.5);
            }
            sum += weight * value;
        }
    }
    return sum;
}

// Trilinear by the sampler (program.rs rewrites this where a device cannot sample 32-bit floats).
fn sampled32(first: vec3f, p: vec3f, scale: vec3f) -> f32 {
    let value = textureSampleLevel(bricks32, between, (first + p + 0.5) * scale, 0.0).r;
    if is_number(bitcast<u32>(value)) {
        return value;
    }
    return by_eight(F32, first, p);
}

// The value at `at` in a brick (0 = its first voxel's centre), as textures give it; f32 values may be no numbers.
// `exact` asks for more digits than a sampler may give; `first` is the slot's first texel, `scale` 1 / the size of
// the pool. The first three arguments are constants.
fn value_at(dtype: u32, linear: bool, exact: bool, first: vec3f, scale: vec3f, at: vec3f) -> f32 {
    // Beyond the outermost centres the image goes on with its outermost voxels.
    let p = clamp(at, vec3f(0.0), vec3f(SIDE - 1.0));
    if !linear {
        return texel(dtype, first + p + 0.5);
    }
    if exact {
        return by_eight(dtype, first, p);
    }
    switch dtype {
        case U8: { return textureSampleLevel(bricks8, between, (first + p + 0.5) * scale, 0.0).r; }
        case U16, I16: { return textureSampleLevel(bricks16, between, (first + p + 0.5) * scale, 0.0).r; }
        default: { return sampled32(first, p, scale); }
    }
}

// The id at a place in a brick.
fn id_in(dtype: u32, first: vec3f, at: vec3f) -> u32 {
    let place = first + clamp(at, vec3f(0.0), vec3f(SIDE - 1.0)) + 0.5;
    switch dtype {
        case U8: { return u32(texel(dtype, place) * 255.0 + 0.5); }
        case U16: { return u32(texel(dtype, place) * 65535.0 + 0.5); }
        default: { return textureLoad(bricks_id, vec3i(place), 0).r; }
    }
}
