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
    dtype::{Dtype, StoredType},
};
use std::{borrow::Cow, num::NonZeroU64};
use zarrs::array::{Array, ArrayBytes, ArrayToBytesCodecTraits, CodecOptions};

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
    dtype: Dtype,
    fill: [u8; 4],
    geometry: Level,
    chunk: Vec<NonZeroU64>,
    pieces: Pieces,
}

impl ZarrSource {
    /// A source of opened levels, finest first, with the geometry and the value type that the world was told.
    pub fn new(levels: impl IntoIterator<Item = (OpenLevel, Level)>, dtype: Dtype) -> Self {
        let reader = |(level, geometry)| LevelReader::new(level, geometry, dtype);
        Self { levels: levels.into_iter().map(reader).collect() }
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
    fn new(level: OpenLevel, geometry: Level, dtype: Dtype) -> Self {
        let OpenLevel { array, stored, chunk, pieces, .. } = level;
        Self {
            fill: stored::fill(stored, dtype, array.fill_value().as_ne_bytes()),
            array,
            stored,
            dtype,
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
                ChunkValues::Dense(stored::to_drawn(self.stored, self.dtype, &values))
            }
            Some(values) => {
                return Err(format!("decodes to {} bytes instead of {}", values.len(), self.decoded_bytes()));
            }
        };
        Ok(ChunkData { dtype: self.dtype, values })
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
            Pieces::Files(outer) => {
                let encoded = self.array.retrieve_encoded_chunk(at).map_err(|e| e.to_string())?;
                encoded.map(|bytes| self.decode(&*self.array.codecs(), *outer, &bytes, &options)).transpose()
            }
            Pieces::Inner(shards) => {
                let shard = shards.shard_of(at);
                let key = self.array.chunk_key(&shard);
                let encoded = shards.encoded(&self.array.storage(), &key, shard, at)?;
                encoded.map(|bytes| self.decode(&shards.codecs, shards.outer, &bytes, &options)).transpose()
            }
        }
    }

    fn decode(
        &self,
        codecs: &dyn ArrayToBytesCodecTraits,
        outer: Outer,
        encoded: &[u8],
        options: &CodecOptions,
    ) -> Result<Vec<u8>, String> {
        if let Some(declared) = outer.declared(encoded) {
            let most = self.decoded_bytes() + DECLARED_SLACK;
            if declared > most {
                return Err(format!("claims {declared} decoded bytes where {} belong", self.decoded_bytes()));
            }
        }
        let (dtype, fill) = (self.array.data_type(), self.array.fill_value());
        let values = codecs.decode(Cow::Borrowed(encoded), &self.chunk, dtype, fill, options);
        values.map_err(|e| e.to_string()).and_then(fixed)
    }
}

fn fixed(values: ArrayBytes<'_>) -> Result<Vec<u8>, String> {
    values.into_fixed().map(Cow::into_owned).map_err(|e| e.to_string())
}
