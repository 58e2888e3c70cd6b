//! Codec chains out of metadata, in both versions of the format.

use super::{
    Chain, ChainError, MAX_CHUNK_BYTES, MAX_CODECS,
    checksum::Checksum,
    compression::Compression,
    filters::{Delta, Number, Scaled},
    order::Transpose,
    sharding::{MAX_INDEX_BYTES, Sharding},
    step::Step,
};
use crate::data::json;
use lucida_components::dtype::StoredType;
use serde_json::Value;

/// Most shards within shards.
const MAX_NESTING: usize = 4;

/// What is decoded, for messages.
const KNOWN: &str = "decoded are blosc, zstd, gzip, zlib, lz4, bz2, crc32c, crc32, adler32, fletcher32, shuffle, delta, fixedscaleoffset, bitround, transpose, bytes and sharding_indexed";

/// The chain of a v2 array: order, filters and compressor of its metadata, for chunks of `shape` values.
///
/// # Errors
/// Unknown codecs, by name; configurations that make no sense; chunks beyond [`MAX_CHUNK_BYTES`].
pub fn chain_v2(meta: &Value, shape: &[u64], stored: StoredType) -> Result<Chain, ChainError> {
    let (extents, bytes) = sizes("chunks", shape, stored.size())?;
    let mut steps = Vec::new();
    if meta["order"] == "F" {
        let order: Vec<usize> = (0..shape.len()).rev().collect();
        steps.extend(Transpose::new(&extents, &order, stored.size()).map(Step::Transpose));
    }
    let big = meta["dtype"].as_str().is_some_and(|name| name.starts_with('>'));
    steps.extend(swap(stored.size(), big));
    let none = Vec::new();
    let filters = meta["filters"].as_array().unwrap_or(&none).iter().map(|f| ("filters", f));
    let compressor = Some(("compressor", &meta["compressor"])).filter(|(_, c)| !c.is_null());
    for (field, codec) in filters.chain(compressor).take(MAX_CODECS + 1) {
        let name = codec["id"].as_str().unwrap_or_default();
        steps.extend(value_step(field, name, codec).or_else(|| byte_step(field, name, codec)).ok_or_else(
            || {
                let written = if name.is_empty() { codec.to_string() } else { name.to_owned() };
                ChainError::unsupported("compressor, filters", format!("{written} ({KNOWN})"))
            },
        )??);
    }
    chain("compressor, filters", bytes, steps)
}

/// The chain of a list of v3 codecs, for chunks of `shape` values of `width` bytes. `field` is what the
/// list is called in messages.
///
/// # Errors
/// As [`chain_v2`].
pub fn chain_v3(field: &str, codecs: &Value, shape: &[u64], width: usize) -> Result<Chain, ChainError> {
    nested(field, codecs, shape, width, 0)
}

