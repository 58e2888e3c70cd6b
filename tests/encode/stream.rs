//! Streams out of OpenH264: what is in every access unit, and what a decoder makes of it.

use crate::moving::Scene;
use lucida::encode::{
    AccessUnit, EncodeError, EncoderConfig, I420, VideoEncoder,
    avcc::{self, nal_type},
    decode::{DecodeError, Decoder, Picture},
    openh264::OpenH264,
    sps::Sps,
};
use lucida_components::stream::Canvas;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const HD: Canvas = Canvas { width: 1280, height: 720 };
const SMALL: Canvas = Canvas { width: 320, height: 192 };

fn config(canvas: Canvas) -> EncoderConfig {
    EncoderConfig { canvas, fps: 60.0, bitrate: 8_000_000, threads: 1 }
}

/// Held by tests whose encoders have several threads: one encoder of the process can have them.
fn slice_threads() -> MutexGuard<'static, ()> {
    static USED: Mutex<()> = Mutex::new(());
    USED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nal_types(unit: &AccessUnit) -> Vec<u8> {
    avcc::nals(&unit.avcc).map(|nal| nal_type(nal.unwrap())).collect()
}

fn slices(unit: &AccessUnit) -> usize {
    nal_types(unit).iter().filter(|&&t| t == avcc::SLICE || t == avcc::IDR).count()
}

/// Peak signal to noise ratio of a plane, in dB, and the stride of the original.
fn psnr(original: &[u8], stride: usize, decoded: &[u8], width: usize) -> f64 {
    let rows = original.chunks(stride).zip(decoded.chunks_exact(width));
    let squares: u64 = rows
        .flat_map(|(a, b)| a[..width].iter().zip(b))
        .map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2))
        .sum();
    10.0 * (255.0f64.powi(2) * decoded.len() as f64 / (squares as f64).max(1e-3)).log10()
}

#[track_caller]
fn assert_alike(original: I420<'_>, decoded: &Picture, at_least: f64) {
    assert_eq!(decoded.canvas, original.canvas);
    let width = original.canvas.width as usize;
    for (name, original, stride, decoded, width) in [
        ("Y", original.y, original.stride, &decoded.y, width),
        ("Cb", original.u, original.stride / 2, &decoded.u, width / 2),
        ("Cr", original.v, original.stride / 2, &decoded.v, width / 2),
    ] {
        let got = psnr(original, stride, decoded, width);
        assert!(got >= at_least, "{name}: {got:.1} dB; at least {at_least} are wanted");
    }
}

#[test]
fn what_is_decoded_is_what_was_encoded_at_every_size() {
    let _one_at_a_time = slice_threads();
    for (width, height) in [(16, 16), (18, 16), (16, 130), (178, 100), (1278, 718), (1280, 720), (3840, 2160)]
    {
        let canvas = Canvas { width, height };
        let scene = Scene::new(canvas);
        // Small pictures have more detail to a pixel: what is tried here is the geometry.
        let config = EncoderConfig { bitrate: 20_000_000, threads: 4, ..config(canvas) };
        let mut encoder = OpenH264::new(config).unwrap();
        let mut decoder = Decoder::new().unwrap();
        for step in 0..4 {
            let picture = scene.picture(step);
            let unit = encoder.encode(picture, false).unwrap();
            assert_eq!(unit.keyframe, step == 0, "{width}×{height}, picture {step}");
            if let Some(parameters) = &unit.parameters {
                let sps = avcc::nals(&unit.avcc).next().unwrap().unwrap();
                let sps = Sps::parse(sps).unwrap();
                assert_eq!((sps.width, sps.height), (width, height));
                assert_eq!(parameters.codec, sps.codec());
            }
            assert_alike(picture, &decoder.decode(&unit.avcc).unwrap(), 33.0);
        }
    }
}

#[test]
fn the_window_has_a_stride_and_is_not_shifted() {
    let scene = Scene::new(HD);
    let unit = OpenH264::new(config(HD)).unwrap().encode(scene.window(100, 50), false).unwrap();
    let decoded = Decoder::new().unwrap().decode(&unit.avcc).unwrap();
    assert_alike(scene.window(100, 50), &decoded, 36.0);
    // Two pixels on in either direction it is clearly something else.
    let (here, right, below) = (scene.window(100, 50), scene.window(102, 50), scene.window(100, 52));
    let [here, right, below] = [here, right, below].map(|p| psnr(p.y, p.stride, &decoded.y, 1280));
    assert!(here > right + 5.0 && here > below + 5.0, "{here:.1}, {right:.1}, {below:.1} dB");
}

