//! Chunks of a Zarr pyramid, one piece at a time.

use super::{
    ChunkSource,
    codecs::{Scratch, with_scratch},
    level::{OpenLevel, Pieces},
    recycle,
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
    fill: [u8; 4],
    geometry: Level,
    /// The fill value in the stored type.
    stored_fill: Vec<u8>,
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
}

impl LevelReader {
    fn new(level: OpenLevel, geometry: Level) -> Self {
        let OpenLevel { array, stored, pieces, .. } = level;
        Self {
            fill: stored::fill(stored, array.fill_value().as_ne_bytes()),
            stored_fill: array.fill_value().as_ne_bytes().to_vec(),
            array,
            stored,
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
        Ok(ChunkData { dtype: self.stored.drawn_as(), values })
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
        if is_raw(self.stored, self.stored.drawn_as()) {
            return Ok(Some(ChunkValues::Dense(recycle::share(values))));
        }
        let drawn = stored::to_drawn(self.stored, &values);
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
