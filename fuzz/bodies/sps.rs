//! H.264: parameter sets read and rewritten, and NALs split, as they come from an encoder.

use lucida::encode::{
    avcc,
    bits::MAX_PARAMETER_SET,
    sps::{Sps, VideoSignal, for_browsers},
};

/// Reads the input as an SPS, and as both kinds of access unit.
pub fn run(input: &[u8]) {
    let _ = avcc::nals(input).count();
    for nal in avcc::annex_b_nals(input) {
        assert!(!nal.is_empty() && nal.len() < input.len());
    }
    let (Ok(sps), rewritten) = (Sps::parse(input), for_browsers(input)) else { return };
    let rewritten = rewritten.expect("what is read can be rewritten");
    if rewritten.len() > MAX_PARAMETER_SET {
        return;
    }
    let read = Sps::parse(&rewritten).expect("what was written can be read");
    assert_eq!((read.width, read.height), (sps.width, sps.height));
    assert_eq!(read.codec(), sps.codec());
    assert_eq!((read.poc_type, read.max_ref_frames), (sps.poc_type, sps.max_ref_frames));
    let vui = read.vui.as_ref().expect("a VUI");
    assert_eq!(vui.signal, Some(VideoSignal { full_range: false, colour: Some([1, 1, 1]) }));
    assert_eq!(vui.restriction.map(|r| r.max_reorder), Some(0));
    assert_eq!(for_browsers(&rewritten).ok().as_ref(), Some(&rewritten), "rewriting twice changes nothing");
    let record = avcc::configuration_record(&read, &rewritten, &[0x68]).expect("a record");
    assert!(record.len() > rewritten.len());
}
