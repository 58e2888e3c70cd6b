//! What stands in a folder, for a client that looks for an image. Blocking, and bounded whatever the folder holds.

use super::{
    roots::{Place, PlaceError, Roots},
    signs,
};
use rustix::fs::{Dir, FileType};
use std::{collections::BTreeSet, fs::Metadata, os::unix::fs::MetadataExt, path::PathBuf};

/// Entries of a listing at most.
pub const MOST: usize = 1000;
/// Entries of a folder that are looked at, in the order in which the system tells them.
const LOOKED_AT: usize = 1 << 16;
/// Entries of one folder that are looked at for the images in it, and of all folders of a listing together.
const CHILDREN: usize = 256;
const ALL_CHILDREN: usize = 4096;
/// Images in a folder that are named.
const NAMED: usize = 32;

/// The entries of one folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// Its absolute path; empty where the entries are of no one folder.
    pub path: String,
    /// Sorted by lower-cased name.
    pub entries: Vec<Entry>,
    /// There are more than were told.
    pub has_more: bool,
}

/// One file or folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its path, to be asked for or opened.
    pub path: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Bytes; of a folder what the system says of it, not what it holds.
    pub size: u64,
    /// When it was last changed, seconds since the epoch.
    pub modified: f64,
    /// What a folder is as Zarr; none for files.
    pub zarr: Option<ZarrSigns>,
}

/// What a folder is as Zarr, from a look at its metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZarrSigns {
    /// It can be opened as an image.
    pub is_dataset: bool,
    /// Its metadata lists levels.
    pub has_multiscales: bool,
    /// Names of images in it, where it is none itself; not all where there are many.
    pub children: Vec<String>,
}

/// What of a folder is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Names that begin with a dot too.
    pub hidden: bool,
    /// Files are listed whose names end so, in any case; all where it is empty. Folders always are.
    pub only: &'a [String],
}

/// Lists the folder of a path; where none is named, the root, or the roots where there are several, or, where there
/// are none, the `images` (name and path) that the server was started with.
///
/// # Errors
/// [`PlaceError`]
pub fn list(
    roots: &Roots,
    images: &[(String, String)],
    path: Option<&str>,
    wanted: Wanted<'_>,
) -> Result<Listing, PlaceError> {
    let path = path.unwrap_or_default();
    if path.is_empty() && roots.is_empty() {
        return Ok(of_images(images));
    }
    if path.is_empty() && roots.places().len() > 1 {
        let entries = roots.places().filter_map(|place| entry(&place, place.name(), &mut 0)).collect();
        return Ok(Listing { path: String::new(), entries, has_more: false });
    }
    of_folder(&roots.find(path)?, wanted)
}

/// The images that the server was started with, under the names and paths that they have there.
fn of_images(images: &[(String, String)]) -> Listing {
    let mut entries: Vec<Entry> = images
        .iter()
        .take(MOST)
        .filter_map(|(name, path)| {
            let itself = Roots::new(&[PathBuf::from(path)]).ok()?;
            let found = entry(&itself.places().next()?, name, &mut 0)?;
            Some(Entry { path: path.clone(), ..found })
        })
        .collect();
    entries.sort_by_cached_key(|entry| entry.name.to_lowercase());
    Listing { path: String::new(), entries, has_more: images.len() > MOST }
}

fn of_folder(place: &Place<'_>, wanted: Wanted<'_>) -> Result<Listing, PlaceError> {
    let only: Vec<String> = wanted.only.iter().map(|suffix| suffix.to_lowercase()).collect();
    let mut has_more = false;
    // Lower-cased and as it is: the first so many of a folder of any size.
    let mut names = BTreeSet::new();
    let complete = each(place, LOOKED_AT, |name, is_dir| {
        let lower = name.to_lowercase();
        let hidden = name.starts_with('.') && !wanted.hidden;
        let left_out = !is_dir && !only.is_empty() && !only.iter().any(|suffix| lower.ends_with(suffix));
        if !hidden && !left_out {
            names.insert((lower, name.to_owned()));
        }
        if names.len() > MOST {
            names.pop_last();
            has_more = true;
        }
    })?;
    let mut looks = ALL_CHILDREN;
    let entries = names.iter().filter_map(|(_, name)| entry(&place.child(name), name, &mut looks)).collect();
    Ok(Listing { path: place.shown(), entries, has_more: has_more || !complete })
}

