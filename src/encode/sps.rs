//! The sequence parameter set: read from what the encoder really emitted, and its VUI brought to what
//! browsers need. Every input is taken as hostile: an error, never a panic, never a large allocation.

use super::{
    EncodeError,
    bits::{BitReader, BitWriter, MAX_PARAMETER_SET, escape, unescape},
};

/// What an SPS says, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sps {
    /// `profile_idc`: 66 baseline, 77 main, 100 high.
    pub profile: u8,
    /// The byte of constraint flags after it.
    pub constraints: u8,
    /// `level_idc`: 31 is level 3.1.
    pub level: u8,
    /// `chroma_format_idc`: 1 is 4:2:0.
    pub chroma_format: u32,
    /// Bits per luma and per chroma sample.
    pub bit_depth: [u32; 2],
    /// `pic_order_cnt_type`: 2 where pictures come out in the order they went in.
    pub poc_type: u32,
    /// `max_num_ref_frames`.
    pub max_ref_frames: u32,
    /// Pixels per row, cropped.
    pub width: u32,
    /// Rows, cropped.
    pub height: u32,
    /// Its video usability information.
    pub vui: Option<Vui>,
    /// Bit where `vui_parameters_present_flag` stands in the unescaped NAL.
    vui_at: usize,
}

/// What the VUI says, as far as it matters here; the rest is only located, to be kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vui {
    /// `video_signal_type`.
    pub signal: Option<VideoSignal>,
    /// `bitstream_restriction`.
    pub restriction: Option<Restriction>,
    /// Bits of `video_signal_type`, its flag included.
    signal_at: [usize; 2],
    /// Bit of `bitstream_restriction_flag`.
    restriction_at: usize,
}

/// How sample values are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoSignal {
    /// Full range, 0–255, instead of 16–235.
    pub full_range: bool,
    /// Primaries, transfer and matrix, where stated; 1 is BT.709.
    pub colour: Option<[u8; 3]>,
}

/// What a decoder may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restriction {
    /// Pictures that can come before one that is shown earlier; 0 lets a decoder show each at once.
    pub max_reorder: u32,
    /// Pictures a decoder has to hold.
    pub max_buffering: u32,
    /// `motion_vectors_over_pic_boundaries_flag`.
    vectors_over_boundaries: bool,
    /// `max_bytes_per_pic_denom`, `max_bits_per_mb_denom`, both `log2_max_mv_length`.
    limits: [u32; 4],
}

/// BT.709, limited range: what the pictures handed to encoders are.
const SIGNAL: VideoSignal = VideoSignal { full_range: false, colour: Some([1, 1, 1]) };

/// `video_format` "unspecified".
const FORMAT_UNSPECIFIED: u32 = 5;

impl Sps {
    /// Reads an SPS NAL, its header byte first, without start code or length.
    ///
    /// # Errors
    /// [`EncodeError::ParameterSet`] where it is no SPS, ends early, or states a size that cannot be.
    pub fn parse(nal: &[u8]) -> Result<Self, EncodeError> {
        let payload = payload(nal)?;
        Self::read(&mut BitReader::new(&payload))
    }

    /// Codec string, for example `avc1.42C01F`.
    pub fn codec(&self) -> String {
        format!("avc1.{:02X}{:02X}{:02X}", self.profile, self.constraints, self.level)
    }

