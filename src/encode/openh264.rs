//! OpenH264: the encoder that is always there.

use super::{
    AccessUnit, EncodeError, EncoderConfig, I420, ParameterSets, VideoEncoder,
    avcc::{self, configuration_record, nal_type, push_nal},
    openh264_sys::{Encoder, Kind, SliceThreads},
    sps::{self, Sps},
};
use lucida_components::stream::Canvas;
use openh264_sys2::{
    CAMERA_VIDEO_REAL_TIME, CM_BT709, CONSTANT_ID, CP_BT709, LEVEL_UNKNOWN, LOW_COMPLEXITY, PRO_BASELINE,
    RC_TIMESTAMP_MODE, SEncParamExt, SM_FIXEDSLCNUM_SLICE, SM_SINGLE_SLICE, TRC_BT709, VF_UNDEF,
};
use std::time::{Duration, Instant};

/// Its name, for people and in errors.
pub const NAME: &str = "OpenH264";

/// The most threads it uses for one picture.
pub const MAX_THREADS: u16 = 4;

/// Bits per second that can be asked for. Above, OpenH264's rate control overflows its 32-bit numbers.
pub const BITRATES: std::ops::RangeInclusive<u32> = 10_000..=40_000_000;

/// Bits per second, for each frame per second, that can be asked for; for the same reason.
pub const BITS_PER_PICTURE: f32 = 1_000_000.0;

/// An open OpenH264 encoder. A new canvas size means a new one.
pub struct OpenH264 {
    encoder: Encoder,
    canvas: Canvas,
    opened: Instant,
    /// Time of the last picture; OpenH264's rate control wants each later than the one before.
    millis: i64,
    /// OpenH264 may have given up its memory after an error: it is not asked again.
    failed: bool,
}

impl OpenH264 {
    /// Opens an encoder; its first picture will be a keyframe.
    ///
    /// OpenH264's threads serve one encoder of the process at a time. One that is opened while another has
    /// them works alone: on a resize, drop the old encoder before opening the new one.
    ///
    /// # Errors
    /// [`EncodeError::Open`] where the canvas, frame rate or bitrate is none that it takes.
    pub fn new(config: EncoderConfig) -> Result<Self, EncodeError> {
        check(&config).map_err(|reason| EncodeError::Open { encoder: NAME, reason })?;
        let open = |slice_threads: Option<SliceThreads>| {
            let threads = if slice_threads.is_some() { config.threads.clamp(1, MAX_THREADS) } else { 1 };
            Encoder::open(slice_threads, |params| configure(params, &config, threads))
        };
        let encoder = match (config.threads > 1).then(SliceThreads::take).flatten() {
            // Small canvases have no room for that many slices, in ways that only OpenH264 knows.
            Some(slice_threads) => open(Some(slice_threads)).or_else(|_| open(None)),
            None => open(None),
        };
        let encoder = encoder.map_err(|reason| EncodeError::Open { encoder: NAME, reason })?;
        Ok(Self { encoder, canvas: config.canvas, opened: Instant::now(), millis: 0, failed: false })
    }

    /// [`VideoEncoder::encode`] at a given time since the encoder was opened, for rate control; it does not
    /// matter if it does not grow.
    ///
    /// # Errors
    /// As [`VideoEncoder::encode`].
    pub fn encode_at(
        &mut self,
        picture: I420<'_>,
        keyframe: bool,
        at: Duration,
    ) -> Result<AccessUnit, EncodeError> {
        let refuse = |reason| EncodeError::Encode { encoder: NAME, reason };
        if self.failed {
            return Err(refuse("it failed before: open a new one".into()));
        }
        if picture.canvas != self.canvas {
            let (Canvas { width, height }, Canvas { width: w, height: h }) = (picture.canvas, self.canvas);
            return Err(refuse(format!(
                "the picture is {width}×{height}, the encoder {w}×{h}: open a new one"
            )));
        }
        self.millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX / 2).max(self.millis + 1);
        let millis = self.millis;
        let encoder = &mut self.encoder;
        let forced = if keyframe { encoder.force_idr() } else { Ok(()) };
        let kind = forced.and_then(|()| encoder.encode(picture, millis)).map_err(|reason| {
            self.failed = true;
            refuse(reason)
        })?;
        let unit = self.unit(kind == Kind::Idr)?;
        if unit.avcc.is_empty() {
            self.failed = true;
            return Err(refuse("nothing came out".into()));
        }
        Ok(unit)
    }

    /// Turns what was encoded last into an access unit.
    fn unit(&self, keyframe: bool) -> Result<AccessUnit, EncodeError> {
        // Start codes are as long as the lengths that replace them; the SPS may grow a little.
        let mut unit = Vec::with_capacity(self.encoder.len() + if keyframe { 32 } else { 0 });
        let (mut sps, mut pps) = (None, None);
        for nal in self.encoder.nals() {
            let nal = avcc::annex_b_nal(nal);
            match nal_type(nal) {
                avcc::SPS => {
                    let nal = sps::for_browsers(nal)?;
                    push_nal(&mut unit, &nal);
                    sps = Some(nal);
                }
                avcc::PPS => {
                    push_nal(&mut unit, nal);
                    pps = Some(nal);
                }
                _ => push_nal(&mut unit, nal),
            }
        }
        let parameters = match (keyframe, sps, pps) {
            (false, ..) => None,
            (true, Some(sps), Some(pps)) => {
                let read = Sps::parse(&sps)?;
                Some(ParameterSets { avcc: configuration_record(&read, &sps, pps)?, codec: read.codec() })
            }
            (true, ..) => return Err(EncodeError::ParameterSet("a keyframe came without SPS or PPS".into())),
        };
        Ok(AccessUnit { avcc: unit, keyframe, parameters })
    }
}

