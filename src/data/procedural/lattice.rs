//! The voxels of one region of one level, placed in micrometres.

/// Voxel centres of a region.
#[derive(Debug, Clone)]
pub struct Lattice {
    /// First voxel along z, y, x.
    pub origin: [u64; 3],
    /// Voxels along z, y, x.
    pub size: [usize; 3],
    /// Micrometres per voxel.
    pub voxel: [f64; 3],
    /// Micrometres of the centre of voxel 0 of the level.
    pub first: [f64; 3],
}

impl Lattice {
    /// Micrometres of the centre of the region's `i`-th voxel along axis `d`. Depends on the voxel alone,
    /// not on the region, bit for bit.
    pub fn center(&self, d: usize, i: usize) -> f64 {
        self.first[d] + (self.origin[d] + i as u64) as f64 * self.voxel[d]
    }

    /// Voxels of the region.
    pub fn voxels(&self) -> usize {
        self.size.iter().product()
    }
}
