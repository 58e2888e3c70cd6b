//! One axis of a run of voxels: which regions they lie in, and how much of the objects' profile each sees.

use super::REGION;
use crate::data::procedural::hash;

/// Half the width of an object along an axis, in voxels of the finest level: from, to. The larger reaches the
/// ends of its region, where it is 0.
const REACH: [f64; 2] = [24.0, 31.0];
/// The middle voxel of a region.
const MIDDLE: f64 = 31.0;
/// Regions between two points of the slow modulation, by octave.
const OCTAVES: [u64; 4] = [3, 17, 101, 701];

/// The weights of a run of voxels of one level along one axis.
pub struct Along {
    /// The region of the first voxel.
    pub first: u64,
    /// By region from the first on: the part of the run that lies in it, and for each voxel of that part the sum
    /// of the profile over the finest voxels that both have, over all finest voxels of the voxel.
    pub regions: Vec<Part>,
}

/// The part of a run that lies in one region.
#[derive(Default)]
pub struct Part {
    /// Its first voxel, counted in the run.
    pub from: usize,
    /// A weight for each of its voxels.
    pub weights: Vec<f32>,
}

impl Along {
    /// Voxels `origin..origin + size` of a level whose voxels have `factor` finest ones, of `extent` in all.
    pub fn new(seed: u64, extent: u64, factor: u64, origin: u64, size: usize) -> Self {
        let first = origin * factor / REGION;
        let last = ((origin + size as u64) * factor).min(extent).saturating_sub(1) / REGION;
        let profiles: Vec<Profile> = (first..=last).map(|r| Profile::of(seed, r)).collect();
        let mut regions: Vec<Part> = profiles.iter().map(|_| Part::default()).collect();
        for i in 0..size {
            let from = (origin + i as u64) * factor;
            let to = (from + factor).min(extent);
            for region in from / REGION..=(to - 1) / REGION {
                let n = (region - first) as usize;
                let inside = from.max(region * REGION)..to.min((region + 1) * REGION);
                let sum: f64 = inside.map(|v| profiles[n].at(v - region * REGION)).sum();
                if regions[n].weights.is_empty() {
                    regions[n].from = i;
                }
                regions[n].weights.push((sum / (to - from) as f64) as f32);
            }
        }
        Self { first, regions }
    }

    /// All regions as one.
    pub fn merged(self, size: usize) -> Self {
        let mut weights = vec![0.0; size];
        for part in &self.regions {
            weights[part.from..].iter_mut().zip(&part.weights).for_each(|(sum, w)| *sum += w);
        }
        Self { first: 0, regions: vec![Part { from: 0, weights }] }
    }

    /// Regions with their weight of the run's `i`-th voxel, where it is not 0.
    pub fn of_voxel(&self, i: usize) -> impl Iterator<Item = (usize, f32)> + Clone + '_ {
        let weight = move |p: &Part| p.weights.get(i.checked_sub(p.from)?).copied();
        let all = self.regions.iter().enumerate();
        all.filter_map(move |(n, p)| Some((n, weight(p).filter(|w| *w > 0.0)?)))
    }
}

/// What an object in a region looks like along one axis: a plateau with soft sides.
struct Profile {
    center: f64,
    reach: f64,
    height: f64,
}

impl Profile {
    fn of(seed: u64, region: u64) -> Self {
        let u = |salt: u64| hash::unit(hash::mix(&[seed, region, salt]));
        let reach = REACH[0] + (REACH[1] - REACH[0]) * u(0);
        // It ends within the region, wherever it stands.
        let center = MIDDLE + (REACH[1] - reach) * (2.0 * u(1) - 1.0);
        // Slow changes over all scales, so that no zoom shows everywhere the same.
        let slow = OCTAVES.iter().map(|period| {
            let (at, within) = (region / period, (region % period) as f64 / *period as f64);
            let point = |n: u64| hash::unit(hash::mix(&[seed, *period, n]));
            point(at) + (point(at + 1) - point(at)) * within
        });
        Self { center, reach, height: 0.7 + 0.3 * slow.sum::<f64>() / OCTAVES.len() as f64 }
    }

    /// At a voxel of the region.
    fn at(&self, voxel: u64) -> f64 {
        let u = (2.0 - 2.0 * (voxel as f64 - self.center).abs() / self.reach).clamp(0.0, 1.0);
        self.height * u * u * (3.0 - 2.0 * u)
    }
}
