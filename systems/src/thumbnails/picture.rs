//! One thumbnail: the coarsest level of a layer at the view's place, out of the host's cache.

use crate::{
    render::colour,
    residency::{
        cache::ChunkCache,
        sample::{self, Samples},
        slab::Slab,
        tiles::Plane,
    },
};
use lucida_components::{
    applied::{LayerState, ViewState},
    colormap::{self, Colormap},
    layer::LayerKind,
    thumbnail::Thumbnail,
};

/// Samples per pixel and side at most; the pixel is their mean.
const FINE: u64 = 4;

/// Values read at most, where the thick slice has no more planes than that needs.
const MOST_READS: u64 = 1 << 18;

/// What there was to be seen.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// None where less than half of it is there.
    pub thumbnail: Option<Thumbnail>,
    /// Some chunks are not in the cache.
    pub lacks: bool,
    /// It will not change by chunks that come.
    pub whole: bool,
    /// Values read.
    pub reads: usize,
}

/// The planes of a layer that its thumbnail shows; `None` where it has nothing at the view's place.
pub(super) fn slab<'a>(state: &'a ViewState, layer: &LayerState) -> Option<Slab<'a>> {
    let image = state.dataset.images.get(layer.layer.image)?;
    Slab::of(state, layer, image, image.levels.len().checked_sub(1)?)
}

/// Makes a thumbnail of what the cache has.
pub(super) fn draw(state: &ViewState, layer: &LayerState, cache: &ChunkCache) -> Picture {
    let Some(slab) = slab(state, layer) else {
        let nothing = Thumbnail { size: [1, 1], pixels: vec![[0.0; 4]] };
        return Picture { thumbnail: Some(nothing), whole: true, ..Picture::default() };
    };
    let planes: Vec<Plane> = slab.planes().collect();
    let size = size(slab.any());
    let fine = match layer.layer.kind {
        LayerKind::Image => fine(size, planes.len() as u64),
        // Between two ids there is nothing.
        LayerKind::Labels => 1,
    };
    let (extent, [columns, rows]) = (slab.any().extent(), size.map(|n| n as u64));
    let sides =
        [(rows, extent[0]), (columns, extent[1])].map(|(pixels, texels)| places(pixels * fine, texels));
    let samples = sample::gather(&planes, &sides, layer.controls.projection, cache);
    let all = planes.len() * samples.values.len();
    Picture {
        thumbnail: (samples.absent * 2 <= all)
            .then(|| Thumbnail { size, pixels: pixels(state, layer, size, fine as usize, &samples) }),
        lacks: samples.absent > 0,
        whole: samples.absent + samples.missing == 0,
        reads: all,
    }
}

/// Columns and rows of the largest thumbnail of a plane's shape in the world.
fn size(plane: &Plane) -> [usize; 2] {
    let extent = plane.extent();
    let [height, width] = [0, 1].map(|side| extent[side] as f64 * plane.level().scale[plane.dims[side]]);
    let most = Thumbnail::MOST as f64;
    [width, height].map(|v| ((most * v / width.max(height)).round() as usize).clamp(1, Thumbnail::MOST))
}

/// Samples per pixel and side, within the bounds.
fn fine([columns, rows]: [usize; 2], planes: u64) -> u64 {
    let reads = |fine: u64| columns as u64 * rows as u64 * planes * fine * fine;
    (1..=FINE).rev().find(|fine| reads(*fine) <= MOST_READS).unwrap_or(1)
}

/// Texels at even distances.
fn places(samples: u64, texels: u64) -> Vec<u64> {
    let texel = |n: u64| (((n as f64 + 0.5) * texels as f64 / samples as f64) as u64).min(texels - 1);
    (0..samples).map(texel).collect()
}

fn pixels(
    state: &ViewState,
    layer: &LayerState,
    [columns, rows]: [usize; 2],
    fine: usize,
    samples: &Samples,
) -> Vec<[f32; 4]> {
    let colormap = colormap::lookup(&layer.controls.colormap).unwrap_or(Colormap::Ramp([1.0; 3]));
    let color = |value: f64| match layer.layer.kind {
        LayerKind::Image => {
            let [r, g, b] = colour::of_value(&layer.controls, &colormap, value);
            [r, g, b, 1.0]
        }
        LayerKind::Labels if colour::is_shown(&layer.controls, value as u32) => {
            colour::of_label(state.source(layer), value as u32)
        }
        LayerKind::Labels => [0.0; 4],
    };
    let mean = |row: usize, column: usize| {
        let line = |r: usize| (row * fine + r) * columns * fine + column * fine;
        let values = (0..fine).flat_map(|r| &samples.values[line(r)..line(r) + fine]).flatten();
        let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
        (count > 0).then(|| sum / f64::from(count))
    };
    (0..rows * columns)
        .map(|n| mean(n / columns, n % columns).map_or([0.0; 4], color).map(|c| c as f32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_in_the_middle_of_their_parts() {
        assert_eq!(places(4, 4), [0, 1, 2, 3]);
        assert_eq!(places(2, 8), [2, 6]);
        assert_eq!(places(6, 3), [0, 0, 1, 1, 2, 2]);
        assert_eq!(places(3, 1), [0, 0, 0]);
        assert_eq!(places(128, 1 << 40).last(), Some(&((1 << 40) - (1 << 32))));
    }

    #[test]
    fn reads_are_bounded_however_thick_the_slice() {
        assert_eq!([1, 16, 17, 256].map(|planes| fine([32, 32], planes)), [4, 4, 3, 1]);
        assert_eq!(fine([32, 1], 256), 4);
    }
}
