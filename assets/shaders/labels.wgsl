// Labels: values are names of objects, each drawn in one colour. Behind plane.wgsl where a layer needs it.

// An id, and whether there is a tile that says it.
struct Label {
    here: bool,
    id: u32,
}

fn id_of(dtype: u32, slot: u32, i: u32) -> u32 {
    switch dtype {
        case U8: {
            return (pool8[slot * (TEXELS / 4u) + i / 4u] >> ((i % 4u) * 8u)) & 0xffu;
        }
        case U16: {
            return (pool16[slot * (TEXELS / 2u) + i / 2u] >> ((i % 2u) * 16u)) & 0xffffu;
        }
        default: {
            return pool32[slot * TEXELS + i];
        }
    }
}

// The id of a texel of a level's window; `own` beyond the plane and where no tile is.
fn id_beside(level: Level, at: vec2i, dtype: u32, own: u32) -> u32 {
    let middle = vec2f(at) + 0.5;
    if any(at < vec2i(0)) || any(middle < level.lower) || any(middle > level.upper) {
        return own;
    }
    let tile = vec2u(at) / TILE;
    if any(tile >= level.tiles) {
        return own;
    }
    let slot = table[level.table + tile.y * level.tiles.x + tile.x];
    if slot == 0u {
        return own;
    }
    let inside = vec2u(at) - tile * TILE + BORDER;
    return id_of(dtype, slot - 1u, inside.y * PITCH + inside.x);
}

// The id that a level shows at a place. Of outlined labels it is 0 where all texels within `contour` steps
// (along rows and columns) have the same. The page table answers for every one of them, because outlines reach
// further than a tile's border. The last two arguments are constants.
fn label_in(level: Level, p: Place, at: vec2f, contour: u32, dtype: u32, outlined: bool) -> Label {
    let slot = table[level.table + p.tile];
    if slot == 0u {
        return Label(false, 0u);
    }
    var id = id_of(dtype, slot - 1u, p.near);
    if outlined {
        let centre = min(vec2i(at), vec2i(level.tiles * TILE) - 1);
        let reach = i32(contour);
        var differs = false;
        for (var dy = -reach; dy <= reach; dy++) {
            let width = reach - abs(dy);
            for (var dx = -width; dx <= width; dx++) {
                differs = differs || id_beside(level, centre + vec2i(dx, dy), dtype, id) != id;
            }
        }
        id = select(0u, id, differs);
    }
    return Label(true, id);
}

fn lut_word(i: u32) -> u32 {
    return luts[i];
}

// One layer over what is below it. All but the first four arguments are constants at the call.
fn labels_layer(below: vec3f, l: u32, p: Place, pixel: vec2f, dtype: u32, single: bool, given: bool, outlined: bool, alone: bool, faded: bool, mode: u32) -> vec3f {
    if !p.hit {
        return below;
    }
    let at = layers[l].wanted.origin + layers[l].wanted.step * pixel;
    var label = label_in(layers[l].wanted, p, at, layers[l].contour, dtype, outlined);
    if !single {
        let first = layers[l + zero].first_coarser;
        let end = first + layers[l + zero].coarser;
        for (var k = first; k < end; k++) {
            if label.here {
                break;
            }
            let there = levels[k].origin + levels[k].step * pixel;
            let inside = clamp(there, levels[k].lower, levels[k].upper - vec2f(0.001));
            label = label_in(levels[k], place(levels[k], inside, true, false), inside, layers[l].contour, dtype, outlined);
        }
    }
    if label.id == 0u || (alone && label.id != layers[l].selected) {
        return below;
    }
    let color = label_color(l, label.id, given);
    let opacity = color.a * select(1.0, layers[l].color.a, faded);
    return min(blend(below, color.rgb, opacity, mode), vec3f(1.0));
}