#[test]
fn a_keyframe_comes_first_and_when_asked_for_and_never_else() {
    let scene = Scene::new(SMALL);
    let mut encoder = OpenH264::new(config(SMALL)).unwrap();
    let mut first = None;
    for step in 0..200 {
        let asked = matches!(step, 20 | 21 | 150);
        // Jumps, so that a scene change could be seen where there is none.
        let unit = encoder.encode(scene.picture(step * 37), asked).unwrap();
        assert_eq!(unit.keyframe, asked || step == 0, "picture {step}");
        let types = nal_types(&unit);
        if unit.keyframe {
            assert_eq!(types[..2], [avcc::SPS, avcc::PPS], "picture {step}");
            assert!(types[2..].iter().all(|&t| t == avcc::IDR), "{types:?}");
            // A late joiner configures its decoder with what the first one got.
            let parameters = unit.parameters.unwrap();
            assert_eq!(first.get_or_insert_with(|| parameters.clone()), &parameters);
        } else {
            assert!(types.iter().all(|&t| t == avcc::SLICE), "{types:?}");
            assert_eq!(unit.parameters, None);
        }
    }
}

#[test]
fn decoding_can_start_at_a_later_keyframe() {
    let scene = Scene::new(SMALL);
    let mut encoder = OpenH264::new(config(SMALL)).unwrap();
    let units: Vec<_> = (0..6).map(|step| encoder.encode(scene.picture(step), step == 3).unwrap()).collect();
    let mut decoder = Decoder::new().unwrap();
    for (step, unit) in units.iter().enumerate().skip(3) {
        assert_alike(scene.picture(step), &decoder.decode(&unit.avcc).unwrap(), 35.0);
    }
    assert!(matches!(Decoder::new().unwrap().decode(&units[1].avcc), Err(DecodeError::Refused(_))));
}

#[test]
fn no_picture_is_left_out_or_held_back_however_few_bits_and_however_irregular_the_times() {
    let scene = Scene::new(HD);
    let _one_at_a_time = slice_threads();
    let starved = EncoderConfig { bitrate: 50_000, threads: 2, ..config(HD) };
    let mut encoder = OpenH264::new(starved).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let mut at = Duration::ZERO;
    for step in 0..300 {
        // Together, again, in a burst, after a minute, a little back.
        at = match step % 7 {
            0 => at + Duration::from_mins(1),
            1 | 2 => at,
            3 => at.saturating_sub(Duration::from_secs(1)),
            4 => at + Duration::from_micros(300),
            _ => at + Duration::from_millis(17),
        };
        let unit = encoder.encode_at(scene.picture(step * step), false, at).unwrap();
        assert!(slices(&unit) > 0, "picture {step}");
        if step % 10 == 0 {
            assert_alike(scene.picture(step * step), &decoder.decode(&unit.avcc).unwrap(), 20.0);
        } else {
            decoder.decode(&unit.avcc).unwrap();
        }
    }
}

#[test]
fn the_bitrate_is_kept_by_real_time_not_by_picture_count() {
    let scene = Scene::new(HD);
    let config = EncoderConfig { bitrate: 2_000_000, ..config(HD) };
    let mut encoder = OpenH264::new(config).unwrap();
    let rate = |encoder: &mut OpenH264, from: Duration, every: Duration| {
        let bytes: usize = (1..=100)
            .map(|step| {
                encoder
                    .encode_at(scene.picture(step as usize), false, from + every * step)
                    .unwrap()
                    .avcc
                    .len()
            })
            .sum();
        bytes as f64 * 8.0 / (every * 100).as_secs_f64() / 1e6
    };
    let fast = rate(&mut encoder, Duration::ZERO, Duration::from_millis(16));
    let slow = rate(&mut encoder, Duration::from_secs(10), Duration::from_millis(40));
    println!("{fast:.2} Mbit/s at 60 Hz, {slow:.2} at 25");
    assert!((1.0..3.2).contains(&fast), "{fast:.2} Mbit/s");
    assert!((1.0..3.2).contains(&slow), "{slow:.2} Mbit/s");
}

#[test]
fn threads_have_slices_to_work_on() {
    let _one_at_a_time = slice_threads();
    let scene = Scene::new(HD);
    for (threads, wanted) in [(0, 1), (1, 1), (2, 2), (3, 3), (4, 4), (64, 4)] {
        let mut encoder = OpenH264::new(EncoderConfig { threads, ..config(HD) }).unwrap();
        for step in 0..3 {
            let unit = encoder.encode(scene.picture(step), false).unwrap();
            assert_eq!(slices(&unit), wanted, "{threads} threads, picture {step}");
        }
    }
}

