//! Images in and below a folder that a client named.

use super::{
    listing,
    roots::{Place, PlaceError, Roots},
    signs,
};
use std::{collections::HashSet, os::unix::fs::MetadataExt, path::PathBuf};

/// Folders below the named one that are searched.
const DEPTH: usize = 2;
/// Folders that are looked at in one search.
const LOOKS: usize = 4096;
/// Images after which a search ends.
pub const MOST: usize = 64;

/// What a path led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The one image that is there: its path without links, and that as clients are told it.
    One {
        /// To be opened.
        real: PathBuf,
        /// To be told.
        shown: String,
    },
    /// Several: their paths below the named one, sorted; at most [`MOST`].
    Several(Vec<String>),
    /// None; what is there is no image and holds none within two folders.
    None,
}

/// Finds the image that a path means: what it names, or the only one at most two folders below. Blocking.
///
/// # Errors
/// [`PlaceError`]
pub fn find(roots: &Roots, path: &str) -> Result<Found, PlaceError> {
    let place = roots.find(path)?;
    if !place.look()?.is_dir() {
        return Ok(Found::None);
    }
    if signs::of(&place).is_dataset {
        return one(&place);
    }
    let mut search = Search { looks: LOOKS, seen: HashSet::new(), found: Vec::new() };
    search.below(&place, "", DEPTH)?;
    let mut below = search.found;
    below.sort();
    match below.as_slice() {
        [] => Ok(Found::None),
        [only] => one(&place.child(only)),
        _ => Ok(Found::Several(below)),
    }
}

fn one(place: &Place<'_>) -> Result<Found, PlaceError> {
    Ok(Found::One { real: place.real()?, shown: place.shown() })
}

/// A search under way.
struct Search {
    /// Folders that may still be looked at.
    looks: usize,
    /// Folders that were, by device and number: links lead to some twice.
    seen: HashSet<(u64, u64)>,
    found: Vec<String>,
}

impl Search {
    /// Adds the images below a folder, nearest first; none inside another.
    fn below(&mut self, place: &Place<'_>, prefix: &str, depth: usize) -> Result<(), PlaceError> {
        let mut folders = Vec::new();
        listing::each(place, self.looks, |name, is_dir| {
            if is_dir && !name.starts_with('.') {
                folders.push(name.to_owned());
            }
        })?;
        folders.sort();
        let mut deeper = Vec::new();
        for name in folders {
            if self.looks == 0 || self.found.len() == MOST {
                return Ok(());
            }
            self.looks -= 1;
            let (child, path) = (place.child(&name), format!("{prefix}{name}"));
            let Ok(meta) = child.look() else { continue };
            if !self.seen.insert((meta.dev(), meta.ino())) {
                continue;
            }
            if signs::of(&child).is_dataset {
                self.found.push(path);
            } else {
                deeper.push((child, path));
            }
        }
        if depth > 1 {
            for (child, path) in deeper {
                // A folder that may not be read holds nothing for us.
                let _ = self.below(&child, &format!("{path}/"), depth - 1);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::{fs, os::unix::fs::symlink, path::Path};

    fn image(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(".zattrs"), r#"{"multiscales": [{}]}"#).unwrap();
    }

    #[test]
    fn one_is_used_several_are_named_and_no_more_than_two_folders_down() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in ["single/inner/a.zarr", "several/b.zarr", "several/x/c.zarr", "deep/1/2/d.zarr", "a.zarr"]
        {
            image(&path(name));
        }
        // What lies inside an image is not another one.
        image(&path("a.zarr/labels/cells"));
        image(&path("several/b.zarr/0"));
        fs::create_dir(path("empty")).unwrap();
        fs::write(path("file"), "").unwrap();
        symlink("/", path("several/all")).unwrap();
        symlink("..", path("several/loop")).unwrap();
        symlink("b.zarr", path("several/same")).unwrap();
        symlink("inner/a.zarr", path("single/same")).unwrap();
        let roots = Roots::new(&[dir.path().into()]).unwrap();
        let real = |name: &str| path(name).canonicalize().unwrap();
        let shown = |name: &str| path(name).to_str().unwrap().to_owned();
        let one = |name: &str| Ok(Found::One { real: real(name), shown: shown(name) });
        assert_eq!(find(&roots, "a.zarr"), one("a.zarr"));
        let by_link = Found::One { real: real("single/inner/a.zarr"), shown: shown("single/same") };
        assert_eq!(find(&roots, "single"), Ok(by_link));
        assert_eq!(find(&roots, &shown("single/inner")), one("single/inner/a.zarr"));
        assert_eq!(find(&roots, "deep"), Ok(Found::None));
        assert_eq!(find(&roots, "deep/1"), one("deep/1/2/d.zarr"));
        assert_eq!(find(&roots, "empty"), Ok(Found::None));
        assert_eq!(find(&roots, "file"), Ok(Found::None));
        let Ok(Found::Several(options)) = find(&roots, "several") else { panic!("several are there") };
        assert_eq!(options, ["b.zarr", "loop/a.zarr", "x/c.zarr"], "each once, by its first way");
        assert!(matches!(find(&roots, "gone"), Err(PlaceError::Missing(_))));
        assert!(matches!(find(&roots, "several/all/etc"), Err(PlaceError::Outside(_))));
    }

    #[test]
    fn a_search_ends() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..MOST + 10 {
            image(&dir.path().join(format!("many/{n:03}")));
        }
        let roots = Roots::new(&[dir.path().into()]).unwrap();
        let Ok(Found::Several(options)) = find(&roots, "many") else { panic!("several are there") };
        assert_eq!((options.len(), options[0].as_str()), (MOST, "000"));
    }
}
