//! Chunks of a Zarr pyramid, one piece at a time.

use super::{
    ChunkSource,
    declared::Outer,
    level::{OpenLevel, Pieces},
    store::FolderStore,
    stored,
};
use lucida_components::{
    chunk::{ChunkData, ChunkFault, ChunkValues},
    dataset::Level,
    dtype::StoredType,
};
use std::{borrow::Cow, num::NonZeroU64};
use zarrs::array::{
    Array, ArrayBytes, ArrayShardedReadableExt, ArrayShardedReadableExtCache, ArrayToBytesCodecTraits,
    CodecOptions,
};

/// Memory for the shard indexes of one level.
const INDEX_CACHE_BYTES: u64 = 32 << 20;

/// What a header may claim beyond the decoded size: checksums, and the last block of a zstd frame.
const DECLARED_SLACK: u64 = 1 << 20;

/// A Zarr pyramid. Reads come from several threads at once.
pub struct ZarrSource {
    levels: Vec<LevelReader>,
}

/// One level, ready to be read.
struct LevelReader {
    array: Array<FolderStore>,
    stored: StoredType,
    fill: [u8; 4],
    geometry: Level,
    chunk: Vec<NonZeroU64>,
    pieces: Pieces,
    /// Indexes of the shards seen last; emptied when it holds `most_indexes`.
    indexes: ArrayShardedReadableExtCache,
    most_indexes: usize,
}

impl ZarrSource {
    /// A source of opened levels, finest first, with the geometry that the world was told.
    pub fn new(levels: impl IntoIterator<Item = (OpenLevel, Level)>) -> Self {
        Self {
            levels: levels.into_iter().map(|(level, geometry)| LevelReader::new(level, geometry)).collect(),
        }
    }
}

impl ChunkSource for ZarrSource {
    fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault> {
        let fault = |reason: String| ChunkFault { level, number, reason };
        let reader =
            self.levels.get(usize::from(level)).ok_or_else(|| fault("there is no such level".into()))?;
        reader.read(number).map_err(fault)
    }
}

impl LevelReader {
    fn new(level: OpenLevel, geometry: Level) -> Self {
        let OpenLevel { array, stored, chunk, pieces, .. } = level;
        let index_bytes = if let Pieces::Inner { index_bytes, .. } = &pieces { *index_bytes } else { 4096 };
        Self {
            fill: stored::fill(stored, array.fill_value().as_ne_bytes()),
            indexes: ArrayShardedReadableExtCache::new(&array),
            most_indexes: (INDEX_CACHE_BYTES / index_bytes.max(4096)).max(1) as usize,
            array,
            stored,
            geometry,
            chunk,
            pieces,
        }
    }

    fn read(&self, number: u64) -> Result<ChunkData, String> {
        if number >= self.geometry.grid().product() {
            return Err("there is no such chunk".into());
        }
        let at = self.geometry.chunk_at(number);
        let values = match self.decoded(&at)? {
            None => ChunkValues::Uniform(self.fill),
            Some(values) if values.len() as u64 == self.decoded_bytes() => {
                ChunkValues::Dense(stored::to_drawn(self.stored, &values))
            }
            Some(values) => {
                return Err(format!("decodes to {} bytes instead of {}", values.len(), self.decoded_bytes()));
            }
        };
        Ok(ChunkData { dtype: self.stored.drawn_as(), values })
    }

    /// Bytes of one piece in the stored type.
    fn decoded_bytes(&self) -> u64 {
        self.geometry.chunk_voxels() * self.stored.size() as u64
    }

    /// Native-order values of one piece in the stored type; `None` where it is not stored.
    fn decoded(&self, at: &[u64]) -> Result<Option<Vec<u8>>, String> {
        // The threads are the pool's; zarrs gets none of its own.
        let options = CodecOptions::default().with_concurrent_target(1);
        match &self.pieces {
            Pieces::Chunks { outer } => {
                let encoded = self.array.retrieve_encoded_chunk(at).map_err(|e| e.to_string())?;
                encoded.map(|bytes| self.decode(&*self.array.codecs(), *outer, bytes, &options)).transpose()
            }
            Pieces::Inner { codecs, outer, .. } => {
                self.bound_indexes();
                let encoded =
                    self.array.retrieve_encoded_subchunk(&self.indexes, at).map_err(|e| e.to_string())?;
                encoded.map(|bytes| self.decode(&**codecs, *outer, bytes, &options)).transpose()
            }
            Pieces::WrappedShards => {
                self.bound_indexes();
                let values = self.array.retrieve_subchunk_opt::<ArrayBytes>(&self.indexes, at, &options);
                values.map_err(|e| e.to_string()).and_then(fixed).map(Some)
            }
        }
    }

    fn decode(
        &self,
        codecs: &dyn ArrayToBytesCodecTraits,
        outer: Outer,
        encoded: Vec<u8>,
        options: &CodecOptions,
    ) -> Result<Vec<u8>, String> {
        if let Some(declared) = outer.declared(&encoded) {
            let most = self.decoded_bytes() + DECLARED_SLACK;
            if declared > most {
                return Err(format!("claims {declared} decoded bytes where {} belong", self.decoded_bytes()));
            }
        }
        let (dtype, fill) = (self.array.data_type(), self.array.fill_value());
        let values = codecs.decode(Cow::Owned(encoded), &self.chunk, dtype, fill, options);
        values.map_err(|e| e.to_string()).and_then(fixed)
    }

    fn bound_indexes(&self) {
        if self.indexes.len() >= self.most_indexes {
            self.indexes.clear();
        }
    }
}

fn fixed(values: ArrayBytes<'_>) -> Result<Vec<u8>, String> {
    values.into_fixed().map(Cow::into_owned).map_err(|e| e.to_string())
}
