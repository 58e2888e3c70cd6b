//! What a container of several images holds: plates, wells, collections. One of its images is shown.

use serde::Serialize;

/// What stands at the path that was opened, where that is more than one image. All paths are relative to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// The image that is shown.
    pub shown: String,
    /// What is there.
    pub holds: Holds,
}

/// The kinds of containers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Holds {
    /// Images of one acquisition that `bioformats2raw` wrote side by side.
    Collection {
        /// Their paths, in order.
        images: Vec<String>,
    },
    /// A multi-well plate.
    Plate(Plate),
    /// One well of a plate.
    Well {
        /// Its fields of view, in order.
        fields: Vec<Field>,
    },
}

/// A multi-well plate. Its wells' own metadata is not read when it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plate {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Names of the rows, top to bottom.
    pub rows: Vec<String>,
    /// Names of the columns, left to right.
    pub columns: Vec<String>,
    /// The most fields that a well has, if that is said.
    pub field_count: Option<u64>,
    /// The wells that exist, as listed.
    pub wells: Vec<Well>,
}

/// One well's place on its plate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Well {
    /// Its path in the plate, for example `B/3`.
    pub path: String,
    /// Which of [`Plate::rows`].
    pub row: usize,
    /// Which of [`Plate::columns`].
    pub column: usize,
}

/// One field of view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its path in the well.
    pub path: String,
    /// The acquisition that it belongs to, if that is said.
    pub acquisition: Option<i64>,
}