/// Names the entries of a folder and whether they are folders, `most` at most. Left out is what leads out of the
/// root or nowhere, what is neither file nor folder, and what has no UTF-8 name. Returns whether it was all.
pub(super) fn each(
    place: &Place<'_>,
    most: usize,
    mut name: impl FnMut(&str, bool),
) -> Result<bool, PlaceError> {
    let unreadable = |e: rustix::io::Errno| PlaceError::Unreadable(place.shown(), e.to_string());
    let folder = Dir::new(place.folder()?).map_err(unreadable)?;
    for (n, found) in folder.enumerate() {
        let found = found.map_err(unreadable)?;
        // Two of them are the folder itself and the one above.
        if n >= most + 2 {
            return Ok(false);
        }
        let Ok(text) = found.file_name().to_str() else { continue };
        if matches!(text, "." | "..") {
            continue;
        }
        match found.file_type() {
            FileType::Directory => name(text, true),
            FileType::RegularFile => name(text, false),
            FileType::Symlink | FileType::Unknown => match place.child(text).look() {
                Ok(meta) if meta.is_dir() || meta.is_file() => name(text, meta.is_dir()),
                _ => {}
            },
            _ => {}
        }
    }
    Ok(true)
}

/// The entry of what is there; `looks` is what may still be looked at for the images inside folders.
fn entry(place: &Place<'_>, name: &str, looks: &mut usize) -> Option<Entry> {
    let meta = place.look().ok()?;
    let zarr = meta.is_dir().then(|| {
        let signs = signs::of(place);
        let children = if signs.is_dataset { Vec::new() } else { images_in(place, looks) };
        ZarrSigns { is_dataset: signs.is_dataset, has_multiscales: signs.has_multiscales, children }
    });
    Some(Entry {
        name: name.to_owned(),
        path: place.shown(),
        is_dir: meta.is_dir(),
        size: meta.len(),
        modified: modified(&meta),
        zarr,
    })
}

/// Names of the images in a folder.
fn images_in(place: &Place<'_>, looks: &mut usize) -> Vec<String> {
    let mut folders = Vec::new();
    let most = CHILDREN.min(*looks);
    // One that cannot be read holds nothing for us.
    let _ = each(place, most, |name, is_dir| {
        if is_dir && !name.starts_with('.') {
            folders.push(name.to_owned());
        }
    });
    *looks = looks.saturating_sub(folders.len());
    folders.sort();
    folders.retain(|name| signs::of(&place.child(name)).is_dataset);
    folders.truncate(NAMED);
    folders
}