    fn read(r: &mut BitReader<'_>) -> Result<Self, EncodeError> {
        r.bits(8)?; // NAL header, checked by `payload`
        let profile = r.bits(8)? as u8;
        let constraints = r.bits(8)? as u8;
        let level = r.bits(8)? as u8;
        bounded(r.ue()?, 31, "seq_parameter_set_id")?;
        let (mut chroma_format, mut bit_depth) = (1, [8, 8]);
        let mut separate_planes = false;
        if has_chroma_format(profile) {
            chroma_format = bounded(r.ue()?, 3, "chroma_format_idc")?;
            if chroma_format == 3 {
                separate_planes = r.bit()?;
            }
            for depth in &mut bit_depth {
                *depth = 8 + bounded(r.ue()?, 6, "bit_depth")?;
            }
            r.bit()?; // qpprime_y_zero_transform_bypass_flag
            if r.bit()? {
                scaling_matrix(r, if chroma_format == 3 { 12 } else { 8 })?;
            }
        }
        bounded(r.ue()?, 12, "log2_max_frame_num_minus4")?;
        let poc_type = bounded(r.ue()?, 2, "pic_order_cnt_type")?;
        match poc_type {
            0 => {
                bounded(r.ue()?, 12, "log2_max_pic_order_cnt_lsb_minus4")?;
            }
            1 => {
                r.bit()?; // delta_pic_order_always_zero_flag
                r.se()?; // offset_for_non_ref_pic
                r.se()?; // offset_for_top_to_bottom_field
                for _ in 0..bounded(r.ue()?, 255, "num_ref_frames_in_pic_order_cnt_cycle")? {
                    r.se()?;
                }
            }
            _ => {}
        }
        let max_ref_frames = bounded(r.ue()?, 16, "max_num_ref_frames")?;
        r.bit()?; // gaps_in_frame_num_value_allowed_flag
        // 1024 macroblocks are 16384 pixels, more than any level allows.
        let columns = 1 + bounded(r.ue()?, 1023, "pic_width_in_mbs_minus1")?;
        let rows = 1 + bounded(r.ue()?, 1023, "pic_height_in_map_units_minus1")?;
        let frames_only = r.bit()?;
        if !frames_only {
            r.bit()?; // mb_adaptive_frame_field_flag
        }
        r.bit()?; // direct_8x8_inference_flag
        let field = if frames_only { 1 } else { 2 };
        let (unit_x, unit_y) = match chroma_format {
            _ if separate_planes => (1, field),
            1 => (2, 2 * field),
            2 => (2, field),
            _ => (1, field),
        };
        let mut crop = [0; 4];
        if r.bit()? {
            for offset in &mut crop {
                *offset = bounded(r.ue()?, 16384, "frame_crop_offset")?;
            }
        }
        let cropped = |whole: u32, cut: u32| {
            whole
                .checked_sub(cut)
                .filter(|&left| left > 0)
                .ok_or_else(|| EncodeError::ParameterSet("nothing of the picture is left by its crop".into()))
        };
        let width = cropped(16 * columns, unit_x * (crop[0] + crop[1]))?;
        let height = cropped(16 * rows * field, unit_y * (crop[2] + crop[3]))?;
        let vui_at = r.position();
        let vui = if r.bit()? { Some(Vui::read(r)?) } else { None };
        Ok(Self {
            profile,
            constraints,
            level,
            chroma_format,
            bit_depth,
            poc_type,
            max_ref_frames,
            width,
            height,
            vui,
            vui_at,
        })
    }
}

impl Vui {
    fn read(r: &mut BitReader<'_>) -> Result<Self, EncodeError> {
        if r.bit()? && r.bits(8)? == 255 {
            r.bits(32)?; // sar_width, sar_height
        }
        if r.bit()? {
            r.bit()?; // overscan_appropriate_flag
        }
        let signal_start = r.position();
        let signal = if r.bit()? {
            r.bits(3)?; // video_format
            let full_range = r.bit()?;
            let colour =
                if r.bit()? { Some([r.bits(8)? as u8, r.bits(8)? as u8, r.bits(8)? as u8]) } else { None };
            Some(VideoSignal { full_range, colour })
        } else {
            None
        };
        let signal_at = [signal_start, r.position()];
        if r.bit()? {
            r.ue()?; // chroma_sample_loc_type_top_field
            r.ue()?; // chroma_sample_loc_type_bottom_field
        }
        if r.bit()? {
            r.bits(32)?; // num_units_in_tick
            r.bits(32)?; // time_scale
            r.bit()?; // fixed_frame_rate_flag
        }
        let nal_hrd = r.bit()?;
        if nal_hrd {
            hrd(r)?;
        }
        let vcl_hrd = r.bit()?;
        if vcl_hrd {
            hrd(r)?;
        }
        if nal_hrd || vcl_hrd {
            r.bit()?; // low_delay_hrd_flag
        }
        r.bit()?; // pic_struct_present_flag
        let restriction_at = r.position();
        let restriction = if r.bit()? {
            let vectors_over_boundaries = r.bit()?;
            let limits = [
                bounded(r.ue()?, 16, "max_bytes_per_pic_denom")?,
                bounded(r.ue()?, 16, "max_bits_per_mb_denom")?,
                bounded(r.ue()?, 16, "log2_max_mv_length_horizontal")?,
                bounded(r.ue()?, 16, "log2_max_mv_length_vertical")?,
            ];
            let max_reorder = bounded(r.ue()?, 16, "max_num_reorder_frames")?;
            let max_buffering = bounded(r.ue()?, 16, "max_dec_frame_buffering")?;
            Some(Restriction { max_reorder, max_buffering, vectors_over_boundaries, limits })
        } else {
            None
        };
        Ok(Self { signal, restriction, signal_at, restriction_at })
    }
}

