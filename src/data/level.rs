//! One array of a pyramid: its metadata checked against the limits before zarrs sees it, then opened.

use super::{
    codecs::{self, Chain, ChainError, MAX_CHUNK_BYTES},
    error::OpenError,
    json,
    shard::Shards,
    store::FolderStore,
    stored::stored_type,
};
use lucida_components::dtype::StoredType;
use serde_json::{Value, json};
use std::{
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::Arc,
};
use zarrs::{
    array::{Array, ArrayCreateError, ArrayMetadata, ArrayMetadataV2, ArrayMetadataV3},
    storage::store::MemoryStore,
};

/// Most dimensions of an array.
pub const MAX_DIMS: usize = 8;

/// An opened array and how to read one piece of it.
pub struct OpenLevel {
    /// The array, for the names of its chunks and its fill value; its codecs are not those of the data.
    pub array: Array<FolderStore>,
    /// The metadata file, for messages.
    pub file: PathBuf,
    /// Value type on disk.
    pub stored: StoredType,
    /// Extent in voxels per dimension, each ≥ 1.
    pub shape: Vec<u64>,
    /// Extent of what is read at once.
    pub chunk: Vec<NonZeroU64>,
    /// How pieces are found and decoded.
    pub pieces: Pieces,
}

/// How the pieces of an array are stored.
pub enum Pieces {
    /// One file per chunk (or per shard, where further codecs stand round the shards).
    Files(Chain),
    /// Inner chunks of shards.
    Inner(Box<Shards>),
}

/// Where the pieces of an array stand, as its metadata says.
struct Layout {
    shape: Vec<u64>,
    /// What is read at once.
    chunk: Vec<u64>,
    stored: StoredType,
    pieces: Pieces,
}

/// Opens the array at `path` (relative, already known to stay inside the image).
///
/// # Errors
/// No metadata, contradictions, anything beyond the limits, codecs and types that are not read.
pub fn open_level(store: &Arc<FolderStore>, path: &str) -> Result<OpenLevel, OpenError> {
    let folder = store.root().join(path);
    let (v3, v2) = (folder.join("zarr.json"), folder.join(".zarray"));
    let read = |name: &str| json::read_within(store, &Path::new(path).join(name).to_string_lossy());
    let (file, meta, is_v3) = match (read("zarr.json")?, read(".zarray")?) {
        (Some(meta), _) => (v3, meta, true),
        (None, Some(meta)) => (v2, meta, false),
        (None, None) => {
            return Err(OpenError::Metadata {
                file: folder,
                field: "array".into(),
                reason: "neither zarr.json nor .zarray: the multiscales name a level that is not there"
                    .into(),
            });
        }
    };
    let wrong =
        |field: &str, reason: String| OpenError::Metadata { file: file.clone(), field: field.into(), reason };
    let field = At { file: &file, meta: &meta };
    let layout = if is_v3 { field.layout_v3()? } else { field.layout_v2()? };
    let array =
        Array::new_with_metadata(store.clone(), &format!("/{path}"), without_codecs(&file, meta, is_v3)?)
            .map_err(|e| refusal(&file, is_v3, e))?;
    let chunk = layout.chunk.into_iter().map(NonZeroU64::try_from).collect::<Result<_, _>>();
    let chunk = chunk.map_err(|_| wrong("chunks", "a chunk has extent 0".into()))?;
    Ok(OpenLevel { array, stored: layout.stored, shape: layout.shape, chunk, pieces: layout.pieces, file })
}

/// What decodes a whole file of the array that `meta` describes, and its fill value in native byte order.
///
/// # Errors
/// As [`open_level`].
pub fn whole_file(file: &Path, meta: Value) -> Result<(Chain, Vec<u8>), OpenError> {
    let at = At { file, meta: &meta };
    let is_v3 = meta["zarr_format"] != 2;
    let layout = if is_v3 { at.layout_v3()? } else { at.layout_v2()? };
    let chain = match layout.pieces {
        Pieces::Files(chain) => chain,
        Pieces::Inner(_) => {
            let grid = &meta["chunk_grid"]["configuration"]["chunk_shape"];
            let shard = at.extents("chunk_grid.configuration.chunk_shape", grid, layout.shape.len())?;
            let chain = codecs::chain_v3("codecs", &meta["codecs"], &shard, layout.stored.size());
            chain.map_err(|e| at.refused(e))?
        }
    };
    let metadata = without_codecs(file, meta, is_v3)?;
    let array = Array::new_with_metadata(Arc::new(MemoryStore::new()), "/", metadata);
    let array = array.map_err(|e| refusal(file, is_v3, e))?;
    Ok((chain, array.fill_value().as_ne_bytes().to_vec()))
}

