//! The chunks of an image with virtual levels: stored ones as they are, the others made of them.

use super::{
    reduce::{Block, Rule},
    shelf::{Name, Shelf},
};
use crate::data::ChunkSource;
use lucida_components::{
    chunk::{ChunkData, ChunkFault},
    dataset::{Level, SourceId},
    dtype::Dtype,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A pyramid whose coarser levels are virtual.
pub struct CoarseSource {
    pub(super) stored: Arc<dyn ChunkSource>,
    /// All levels, finest first.
    pub(super) levels: Vec<Level>,
    /// The first virtual one; > 0.
    pub(super) first: usize,
    pub(super) dtype: Dtype,
    pub(super) rule: Rule,
    pub(super) shelf: Arc<Shelf>,
    pub(super) id: SourceId,
    /// Its folder in the disk cache; `None` where changed data could not be told from what it was.
    pub(super) folder: Option<String>,
    /// A chunk that could not be read was told of.
    pub(super) told: AtomicBool,
}

impl CoarseSource {
    fn is_virtual(&self, level: u16) -> bool {
        (self.first..self.levels.len()).contains(&usize::from(level))
    }

    fn name(&self, level: u16, number: u64) -> Name<'_> {
        let geometry = &self.levels[usize::from(level)];
        let voxels = geometry.chunk_voxels() as usize;
        Name { source: self.id, folder: self.folder.as_deref(), level, number, dtype: self.dtype, voxels }
    }

    /// A chunk of a virtual level that is there already.
    fn there(&self, level: u16, number: u64) -> Option<Result<ChunkData, ChunkFault>> {
        if number >= self.levels[usize::from(level)].grid().product() {
            return Some(Err(ChunkFault { level, number, reason: "there is no such chunk".into() }));
        }
        self.shelf.get(&self.name(level, number)).map(Ok)
    }

    /// Makes a chunk of a virtual level out of those of the level before, each in turn. At any time there is,
    /// for each level, one chunk being made and one of the level before. `None` where it is not to go on.
    fn make(
        &self,
        level: u16,
        number: u64,
        goes_on: &dyn Fn() -> bool,
    ) -> Option<Result<ChunkData, ChunkFault>> {
        let before = level - 1;
        let [parent, child] = [before, level].map(|l| &self.levels[usize::from(l)]);
        let mut block = Block::new(parent, child, number, self.dtype, self.rule);
        let mut lost = None;
        for parent in block.parents() {
            if !goes_on() {
                return None;
            }
            let made = if !self.is_virtual(before) {
                self.stored.read(before, parent)
            } else if let Some(there) = self.there(before, parent) {
                there
            } else {
                let made = self.make(before, parent, goes_on)?;
                // The first virtual level is four times as large as all the others, and made at once.
                if let Ok(chunk) = &made
                    && usize::from(before) > self.first
                {
                    self.keep(before, parent, chunk);
                }
                made
            };
            match made {
                Ok(chunk) => block.add(parent, &chunk),
                Err(fault) => {
                    self.tell(&fault);
                    block.lose(parent);
                    lost.get_or_insert(fault);
                }
            }
        }
        Some(block.finish().ok_or_else(|| {
            let reason = lost.map_or_else(String::new, |fault| format!(": {fault}"));
            let reason = format!("nothing that it is made of could be read{reason}");
            ChunkFault { level, number, reason }
        }))
    }

    /// Puts a made chunk where it is found again. What lacks parts may be whole another time.
    fn keep(&self, level: u16, number: u64, chunk: &ChunkData) {
        if !chunk.missing {
            self.shelf.put(&self.name(level, number), chunk);
        }
    }

    /// Says once aloud what a coarser level does without; a broken image has more such chunks than a log
    /// should.
    fn tell(&self, fault: &ChunkFault) {
        if fault.level as usize >= self.first || self.told.swap(true, Ordering::Relaxed) {
            tracing::debug!("left out of a coarser level: {fault}");
        } else {
            tracing::warn!("left out of the coarser levels, maybe with others: {fault}");
        }
    }
}

impl ChunkSource for CoarseSource {
    fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault> {
        let stopped = || Err(ChunkFault { level, number, reason: "it was not made".into() });
        self.look(level, number)
            .or_else(|| ChunkSource::make(self, level, number, &|| true))
            .unwrap_or_else(stopped)
    }

    fn look(&self, level: u16, number: u64) -> Option<Result<ChunkData, ChunkFault>> {
        if self.is_virtual(level) { self.there(level, number) } else { self.stored.look(level, number) }
    }

    fn make(
        &self,
        level: u16,
        number: u64,
        goes_on: &dyn Fn() -> bool,
    ) -> Option<Result<ChunkData, ChunkFault>> {
        if !self.is_virtual(level) {
            return self.stored.make(level, number, goes_on);
        }
        // Another thread may have made it on the way to a coarser one.
        if let Some(there) = self.there(level, number) {
            return Some(there);
        }
        let made = Self::make(self, level, number, goes_on)?;
        if let Ok(chunk) = &made {
            self.keep(level, number, chunk);
        }
        Some(made)
    }
}
