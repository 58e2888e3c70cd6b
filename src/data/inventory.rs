//! What stands beside the image that is shown, for `lucida info`: labels over it, other images around it.

use lucida_components::{
    contents::{Contents, Holds},
    dataset::Dataset,
    layer::LayerKind,
};
use serde::Serialize;
use std::fmt::Write;

/// Most names of wells or images that a line for people has; programs get all.
const NAMES: usize = 12;

/// One labels layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelsInfo {
    /// Name to show.
    pub name: String,
    /// Value type as stored, by its Zarr name.
    pub dtype: String,
    /// Paths of its levels, finest first.
    pub levels: Vec<String>,
    /// Extent of the finest, per dimension.
    pub shape: Vec<u64>,
    /// Objects with a colour of their own.
    pub coloured: usize,
    /// Objects with a name.
    pub named: usize,
}

/// The labels layers of an image.
pub fn labels(dataset: &Dataset) -> Vec<LabelsInfo> {
    let layers = dataset.layers.iter().filter(|l| l.kind == LayerKind::Labels);
    layers
        .map(|layer| {
            let image = &dataset.images[layer.image];
            let table = layer.labels.as_deref();
            LabelsInfo {
                name: layer.name.clone(),
                dtype: image.stored.to_string(),
                levels: image.levels.iter().map(|l| l.path.clone()).collect(),
                shape: image.levels[0].shape.clone(),
                coloured: table.map_or(0, |t| t.colours.len()),
                named: table.map_or(0, |t| t.names.len()),
            }
        })
        .collect()
}

/// Lines for people about what else is there.
pub fn lines(labels: &[LabelsInfo], contents: Option<&Contents>) -> String {
    let mut text = String::new();
    let mut line = |what: &str, rest: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {what:8}  {rest}");
    };
    if let Some(contents) = contents {
        match &contents.holds {
            Holds::Collection { images } => {
                line("images", format!("{}: {}", images.len(), some(images.iter().map(String::as_str))));
            }
            Holds::Plate(plate) => {
                let size = format!("{} rows × {} columns", plate.rows.len(), plate.columns.len());
                let name = plate.name.as_deref().map(|n| format!("{n}, ")).unwrap_or_default();
                line("plate", format!("{name}{size}, {} wells", plate.wells.len()));
                line("wells", some(plate.wells.iter().map(|w| w.path.as_str())));
            }
            Holds::Well { fields } => {
                line("fields", format!("{}: {}", fields.len(), some(fields.iter().map(|f| f.path.as_str()))));
            }
        }
        line("shown", contents.shown.clone());
    }
    for l in labels {
        let told = format!("{} coloured, {} named", l.coloured, l.named);
        line("labels", format!("{}: {}, {} level(s), {told}", l.name, l.dtype, l.levels.len()));
    }
    text
}

/// The first names, and a sign that there are more.
fn some<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let more = if names.len() > NAMES { ", …" } else { "" };
    names.take(NAMES).collect::<Vec<_>>().join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucida_components::contents::{Field, Plate, Well};

    #[test]
    fn people_are_told_what_else_is_there() {
        let wells = (1..=14).map(|c| Well { path: format!("A/{c}"), row: 0, column: c - 1 });
        let plate = Plate {
            name: Some("screen".into()),
            rows: vec!["A".into()],
            columns: (1..=14).map(|c| c.to_string()).collect(),
            field_count: Some(1),
            wells: wells.collect(),
        };
        let contents = Contents { shown: "A/1/0".into(), holds: Holds::Plate(plate) };
        let text = lines(&[], Some(&contents));
        assert!(text.contains("screen, 1 rows × 14 columns, 14 wells"), "{text}");
        assert!(text.contains("A/12, …") && !text.contains("A/13"), "{text}");
        assert!(text.contains("shown     A/1/0"), "{text}");
        let fields = vec![Field { path: "0".into(), acquisition: None }];
        let contents = Contents { shown: "0".into(), holds: Holds::Well { fields } };
        assert!(lines(&[], Some(&contents)).contains("fields    1: 0"));
        let images = vec!["0".into(), "1".into()];
        let contents = Contents { shown: "0".into(), holds: Holds::Collection { images } };
        assert!(lines(&[], Some(&contents)).contains("images    2: 0, 1"));
    }
}
