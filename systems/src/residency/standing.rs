//! How the tiles of one level of one layer stand, or some bricks of a layer.

use super::plan::Upload;

/// Counts, and what can be uploaded.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Tiles that can be uploaded now.
    pub uploads: Vec<Upload>,
    /// Tiles on the GPU.
    pub resident: u32,
    /// Of those, with missing parts.
    pub missing: u32,
    /// Tiles whose chunks are not all here.
    pub waiting: u32,
    /// Of those, tiles whose absent chunks are all being made.
    pub making: u32,
    /// Tiles that there is no room for.
    pub withheld: u32,
    /// Whether that is because a tile's chunks have no room in host memory.
    pub too_large: bool,
}

impl Standing {
    /// Tiles that are seen and that there is room for.
    pub fn wanted(&self) -> u32 {
        self.resident + self.waiting + self.uploads.len() as u32
    }

    /// Nothing has to be waited for.
    pub fn is_available(&self) -> bool {
        self.waiting == 0
    }

    /// Tiles that will soon be here, or known to be in the making.
    pub fn loading(&self) -> u32 {
        self.waiting - self.making
    }

    /// Whether, of what does not have to be made first, at least half is here.
    pub fn is_half_there(&self) -> bool {
        self.resident + self.uploads.len() as u32 >= self.loading()
    }
}
