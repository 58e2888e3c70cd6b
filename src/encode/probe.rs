//! Which video encoders this machine has: for `lucida doctor`.

use super::{
    EncoderConfig, I420, VideoEncoder,
    decode::Decoder,
    nvenc_sys,
    openh264::{self, OpenH264},
    openh264_sys,
};
use lucida_components::stream::Canvas;

/// What was found out about one encoder.
#[derive(serde::Serialize, Debug, Clone, PartialEq, Eq)]
pub struct EncoderReport {
    /// Its name.
    pub name: &'static str,
    /// Its version, where it was asked.
    pub version: Option<String>,
    /// Whether streams can be encoded with it.
    pub usable: bool,
    /// Why, or why not and what to do about it.
    pub reason: String,
}

/// Tries every encoder; takes a few milliseconds.
pub fn probe() -> Vec<EncoderReport> {
    vec![probe_openh264(), probe_nvenc()]
}

fn probe_openh264() -> EncoderReport {
    let (usable, reason) = match encode_and_decode() {
        Ok(reason) => (true, reason),
        Err(reason) => (false, reason),
    };
    EncoderReport { name: openh264::NAME, version: Some(openh264_sys::version()), usable, reason }
}

/// One grey picture there and back.
fn encode_and_decode() -> Result<String, String> {
    let canvas = Canvas { width: 320, height: 180 };
    let config = EncoderConfig { canvas, fps: 30.0, bitrate: 1_000_000, threads: 1 };
    let (y, c) = (vec![100; 320 * 180], vec![140; 160 * 90]);
    let unit = OpenH264::new(config)
        .and_then(|mut encoder| encoder.encode(I420 { canvas, y: &y, u: &c, v: &c, stride: 320 }, true))
        .map_err(|error| error.to_string())?;
    let picture = Decoder::new()
        .and_then(|mut decoder| decoder.decode(&unit.avcc))
        .map_err(|error| error.to_string())?;
    let near = |plane: &[u8], value: u8| plane.iter().all(|&v| v.abs_diff(value) <= 4);
    if picture.canvas != canvas || !near(&picture.y, 100) || !near(&picture.u, 140) || !near(&picture.v, 140)
    {
        return Err("a picture came back changed: the library is broken; build Lucida anew".into());
    }
    Ok("built in; a picture was encoded and decoded".into())
}

fn probe_nvenc() -> EncoderReport {
    let reason = match nvenc_sys::find() {
        Ok(()) => format!("{} found, not used by this version", nvenc_sys::LIBRARY),
        Err(error) => format!(
            "{error}; it comes with NVIDIA's driver (Debian and Ubuntu: libnvidia-encode1), but is not used \
             by this version"
        ),
    };
    EncoderReport { name: "NVENC", version: None, usable: false, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openh264_is_usable_and_nvenc_says_why_not() {
        let reports = probe();
        let [openh264, nvenc] = &reports[..] else { panic!("{reports:?}") };
        assert!(openh264.usable, "{openh264:?}");
        assert!(openh264.version.as_ref().is_some_and(|v| v.starts_with("2.")), "{openh264:?}");
        assert!(!nvenc.usable && nvenc.reason.contains(nvenc_sys::LIBRARY), "{nvenc:?}");
    }
}
