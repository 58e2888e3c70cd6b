//! Chunks of a Zarr pyramid, one piece at a time.

use super::{
    ChunkSource,
    codecs::{Scratch, with_scratch},
    level::{OpenLevel, Pieces},
    recycle, stamp,
    store::FolderStore,
    stored,
};
use lucida_components::{
    chunk::{Bytes, ChunkData, ChunkFault, ChunkValues},
    dataset::Level,
    dtype::{Dtype, StoredType},
};
use std::sync::{Mutex, PoisonError};
use zarrs::array::Array;

/// Chunks whose files are looked at to tell whether an image was changed.
const SEEN_CHUNKS: u64 = 16;

/// Larger chunks are decoded one at a time: each may take three times its size while it is, and there are as
/// many threads as cores.
const LARGE_BYTES: u64 = 64 << 20;

static ALONE: Mutex<()> = Mutex::new(());

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
    /// The fill value in the stored type.
    stored_fill: Vec<u8>,
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

    fn fingerprint(&self) -> Option<String> {
        self.levels.last().map(LevelReader::fingerprint)
    }
}

impl LevelReader {
    fn new(level: OpenLevel, geometry: Level, dtype: Dtype) -> Self {
        let OpenLevel { array, stored, pieces, .. } = level;
        Self {
            fill: stored::fill(stored, dtype, array.fill_value().as_ne_bytes()),
            stored_fill: array.fill_value().as_ne_bytes().to_vec(),
            array,
            stored,
            dtype,
            geometry,
            pieces,
        }
    }

    fn read(&self, number: u64) -> Result<ChunkData, String> {
        if number >= self.geometry.grid().product() {
            return Err("there is no such chunk".into());
        }
        let at = self.geometry.chunk_at(number);
        let values = with_scratch(|scratch| self.values(&at, scratch))?;
        let values = values.unwrap_or(ChunkValues::Uniform(self.fill));
        Ok(ChunkData { dtype: self.dtype, values, missing: false })
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

    /// The values of one piece; `None` where it is not stored.
    fn values(&self, at: &[u64], scratch: &mut Scratch) -> Result<Option<ChunkValues>, String> {
        let bytes = self.geometry.chunk_voxels() * self.stored.size() as u64;
        let _alone = (bytes > LARGE_BYTES).then(|| ALONE.lock().unwrap_or_else(PoisonError::into_inner));
        let mut values = recycle::take(bytes as usize);
        if !self.decode(at, &mut values, scratch)? {
            recycle::give(values);
            return Ok(None);
        }
        if is_raw(self.stored, self.dtype) {
            return Ok(Some(ChunkValues::Dense(recycle::share(values))));
        }
        let drawn = stored::to_drawn(self.stored, self.dtype, &values);
        recycle::give(values);
        Ok(Some(ChunkValues::Dense(Bytes::from_owner(drawn))))
    }

    /// Decodes one piece to native-order values in the stored type; false where it is not stored.
    fn decode(&self, at: &[u64], out: &mut [u8], scratch: &mut Scratch) -> Result<bool, String> {
        let store = self.array.storage();
        let text = |e: &dyn std::fmt::Display| e.to_string();
        match &self.pieces {
            Pieces::Files(chain) => {
                let key = self.array.chunk_key(at);
                let Some(file) = store.open(key.as_str()).map_err(|e| text(&e))? else { return Ok(false) };
                let mut bytes =
                    scratch.take_len(file.len_within(chain.encoded().most()).map_err(|e| text(&e))?);
                file.read_at(0, &mut bytes).map_err(|e| text(&e))?;
                chain.decode(&bytes, out, &self.stored_fill, scratch).map_err(|e| text(&e))?;
                scratch.give(bytes);
                Ok(true)
            }
            Pieces::Inner(shards) => {
                let shard = shards.shard_of(at);
                let key = self.array.chunk_key(&shard);
                let Some(file) = store.open(key.as_str()).map_err(|e| text(&e))? else { return Ok(false) };
                shards.decode(&file, shard, at, out, &self.stored_fill, scratch)
            }
        }
    }
}

/// Whether values are drawn as they are stored.
fn is_raw(stored: StoredType, drawn: Dtype) -> bool {
    matches!(
        (stored, drawn),
        (StoredType::U8, Dtype::U8)
            | (StoredType::U16, Dtype::U16)
            | (StoredType::I16, Dtype::I16)
            | (StoredType::F32, Dtype::F32)
            | (StoredType::U32, Dtype::U32)
    )
}
