//! Blobs scattered over space: at most one per cell of a cubic grid, each of one or two Gaussian lobes.
//! A region costs what its blobs cover, however large the image.

use super::{hash, lattice::Lattice};

/// A scatter of blobs.
#[derive(Debug, Clone)]
pub struct Blobs {
    /// Decides everything about every blob.
    pub seed: u64,
    /// Edge of a cell, micrometres.
    pub cell: f64,
    /// Share of the cells that have a blob.
    pub share: f64,
    /// Smallest and largest standard deviation of a lobe, micrometres.
    pub sigma: [f64; 2],
    /// Whether a blob has a second lobe beside the first.
    pub pair: bool,
    /// How far blobs wander with time, micrometres.
    pub drift: f64,
}

/// Lobes end at this many standard deviations (where they are 3 %).
const REACH: f64 = 2.6;

impl Blobs {
    /// How far the blobs are lost in voxels of this size: 0 not at all, 1 altogether (then only their mean
    /// is left, and adding them would cost more than the region is worth).
    pub fn lost(&self, voxel: [f64; 3]) -> f32 {
        let v = voxel[1].max(voxel[2]) / self.cell;
        ((v - 0.3) / 0.3).clamp(0.0, 1.0) as f32
    }

    /// Adds the blobs to a region at a time point. A Gaussian averaged over a voxel is taken as the wider
    /// Gaussian that it nearly is.
    pub fn add(&self, lattice: &Lattice, t: u64, out: &mut [f32]) {
        let spread = self.sigma[1];
        let margin = |d: usize| {
            REACH * widened(spread, lattice.voxel[d])
                + 1.5 * f64::from(u8::from(self.pair)) * spread
                + self.drift
        };
        let cells: [std::ops::RangeInclusive<i64>; 3] = std::array::from_fn(|d| {
            let (low, high) = (lattice.center(d, 0), lattice.center(d, lattice.size[d] - 1));
            ((low - margin(d)) / self.cell).floor() as i64..=((high + margin(d)) / self.cell).floor() as i64
        });
        let mut tables: [Vec<f32>; 3] = Default::default();
        for z in cells[0].clone() {
            for y in cells[1].clone() {
                for x in cells[2].clone() {
                    self.add_cell([z, y, x], lattice, t, &mut tables, out);
                }
            }
        }
    }

    fn add_cell(
        &self,
        cell: [i64; 3],
        lattice: &Lattice,
        t: u64,
        tables: &mut [Vec<f32>; 3],
        out: &mut [f32],
    ) {
        let h = hash::mix(&[self.seed, cell[0] as u64, cell[1] as u64, cell[2] as u64]);
        if hash::unit(h) >= self.share {
            return;
        }
        // Four numbers of 16 bits out of each word: coarse levels ask for many cells.
        let words: [u64; 3] = std::array::from_fn(|n| hash::mix(&[h, n as u64]));
        let u = |n: usize| (words[n / 4] >> (16 * (n % 4)) & 0xffff) as f64 / 65_536.0;
        let sigma = self.sigma[0] + (self.sigma[1] - self.sigma[0]) * u(0);
        let center: [f64; 3] = std::array::from_fn(|d| {
            let sway = self.drift * (0.7 * t as f64 + std::f64::consts::TAU * u(4 + d)).sin();
            (cell[d] as f64 + 0.15 + 0.7 * u(1 + d)) * self.cell + sway
        });
        add_lobe(center, sigma, lattice, tables, out);
        if self.pair {
            // The second lobe makes the blob long, in a direction of its own.
            let z = 1.4 * u(7) - 0.7;
            let (angle, r) = (std::f64::consts::TAU * u(8), (1.0 - z * z).sqrt());
            let step = sigma * (0.5 + u(9));
            let offset = [z, r * angle.sin(), r * angle.cos()].map(|o| o * step);
            add_lobe(
                std::array::from_fn(|d| center[d] + offset[d]),
                sigma * (0.7 + 0.3 * u(10)),
                lattice,
                tables,
                out,
            );
        }
    }
}

/// Standard deviation after averaging over a voxel.
fn widened(sigma: f64, voxel: f64) -> f64 {
    (sigma * sigma + voxel * voxel / 12.0).sqrt()
}

fn add_lobe(center: [f64; 3], sigma: f64, lattice: &Lattice, tables: &mut [Vec<f32>; 3], out: &mut [f32]) {
    let mut from = [0usize; 3];
    for d in 0..3 {
        let wide = widened(sigma, lattice.voxel[d]);
        // In voxels of the level, so that the ends do not depend on the region.
        let at = |world: f64| (world - lattice.first[d]) / lattice.voxel[d];
        let (low, high) = (at(center[d] - REACH * wide).ceil(), at(center[d] + REACH * wide).floor());
        let origin = lattice.origin[d] as f64;
        let low = (low - origin).max(0.0);
        let high = (high - origin).min(lattice.size[d] as f64 - 1.0);
        if low > high {
            return;
        }
        from[d] = low as usize;
        tables[d].clear();
        tables[d].extend((low as usize..=high as usize).map(|i| {
            let z = (lattice.center(d, i) - center[d]) / wide;
            (sigma / wide) as f32 * (-0.5 * (z * z) as f32).exp()
        }));
    }
    let [along_z, along_y, along_x] = tables;
    for (z, wz) in along_z.iter().enumerate() {
        for (y, wy) in along_y.iter().enumerate() {
            let w = wz * wy;
            let start = ((from[0] + z) * lattice.size[1] + from[1] + y) * lattice.size[2] + from[2];
            for (out, wx) in out[start..start + along_x.len()].iter_mut().zip(along_x.iter()) {
                *out += w * wx;
            }
        }
    }
}
