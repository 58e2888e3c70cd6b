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
    /// Regions of the whole run.
    pub regions: usize,
    /// Regions of one voxel, at most.
    pub most: usize,
    /// The first region of each voxel, counted from the first.
    from: Vec<usize>,
    /// For each voxel `most` weights, of its first region and those after it: the sum of the profile over the finest
    /// voxels that both have, over all finest voxels of the voxel.
    weights: Vec<f32>,
}

impl Along {
    /// Voxels `origin..origin + size` of a level whose voxels have `factor` finest ones, of `extent` in all.
    pub fn new(seed: u64, extent: u64, factor: u64, origin: u64, size: usize) -> Self {
        let ends = |i: usize| {
            let from = (origin + i as u64) * factor;
            (from, (from + factor).min(extent))
        };
        let first = ends(0).0 / REGION;
        let last = (ends(size - 1).1 - 1) / REGION;
        let profiles: Vec<Profile> = (first..=last).map(|r| Profile::of(seed, r)).collect();
        let spans: Vec<(u64, u64)> =
            (0..size).map(ends).map(|(from, to)| (from / REGION, (to - 1) / REGION)).collect();
        let most = spans.iter().map(|(a, b)| (b - a + 1) as usize).max().unwrap_or(1);
        let mut weights = vec![0.0; size * most];
        for (i, (a, b)) in spans.iter().enumerate() {
            let (from, to) = ends(i);
            for region in *a..=*b {
                let inside = from.max(region * REGION)..to.min((region + 1) * REGION);
                let profile = &profiles[(region - first) as usize];
                let sum: f64 = inside.map(|v| profile.at(v - region * REGION)).sum();
                weights[i * most + (region - a) as usize] = (sum / (to - from) as f64) as f32;
            }
        }
        let from = spans.iter().map(|(a, _)| (a - first) as usize).collect();
        Self { first, regions: profiles.len(), most, from, weights }
    }

    /// All regions as one.
    pub fn merged(self) -> Self {
        let weights: Vec<f32> = self.weights.chunks(self.most).map(|w| w.iter().sum()).collect();
        Self { first: 0, regions: 1, most: 1, from: vec![0; weights.len()], weights }
    }

    /// Regions with their weight of the run's `i`-th voxel, where it is not 0.
    pub fn of_voxel(&self, i: usize) -> impl Iterator<Item = (usize, f32)> + Clone + '_ {
        let weights = self.weights[i * self.most..][..self.most].iter().enumerate();
        weights.filter(|(_, w)| **w > 0.0).map(move |(n, w)| (self.from[i] + n, *w))
    }

    /// For each voxel the sum over regions of their weights and amplitudes, of which there are [`Self::most`] more
    /// than regions.
    pub fn sums<'a>(&'a self, amplitudes: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let voxels = self.from.iter().zip(self.weights.chunks_exact(self.most));
        voxels.map(|(from, weights)| weights.iter().zip(&amplitudes[*from..]).map(|(w, a)| w * a).sum())
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
