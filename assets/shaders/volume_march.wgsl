// Walking a ray through a layer: from brick to brick, from cell to cell, from sample to sample.

// Of any ray no more than this is looked at, whatever the numbers are.
const MOST_REGIONS: u32 = 8192u;
const MOST_CELLS: u32 = 64u;
const MOST_SAMPLES: f32 = 4096.0;

// What a ray has gathered.
struct Gathered {
    // There was a number.
    met: bool,
    // What is still to come changes nothing.
    done: bool,
    // The largest normalised value (the smallest, the largest attenuated).
    best: f32,
    // Of values times lengths, and of lengths.
    sum: f32,
    length: f32,
    // Colours, and what still shines through.
    light: vec3f,
    through: f32,
    // Of surfaces and labels: how far along the ray, on which level, the sample before, and which label.
    hit: f32,
    level: u32,
    before: f32,
    id: u32,
}

// How a layer makes numbers of values, read once per ray.
struct Look {
    color: vec3f,
    lo: f32,
    gain: f32,
    gamma: f32,
    attenuation: f32,
    lut: u32,
    raw_lo: f32,
    raw_gain: f32,
}

fn look_of(l: u32) -> Look {
    let y = layers[l];
    return Look(y.color.rgb, y.lo, y.gain, y.gamma, y.attenuation, y.lut, y.raw_lo, y.raw_gain);
}

// What is left of a stretch of a ray where a + b · length ≥ 0.
fn cut(span: vec2f, a: f32, b: f32) -> vec2f {
    if abs(b) < 1e-20 {
        return select(span, vec2f(1.0, 0.0), a < 0.0);
    }
    let at = -a / b;
    return select(vec2f(span.x, min(span.y, at)), vec2f(max(span.x, at), span.y), b > 0.0);
}

// Where a ray enters what is left of a layer, and where it leaves it; nothing where it enters behind.
fn span_of(l: u32, ray: Ray) -> vec2f {
    let lower = layers[l].lower - ray.origin;
    let upper = layers[l].upper - ray.origin;
    let still = abs(ray.direction) < vec3f(1e-20);
    let d = select(ray.direction, vec3f(1e-20), still);
    let a = lower / d;
    let b = upper / d;
    var span = vec2f(max(ray.near, most(min(a, b))), least(max(a, b)));
    for (var n = 0u; n < min(frames[zero].planes, 6u); n++) {
        let plane = frames[zero].clip[n];
        span = cut(span, dot(plane.xyz, ray.origin) + plane.w, dot(plane.xyz, ray.direction));
    }
    let slab = layers[l].slab;
    let a0 = dot(slab.xyz, ray.origin) + slab.w;
    let b0 = dot(slab.xyz, ray.direction);
    span = cut(span, layers[l].thickness + a0, b0);
    return cut(span, layers[l].thickness - a0, -b0);
}

// One sample, or `length` of the same value. `mode` is a constant.
fn take(g: ptr<function, Gathered>, look: Look, t: f32, length: f32, mode: u32) {
    (*g).met = true;
    switch mode {
        case MIP: {
            (*g).best = max((*g).best, t);
        }
        case MINIP: {
            (*g).best = min((*g).best, t);
        }
        case ATTENUATED_MIP: {
            (*g).best = max((*g).best, t * exp(-look.attenuation * (*g).sum));
            (*g).sum += t * length;
        }
        case AVERAGE_MODE: {
            (*g).sum += t * length;
            (*g).length += length;
        }
        case TRANSLUCENT_MODE: {
            let u = toned(look, t);
            let left = exp(-look.attenuation * u * length);
            (*g).light += (*g).through * (1.0 - left) * colored(look, u);
            (*g).through *= left;
        }
        default: {
            (*g).light += colored(look, toned(look, t)) * length;
        }
    }
}

// A value as a texture gives it; floats may be no numbers. The last two arguments are constants.
fn take_value(g: ptr<function, Gathered>, look: Look, value: f32, length: f32, dtype: u32, mode: u32) {
    if dtype != F32 || is_number(bitcast<u32>(value)) {
        take(g, look, clamp((value - look.lo) * look.gain, 0.0, 1.0), length, mode);
    }
}

// 1 where a place of a brick belongs to a surface or to an object that is shown, else 0. Type, interpolation and mode
// are constants.
fn meets(l: u32, dtype: u32, linear: bool, mode: u32, first: vec3f, pool: vec3f, at: vec3f) -> f32 {
    if mode == LABELS {
        let id = id_in(dtype, first, at);
        return select(0.0, 1.0, id != 0u && (layers[l].alone == 0u || id == layers[l].chosen));
    }
    // A sampler may give no more digits than bytes have: too few for where a surface is.
    let value = value_at(dtype, linear, dtype == U8, first, pool, at);
    return select(0.0, 1.0, value >= layers[l].threshold && (dtype != F32 || is_number(bitcast<u32>(value))));
}

