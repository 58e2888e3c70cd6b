//! Frames of a client: the greeting, everything inside a session, acknowledgements of pictures.

use lucida::wire::{
    ack,
    conventions::{Conventions, Dialect},
    envelope::Frame,
    hello,
    inbound::{self, Said},
    pixels,
};
use lucida_components::{controls::ControlChange, intent::Change, session::Features, stream::Canvas};
use std::sync::LazyLock;

#[path = "../../tests/support/applied.rs"]
mod fixture;

/// The session that frames must name to get past their envelope.
pub const SESSION: &str = "s";

/// Reads the input as each kind of message.
pub fn run(input: &[u8]) {
    let _ = pixels::parse_ack(input);
    if let Err(reject) = hello::parse_bytes(input) {
        told(&reject.frame(), input);
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    CONVENTIONS.iter().for_each(|conventions| said(text, conventions, input));
}

/// Of both dialects, in sessions that were told of an image.
static CONVENTIONS: LazyLock<[Conventions; 2]> = LazyLock::new(|| {
    [Dialect::House, Dialect::Napari].map(|dialect| {
        let conventions = Conventions::new(dialect, Features::ALL);
        conventions.note(&fixture::applied(1).state);
        conventions
    })
});

/// Reads the text as one of a session's.
fn said(text: &str, conventions: &Conventions, input: &[u8]) {
    match inbound::parse(text, SESSION, conventions) {
        Ok(Said::Update { intent, change: Ok(change) }) => {
            assert!(!intent.intent_id.is_empty(), "an intent without a name could be taken for a command's");
            check(&change);
        }
        Ok(Said::Update { intent, change: Err(refused) }) => {
            let payload = ack::rejected(&intent, &refused.why, None);
            told(&Frame::new("ack.state", "ack-1".into(), payload), input);
        }
        Ok(Said::Call { frame_id, call: Err(why) }) => {
            let payload = lucida::wire::command::error(&frame_id, &why);
            told(&Frame::new("error.command", "error-1".into(), payload), input);
        }
        Ok(Said::Call { .. } | Said::Goodbye(_) | Said::Alive) | Err(_) => {}
    }
}

/// Numbers of a client are finite before they reach the world.
fn check(change: &Change) {
    match change {
        Change::Camera(delta) => finite(&format!("{delta:?}")),
        Change::Layer { control: ControlChange::ContrastLimits(limits), .. } => {
            assert!(limits[0] < limits[1], "limits that are none: {limits:?}");
            finite(&format!("{limits:?}"));
        }
        Change::Layer { control: ControlChange::IsoThreshold(value), .. } => finite(&format!("{value:?}")),
        Change::VolumeContrast(limits) => finite(&format!("{limits:?}")),
        Change::Margins { margins, .. } => finite(&format!("{margins:?}")),
        Change::Canvas(canvas) => {
            let fitted = Canvas::fitted(i64::from(canvas.width), i64::from(canvas.height));
            assert_eq!(*canvas, fitted, "a canvas that the encoders do not take");
        }
        _ => {}
    }
}

fn finite(text: &str) {
    assert!(!text.contains("NaN") && !text.contains("inf"), "not finite: {text}");
}

/// An answer can be sent, and does not grow with the nonsense that it answers.
fn told(frame: &Frame, input: &[u8]) {
    let text = frame.text();
    assert!(text.len() < 8192, "{} bytes answer {}", text.len(), input.len());
}
