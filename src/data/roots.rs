//! The folders whose inside clients may see and open, read-only. What leads out of them, by a path or by a link,
//! is not there for them.

use super::store::{FolderStore, StoreError};
use std::{
    fs::Metadata,
    io,
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// Folders that are open to clients. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Roots(Arc<[Root]>);

/// One of them.
#[derive(Debug)]
pub struct Root {
    /// As clients are told it: absolute.
    named: String,
    store: FolderStore,
}

/// A folder that cannot be a root.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct RootError {
    /// The path as given.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a client does not see what it names. Holds the path as it was named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// In no root, climbing, or behind a link that leads out.
    #[error("{0}: only what is inside the server's data folders can be seen")]
    Outside(String),
    /// Nothing.
    #[error("{0}: there is nothing")]
    Missing(String),
    /// Not a folder, where one was asked for.
    #[error("{0}: it is not a folder")]
    NotAFolder(String),
    /// The system says no.
    #[error("{0}: it cannot be read: {1}")]
    Unreadable(String, String),
}

/// A place inside a root. Whether something is there is another question.
#[derive(Debug, Clone)]
pub struct Place<'r> {
    root: &'r Root,
    /// Below the root, with `/`; empty for the root itself.
    key: String,
}

impl Roots {
    /// Opens these folders to clients.
    ///
    /// # Errors
    /// The first that is no folder, or whose path is not UTF-8: clients could not be told it.
    pub fn new(paths: &[PathBuf]) -> Result<Self, RootError> {
        paths.iter().map(|path| Root::new(path)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The roots themselves, in the order in which they were given.
    pub fn places(&self) -> impl ExactSizeIterator<Item = Place<'_>> {
        self.0.iter().map(|root| Place { root, key: String::new() })
    }

    /// The place that a path names: an absolute one must lie in a root, another one lies in the first.
    ///
    /// # Errors
    /// [`PlaceError::Outside`], which `..` always is.
    pub fn find(&self, path: &str) -> Result<Place<'_>, PlaceError> {
        let outside = || PlaceError::Outside(path.to_owned());
        let whole = Path::new(path);
        let in_root = |root: &Root| {
            let below = whole.strip_prefix(&root.named).or_else(|_| whole.strip_prefix(root.store.root()));
            below.ok().map(Path::to_owned)
        };
        let (root, below) = if whole.is_absolute() {
            self.0.iter().find_map(|root| Some((root, in_root(root)?))).ok_or_else(outside)?
        } else {
            (self.0.first().ok_or_else(outside)?, whole.to_owned())
        };
        let parts = below.components().filter(|c| *c != Component::CurDir);
        let parts: Option<Vec<&str>> = parts
            .map(|c| match c {
                Component::Normal(part) => part.to_str(),
                _ => None,
            })
            .collect();
        let key = parts.filter(|_| !path.contains('\0')).ok_or_else(outside)?.join("/");
        Ok(Place { root, key })
    }
}

impl Root {
    fn new(path: &Path) -> Result<Self, RootError> {
        let fail = |reason: String| RootError { path: path.to_owned(), reason };
        let store = FolderStore::new(path).map_err(|e| fail(e.to_string()))?;
        if !store.root().is_dir() {
            return Err(fail("it is not a folder".into()));
        }
        let absolute = std::path::absolute(path).map_err(|e| fail(e.to_string()))?;
        // A path that climbs would be refused when it comes back.
        let climbs = absolute.components().any(|c| c == Component::ParentDir);
        let named = if climbs { store.root().to_owned() } else { absolute.components().collect() };
        let named = named.to_str().ok_or_else(|| fail("its path is not UTF-8".into()))?.to_owned();
        Ok(Self { named, store })
    }
}