fn nested(
    field: &str,
    codecs: &Value,
    shape: &[u64],
    mut width: usize,
    depth: usize,
) -> Result<Chain, ChainError> {
    let (_, bytes) = sizes(field, shape, width)?;
    let Some(list) = codecs.as_array().filter(|list| list.len() <= MAX_CODECS) else {
        return Err(ChainError::wrong(field, format!("not a list of at most {MAX_CODECS} codecs")));
    };
    let mut shape = shape.to_vec();
    let mut steps = Vec::new();
    let mut is_bytes = false;
    for codec in list {
        let (name, configuration) = (codec_name(codec).unwrap_or_default(), &codec["configuration"]);
        let unknown = || {
            let written = if name.is_empty() { codec.to_string() } else { name.to_owned() };
            ChainError::unsupported(field, format!("{written} ({KNOWN})"))
        };
        match name {
            "bytes" | "sharding_indexed" if is_bytes => {
                return Err(ChainError::wrong(
                    field,
                    format!("{name} stands behind another codec of its kind"),
                ));
            }
            "bytes" => {
                let big = match configuration["endian"].as_str() {
                    Some("little") => false,
                    Some("big") => true,
                    None if width == 1 => false,
                    _ => return Err(ChainError::wrong(field, "bytes: endian is neither little nor big")),
                };
                steps.extend(swap(width, big));
                is_bytes = true;
            }
            "sharding_indexed" => {
                if steps.iter().any(|s| !matches!(s, Step::Transpose(_))) {
                    let reason = "sharding_indexed behind a codec that changes values";
                    return Err(ChainError::unsupported(field, reason));
                }
                let field = format!("{field}.sharding_indexed");
                let sharding = sharding_at(&field, configuration, &shape, width, depth + 1)?;
                steps.push(Step::Shards(Box::new(sharding)));
                is_bytes = true;
            }
            "transpose" if !is_bytes => {
                let (extents, _) = sizes(field, &shape, width)?;
                let order: Option<Vec<usize>> = configuration["order"]
                    .as_array()
                    .and_then(|order| order.iter().map(|n| n.as_u64().map(|n| n as usize)).collect());
                let transpose = order.as_ref().and_then(|order| Transpose::new(&extents, order, width));
                let (Some(order), Some(transpose)) = (order, transpose) else {
                    let reason =
                        format!("transpose: {} is no permutation of the axes", configuration["order"]);
                    return Err(ChainError::wrong(field, reason));
                };
                shape = order.iter().map(|axis| shape[*axis]).collect();
                steps.push(Step::Transpose(transpose));
            }
            _ => {
                let name = name.strip_prefix("numcodecs.").unwrap_or(name);
                let step = if is_bytes {
                    byte_step(field, name, configuration)
                } else {
                    value_step(field, name, configuration)
                };
                let step = step.ok_or_else(unknown)??;
                if let Some(Step::Scaled(scaled)) = &step {
                    width = scaled.to.width();
                }
                steps.extend(step);
            }
        }
    }
    if !is_bytes {
        return Err(ChainError::wrong(
            field,
            "no codec turns the values into bytes (bytes or sharding_indexed)",
        ));
    }
    chain(field, bytes, steps)
}

/// The configuration of `sharding_indexed`, for shards of `shape` values.
///
/// # Errors
/// As [`chain_v2`]; shards that cannot be cut, indexes that are too large or whose size is not known.
pub fn sharding(field: &str, meta: &Value, shape: &[u64], width: usize) -> Result<Sharding, ChainError> {
    sharding_at(field, meta, shape, width, 1)
}

fn sharding_at(
    field: &str,
    meta: &Value,
    shard: &[u64],
    width: usize,
    depth: usize,
) -> Result<Sharding, ChainError> {
    if depth > MAX_NESTING {
        return Err(ChainError::wrong(field, format!("shards within shards, more than {MAX_NESTING} deep")));
    }
    let shape_field = format!("{field}.chunk_shape");
    let chunk: Option<Vec<u64>> =
        meta["chunk_shape"].as_array().and_then(|list| list.iter().map(Value::as_u64).collect());
    let chunk = chunk.filter(|chunk| chunk.len() == shard.len() && !chunk.contains(&0));
    let Some(chunk) = chunk else {
        let reason = format!("{} does not fit {} dimensions", meta["chunk_shape"], shard.len());
        return Err(ChainError::wrong(&shape_field, reason));
    };
    if shard.iter().zip(&chunk).any(|(shard, chunk)| shard % chunk != 0) {
        return Err(ChainError::wrong(
            &shape_field,
            format!("shards of {shard:?} cannot be cut into {chunk:?}"),
        ));
    }
    let mut entries: Vec<u64> = shard.iter().zip(&chunk).map(|(shard, chunk)| shard / chunk).collect();
    let bytes = entries.iter().try_fold(16u64, |n, per| n.checked_mul(*per));
    if bytes.is_none_or(|bytes| bytes > MAX_INDEX_BYTES) {
        let reason = format!("the index of a shard exceeds {} MiB", MAX_INDEX_BYTES >> 20);
        return Err(ChainError::wrong(&shape_field, reason));
    }
    let inner = nested(&format!("{field}.codecs"), &meta["codecs"], &chunk, width, depth)?;
    entries.push(2);
    let index_field = format!("{field}.index_codecs");
    let index = nested(&index_field, &meta["index_codecs"], &entries, 8, MAX_NESTING)?;
    if !Sharding::has_exact_index(&index) {
        return Err(ChainError::unsupported(&index_field, "the index has no fixed size"));
    }
    let extents = |list: &[u64]| list.iter().map(|n| *n as usize).collect();
    let at_end = meta["index_location"] != "start";
    Ok(Sharding { inner, index, at_end, shard: extents(shard), chunk: extents(&chunk), width })
}