/// The same SPS with a VUI that says BT.709 limited range and that no picture waits for a later one; aspect
/// ratio, timing and HRD stay as they were. Unchanged bytes where it says so already.
///
/// # Errors
/// As [`Sps::parse`].
pub fn for_browsers(nal: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let payload = payload(nal)?;
    let sps = Sps::read(&mut BitReader::new(&payload))?;
    let mut w = BitWriter::default();
    w.copy(&payload, 0, sps.vui_at)?;
    w.bit(true); // vui_parameters_present_flag
    let restriction = if let Some(vui) = &sps.vui {
        w.copy(&payload, sps.vui_at + 1, vui.signal_at[0])?;
        write_signal(&mut w);
        w.copy(&payload, vui.signal_at[1], vui.restriction_at)?;
        vui.restriction
    } else {
        w.bits(2, 0); // no aspect ratio, no overscan
        write_signal(&mut w);
        w.bits(5, 0); // no chroma location, timing, HRDs, pic_struct
        None
    };
    w.bit(true); // bitstream_restriction_flag
    // Where nothing was restricted, nothing is but the order: 0 is "no limit", 15 the longest vector.
    let (over, limits) =
        restriction.map_or((true, [0, 0, 15, 15]), |r| (r.vectors_over_boundaries, r.limits));
    w.bit(over);
    for limit in limits {
        w.ue(limit);
    }
    w.ue(0); // max_num_reorder_frames
    w.ue(sps.max_ref_frames); // max_dec_frame_buffering: at least this, and no more
    Ok(escape(&w.finish()))
}

fn write_signal(w: &mut BitWriter) {
    w.bit(true); // video_signal_type_present_flag
    w.bits(3, FORMAT_UNSPECIFIED);
    w.bit(SIGNAL.full_range);
    w.bit(SIGNAL.colour.is_some());
    for value in SIGNAL.colour.iter().flatten() {
        w.bits(8, u32::from(*value));
    }
}

/// Checks that this is an SPS of sensible length and removes its emulation prevention.
fn payload(nal: &[u8]) -> Result<Vec<u8>, EncodeError> {
    if nal.len() > MAX_PARAMETER_SET {
        return Err(EncodeError::ParameterSet(format!(
            "an SPS of {} bytes; at most {MAX_PARAMETER_SET} are read",
            nal.len()
        )));
    }
    match nal.first() {
        Some(header) if header & 0x9F == 7 => Ok(unescape(nal)),
        Some(header) => Err(EncodeError::ParameterSet(format!("NAL header {header:#04x} is not an SPS's"))),
        None => Err(EncodeError::ParameterSet("an empty NAL".into())),
    }
}

fn bounded(value: u32, most: u32, what: &str) -> Result<u32, EncodeError> {
    if value > most {
        return Err(EncodeError::ParameterSet(format!("{what} is {value}; at most {most} is possible")));
    }
    Ok(value)
}

/// Whether the profile's SPS states chroma format and bit depth (and its configuration record too).
pub fn has_chroma_format(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

fn scaling_matrix(r: &mut BitReader<'_>, lists: usize) -> Result<(), EncodeError> {
    for list in 0..lists {
        if !r.bit()? {
            continue;
        }
        let (mut last, mut next) = (8i32, 8i32);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                let delta = r.se()?;
                if !(-128..=127).contains(&delta) {
                    return Err(EncodeError::ParameterSet(format!("delta_scale is {delta}")));
                }
                next = (last + delta + 256) % 256;
            }
            if next != 0 {
                last = next;
            }
        }
    }
    Ok(())
}

fn hrd(r: &mut BitReader<'_>) -> Result<(), EncodeError> {
    let count = 1 + bounded(r.ue()?, 31, "cpb_cnt_minus1")?;
    r.bits(8)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..count {
        r.ue()?; // bit_rate_value_minus1
        r.ue()?; // cpb_size_value_minus1
        r.bit()?; // cbr_flag
    }
    r.bits(20)?; // four lengths of delays
    Ok(())
}
