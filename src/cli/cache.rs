//! Where made coarse levels are kept.

use crate::data::coarse::Shelf;
use clap::Args;
use etcetera::BaseStrategy;
use std::{path::PathBuf, sync::Arc};

/// The disk cache of coarse levels.
#[derive(Debug, Args)]
pub(super) struct Cache {
    /// Folder for coarse levels of images that have none; `lucida` in the user's cache folder where it is
    /// not given.
    #[arg(long, env = "LUCIDA_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
    /// Bytes that they may take on disk; 0 keeps them in memory alone.
    #[arg(long, env = "LUCIDA_CACHE_BYTES", default_value_t = 4 << 30)]
    cache_bytes: u64,
}

impl Cache {
    /// The shelf that these options ask for. Nothing is written before there is something to keep.
    pub fn shelf(&self) -> Arc<Shelf> {
        let usual = || etcetera::base_strategy::Xdg::new().ok().map(|xdg| xdg.cache_dir().join("lucida"));
        let folder = self.cache_dir.clone().or_else(usual);
        if folder.is_none() && self.cache_bytes > 0 {
            tracing::warn!("no home folder: coarse levels stay in memory; name a folder with --cache-dir");
        }
        Arc::new(Shelf::new(folder.map(|folder| folder.join("coarse")), self.cache_bytes))
    }
}
