//! The table of open pyramids.

use super::ChunkSource;
use lucida_components::dataset::SourceId;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// Where the pool finds the chunks of a pyramid. Clones share one table.
#[derive(Clone, Default)]
pub struct Sources(Arc<RwLock<HashMap<SourceId, Arc<dyn ChunkSource>>>>);

impl Sources {
    /// Makes a pyramid's chunks available; register before they are wanted.
    pub fn register(&self, id: SourceId, source: Arc<dyn ChunkSource>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, source);
    }

    /// Forgets a pyramid. Reads under way finish and their results are discarded.
    pub fn unregister(&self, id: SourceId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Forgets every source that was made before `id`: those of images that are no longer shown.
    pub fn forget_before(&self, id: SourceId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|known, _| *known >= id);
    }

    /// The source of this number.
    pub fn get(&self, id: SourceId) -> Option<Arc<dyn ChunkSource>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}
