//! Chunks of a Zarr pyramid, one piece at a time.

use super::{
    ChunkSource,
    declared::Outer,
    level::{OpenLevel, Pieces},
    stamp,
    store::FolderStore,
    stored,
};
use lucida_components::{
    chunk::{ChunkData, ChunkFault, ChunkValues},
    dataset::Level,
    dtype::StoredType,
};
use std::{borrow::Cow, num::NonZeroU64};
use zarrs::array::{Array, ArrayBytes, ArrayToBytesCodecTraits, CodecOptions};

/// What a header may claim beyond the decoded size: checksums, and the last block of a zstd frame.
const DECLARED_SLACK: u64 = 1 << 20;

/// Chunks whose files are looked at to tell whether an image was changed.
const SEEN_CHUNKS: u64 = 16;

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

    fn fingerprint(&self) -> Option<String> {
        self.levels.last().map(LevelReader::fingerprint)
    }
}

impl LevelReader {
    fn new(level: OpenLevel, geometry: Level) -> Self {
        let OpenLevel { array, stored, chunk, pieces, .. } = level;
        Self {
            fill: stored::fill(stored, array.fill_value().as_ne_bytes()),
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
        Ok(ChunkData { dtype: self.stored.drawn_as(), values, missing: false })
    }

    /// Path and metadata of the array, and what can be seen of its metadata files and of some chunks spread
    /// over it: values that are written anew without a change of metadata are mostly written all.
    fn fingerprint(&self) -> String {
        let root = self.array.storage().root().to_owned();
        let folder = root.join(self.array.path().as_str().trim_start_matches('/'));
        let metadata = serde_json::to_string(self.array.metadata()).unwrap_or_default();
        let mut seen = vec![folder.display().to_string(), metadata];
        seen.extend(["zarr.json", ".zarray"].map(|name| stamp::of(&folder.join(name))));
        let chunks: u64 = self.geometry.grid().product();
        let looks = SEEN_CHUNKS.min(chunks);
        for n in 0..looks {
            let at = self.geometry.chunk_at((u128::from(n) * u128::from(chunks) / u128::from(looks)) as u64);
            let key = match &self.pieces {
                Pieces::Files(_) => self.array.chunk_key(&at),
                Pieces::Inner(shards) => self.array.chunk_key(&shards.shard_of(&at)),
            };
            seen.push(stamp::of(&root.join(key.as_str())));
        }
        seen.join("\n")
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
