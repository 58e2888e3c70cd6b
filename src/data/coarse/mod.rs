//! Coarse levels for images that have none: made of the stored ones while they are looked at, kept on disk.
//!
//! ```text
//! stored chunks ─ reduce ─→ chunk of the first virtual level ─ reduce ─→ … ─→ shelf (memory, disk)
//! ```

mod boxes;
mod disk;
mod geometry;
mod reduce;
mod room;
mod shelf;
mod source;

pub use shelf::Shelf;

use super::{ChunkSource, Opened};
use lucida_components::{
    dataset::{Level, Multiscale},
    layer::LayerKind,
};
use reduce::Rule;
use sha2::{Digest, Sha256};
use source::CoarseSource;
use std::sync::{Arc, atomic::AtomicBool};

/// Written into the name of an image's folder: another way to make chunks finds none of the old ones.
const FORMAT: &str = "lucida coarse levels 1";

/// Gives each pyramid of an image that ends too fine the levels that it lacks. Reads no values.
#[must_use = "the image that it was given has no more levels than before"]
pub fn with_levels(opened: Opened, shelf: &Arc<Shelf>) -> Opened {
    let Opened { dataset, mut sources } = opened;
    let mut grown = (*dataset).clone();
    let mut has_grown = false;
    for (number, image) in grown.images.iter_mut().enumerate() {
        let levels = geometry::levels(image, &dataset.axes);
        let source = sources.iter_mut().find(|(id, _)| *id == image.source);
        let (false, Some((_, source))) = (levels.is_empty(), source) else { continue };
        let is_labels = dataset.layers.iter().any(|l| l.image == number && l.kind == LayerKind::Labels);
        let rule = if is_labels { Rule::First } else { Rule::Mean };
        let first = image.levels.len();
        image.levels.extend(levels);
        *source = Arc::new(CoarseSource {
            folder: source.fingerprint().map(|stored| folder(&stored, image, rule)),
            stored: source.clone(),
            levels: image.levels.clone(),
            first,
            dtype: image.dtype,
            rule,
            shelf: shelf.clone(),
            id: image.source,
            told: AtomicBool::new(false),
        }) as Arc<dyn ChunkSource>;
        has_grown = true;
    }
    Opened { dataset: if has_grown { Arc::new(grown) } else { dataset }, sources }
}

/// The name of an image's folder in the disk cache: it changes with everything that its chunks depend on.
fn folder(stored: &str, image: &Multiscale, rule: Rule) -> String {
    let geometry: Vec<(&[u64], &[u64])> =
        image.levels.iter().map(|Level { shape, chunk, .. }| (shape.as_slice(), chunk.as_slice())).collect();
    let all = format!("{FORMAT}\n{stored}\n{:?} {rule:?} {geometry:?}", image.dtype);
    let digest = Sha256::digest(all);
    let half = digest.iter().take(16).fold(0, |n, byte| n << 8 | u128::from(*byte));
    format!("{half:032x}")
}