impl VideoEncoder for OpenH264 {
    fn encode(&mut self, picture: I420<'_>, keyframe: bool) -> Result<AccessUnit, EncodeError> {
        self.encode_at(picture, keyframe, self.opened.elapsed())
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

fn check(config: &EncoderConfig) -> Result<(), String> {
    let EncoderConfig { canvas, fps, bitrate, .. } = *config;
    let Canvas { width, height } = canvas;
    if canvas != Canvas::fitted(i64::from(width), i64::from(height)) {
        return Err(format!(
            "a canvas of {width}×{height}; both must be even, from {}×{} to {}×{}",
            Canvas::MIN.width,
            Canvas::MIN.height,
            Canvas::MAX.width,
            Canvas::MAX.height
        ));
    }
    if !(1.0..=240.0).contains(&fps) {
        return Err(format!("{fps} frames per second; 1 to 240 are possible"));
    }
    if !BITRATES.contains(&bitrate) || bitrate as f32 > BITS_PER_PICTURE * fps {
        return Err(format!(
            "{bitrate} bits per second at {fps} frames; {} to {} are possible, and {BITS_PER_PICTURE} a frame",
            BITRATES.start(),
            BITRATES.end()
        ));
    }
    Ok(())
}

/// The whole of our choice among OpenH264's parameters. The reasons are measurements at 1280×720, scene
/// dragged, on two cores; times and PSNR are medians and means over 100 to 300 pictures.
fn configure(params: &mut SEncParamExt, config: &EncoderConfig, threads: u16) {
    let (width, height) = (config.canvas.width as i32, config.canvas.height as i32);
    let bitrate = config.bitrate as i32;
    params.iPicWidth = width;
    params.iPicHeight = height;
    params.fMaxFrameRate = config.fps;
    params.iTargetBitrate = bitrate;

    // Screen usage makes a keyframe of every larger change (17 of 100), and is 6 dB worse.
    params.iUsageType = CAMERA_VIDEO_REAL_TIME;
    params.iComplexityMode = LOW_COMPLEXITY;

    // Pictures come when something changed, not by the clock. Rate control by their times keeps the target
    // where control by a frame count gives a slow drag half of it (2 Mbit/s, 25 Hz: 43.9 against 40.1 dB).
    // A target it cannot keep costs sharpness, or bits; never a picture.
    params.iRCMode = RC_TIMESTAMP_MODE;
    params.bEnableFrameSkip = false;
    // Above 42, movement leaves so much to correct that more bits are spent for a worse picture.
    params.iMinQp = 12;
    params.iMaxQp = 42;

    // One keyframe, then each picture from the one before, until a keyframe is asked for.
    params.uiIntraPeriod = 0;
    params.iNumRefFrame = 1;
    params.iTemporalLayerNum = 1;
    params.bEnableSceneChangeDetect = false;
    params.bEnableLongTermReference = false;
    params.eSpsPpsIdStrategy = CONSTANT_ID;

    // Slower without a gain here, or (background detection) 5 dB worse while things move.
    params.bEnableDenoise = false;
    params.bEnableBackgroundDetection = false;
    params.bEnableAdaptiveQuant = false;
    // CABAC saves a fifth of the bits and costs a tenth to a third of the time; it would also need the High
    // profile, whose decoders may hold pictures back.
    params.iEntropyCodingModeFlag = 0;

    // Threads share a picture by slices: without as many slices they have nothing to do. Moving the borders
    // between slices from picture to picture gains nothing and makes the bytes depend on timing.
    params.iMultipleThreadIdc = threads;
    params.bUseLoadBalancing = false;

    let layer = &mut params.sSpatialLayers[0];
    layer.iVideoWidth = width;
    layer.iVideoHeight = height;
    layer.fFrameRate = config.fps;
    layer.iSpatialBitrate = bitrate;
    layer.uiProfileIdc = PRO_BASELINE;
    // The level is left to OpenH264: the lowest that has room for size, frame rate and bitrate.
    layer.uiLevelIdc = LEVEL_UNKNOWN;
    layer.sSliceArgument.uiSliceMode = if threads > 1 { SM_FIXEDSLCNUM_SLICE } else { SM_SINGLE_SLICE };
    layer.sSliceArgument.uiSliceNum = u32::from(threads);
    layer.bVideoSignalTypePresent = true;
    layer.uiVideoFormat = VF_UNDEF as u8;
    layer.bFullRange = false;
    layer.bColorDescriptionPresent = true;
    layer.uiColorPrimaries = CP_BT709 as u8;
    layer.uiTransferCharacteristics = TRC_BT709 as u8;
    layer.uiColorMatrix = CM_BT709 as u8;
}