impl Place<'_> {
    /// Its absolute path, as clients are told it.
    pub fn shown(&self) -> String {
        if self.key.is_empty() {
            return self.root.named.clone();
        }
        format!("{}/{}", self.root.named.trim_end_matches('/'), self.key)
    }

    /// Its last part.
    pub fn name(&self) -> &str {
        let path = if self.key.is_empty() { &self.root.named } else { &self.key };
        path.rsplit('/').next().unwrap_or_default()
    }

    /// What is inside it under this name, one part or several.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let key = if self.key.is_empty() { name.to_owned() } else { format!("{}/{name}", self.key) };
        Self { root: self.root, key }
    }

    /// The files of the root, and the key of this place among them.
    pub(super) fn files(&self) -> (&FolderStore, &str) {
        (&self.root.store, if self.key.is_empty() { "." } else { &self.key })
    }

    /// What is there.
    ///
    /// # Errors
    /// [`PlaceError`]
    pub fn look(&self) -> Result<Metadata, PlaceError> {
        let (store, key) = self.files();
        store.look(key).map_err(|e| self.fault(&e))?.ok_or_else(|| self.absent())
    }

    /// Its folder, open for listing.
    ///
    /// # Errors
    /// [`PlaceError`]
    pub fn folder(&self) -> Result<OwnedFd, PlaceError> {
        if !self.look()?.is_dir() {
            return Err(PlaceError::NotAFolder(self.shown()));
        }
        let (store, key) = self.files();
        store.open_folder(key).map_err(|e| self.fault(&e))?.ok_or_else(|| self.absent())
    }

    /// Its path without links, where it still lies in its root.
    ///
    /// # Errors
    /// [`PlaceError`]
    pub fn real(&self) -> Result<PathBuf, PlaceError> {
        self.look()?;
        let (store, key) = self.files();
        let real = store.root().join(key).canonicalize().map_err(|_| self.absent())?;
        if real.starts_with(store.root()) { Ok(real) } else { Err(PlaceError::Outside(self.shown())) }
    }

    /// There is nothing. Where the way there leads out of the root, it is not told whether something is.
    fn absent(&self) -> PlaceError {
        let (store, key) = self.files();
        for above in Path::new(key).ancestors().skip(1).filter_map(Path::to_str) {
            let above = if above.is_empty() { "." } else { above };
            match store.look(above) {
                Ok(Some(_)) => break,
                Ok(None) => {}
                Err(error) => return self.fault(&error),
            }
        }
        PlaceError::Missing(self.shown())
    }

    fn fault(&self, error: &StoreError) -> PlaceError {
        match error {
            StoreError::Escapes(_) => PlaceError::Outside(self.shown()),
            StoreError::Dangling(_) => PlaceError::Missing(self.shown()),
            StoreError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                PlaceError::Missing(self.shown())
            }
            StoreError::Io { source, .. } => PlaceError::Unreadable(self.shown(), source.to_string()),
            StoreError::NotAFile(_) | StoreError::TooLong { .. } => {
                PlaceError::Unreadable(self.shown(), "it is no regular file".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    fn outside(path: &str) -> PlaceError {
        PlaceError::Outside(path.into())
    }

    #[test]
    fn paths_are_found_in_roots_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for folder in ["one/inner", "two", "three"] {
            fs::create_dir_all(path(folder)).unwrap();
        }
        symlink(path("one"), path("linked")).unwrap();
        let roots = Roots::new(&[path("linked"), path("two")]).unwrap();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let shown = |asked: &str| roots.find(asked).map(|place| place.shown());
        for (asked, want) in [
            ("", text(path("linked"))),
            (".", text(path("linked"))),
            ("inner", text(path("linked/inner"))),
            ("./inner//x/", text(path("linked/inner/x"))),
            (&text(path("linked/inner")), text(path("linked/inner"))),
            (&text(path("one/inner").canonicalize().unwrap()), text(path("linked/inner"))),
            (&text(path("two")), text(path("two"))),
            (&text(path("two/x")), text(path("two/x"))),
        ] {
            assert_eq!(shown(asked), Ok(want), "{asked:?}");
        }
        let beside = text(path("three"));
        let (longer, above) = (text(path("twofold")), text(path("two/../three")));
        for asked in ["..", "inner/../..", "inner/..", "a\0b", "/", "/etc/passwd", &beside, &longer, &above] {
            assert_eq!(shown(asked), Err(outside(asked)), "{asked:?}");
        }
        assert_eq!(Roots::default().find("x").map(|p| p.shown()), Err(outside("x")));
        assert_eq!(roots.find("inner").unwrap().child("a/b").name(), "b");
        assert_eq!(roots.places().map(|p| p.name().to_owned()).collect::<Vec<_>>(), ["linked", "two"]);
    }

    #[test]
    fn a_root_is_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(Roots::new(&[dir.path().join("file")]).unwrap_err().to_string().contains("not a folder"));
        let missing = Roots::new(&[dir.path().into(), dir.path().join("gone")]).unwrap_err();
        assert!(missing.path.ends_with("gone"), "{missing}");
        fs::create_dir(dir.path().join("sub")).unwrap();
        let climbing = Roots::new(&[dir.path().join("sub/..")]).unwrap();
        assert!(!climbing.find("x").unwrap().shown().contains(".."));
    }

    #[test]
    fn links_lead_nowhere_outside_and_do_not_tell_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("inside/deep")).unwrap();
        fs::create_dir(dir.path().join("secret")).unwrap();
        fs::write(root.join("file"), "f").unwrap();
        symlink("/", root.join("all")).unwrap();
        symlink("../secret", root.join("up")).unwrap();
        symlink(root.join("inside"), root.join("absolute")).unwrap();
        symlink("inside", root.join("relative")).unwrap();
        symlink("..", root.join("inside/back")).unwrap();
        symlink("nothing", root.join("dangling")).unwrap();
        let roots = Roots::new(std::slice::from_ref(&root)).unwrap();
        let folder = |asked: &str| roots.find(asked).unwrap().folder().map(|_| ());
        let shown = |asked: &str| roots.find(asked).unwrap().shown();
        for inside in [
            "",
            "inside",
            "absolute/deep",
            "relative/deep",
            "inside/back",
            "absolute/back/inside",
            "absolute/back",
        ] {
            assert_eq!(folder(inside), Ok(()), "{inside}");
            let real = roots.find(inside).unwrap().real().unwrap();
            assert!(real.starts_with(root.canonicalize().unwrap()), "{inside}");
        }
        for out in ["all", "all/etc", "all/no/such", "up", "up/x", "absolute/back/all/etc/passwd"] {
            assert_eq!(folder(out), Err(outside(&shown(out))), "{out}");
            assert_eq!(roots.find(out).unwrap().real(), Err(outside(&shown(out))), "{out}");
        }
        for missing in ["nothing", "inside/none/x", "dangling", "file/x"] {
            assert_eq!(folder(missing), Err(PlaceError::Missing(shown(missing))), "{missing}");
        }
        assert_eq!(folder("file"), Err(PlaceError::NotAFolder(shown("file"))));
    }
}
