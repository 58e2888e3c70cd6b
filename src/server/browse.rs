//! Folders and images that clients name, found on threads that may block.

use super::App;
use crate::{
    data::{
        listing::{self, Wanted},
        roots::PlaceError,
        search::{self, Found},
    },
    wire::command::{self as wire, CommandCode, CommandFailure},
};
use std::sync::Arc;

/// Lists a folder.
pub async fn list(app: &Arc<App>, asked: wire::Wanted) -> Result<wire::Listing, CommandFailure> {
    let Ok(permit) = Arc::clone(&app.listings).acquire_owned().await else {
        return Err(failed_badly());
    };
    let app = app.clone();
    let listed = tokio::task::spawn_blocking(move || {
        // Held as long as the thread is: a client that leaves does not free it.
        let _permit = permit;
        let wanted = Wanted { hidden: asked.show_hidden, only: &asked.only };
        listing::list(&app.config.roots, &app.config.datasets, asked.path.as_deref(), wanted)
    });
    listed.await.map_err(|_| failed_badly())?.map(told).map_err(refusal)
}

/// The path to open for one that a client named, blocking: an image that the server was started with, or one inside
/// the roots.
pub fn find(app: &App, path: &str) -> Result<String, CommandFailure> {
    let failure = |code, message: String| CommandFailure::new(code, message).at(path);
    if app.config.datasets.iter().any(|(_, known)| known == path) {
        return Ok(path.to_owned());
    }
    if app.config.roots.is_empty() {
        let why = "only the images that the server was started with may be opened";
        return Err(failure(CommandCode::PathForbidden, why.into()));
    }
    match search::find(&app.config.roots, path).map_err(refusal)? {
        Found::One { real, shown } => real.into_os_string().into_string().map_err(|_| {
            failure(CommandCode::InvalidImage, format!("{shown}: where it leads is no UTF-8 path"))
        }),
        Found::Several(options) => {
            let why = format!("{path}: there are {} images or more; name one of them", options.len());
            Err(CommandFailure { options, ..failure(CommandCode::Ambiguous, why) })
        }
        Found::None => {
            let why = format!("{path}: neither an image nor a folder with one, two folders down");
            Err(failure(CommandCode::InvalidImage, why))
        }
    }
}

/// What a client is told of a path that it cannot have.
fn refusal(error: PlaceError) -> CommandFailure {
    let message = error.to_string();
    let (code, path) = match error {
        PlaceError::Outside(path) | PlaceError::Unreadable(path, _) => (CommandCode::PathForbidden, path),
        PlaceError::Missing(path) | PlaceError::NotAFolder(path) => (CommandCode::PathNotFound, path),
    };
    CommandFailure::new(code, message).at(path)
}

fn failed_badly() -> CommandFailure {
    CommandFailure::new(CommandCode::Retryable, "reading the folder failed badly")
}

fn told(listing: listing::Listing) -> wire::Listing {
    let entry = |entry: listing::Entry| wire::Entry {
        name: entry.name,
        path: entry.path,
        is_dir: entry.is_dir,
        size: entry.size,
        mtime: entry.modified,
        zarr: entry.zarr.map(|signs| wire::ZarrMetadata {
            is_dataset: signs.is_dataset,
            has_multiscales: signs.has_multiscales,
            dataset_children: signs.children,
        }),
    };
    wire::Listing {
        path: listing.path,
        entries: listing.entries.into_iter().map(entry).collect(),
        has_more: listing.has_more,
    }
}