fn modified(meta: &Metadata) -> f64 {
    meta.mtime() as f64 + meta.mtime_nsec() as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::{fs, os::unix::fs::symlink, path::Path};

    const ALL: Wanted<'static> = Wanted { hidden: false, only: &[] };

    fn image(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(".zattrs"), r#"{"multiscales": [{"version": "0.4"}]}"#).unwrap();
    }

    fn names(listing: &Listing) -> Vec<&str> {
        listing.entries.iter().map(|e| e.name.as_str()).collect()
    }

    #[test]
    fn entries_are_sorted_filtered_and_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        image(&root.join("beta.zarr"));
        fs::create_dir_all(root.join("Alpha")).unwrap();
        fs::create_dir(root.join(".hidden")).unwrap();
        fs::write(root.join("notes.TXT"), "12345").unwrap();
        fs::write(root.join("zipped.ZARR"), "").unwrap();
        symlink("/etc", root.join("etc")).unwrap();
        symlink("gone", root.join("dangling")).unwrap();
        symlink("beta.zarr", root.join("again")).unwrap();
        let roots = Roots::new(std::slice::from_ref(&root)).unwrap();
        let all = list(&roots, &[], None, ALL).unwrap();
        assert_eq!(names(&all), ["again", "Alpha", "beta.zarr", "notes.TXT", "zipped.ZARR"]);
        assert_eq!((all.path.as_str(), all.has_more), (root.to_str().unwrap(), false));
        let only = |suffixes: &[&str], hidden| {
            let only: Vec<String> = suffixes.iter().map(|s| (*s).to_owned()).collect();
            names(&list(&roots, &[], None, Wanted { hidden, only: &only }).unwrap()).join(" ")
        };
        assert_eq!(only(&[".zarr"], false), "again Alpha beta.zarr zipped.ZARR");
        assert_eq!(only(&[".txt", ".x"], true), ".hidden again Alpha beta.zarr notes.TXT");
        let notes = &all.entries[3];
        assert_eq!((notes.is_dir, notes.size, &notes.zarr), (false, 5, &None));
        assert!((notes.modified - modified(&fs::metadata(root.join("notes.TXT")).unwrap())).abs() < 1e-3);
        for (n, is_dataset) in [(0, true), (1, false), (2, true)] {
            let signs = ZarrSigns { is_dataset, has_multiscales: is_dataset, children: vec![] };
            assert_eq!(all.entries[n].zarr, Some(signs), "{}", all.entries[n].name);
        }
        assert_eq!(all.entries[0].path, root.join("again").to_str().unwrap());
    }

    #[test]
    fn what_is_no_folder_is_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let roots = Roots::new(&[dir.path().into()]).unwrap();
        let why = |path: &str| list(&roots, &[], Some(path), ALL).unwrap_err();
        assert!(matches!(why("file"), PlaceError::NotAFolder(_)));
        assert!(matches!(why("gone"), PlaceError::Missing(_)));
        assert!(matches!(why("../x"), PlaceError::Outside(_)));
        assert!(matches!(why("/"), PlaceError::Outside(_)));
        let none = list(&Roots::default(), &[], Some("x"), ALL).unwrap_err();
        assert!(matches!(none, PlaceError::Outside(_)));
    }

    #[test]
    fn a_thousand_are_told_and_that_there_are_more() {
        let dir = tempfile::tempdir().unwrap();
        for n in (0..MOST + 5).rev() {
            fs::write(dir.path().join(format!("{n:05}")), "").unwrap();
        }
        let roots = Roots::new(&[dir.path().into()]).unwrap();
        let listed = list(&roots, &[], None, ALL).unwrap();
        assert_eq!((listed.entries.len(), listed.has_more), (MOST, true));
        assert_eq!(
            (listed.entries[0].name.as_str(), listed.entries[MOST - 1].name.as_str()),
            ("00000", "00999")
        );
        let mut seen = 0;
        let place = roots.find("").unwrap();
        assert!(!each(&place, 10, |_, _| seen += 1).unwrap());
        assert!((8..=10).contains(&seen), "{seen}");
        fs::remove_file(dir.path().join("00000")).unwrap();
        for n in MOST..MOST + 5 {
            fs::remove_file(dir.path().join(format!("{n:05}"))).unwrap();
        }
        assert!(!list(&roots, &[], None, ALL).unwrap().has_more);
    }

    #[test]
    fn folders_say_which_images_they_hold() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in ["lab/b.zarr", "lab/a.zarr", "lab/.trash.zarr"] {
            image(&path(name));
        }
        fs::create_dir(path("lab/other")).unwrap();
        for (name, file, text) in [
            ("array2", ".zarray", "{}"),
            ("array3", "zarr.json", r#"{"node_type": "array"}"#),
            ("plate", "zarr.json", r#"{"node_type": "group", "attributes": {"ome": {"plate": {}}}}"#),
            ("levels", "zarr.json", r#"{"attributes": {"ome": {"multiscales": [{}]}}}"#),
            ("group", "zarr.json", r#"{"node_type": "group", "attributes": {"ome": {"multiscales": []}}}"#),
            ("torn", ".zattrs", r#"{"multiscales": ["#),
            ("number", "zarr.json", "7"),
        ] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join(file), text).unwrap();
        }
        fs::create_dir(path("long")).unwrap();
        fs::File::create(path("long/zarr.json")).unwrap().set_len(1 << 40).unwrap();
        symlink("/etc/passwd", path("torn/.zarray")).unwrap();
        let roots = Roots::new(&[dir.path().into()]).unwrap();
        let listed = list(&roots, &[], None, ALL).unwrap();
        let signs: Vec<_> = listed
            .entries
            .iter()
            .map(|e| {
                let z = e.zarr.as_ref().unwrap();
                (e.name.as_str(), z.is_dataset, z.has_multiscales, z.children.join(" "))
            })
            .collect();
        let of = |name, is_dataset, levels, children: &str| (name, is_dataset, levels, children.to_owned());
        assert_eq!(
            signs,
            [
                of("array2", true, false, ""),
                of("array3", true, false, ""),
                of("group", false, false, ""),
                of("lab", false, false, "a.zarr b.zarr"),
                of("levels", true, true, ""),
                of("long", true, false, ""),
                of("number", false, false, ""),
                of("plate", true, false, ""),
                of("torn", false, false, ""),
            ]
        );
    }

    #[test]
    fn several_roots_are_listed_and_without_any_the_images() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        image(&path("one"));
        fs::create_dir(path("two")).unwrap();
        let text = |name: &str| path(name).to_str().unwrap().to_owned();
        let roots = Roots::new(&[path("two"), path("one")]).unwrap();
        let both = list(&roots, &[], None, ALL).unwrap();
        assert_eq!((both.path.as_str(), names(&both)), ("", vec!["two", "one"]));
        assert_eq!(both.entries[1].path, text("one"));
        assert_eq!(list(&roots, &[], Some(&text("two")), ALL).unwrap().path, text("two"));
        let images = [("One".to_owned(), text("one")), ("gone".to_owned(), text("gone"))];
        let named = list(&Roots::default(), &images, None, ALL).unwrap();
        assert_eq!(names(&named), ["One"]);
        assert_eq!(named.entries[0].path, text("one"));
        assert!(named.entries[0].zarr.as_ref().unwrap().has_multiscales);
    }
}