/// The metadata as zarrs reads it. It decodes nothing for us and so need not know the codecs; attributes of
/// an array are not ours to read, and what they hold must not keep it from opening.
fn without_codecs(file: &Path, mut meta: Value, is_v3: bool) -> Result<ArrayMetadata, OpenError> {
    if let Some(object) = meta.as_object_mut() {
        object.remove("attributes");
        object.remove("dimension_names");
        if is_v3 {
            let endian = json!([{"name": "bytes", "configuration": {"endian": "little"}}]);
            object.insert("codecs".into(), endian);
        } else {
            object.insert("compressor".into(), Value::Null);
            object.insert("filters".into(), Value::Null);
        }
    }
    let malformed = |e: serde_json::Error| OpenError::Metadata {
        file: file.to_owned(),
        field: "array metadata".into(),
        reason: e.to_string(),
    };
    Ok(if is_v3 {
        ArrayMetadata::V3(serde_json::from_value::<ArrayMetadataV3>(meta).map_err(malformed)?)
    } else {
        ArrayMetadata::V2(serde_json::from_value::<ArrayMetadataV2>(meta).map_err(malformed)?)
    })
}

/// A metadata document, for reading its fields with errors that name file and field.
struct At<'a> {
    file: &'a Path,
    meta: &'a Value,
}