// Whether what is still to come changes nothing.
fn is_done(g: ptr<function, Gathered>, look: Look, mode: u32) -> bool {
    switch mode {
        case MIP: { return (*g).best >= 1.0; }
        case MINIP: { return (*g).best <= 0.0; }
        case ATTENUATED_MIP: { return (*g).met && exp(-look.attenuation * (*g).sum) <= (*g).best; }
        case TRANSLUCENT_MODE: { return (*g).through < 0.003; }
        default: { return false; }
    }
}

const TAKE: u32 = 0u;
const SKIP: u32 = 1u;
const SAME: u32 = 2u;

// What to do with a brick or cell of which the smallest and largest normalised value are known: take its samples,
// skip it, or take the same value for all of it. Floats may have holes beside their numbers, which must be looked
// for as long as that makes a difference. The last two arguments are constants.
fn judge(g: ptr<function, Gathered>, look: Look, range: vec2f, dtype: u32, mode: u32) -> u32 {
    if range.x > range.y {
        return SKIP;
    }
    switch mode {
        case MIP: {
            if (*g).met && range.y <= (*g).best {
                return SKIP;
            }
        }
        case MINIP: {
            if (*g).met && range.x >= (*g).best {
                return SKIP;
            }
        }
        case ATTENUATED_MIP: {
            if (*g).met && range.y <= 0.0 {
                return SKIP;
            }
        }
        case TRANSLUCENT_MODE: {
            if range.y <= 0.0 {
                return SKIP;
            }
        }
        case ADDITIVE_MODE: {
            if (*g).met && range.y <= 0.0 && look.lut == NONE {
                return SKIP;
            }
        }
        case ISO, LABELS: {
            return select(TAKE, SKIP, range.y <= 0.0);
        }
        default: {}
    }
    return select(TAKE, SAME, range.x == range.y && dtype != F32);
}

// The smallest and largest normalised value of a cell; of surfaces and labels as `known` has it.
fn cell_known(l: u32, look: Look, range: vec2f, mode: u32) -> vec2f {
    switch mode {
        case ISO: {
            return vec2f(0.0, select(0.0, 1.0, range.y >= layers[l].raw_threshold));
        }
        case LABELS: {
            let chosen = f32(layers[l].chosen);
            let here = layers[l].alone == 0u || (range.x <= chosen && chosen <= range.y);
            return vec2f(0.0, select(0.0, 1.0, range.y > 0.0 && here));
        }
        default: {
            if range.x > range.y {
                return vec2f(1.0, 0.0);
            }
            return clamp((range - look.raw_lo) * look.raw_gain, vec2f(0.0), vec2f(1.0));
        }
    }
}

// A ray's way through a brick: its first sample, from one to the next, samples per voxel, the brick's first cell.
struct Walk {
    start: vec3f,
    move_by: vec3f,
    rate: vec3f,
    cells: u32,
}

// The cell of a sample: its entry, and the first sample behind it.
struct Cell {
    entry: u32,
    stop: f32,
}

fn cell_at(walk: Walk, k: f32) -> Cell {
    let p = walk.start + walk.move_by * k;
    let cell = clamp(floor(p / CELL), vec3f(0.0), vec3f(3.0));
    let ahead = walk.move_by > vec3f(0.0);
    // The outermost cells go on beyond the brick, as far as its samples do.
    let last = select(vec3f(0.0), vec3f(3.0), ahead);
    let edge = (cell + select(vec3f(0.0), vec3f(1.0), ahead)) * CELL;
    let rest = least(select((edge - p) * walk.rate, vec3f(FAR), cell == last | walk.rate == vec3f(FAR)));
    let place = vec3u(cell);
    return Cell(walk.cells + (place.z * 4u + place.y) * 4u + place.x, k + max(ceil(rest), 1.0));
}

