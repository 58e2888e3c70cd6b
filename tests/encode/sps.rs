//! The SPS: what OpenH264's says after our hands were on it, and what happens to others'.

use crate::moving::Scene;
use lucida::encode::{
    EncoderConfig, VideoEncoder,
    avcc::{self, configuration_record},
    bits::{BitReader, BitWriter, escape, unescape},
    openh264::OpenH264,
    sps::{Sps, VideoSignal, for_browsers},
};
use lucida_components::stream::Canvas;
use proptest::prelude::*;

const BT709: Option<VideoSignal> = Some(VideoSignal { full_range: false, colour: Some([1, 1, 1]) });

fn emitted(canvas: Canvas, fps: f32, bitrate: u32) -> Vec<u8> {
    let scene = Scene::new(canvas);
    let config = EncoderConfig { canvas, fps, bitrate, threads: 1 };
    let unit = OpenH264::new(config).unwrap().encode(scene.picture(0), false).unwrap();
    avcc::nals(&unit.avcc).next().unwrap().unwrap().to_vec()
}

#[test]
fn the_emitted_sps_bit_by_bit() {
    let nal = emitted(Canvas { width: 178, height: 100 }, 30.0, 2_000_000);
    let payload = unescape(&nal);
    let mut r = BitReader::new(&payload);
    let mut bits = |count| r.bits(count).unwrap();
    assert_eq!(bits(8), 0x67, "NAL header");
    assert_eq!(bits(8), 66, "profile: baseline");
    assert_eq!(bits(8), 0b1100_0000, "constraints: constrained baseline");
    let level = bits(8);
    assert!((12..=30).contains(&level), "level {level}");
    let mut ue = || r.ue().unwrap();
    assert_eq!(ue(), 0, "id");
    let _frame_num = ue();
    assert_eq!(ue(), 2, "pic_order_cnt_type");
    assert_eq!(ue(), 1, "max_num_ref_frames");
    assert!(!r.bit().unwrap(), "gaps");
    assert_eq!((r.ue().unwrap(), r.ue().unwrap()), (11, 6), "12×7 macroblocks");
    assert!(r.bit().unwrap(), "frames only");
    let _direct_8x8 = r.bit().unwrap();
    assert!(r.bit().unwrap(), "cropped");
    assert_eq!([0; 4].map(|_: u32| r.ue().unwrap()), [0, 7, 0, 6], "14 columns and 12 rows");
    assert!(r.bit().unwrap(), "VUI");
    assert_eq!(r.bits(2).unwrap(), 0, "no aspect ratio, no overscan");
    assert!(r.bit().unwrap(), "video signal type");
    assert_eq!(r.bits(3).unwrap(), 5, "format unspecified");
    assert!(!r.bit().unwrap(), "limited range");
    assert!(r.bit().unwrap(), "colour description");
    assert_eq!(r.bits(24).unwrap(), 0x01_01_01, "BT.709 primaries, transfer, matrix");
    assert_eq!(r.bits(5).unwrap(), 0, "no chroma location, timing, HRD, HRD, pic_struct");
    assert_eq!(r.bits(2).unwrap(), 3, "bitstream restriction, vectors over boundaries");
    assert_eq!([0; 4].map(|_: u32| r.ue().unwrap()), [0, 0, 16, 16], "limits");
    assert_eq!(r.ue().unwrap(), 0, "max_num_reorder_frames");
    assert_eq!(r.ue().unwrap(), 1, "max_dec_frame_buffering");
    assert!(r.bit().unwrap(), "stop bit");
    assert_eq!(payload.len(), r.position().div_ceil(8), "nothing after it");
}

#[test]
fn the_level_is_no_higher_than_the_picture_needs() {
    for (width, height, fps, bitrate, level) in [
        (16, 16, 30.0, 500_000, 13),
        (640, 480, 30.0, 2_000_000, 30),
        (1280, 720, 30.0, 8_000_000, 31),
        (1280, 720, 60.0, 8_000_000, 32),
        (1920, 1080, 60.0, 12_000_000, 42),
        (3840, 2160, 30.0, 20_000_000, 51),
        (3840, 2160, 60.0, 20_000_000, 52),
    ] {
        let sps = Sps::parse(&emitted(Canvas { width, height }, fps, bitrate)).unwrap();
        assert_eq!(sps.level, level, "{width}×{height} at {fps}");
    }
}