impl At<'_> {
    fn wrong(&self, field: &str, reason: impl Into<String>) -> OpenError {
        OpenError::Metadata { file: self.file.to_owned(), field: field.into(), reason: reason.into() }
    }

    fn unsupported(&self, field: &str, reason: impl Into<String>) -> OpenError {
        OpenError::Unsupported { file: self.file.to_owned(), field: field.into(), reason: reason.into() }
    }

    fn layout_v2(&self) -> Result<Layout, OpenError> {
        let stored = self.stored("dtype")?;
        let shape = self.shape(stored)?;
        let chunk = self.extents("chunks", &self.meta["chunks"], shape.len())?;
        self.check_piece("chunks", &chunk, stored)?;
        let chain = codecs::chain_v2(self.meta, &chunk, stored).map_err(|e| self.refused(e))?;
        Ok(Layout { shape, chunk, stored, pieces: Pieces::Files(chain) })
    }

    fn layout_v3(&self) -> Result<Layout, OpenError> {
        if self.meta["node_type"] != "array" {
            return Err(
                self.wrong("node_type", "the multiscales name this as a level, but it is not an array")
            );
        }
        self.check_extensions()?;
        let stored = self.stored("data_type")?;
        let shape = self.shape(stored)?;
        let grid = &self.meta["chunk_grid"];
        if grid["name"] != "regular" {
            return Err(
                self.unsupported("chunk_grid", format!("{} (only \"regular\" is read)", grid["name"]))
            );
        }
        let chunk = self.extents(
            "chunk_grid.configuration.chunk_shape",
            &grid["configuration"]["chunk_shape"],
            shape.len(),
        )?;
        let field = "codecs.sharding_indexed.chunk_shape";
        let list = self.meta["codecs"].as_array().map_or(&[][..], Vec::as_slice);
        let sharding = list.iter().find(|c| codecs::codec_name(c) == Some("sharding_indexed"));
        let configuration = sharding.map(|sharding| &sharding["configuration"]);
        if let Some(configuration) = configuration {
            let inner = self.extents(field, &configuration["chunk_shape"], shape.len())?;
            self.check_piece(field, &inner, stored)?;
            // Codecs round them would need whole shards.
            if list.len() == 1 {
                let sharding =
                    codecs::sharding("codecs.sharding_indexed", configuration, &chunk, stored.size());
                let shards = Shards::new(sharding.map_err(|e| self.refused(e))?);
                return Ok(Layout { shape, chunk: inner, stored, pieces: Pieces::Inner(Box::new(shards)) });
            }
        }
        self.check_piece("chunk_grid.configuration.chunk_shape", &chunk, stored)?;
        let chain = codecs::chain_v3("codecs", &self.meta["codecs"], &chunk, stored.size());
        Ok(Layout { shape, chunk, stored, pieces: Pieces::Files(chain.map_err(|e| self.refused(e))?) })
    }

    fn refused(&self, error: ChainError) -> OpenError {
        match error {
            ChainError::Wrong { field, reason } => self.wrong(&field, reason),
            ChainError::Unsupported { field, reason } => self.unsupported(&field, reason),
        }
    }

    /// Fields beyond the format's must be understood unless they say otherwise.
    fn check_extensions(&self) -> Result<(), OpenError> {
        let known = [
            "zarr_format",
            "node_type",
            "shape",
            "data_type",
            "chunk_grid",
            "chunk_key_encoding",
            "fill_value",
            "codecs",
            "attributes",
            "storage_transformers",
            "dimension_names",
        ];
        let fields = self.meta.as_object().into_iter().flatten();
        let unknown = fields.filter(|(name, value)| {
            !known.contains(&name.as_str()) && !value.is_null() && value["must_understand"] != false
        });
        match unknown.into_iter().next() {
            Some((name, _)) => Err(self.unsupported(name, "an extension that is not known here")),
            None => Ok(()),
        }
    }

    fn stored(&self, field: &str) -> Result<StoredType, OpenError> {
        let value = &self.meta[field];
        let name = value.as_str().or(value["name"].as_str());
        let name = name.map_or_else(|| value.to_string(), str::to_owned);
        stored_type(&name).ok_or_else(|| {
            self.unsupported(
                field,
                format!("{name} (read are bool, int, uint of 8 to 64 bits, float of 16 to 64 bits)"),
            )
        })
    }

    fn shape(&self, stored: StoredType) -> Result<Vec<u64>, OpenError> {
        let dims = self.meta["shape"].as_array().map_or(0, Vec::len);
        if dims == 0 || dims > MAX_DIMS {
            return Err(self.wrong("shape", format!("{dims} dimensions (1 to {MAX_DIMS} are read)")));
        }
        let shape = self.extents("shape", &self.meta["shape"], dims)?;
        let bytes =
            shape.iter().try_fold(stored.size() as i64, |n, s| n.checked_mul(i64::try_from(*s).ok()?));
        bytes.map(|_| shape).ok_or_else(|| self.wrong("shape", "more bytes than can be counted"))
    }

    fn extents(&self, field: &str, value: &Value, dims: usize) -> Result<Vec<u64>, OpenError> {
        let extents: Option<Vec<u64>> = value.as_array().and_then(|a| a.iter().map(Value::as_u64).collect());
        let extents =
            extents.ok_or_else(|| self.wrong(field, format!("{value} is not a list of whole numbers")))?;
        if extents.len() != dims {
            return Err(self.wrong(field, format!("{} entries for {dims} dimensions", extents.len())));
        }
        if extents.contains(&0) {
            return Err(self.wrong(field, format!("an extent of 0 in {extents:?}: there is nothing to show")));
        }
        Ok(extents)
    }

    fn check_piece(&self, field: &str, piece: &[u64], stored: StoredType) -> Result<(), OpenError> {
        let bytes = piece.iter().try_fold(stored.size() as u64, |n, s| n.checked_mul(*s));
        match bytes {
            Some(bytes) if bytes <= MAX_CHUNK_BYTES => Ok(()),
            _ => Err(self.wrong(
                field,
                format!(
                    "a chunk of {piece:?} {stored} exceeds {} MiB decoded; store the image in smaller chunks, or shards of them",
                    MAX_CHUNK_BYTES >> 20
                ),
            )),
        }
    }
}

/// What zarrs refused, with the field it stands in.
fn refusal(file: &Path, is_v3: bool, error: ArrayCreateError) -> OpenError {
    let field = match &error {
        ArrayCreateError::DataTypeCreateError(_) if is_v3 => "data_type",
        ArrayCreateError::DataTypeCreateError(_) => "dtype",
        ArrayCreateError::InvalidFillValue { .. } | ArrayCreateError::InvalidFillValueMetadata { .. } => {
            "fill_value"
        }
        ArrayCreateError::CodecsCreateError(_) => "codecs",
        ArrayCreateError::UnsupportedZarrV2Array(_) => "compressor, filters",
        ArrayCreateError::ChunkGridCreateError(_) | ArrayCreateError::InvalidChunkGridDimensionality(..) => {
            "chunk_grid"
        }
        ArrayCreateError::ChunkKeyEncodingCreateError(_) => "chunk_key_encoding",
        ArrayCreateError::StorageTransformersCreateError(_) => "storage_transformers",
        ArrayCreateError::NodePathError(_) => "path",
        _ => "array metadata",
    };
    OpenError::Unsupported { file: file.to_owned(), field: field.into(), reason: error.to_string() }
}
