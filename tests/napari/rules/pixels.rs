//! The binary messages: a header of 24 bytes and an access unit.

use super::{Rule, stream::Sets};

/// Bytes of the header.
pub const HEADER: usize = 24;
/// Seconds that a picture's time may differ from the clock's.
const CLOCK: f64 = 60.0;

/// A header as the client unpacks it (`!IdIIBBH`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Header {
    pub seq: u32,
    pub ts: f64,
    pub width: u32,
    pub height: u32,
    pub keyframe: bool,
}

/// Reads a message; `now` is the wall clock.
pub fn message(bytes: &[u8], now: f64) -> Rule<(Header, &[u8])> {
    must!(bytes.len() >= HEADER, "{} bytes: the client skips what is shorter than its header", bytes.len());
    let int = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let mut time = [0; 8];
    time.copy_from_slice(&bytes[4..12]);
    let (codec, flags) = (bytes[20], bytes[21]);
    let ts = f64::from_be_bytes(time);
    must!(codec == 1, "codec {codec}: both decoders are for H.264, which is 1");
    must!(flags < 2, "flags {flags:#04x}: only bit 0 means something");
    must!(bytes[22..24] == [0, 0], "the last two bytes of the header are reserved");
    must!((now - ts).abs() < CLOCK, "ts {ts} is not the wall clock's time {now}");
    let header = Header { seq: int(0), ts, width: int(12), height: int(16), keyframe: flags == 1 };
    must!(header.width > 0 && header.height > 0, "an empty picture");
    must!(header.width.is_multiple_of(2) && header.height.is_multiple_of(2), "odd sizes");
    unit(&bytes[HEADER..], header.keyframe)?;
    Ok((header, &bytes[HEADER..]))
}

/// The NALs of an access unit behind their lengths.
pub fn nals(unit: &[u8]) -> Rule<Vec<&[u8]>> {
    must!(!unit.starts_with(&[0, 0, 0, 1]), "a start code: Annex B is not recognised");
    let (mut rest, mut nals) = (unit, Vec::new());
    while !rest.is_empty() {
        let Some((length, behind)) = rest.split_first_chunk::<4>() else {
            return Err("the last NAL has half a length".into());
        };
        let length = u32::from_be_bytes(*length) as usize;
        must!(length > 0, "an empty NAL");
        must!(length <= behind.len(), "a NAL of {length} bytes, of which {} are there", behind.len());
        nals.push(&behind[..length]);
        rest = &behind[length..];
    }
    must!(!nals.is_empty(), "no NAL");
    Ok(nals)
}

/// One complete picture: decodable by itself where it says so, no B slices.
fn unit(unit: &[u8], keyframe: bool) -> Rule {
    let nals = nals(unit)?;
    let kinds: Vec<u8> = nals.iter().map(|n| n[0] & 31).collect();
    let idr = kinds.iter().position(|k| *k == 5);
    must!(keyframe == idr.is_some(), "flag and NALs {kinds:?} disagree about a keyframe");
    if let Some(idr) = idr {
        // Its decoder is made without extradata: parameters come in band or not at all.
        must!(kinds[..idr].contains(&7), "an IDR without SPS before it: {kinds:?}");
        must!(kinds[..idr].contains(&8), "an IDR without PPS before it: {kinds:?}");
        must!(!kinds.contains(&1), "an IDR with other slices: {kinds:?}");
    } else {
        must!(kinds.contains(&1), "no slice: {kinds:?}");
    }
    let slices = nals.iter().filter(|n| matches!(n[0] & 31, 1 | 5));
    let mut pictures = 0;
    for slice in slices {
        let (first, kind) = slice_head(&slice[1..]).ok_or("a slice without a head")?;
        pictures += usize::from(first == 0);
        must!(!matches!(kind % 5, 1), "a B slice: the client takes one picture for one packet");
    }
    must!(pictures == 1, "{pictures} pictures in a message");
    Ok(())
}

/// `first_mb_in_slice` and `slice_type` (H.264, 7.3.3).
fn slice_head(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |n| u32::from(byte >> n & 1)));
    let mut golomb = move || -> Option<u32> {
        let mut zeros = 0;
        while bits.next()? == 0 {
            zeros += 1;
            if zeros > 20 {
                return None;
            }
        }
        (0..zeros).try_fold(1, |value, _| Some(value << 1 | bits.next()?)).map(|value| value - 1)
    };
    Some((golomb()?, golomb()?))
}

/// What a stream of messages on one socket has to keep to.
#[derive(Default)]
pub struct Order {
    last: Option<Header>,
}

impl Order {
    pub fn next(&mut self, header: Header) -> Rule {
        match self.last.replace(header) {
            // Whatever comes before a keyframe the client throws away.
            None => must!(header.keyframe, "the first packet is no keyframe"),
            Some(last) => {
                // A gap makes the client on macOS gate, and ask for a keyframe.
                must!(header.seq == last.seq.wrapping_add(1), "seq {} behind {}", header.seq, last.seq);
                // It is shown at a time that is learned from these.
                must!(header.ts > last.ts, "ts {} behind {}", header.ts, last.ts);
            }
        }
        Ok(())
    }
}

/// The parameters in band are those that were told.
pub fn same_sets(unit: &[u8], told: &Sets) -> Rule {
    for nal in nals(unit)? {
        match nal[0] & 31 {
            7 => must!(nal == told.sps, "the SPS in band is not that of notify.stream"),
            8 => must!(nal == told.pps, "the PPS in band is not that of notify.stream"),
            _ => {}
        }
    }
    Ok(())
}

/// The client's software decoder, as far as it forgets: at a backlog of 15 it drops everything, and waits for
/// the next keyframe without asking for one.
#[derive(Default)]
pub struct Backlog {
    waiting: usize,
    gated: bool,
}

impl Backlog {
    const MOST: usize = 15;

    pub fn new() -> Self {
        Self { waiting: 0, gated: true }
    }

    /// A packet arrives; whether it will be decoded.
    pub fn take(&mut self, keyframe: bool) -> bool {
        self.gated &= !keyframe;
        if self.gated {
            return false;
        }
        self.waiting += 1;
        if self.waiting >= Self::MOST {
            (self.waiting, self.gated) = (0, true);
            return false;
        }
        true
    }

    /// One was decoded.
    pub fn decoded(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    pub fn is_gated(&self) -> bool {
        self.gated
    }
}