/// The name of a v3 codec.
pub fn codec_name(codec: &Value) -> Option<&str> {
    codec["name"].as_str().or(codec.as_str())
}

fn chain(field: &str, bytes: usize, steps: Vec<Step>) -> Result<Chain, ChainError> {
    if steps.len() > MAX_CODECS {
        return Err(ChainError::wrong(field, format!("more than {MAX_CODECS} codecs")));
    }
    Ok(Chain::new(bytes, steps))
}

/// Extents as they are used here, and the bytes of that many values, checked.
fn sizes(field: &str, shape: &[u64], width: usize) -> Result<(Vec<usize>, usize), ChainError> {
    let bytes = shape.iter().try_fold(width as u64, |n, extent| n.checked_mul(*extent));
    match bytes {
        Some(bytes) if bytes <= MAX_CHUNK_BYTES && bytes > 0 => {
            Ok((shape.iter().map(|n| *n as usize).collect(), bytes as usize))
        }
        _ => {
            let reason = format!("a chunk of {shape:?} exceeds {} MiB decoded", MAX_CHUNK_BYTES >> 20);
            Err(ChainError::wrong(field, reason))
        }
    }
}

/// Values of more than one byte in the other byte order.
fn swap(width: usize, big: bool) -> Option<Step> {
    (width > 1 && big != cfg!(target_endian = "big")).then_some(Step::Swap(width))
}

type Parsed = Option<Result<Option<Step>, ChainError>>;

/// A codec of values by its name without `numcodecs.`; `None` where it is unknown, `Some(Ok(None))` where
/// decoding does nothing.
fn value_step(field: &str, name: &str, configuration: &Value) -> Parsed {
    let number = |key: &str, what: &Value| {
        let read = what.as_str().and_then(Number::named);
        read.ok_or_else(|| ChainError::unsupported(field, format!("{name}: {key} {what}")))
    };
    let dtype = || number("dtype", &configuration["dtype"]);
    let astype = || match &configuration["astype"] {
        Value::Null => dtype(),
        what => number("astype", what),
    };
    let same_type = || {
        let (dtype, astype) = (dtype()?, astype()?);
        let reason = || format!("{name} that changes the type");
        (dtype == astype).then_some(dtype).ok_or_else(|| ChainError::unsupported(field, reason()))
    };
    Some(match name {
        "delta" => same_type().and_then(|number| {
            let delta = Delta::new(number).map(Step::Delta);
            let reason = || format!("delta of {}", configuration["dtype"]);
            delta.map(Some).ok_or_else(|| ChainError::unsupported(field, reason()))
        }),
        "fixedscaleoffset" => dtype().and_then(|from| {
            let [offset, scale] = ["offset", "scale"].map(|key| json::number(&configuration[key]));
            let (Some(offset), Some(scale)) = (offset, scale.filter(|s| *s != 0.0)) else {
                return Err(ChainError::wrong(field, "fixedscaleoffset: offset and scale are not numbers"));
            };
            Ok(Some(Step::Scaled(Scaled { offset, scale, from, to: astype()? })))
        }),
        // Rounding is done when it is written.
        "bitround" => Ok(None),
        "quantize" => same_type().map(|_| None),
        _ => return None,
    })
}

/// A codec of bytes by its name without `numcodecs.`; `None` where it is unknown.
fn byte_step(field: &str, name: &str, configuration: &Value) -> Parsed {
    if let Some(compression) = Compression::named(name) {
        return Some(Ok(Some(Step::Compressed(compression))));
    }
    if let Some(checksum) = Checksum::named(name, configuration["location"].as_str()) {
        return Some(Ok(Some(Step::Checksum(checksum))));
    }
    if name != "shuffle" {
        return None;
    }
    // numcodecs' default.
    let width = match &configuration["elementsize"] {
        Value::Null => Some(4),
        size => size.as_u64().filter(|n| (1..=256).contains(n)),
    };
    let step = width.map(|width| Some(Step::Shuffle(width as usize)));
    Some(step.ok_or_else(|| ChainError::wrong(field, "shuffle: elementsize is not 1 to 256")))
}