/// A high profile SPS with everything in its way: scaling lists, POC type 1, fields, crop, and what is asked.
#[expect(clippy::struct_excessive_bools, reason = "what is there and what is not")]
struct Foreign {
    vui: bool,
    signal: bool,
    timing_and_hrd: bool,
    restriction: bool,
}

fn foreign(parts: &Foreign) -> Vec<u8> {
    let mut w = BitWriter::default();
    w.bits(32, 0x67_64_00_28); // high, level 4.0
    w.ue(0);
    w.ue(1); // 4:2:0
    w.ue(0);
    w.ue(0);
    w.bits(2, 0b01); // scaling matrix
    w.bit(true); // one list: deltas +1, then the rest repeats
    w.bits(3, 0b010);
    w.ue(18); // -9: the next scale is 0
    w.bits(7, 0);
    w.ue(0);
    w.ue(1); // POC type 1
    w.bit(false);
    w.ue(3);
    w.ue(4);
    w.ue(2);
    w.ue(5);
    w.ue(6);
    w.ue(4); // reference frames
    w.bit(false);
    w.ue(119);
    w.ue(33); // 1920×1088, in fields
    w.bits(3, 0b001);
    w.bit(true);
    for offset in [0, 0, 0, 2] {
        w.ue(offset);
    }
    w.bit(parts.vui);
    if parts.vui {
        w.bits(9, 0b1_1111_1111); // extended aspect ratio
        w.bits(32, 0x0004_0003);
        w.bits(2, 0b11); // overscan
        w.bit(parts.signal);
        if parts.signal {
            w.bits(5, 0b1_0111); // unspecified format, full range, colour
            w.bits(24, 0x05_06_05);
        }
        w.bits(3, 0b111); // chroma location 0, 0
        w.bit(parts.timing_and_hrd);
        if parts.timing_and_hrd {
            w.bits(32, 1);
            w.bits(32, 120);
            w.bit(true);
        }
        for _ in 0..2 {
            w.bit(parts.timing_and_hrd);
            if parts.timing_and_hrd {
                w.ue(1);
                w.bits(8, 0x12);
                for value in [1000, 2000] {
                    w.ue(value);
                    w.ue(value);
                    w.bit(false);
                }
                w.bits(20, 0x12345);
            }
        }
        if parts.timing_and_hrd {
            w.bit(true);
        }
        w.bit(true); // pic_struct
        w.bit(parts.restriction);
        if parts.restriction {
            w.bit(false);
            for value in [2, 1, 10, 11, 3, 5] {
                w.ue(value);
            }
        }
    }
    escape(&w.finish())
}

fn every_foreign() -> impl Iterator<Item = Foreign> {
    (0..16).map(|i| Foreign {
        vui: i & 1 != 0,
        signal: i & 2 != 0,
        timing_and_hrd: i & 4 != 0,
        restriction: i & 8 != 0,
    })
}

#[test]
fn every_kind_of_vui_is_brought_to_what_browsers_need() {
    for parts in every_foreign() {
        let nal = foreign(&parts);
        let before = Sps::parse(&nal).unwrap();
        assert_eq!((before.width, before.height), (1920, 1080));
        assert_eq!((before.codec().as_str(), before.poc_type, before.max_ref_frames), ("avc1.640028", 1, 4));
        assert_eq!(before.vui.is_some(), parts.vui);
        if let Some(vui) = &before.vui {
            let full = VideoSignal { full_range: true, colour: Some([5, 6, 5]) };
            assert_eq!(vui.signal, parts.signal.then_some(full));
            assert_eq!(
                vui.restriction.map(|r| (r.max_reorder, r.max_buffering)),
                parts.restriction.then_some((3, 5))
            );
        }

        let rewritten = for_browsers(&nal).unwrap();
        let after = Sps::parse(&rewritten).unwrap();
        let vui = after.vui.as_ref().unwrap();
        assert_eq!(vui.signal, BT709);
        assert_eq!(vui.restriction.map(|r| (r.max_reorder, r.max_buffering)), Some((0, 4)));
        assert_eq!((after.width, after.height, after.codec()), (1920, 1080, before.codec()));
        assert_eq!(for_browsers(&rewritten).unwrap(), rewritten, "a second time changes nothing");
    }
}

