// Values that many texels have a part in: cubic interpolation in the plane, and the thick slice, which makes
// one value of the texels of many planes. Behind plane.wgsl where a layer needs it.

const NEAREST: u32 = 0u;
const LINEAR: u32 = 1u;
const CUBIC: u32 = 2u;

const NONE: u32 = 0u;
const SUM: u32 = 1u;
const MEAN: u32 = 2u;
const MIN: u32 = 3u;
const MAX: u32 = 4u;

// Whether a tile is there in every plane.
fn is_here(level: Level, tile: u32) -> bool {
    let plane = level.tiles.x * level.tiles.y;
    var here = true;
    for (var n = 0u; n < level.planes; n++) {
        here = here && table[level.table + n * plane + tile] != 0u;
    }
    return here;
}

// One texel, through all planes: what is not a number is left out. `projection` is a constant.
fn through(level: Level, tile: u32, i: u32, dtype: u32, projection: u32) -> u32 {
    if projection == NONE {
        return texel(dtype, table[level.table + tile] - 1u, i);
    }
    let plane = level.tiles.x * level.tiles.y;
    var count = 0.0;
    var folded = 0.0;
    for (var n = 0u; n < level.planes; n++) {
        let bits = texel(dtype, table[level.table + n * plane + tile] - 1u, i);
        if is_number(bits) {
            let v = bitcast<f32>(bits);
            if projection == MIN {
                folded = select(min(folded, v), v, count == 0.0);
            } else if projection == MAX {
                folded = select(max(folded, v), v, count == 0.0);
            } else {
                folded += v;
            }
            count += 1.0;
        }
    }
    if count == 0.0 {
        return NOTHING;
    }
    if projection == MEAN {
        folded /= count;
    }
    return bitcast<u32>(folded);
}

// The weights of four texels in a row by Catmull and Rom (1974); `f` is the place between the middle two.
fn catmull_rom(f: f32) -> vec4f {
    return vec4f(
        ((-0.5 * f + 1.0) * f - 0.5) * f,
        (1.5 * f - 2.5) * f * f + 1.0,
        ((-1.5 * f + 2.0) * f + 0.5) * f,
        (0.5 * f - 0.5) * f * f,
    );
}

// The value at a place, as f32 bits; NOT_HERE where a tile is missing. Beside a hole the nearest value stands
// for itself. The last three arguments are constants.
fn sample_wide(level: Level, p: Place, dtype: u32, sampling: u32, projection: u32) -> u32 {
    if !is_here(level, p.tile) {
        return NOT_HERE;
    }
    if sampling == NEAREST {
        return through(level, p.tile, p.near, dtype, projection);
    }
    var whole = true;
    var value = 0.0;
    if sampling == LINEAR {
        let weights = vec2f(1.0 - p.between.y, p.between.y);
        for (var j = 0u; j < 2u; j++) {
            let left = through(level, p.tile, p.corner + j * PITCH, dtype, projection);
            let right = through(level, p.tile, p.corner + j * PITCH + 1u, dtype, projection);
            whole = whole && is_number(left) && is_number(right);
            value += weights[j] * mix(bitcast<f32>(left), bitcast<f32>(right), p.between.x);
        }
    } else {
        let across = catmull_rom(p.between.x);
        let down = catmull_rom(p.between.y);
        for (var j = 0u; j < 4u; j++) {
            // The border is as wide as this reaches.
            let row = p.corner + j * PITCH - PITCH - 1u;
            var taps: vec4f;
            for (var i = 0u; i < 4u; i++) {
                let bits = through(level, p.tile, row + i, dtype, projection);
                whole = whole && is_number(bits);
                taps[i] = bitcast<f32>(bits);
            }
            value += down[j] * dot(across, taps);
        }
    }
    if dtype == F32 && !whole {
        return through(level, p.tile, p.near, dtype, projection);
    }
    return bitcast<u32>(value);
}

// As `sample_layer`. All but the first three arguments are constants at the call.
fn sample_layer_wide(l: u32, p: Place, pixel: vec2f, dtype: u32, sampling: u32, projection: u32, single: bool) -> u32 {
    if !p.hit {
        return NOTHING;
    }
    var value = sample_wide(layers[l].wanted, p, dtype, sampling, projection);
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
        value = sample_wide(levels[k], place(levels[k], inside, true, sampling != NEAREST), dtype, sampling, projection);
    }
    return value;
}
