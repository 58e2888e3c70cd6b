//! Containers of images: plates, wells, collections. Their first image is opened, the others are listed.

use super::{
    error::OpenError,
    image,
    node::{self, Node},
    open::{Image, Opening},
    plate, pyramid,
};
use lucida_components::contents::{Contents, Field, Holds, Well};
use serde_json::Value;

/// Most images of a collection, and fields of a well.
const MAX_IMAGES: usize = 10_000;

/// How many images are tried before it is said that none can be opened: plates list wells that were never
/// written.
const TRIES: usize = 8;

/// Where the first images of a container stand, best first.
type Candidates = Vec<Result<String, OpenError>>;

/// Opens the first image of a container; `None` where the node is none.
///
/// # Errors
/// Metadata that names no image, or the reason why the first image could not be opened where none could.
pub fn open(
    opening: &Opening,
    node: &Node,
    name: &str,
    warnings: &mut Vec<String>,
) -> Result<Option<(Image, Contents)>, OpenError> {
    let attributes = &node.attributes;
    let candidates: Candidates;
    let (holds, count, what) = if !attributes["plate"].is_null() {
        let plate = plate::read(node, warnings)?;
        candidates = plate.wells.iter().take(TRIES).map(|well| first_field(node, well)).collect();
        let count = plate.wells.len();
        (Holds::Plate(plate), count, "a plate, wells")
    } else if !attributes["well"].is_null() {
        let fields = fields(node, warnings)?;
        candidates = fields.iter().take(TRIES).map(|field| Ok(field.path.clone())).collect();
        let count = fields.len();
        (Holds::Well { fields }, count, "a well, fields")
    } else if !attributes["bioformats2raw.layout"].is_null() {
        let images = series(node, warnings)?;
        candidates = images.iter().take(TRIES).cloned().map(Ok).collect();
        let count = images.len();
        (Holds::Collection { images }, count, "a collection, images")
    } else {
        return Ok(None);
    };
    let (image, shown) = first_of(opening, node, name, candidates, warnings)?;
    if count > 1 {
        let path = opening.path.join(&shown);
        warnings
            .push(format!("this is {what}: {count}. {} is shown; each opens by its path", path.display()));
    }
    Ok(Some((image, Contents { shown, holds })))
}

/// The first of the candidates that opens, and its path.
fn first_of(
    opening: &Opening,
    node: &Node,
    name: &str,
    candidates: Candidates,
    warnings: &mut Vec<String>,
) -> Result<(Image, String), OpenError> {
    let mut first_error = None;
    for candidate in candidates {
        let mut said = Vec::new();
        let opened = candidate.and_then(|path| {
            let inner = node.open_child(&node.child("path", &path)?, &mut said)?;
            let image = image::open(opening, &path, &inner, &format!("{name} {path}"), &mut said)?;
            Ok((image, path))
        });
        match opened {
            Ok(opened) => {
                warnings.append(&mut said);
                return Ok(opened);
            }
            Err(error) => {
                warnings.push(format!("passed over: {error}"));
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error.unwrap_or_else(|| node.wrong("images", "none is listed")))
}

/// The first field of a plate's well, by its path on the plate.
fn first_field(plate: &Node, well: &Well) -> Result<String, OpenError> {
    let mut unheard = Vec::new();
    let node = plate.open_child(&plate.child("plate.wells", &well.path)?, &mut unheard)?;
    let fields = fields(&node, &mut unheard)?;
    let field = fields.first().ok_or_else(|| node.wrong("well.images", "the well has no field"))?;
    Ok(pyramid::join(&well.path, &field.path))
}

/// The fields of a well.
fn fields(node: &Node, warnings: &mut Vec<String>) -> Result<Vec<Field>, OpenError> {
    let listed = node.attributes["well"]["images"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut fields = Vec::new();
    for (i, image) in listed.iter().take(MAX_IMAGES).enumerate() {
        let field = format!("well.images[{i}].path");
        let Some(path) = image["path"].as_str() else {
            warnings.push(format!("{field} is missing"));
            continue;
        };
        let path = node.listed(&field, path)?;
        fields.push(Field { path, acquisition: image["acquisition"].as_i64() });
    }
    if fields.is_empty() {
        return Err(node.wrong("well.images", "no field is listed"));
    }
    Ok(fields)
}

/// The images of a collection: those that `OME` lists, else 0, 1, 2, … as far as they are there.
fn series(node: &Node, warnings: &mut Vec<String>) -> Result<Vec<String>, OpenError> {
    let layout = &node.attributes["bioformats2raw.layout"];
    if *layout != 3 && *layout != "3" {
        warnings.push(format!("bioformats2raw.layout {layout} is read as if it were 3"));
    }
    let ome = node::read(&node.folder.join(node.child("OME", "OME")?), warnings)?;
    let listed = ome.as_ref().and_then(|ome| ome.attributes["series"].as_array());
    let images: Vec<String> = match (listed, &ome) {
        (Some(listed), Some(ome)) => listed
            .iter()
            .filter_map(Value::as_str)
            .take(MAX_IMAGES)
            .enumerate()
            .map(|(i, path)| ome_child(node, ome, i, path))
            .collect::<Result<_, _>>()?,
        _ => (0..MAX_IMAGES).map(|n| n.to_string()).take_while(|n| node.folder.join(n).is_dir()).collect(),
    };
    if images.is_empty() {
        return Err(node.wrong("bioformats2raw.layout", "neither OME/series nor a folder 0 names an image"));
    }
    Ok(images)
}

/// A path that the node `OME` lists, which counts from the collection.
fn ome_child(node: &Node, ome: &Node, i: usize, path: &str) -> Result<String, OpenError> {
    let field = format!("series[{i}]");
    node.listed(&field, path).map_err(|_| OpenError::Escapes {
        file: ome.file.clone(),
        field,
        path: path.into(),
    })
}
