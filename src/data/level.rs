//! One array of a pyramid: its metadata checked against the limits before zarrs sees it, then opened.

use super::{
    declared::Outer, error::OpenError, json, shard::Shards, store::FolderStore, stored::stored_type,
};
use lucida_components::dtype::StoredType;
use serde_json::Value;
use std::{
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::Arc,
};
use zarrs::{
    array::{Array, ArrayCreateError, ArrayMetadata, ArrayMetadataV2, ArrayMetadataV3, CodecChain},
    metadata::v3::MetadataV3,
};

/// Most dimensions of an array.
pub const MAX_DIMS: usize = 8;

/// The largest decoded size of what is read at once: a chunk, or the inner chunk of a shard.
pub const MAX_CHUNK_BYTES: u64 = 256 << 20;

/// The largest index of one shard (16 bytes per inner chunk).
const MAX_SHARD_INDEX_BYTES: u64 = 32 << 20;

/// An opened array and how to read one piece of it.
pub struct OpenLevel {
    /// The array.
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
    /// One file per chunk (or per shard, where further codecs stand round the shards), under the
    /// compression named.
    Files(Outer),
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
    let (file, mut meta, is_v3) = match (json::read(&v3)?, json::read(&v2)?) {
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
    // Attributes of an array are not ours to read, and what they hold must not keep it from opening.
    if let Some(object) = meta.as_object_mut() {
        object.remove("attributes");
        object.remove("dimension_names");
    }
    let malformed = |e: serde_json::Error| wrong("array metadata", e.to_string());
    let metadata = if is_v3 {
        ArrayMetadata::V3(serde_json::from_value::<ArrayMetadataV3>(meta).map_err(malformed)?)
    } else {
        ArrayMetadata::V2(serde_json::from_value::<ArrayMetadataV2>(meta).map_err(malformed)?)
    };
    let array = Array::new_with_metadata(store.clone(), &format!("/{path}"), metadata)
        .map_err(|e| refusal(&file, is_v3, e))?;
    let chunk = layout.chunk.into_iter().map(NonZeroU64::try_from).collect::<Result<_, _>>();
    let chunk = chunk.map_err(|_| wrong("chunks", "a chunk has extent 0".into()))?;
    Ok(OpenLevel { array, stored: layout.stored, shape: layout.shape, chunk, pieces: layout.pieces, file })
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
        let outer = Outer::named(self.meta["compressor"]["id"].as_str());
        Ok(Layout { shape, chunk, stored, pieces: Pieces::Files(outer) })
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
        let none = Vec::new();
        let codecs = self.meta["codecs"].as_array().unwrap_or(&none);
        let name = |codec: &Value| codec["name"].as_str().or(codec.as_str()).map(str::to_owned);
        let Some(sharding) = codecs.iter().find(|c| name(c).as_deref() == Some("sharding_indexed")) else {
            self.check_piece("chunk_grid.configuration.chunk_shape", &chunk, stored)?;
            let outer = Outer::named(codecs.last().and_then(name).as_deref());
            return Ok(Layout { shape, chunk, stored, pieces: Pieces::Files(outer) });
        };
        let field = "codecs.sharding_indexed.chunk_shape";
        let inner = self.extents(field, &sharding["configuration"]["chunk_shape"], shape.len())?;
        self.check_piece(field, &inner, stored)?;
        if codecs.len() > 1 {
            // The codecs round them need whole shards.
            self.check_piece("chunk_grid.configuration.chunk_shape", &chunk, stored)?;
            let outer = Outer::named(codecs.last().and_then(name).as_deref());
            return Ok(Layout { shape, chunk, stored, pieces: Pieces::Files(outer) });
        }
        let shards = self.shards(field, &sharding["configuration"], &chunk, &inner)?;
        Ok(Layout { shape, chunk: inner, stored, pieces: Pieces::Inner(Box::new(shards)) })
    }

    fn shards(&self, field: &str, meta: &Value, shard: &[u64], inner: &[u64]) -> Result<Shards, OpenError> {
        if shard.iter().zip(inner).any(|(shard, inner)| shard % inner != 0) {
            return Err(self.wrong(field, format!("shards of {shard:?} cannot be cut into {inner:?}")));
        }
        let per_shard: Vec<u64> = shard.iter().zip(inner).map(|(shard, inner)| shard / inner).collect();
        let index_bytes = per_shard.iter().try_fold(16u64, |n, per| n.checked_mul(*per));
        if index_bytes.is_none_or(|bytes| bytes > MAX_SHARD_INDEX_BYTES) {
            let most = MAX_SHARD_INDEX_BYTES >> 20;
            return Err(self.wrong(field, format!("the index of a shard exceeds {most} MiB")));
        }
        let chain = |part: &str| -> Result<(CodecChain, Option<String>), OpenError> {
            let field = format!("codecs.sharding_indexed.{part}");
            let metas: Vec<MetadataV3> =
                serde_json::from_value(meta[part].clone()).map_err(|e| self.wrong(&field, e.to_string()))?;
            let last = metas.last().map(|m| m.name().to_owned());
            let chain =
                CodecChain::from_metadata(&metas).map_err(|e| self.unsupported(&field, e.to_string()))?;
            Ok((chain, last))
        };
        let (codecs, last) = chain("codecs")?;
        let (index_codecs, _) = chain("index_codecs")?;
        let at_end = meta["index_location"] != "start";
        Shards::new(codecs, Outer::named(last.as_deref()), index_codecs, at_end, per_shard)
            .map_err(|reason| self.unsupported("codecs.sharding_indexed.index_codecs", reason))
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