// Gathers what a layer has along a ray. All but the first two arguments are constants at the call.
//
// Samples of a level lie at span.x + (i + jitter) · step, with the level's own step. A stretch of the ray belongs to
// the level that answers there, and has the samples of that level that fall into it.
fn march(l: u32, ray: Ray, dtype: u32, linear: bool, mode: u32) -> Gathered {
    var g: Gathered;
    g.best = select(0.0, 1.0, mode == MINIP);
    g.through = 1.0;
    g.level = NONE;
    let span = span_of(l, ray);
    if !(span.x < span.y) {
        return g;
    }
    let look = look_of(l);
    // Voxels of the finest level per render unit along this ray.
    let fine = length(layers[l].scale * ray.direction);
    let pool = 1.0 / (vec3f(max(slots_of(dtype), vec3u(1u))) * SIDE);
    // A brick is looked for just behind the edge of the one before.
    let nudge = 1e-3 * layers[l].step / length(levels[layers[l].first].scale * ray.direction);
    var seen = span.x;
    var level = NONE;
    var step = 0.0;
    // The next sample of this level.
    var next = 0.0;
    g.before = span.x;
    for (var n = 0u; n < MOST_REGIONS; n++) {
        let probe = seen + nudge + abs(seen) * 5e-7;
        if !(probe < span.y) || g.done {
            break;
        }
        let region = region_at(l, ray, probe);
        let end = min(probe + region.rest, span.y);
        if region.level == NONE {
            // Behind a gap samples are counted anew.
            level = NONE;
            seen = end;
            continue;
        }
        if region.level != level {
            level = region.level;
            step = layers[l].step / length(levels[level].scale * ray.direction);
            next = max(ceil((seen - span.x) / step - ray.jitter), 0.0);
        }
        seen = end;
        let first = next;
        let count = min(ceil((end - span.x) / step - ray.jitter) - first, MOST_SAMPLES);
        if !(count > 0.0) {
            continue;
        }
        next = first + count;
        let size = step * fine;
        var whole = known(region.entry.y);
        if region.entry.x == ANSWERED {
            let t = bitcast<f32>(region.entry.y);
            if is_number(region.entry.y) && mode < ISO {
                if judge(&g, look, vec2f(t), U8, mode) == SAME {
                    take(&g, look, t, count * size, mode);
                }
            }
            g.done = is_done(&g, look, mode);
            continue;
        }
        let verdict = judge(&g, look, whole, dtype, mode);
        if verdict != TAKE {
            if verdict == SAME {
                take(&g, look, whole.x, count * size, mode);
                g.done = is_done(&g, look, mode);
            }
            continue;
        }
        let slot = region.entry.x - 1u;
        let slot_at = slot_texel(slot, dtype);
        // The first sample in voxels of the brick, and from one to the next.
        let move_by = levels[level].scale * ray.direction * step;
        let start = levels[level].offset + levels[level].scale * (ray.origin + ray.direction * (span.x + (first + ray.jitter) * step)) - region.corner;
        let walk = Walk(start, move_by, select(1.0 / move_by, vec3f(FAR), abs(move_by) < vec3f(1e-20)), slot * 64u);
        var k = 0.0;
        var cell = cell_at(walk, k);
        var read = cell_range(dtype, cell.entry);
        for (var c = 0u; c < MOST_CELLS; c++) {
            if k >= count || g.done {
                break;
            }
            // What is known of the next cell is read before this one is marched, because memory answers late.
            let stop = min(cell.stop, count);
            let range = cell_known(l, look, read, mode);
            cell = cell_at(walk, stop);
            read = cell_range(dtype, cell.entry);
            let verdict = judge(&g, look, range, dtype, mode);
            if verdict == SAME {
                take(&g, look, range.x, (stop - k) * size, mode);
            }
            if verdict == TAKE {
                // Four at a time, because a texture answers late. Where fewer are left the last one stands for the
                // others, with no length.
                for (; k < stop && !g.done; k += 4.0) {
                    let number = vec4f(k, k + 1.0, k + 2.0, k + 3.0);
                    let at = min(number, vec4f(stop - 1.0));
                    if mode < ISO {
                        let value = vec4f(
                            value_at(dtype, linear, false, slot_at, pool, start + move_by * at.x),
                            value_at(dtype, linear, false, slot_at, pool, start + move_by * at.y),
                            value_at(dtype, linear, false, slot_at, pool, start + move_by * at.z),
                            value_at(dtype, linear, false, slot_at, pool, start + move_by * at.w),
                        );
                        let lengths = select(vec4f(0.0), vec4f(size), number < vec4f(stop));
                        take_value(&g, look, value.x, lengths.x, dtype, mode);
                        take_value(&g, look, value.y, lengths.y, dtype, mode);
                        take_value(&g, look, value.z, lengths.z, dtype, mode);
                        take_value(&g, look, value.w, lengths.w, dtype, mode);
                    } else {
                        let met = vec4f(
                            meets(l, dtype, linear, mode, slot_at, pool, start + move_by * at.x),
                            meets(l, dtype, linear, mode, slot_at, pool, start + move_by * at.y),
                            meets(l, dtype, linear, mode, slot_at, pool, start + move_by * at.z),
                            meets(l, dtype, linear, mode, slot_at, pool, start + move_by * at.w),
                        );
                        if any(met > vec4f(0.0)) {
                            let nth = select(select(select(at.w, at.z, met.z > 0.0), at.y, met.y > 0.0), at.x, met.x > 0.0);
                            g.met = true;
                            g.done = true;
                            g.level = level;
                            g.hit = span.x + (first + nth + ray.jitter) * step;
                            g.before = max(g.hit - step, span.x);
                            if mode == LABELS {
                                g.id = id_in(dtype, slot_at, start + move_by * nth);
                            }
                        }
                    }
                }
            }
            k = stop;
            if mode < ISO {
                g.done = is_done(&g, look, mode);
            }
        }
    }
    return g;
}
