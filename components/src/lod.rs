//! Level of detail: which pyramid level a view aims at, who decides, and within what budget.

use bevy_ecs::{component::Component, resource::Resource};
use serde::{Deserialize, Serialize};

/// The level block of a view.
///
/// `level` is a level of the *reference* layer (the first of the scene). Its voxel size along the
/// displayed axes is the target scale; every other layer resolves that scale to a level of its own.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lod {
    /// Level of the reference layer, 0 = full resolution.
    pub level: usize,
    /// Who chooses it.
    pub policy: LodPolicy,
    /// Whether a budget made it coarser than what was asked for.
    pub downgraded: bool,
    /// In a volume whose level is automatic: by how many halvings of the resolution a budget made every place of it
    /// coarser. Derived by the transaction; 0 otherwise.
    #[serde(default)]
    pub bias: u8,
}

impl Lod {
    /// Nothing is made coarser than this.
    pub const MOST_BIAS: u8 = 16;
}

/// Who chooses the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LodPolicy {
    /// The view's zoom, by [`LodRules`].
    #[default]
    Auto,
    /// The client: the level stays until it says otherwise.
    Locked,
}

/// The rules that turn a zoom into a level. Scene-wide.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum LodRules {
    /// The coarsest level that still has a data pixel for every screen pixel. A switch to a coarser
    /// level waits until that level has `1 + hysteresis` data pixels per screen pixel.
    Sharp {
        /// Relative margin against flapping, for example 0.05.
        hysteresis: f64,
    },
    /// napari-cuda's selector: one level at a time; finer when the finer level has at most `fine`
    /// data pixels per screen pixel, coarser when the current has more than `coarse`; after a
    /// switch nothing for `cooldown_millis`.
    NapariCuda {
        /// Threshold for going finer (1.05 there).
        fine: f64,
        /// Threshold for going coarser (1.35 there).
        coarse: f64,
        /// Pause after a switch (150 ms there).
        cooldown_millis: u64,
    },
}

impl LodRules {
    /// napari-cuda's defaults.
    pub const NAPARI_CUDA: Self = Self::NapariCuda { fine: 1.05, coarse: 1.35, cooldown_millis: 150 };
}

impl Default for LodRules {
    fn default() -> Self {
        Self::Sharp { hysteresis: 0.05 }
    }
}

/// Upper bounds that a level choice and the residency keep.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Bytes of decoded chunks in host memory, wherever they are: in the cache, being read, on their way.
    pub host_bytes: u64,
    /// Bytes of each GPU tile pool (there is one per value width in use).
    pub pool_bytes: u64,
    /// Bytes of all GPU brick pools together: volumes.
    pub brick_bytes: u64,
    /// Time a turn may spend cutting tiles out of chunks, in microseconds.
    pub upload_micros: u64,
}

impl Budgets {
    /// Of the host's bytes, those of chunks that are being read or wait for the world. One chunk alone may
    /// have more.
    pub fn transit_bytes(&self) -> u64 {
        self.host_bytes / 8
    }

    /// Of the host's bytes, those of the cache, where the largest chunk has `chunk` bytes: what is left beside
    /// the chunks on their way, and as many that a turn has just taken.
    pub fn cache_bytes(&self, chunk: u64) -> u64 {
        self.host_bytes.saturating_sub(self.transit_bytes().max(chunk).saturating_mul(2))
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self { host_bytes: 1 << 30, pool_bytes: 128 << 20, brick_bytes: 256 << 20, upload_micros: 3_000 }
    }
}

/// Sizes by which the levels of an image are chosen in a volume, finest first: a level is fine enough where its
/// size is at most that of a pixel, and the coarsest such level is drawn.
///
/// The size of a level is the longest side of its voxels in world units along `axes` (scene axes), of the sides
/// that are longer than those of the finest level: an axis that is never made coarser has no say. The finest level
/// has 0. Sizes never fall, so that a level no coarser than the one before it is not passed over.
pub fn sizes(image: &crate::dataset::Multiscale, axes: &[usize]) -> Vec<f64> {
    let dims: Vec<usize> = axes.iter().filter_map(|&a| image.dim_of(a)).collect();
    let mut largest = 0.0_f64;
    image
        .levels
        .iter()
        .map(|level| {
            let coarser = dims.iter().filter(|&&d| level.scale[d] > image.levels[0].scale[d] * 1.01);
            largest = coarser.map(|&d| level.scale[d]).fold(largest, f64::max);
            largest
        })
        .collect()
}
