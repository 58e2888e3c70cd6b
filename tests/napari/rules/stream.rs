//! `notify.stream`: what a decoder needs before the pixels.

use super::{Rule, count, counts, keys, number, object};
use base64::{Engine, engine::general_purpose::STANDARD};
use lucida::encode::sps::Sps;
use serde_json::Value;

/// SPS and PPS of an `AVCDecoderConfigurationRecord`.
pub struct Sets {
    pub sps: Vec<u8>,
    pub pps: Vec<u8>,
}

pub fn check(payload: &Value) -> Rule {
    keys(
        payload,
        "payload",
        &["codec", "format", "fps", "frame_size", "nal_length_size", "avcc", "latency_policy"],
        &["vt_hint"],
    )?;
    must!(payload["codec"] == "h264", "codec {}", payload["codec"]);
    must!(payload["format"] == "avcc", "format {}", payload["format"]);
    must!(number(&payload["fps"], "fps")? > 0.0, "fps is not above 0");
    must!(count(&payload["nal_length_size"], "nal_length_size")? == 4, "NAL lengths are not of 4 bytes");
    for key in ["latency_policy", "vt_hint"] {
        if let Some(value) = payload.get(key) {
            object(value, key)?;
        }
    }
    let size = counts(&payload["frame_size"], "frame_size")?;
    must!(size.len() == 2 && size.iter().all(|n| *n > 0 && n % 2 == 0), "frame_size {size:?}");
    let sets = record(&payload["avcc"])?;
    let sps = Sps::parse(&sets.sps).map_err(|e| format!("the SPS of avcC: {e}"))?;
    let real = [sps.width as usize, sps.height as usize];
    must!(real == size[..], "the SPS says {real:?}, frame_size {size:?}");
    Ok(())
}

/// Reads avcC: one SPS, one PPS, nothing behind (the client hands it to `VideoToolbox` as it is).
pub fn record(avcc: &Value) -> Rule<Sets> {
    let text = avcc.as_str().filter(|t| !t.is_empty()).ok_or("avcc is empty")?;
    let bytes = STANDARD.decode(text).map_err(|e| format!("avcc is not base64: {e}"))?;
    let short = || "avcC ends early".to_owned();
    must!(bytes.first() == Some(&1), "avcC is not of version 1");
    must!(bytes.get(4) == Some(&0xff), "avcC's NAL lengths are not of 4 bytes");
    must!(bytes.get(5) == Some(&0xe1), "avcC has not one SPS");
    let nal = |at: usize| -> Rule<(&[u8], usize)> {
        let length = bytes.get(at..at + 2).ok_or_else(short)?;
        let end = at + 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
        Ok((bytes.get(at + 2..end).ok_or_else(short)?, end))
    };
    let (sps, end) = nal(6)?;
    must!(sps.first().is_some_and(|h| h & 31 == 7), "avcC's SPS is none");
    must!(sps.get(1..4) == bytes.get(1..4), "avcC's profile is not its SPS's");
    must!(bytes.get(end) == Some(&1), "avcC has not one PPS");
    let (pps, end) = nal(end + 1)?;
    must!(pps.first().is_some_and(|h| h & 31 == 8), "avcC's PPS is none");
    must!(end == bytes.len(), "{} bytes behind avcC", bytes.len() - end);
    Ok(Sets { sps: sps.to_vec(), pps: pps.to_vec() })
}