#[test]
fn the_same_pictures_give_the_same_bytes() {
    let _one_at_a_time = slice_threads();
    let scene = Scene::new(SMALL);
    let run = || {
        let mut encoder = OpenH264::new(EncoderConfig { threads: 2, ..config(SMALL) }).unwrap();
        (0..20)
            .flat_map(|step| {
                let at = Duration::from_millis(16 * step as u64);
                encoder.encode_at(scene.picture(step), false, at).unwrap().avcc
            })
            .collect::<Vec<u8>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn one_encoder_at_a_time_has_the_threads() {
    let _one_at_a_time = slice_threads();
    let scene = Scene::new(HD);
    let two = EncoderConfig { threads: 2, ..config(HD) };
    let slices_of = |encoder: &mut OpenH264| slices(&encoder.encode(scene.picture(0), true).unwrap());
    let mut first = OpenH264::new(two).unwrap();
    let mut second = OpenH264::new(two).unwrap();
    let mut third = OpenH264::new(two).unwrap();
    assert_eq!([&mut first, &mut second, &mut third].map(slices_of), [2, 1, 1]);
    drop(third);
    assert_eq!(slices_of(&mut OpenH264::new(two).unwrap()), 1, "only who has them gives them back");
    drop(first);
    assert_eq!(slices_of(&mut second), 1, "it stays as it was opened");
    assert_eq!(slices_of(&mut OpenH264::new(two).unwrap()), 2);
    // One too small for slices gives them back.
    let _tiny = OpenH264::new(EncoderConfig { threads: 2, ..config(Canvas::MIN) }).unwrap();
}

#[test]
fn encoders_work_beside_each_other_and_come_and_go() {
    let _one_at_a_time = slice_threads();
    std::thread::scope(|scope| {
        for threads in 1..=4 {
            scope.spawn(move || {
                let scene = Scene::new(SMALL);
                for _ in 0..5 {
                    let mut encoder = OpenH264::new(EncoderConfig { threads, ..config(SMALL) }).unwrap();
                    let mut decoder = Decoder::new().unwrap();
                    for step in 0..5 {
                        let unit = encoder.encode(scene.picture(step), false).unwrap();
                        assert_alike(scene.picture(step), &decoder.decode(&unit.avcc).unwrap(), 35.0);
                    }
                }
            });
        }
    });
}

#[test]
fn the_configuration_record_holds_the_emitted_parameter_sets() {
    let scene = Scene::new(HD);
    let unit = OpenH264::new(config(HD)).unwrap().encode(scene.picture(0), false).unwrap();
    let nals: Vec<&[u8]> = avcc::nals(&unit.avcc).map(Result::unwrap).collect();
    let (sps, pps) = (nals[0], nals[1]);
    let mut wanted = vec![1, sps[1], sps[2], sps[3], 0xFF, 0xE1, 0, sps.len() as u8];
    wanted.extend(sps);
    wanted.extend([1, 0, pps.len() as u8]);
    wanted.extend(pps);
    let parameters = unit.parameters.unwrap();
    assert_eq!(parameters.avcc, wanted);
    // Constrained baseline, level 3.2: 1280×720 at 60 Hz.
    assert_eq!(parameters.codec, "avc1.42C020");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let refused = |config: EncoderConfig| match OpenH264::new(config) {
        Err(EncodeError::Open { encoder: "OpenH264", reason }) => reason,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("{config:?} was taken"),
    };
    for (width, height) in [(0, 0), (0, 720), (14, 16), (1279, 720), (1280, 719), (3842, 2160), (3840, 2162)]
    {
        let reason = refused(config(Canvas { width, height }));
        assert!(reason.contains(&format!("{width}×{height}")), "{reason}");
    }
    refused(config(Canvas { width: u32::MAX, height: u32::MAX }));
    for fps in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(refused(EncoderConfig { fps, ..config(HD) }).contains("frames per second"));
    }
    for (bitrate, fps) in [(0, 60.0), (u32::MAX, 60.0), (40_000_001, 60.0), (2_000_000, 1.0)] {
        assert!(refused(EncoderConfig { bitrate, fps, ..config(HD) }).contains("bits per second"));
    }
}

#[test]
fn pictures_that_are_not_what_they_claim_are_refused() {
    let scene = Scene::new(SMALL);
    let good = scene.picture(0);
    let bad: [(&str, I420<'_>); 6] = [
        ("open a new one", I420 { canvas: HD, ..good }),
        ("stride", I420 { stride: 318, ..good }),
        ("stride", I420 { stride: good.stride + 1, ..good }),
        ("planes of", I420 { y: &good.y[..1000], ..good }),
        ("planes of", I420 { u: &[], ..good }),
        ("planes of", I420 { v: &good.v[..10], ..good }),
    ];
    for (word, picture) in bad {
        let mut encoder = OpenH264::new(config(SMALL)).unwrap();
        let error = encoder.encode(picture, false).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn damaged_units_are_errors() {
    let scene = Scene::new(SMALL);
    let unit = OpenH264::new(config(SMALL)).unwrap().encode(scene.picture(0), false).unwrap();
    let decode = |bytes: &[u8]| Decoder::new().unwrap().decode(bytes);
    assert!(matches!(decode(&unit.avcc[..unit.avcc.len() / 2]), Err(DecodeError::Broken(_))));
    assert!(decode(&[]).is_err());
    assert!(decode(&[0, 0, 0, 3, 1, 2, 3]).is_err());
}