#[test]
fn timing_and_hrd_stay_as_they_were() {
    let parts = Foreign { vui: true, signal: true, timing_and_hrd: true, restriction: true };
    let bits = |nal: &[u8]| {
        let bytes = unescape(nal);
        let mut r = BitReader::new(&bytes);
        std::iter::from_fn(|| r.bit().ok()).map(|bit| if bit { '1' } else { '0' }).collect::<String>()
    };
    let (before, after) = (bits(&foreign(&parts)), bits(&for_browsers(&foreign(&parts)).unwrap()));
    let timing = format!("{:032b}{:032b}1", 1, 120);
    let from = before.find(&timing).unwrap();
    // Same length before it, so it stands in the same place; the restriction after it is what changed.
    let to = before.rfind(&format!("{:020b}11", 0x12345)).unwrap() + 22;
    assert_eq!(before[from..to], after[from..to]);
    assert_ne!(before[to..], after[to..]);
}

#[test]
fn the_record_of_a_high_profile_states_its_chroma_format() {
    let nal = foreign(&Foreign { vui: false, signal: false, timing_and_hrd: false, restriction: false });
    let record = configuration_record(&Sps::parse(&nal).unwrap(), &nal, &[0x68, 1, 2]).unwrap();
    assert_eq!(record[..6], [1, 100, 0, 40, 0xFF, 0xE1]);
    assert_eq!(record[record.len() - 10..], [1, 0, 3, 0x68, 1, 2, 0xFD, 0xF8, 0xF8, 0]);
    assert!(configuration_record(&Sps::parse(&nal).unwrap(), &nal, &vec![0x68; 70_000]).is_err());
}

#[test]
fn impossible_sets_are_errors_with_a_sentence() {
    let nal = foreign(&Foreign { vui: true, signal: true, timing_and_hrd: true, restriction: true });
    for cut in 0..nal.len() - 1 {
        let error = Sps::parse(&nal[..cut]).unwrap_err().to_string();
        assert!(error.starts_with("parameter set: "), "{error}");
    }
    assert!(Sps::parse(&[0x68, 1, 2, 3]).unwrap_err().to_string().contains("not an SPS"));
    assert!(Sps::parse(&[0x67; 2000]).unwrap_err().to_string().contains("2000 bytes"));
    // A crop that leaves nothing: 16×16 less 16 columns.
    let mut w = BitWriter::default();
    w.bits(32, 0x67_42_C0_1E);
    for value in [0, 0, 2, 1] {
        w.ue(value);
    }
    w.bit(false);
    w.ue(0);
    w.ue(0);
    w.bits(3, 0b111);
    for offset in [4, 4, 0, 0] {
        w.ue(offset);
    }
    w.bit(false);
    assert!(Sps::parse(&w.finish()).unwrap_err().to_string().contains("crop"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_are_read_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), head in any::<bool>()) {
        if head && bytes.len() > 2 {
            bytes[0] = 0x67;
            bytes[1] = [66, 100, 244][usize::from(bytes[1] % 3)];
        }
        check(&bytes)?;
    }

    #[test]
    fn a_real_set_with_flipped_bits_is_read_without_panic(
        kind in 0usize..16,
        flips in prop::collection::vec((0usize..100, 0u8..8), 1..6),
    ) {
        let mut nal = foreign(&every_foreign().nth(kind).unwrap());
        for (at, bit) in flips {
            let at = at % nal.len();
            nal[at] ^= 1 << bit;
        }
        check(&nal)?;
    }
}

/// What is readable can be rewritten, and is then what browsers need.
fn check(nal: &[u8]) -> Result<(), TestCaseError> {
    let Ok(sps) = Sps::parse(nal) else {
        prop_assert!(for_browsers(nal).is_err());
        return Ok(());
    };
    let after = Sps::parse(&for_browsers(nal).unwrap()).unwrap();
    prop_assert_eq!((after.width, after.height, after.codec()), (sps.width, sps.height, sps.codec()));
    let vui = after.vui.unwrap();
    prop_assert_eq!(vui.signal, BT709);
    prop_assert_eq!(vui.restriction.map(|r| r.max_reorder), Some(0));
    Ok(())
}
