//! OpenH264 through its C interface: the foreign calls, and no decision. Safe to use from outside.

use super::I420;
use openh264_sys2::{
    DECODER_OPTION_TRACE_CALLBACK, DECODER_OPTION_TRACE_CALLBACK_CONTEXT, DECODER_OPTION_TRACE_LEVEL,
    ENCODER_OPTION_TRACE_CALLBACK, ENCODER_OPTION_TRACE_CALLBACK_CONTEXT, ENCODER_OPTION_TRACE_LEVEL,
    ERROR_CON_DISABLE, ISVCDecoder, ISVCDecoderVtbl, ISVCEncoder, ISVCEncoderVtbl, SBufferInfo,
    SDecodingParam, SEncParamExt, SFrameBSInfo, SSourcePicture, VIDEO_BITSTREAM_AVC, WELS_LOG_ERROR,
    WelsTraceCallback, source::APILoader, videoFormatI420, videoFrameTypeIDR, videoFrameTypeP,
};
use std::{
    ffi::{CStr, c_char, c_int, c_void},
    ptr::{self, NonNull},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// What OpenH264 last complained of: the reason in our errors instead of lines on stderr.
#[derive(Debug, Default)]
struct Complaint(Mutex<String>);

impl Complaint {
    /// The sentence, or `fallback` where there was none.
    fn take(&self, fallback: String) -> String {
        let said = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if said.is_empty() { fallback } else { said }
    }

    /// Called by OpenH264, from its slice threads too, with the `Complaint` as context.
    unsafe extern "C" fn hear(context: *mut c_void, _level: c_int, line: *const c_char) {
        if context.is_null() || line.is_null() {
            return;
        }
        // SAFETY: the context is the `Complaint` in the `Arc` that the codec's owner holds until after the
        // codec is destroyed; the line is OpenH264's zero-terminated buffer, valid during the call.
        let (complaint, line) = unsafe { (&*context.cast::<Self>(), CStr::from_ptr(line)) };
        let line = line.to_string_lossy();
        // Lines read "[OpenH264] this = 0x…, Error:the sentence".
        let sentence = line.split_once("Error:").map_or(&*line, |(_, sentence)| sentence).trim();
        sentence.clone_into(&mut complaint.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The library's version, for example `2.6.0`.
pub fn version() -> String {
    let mut version = openh264_sys2::OpenH264Version::default();
    // SAFETY: writes the four numbers of the struct it is given.
    unsafe { APILoader::WelsGetCodecVersionEx(&raw mut version) };
    format!("{}.{}.{}", version.uMajor, version.uMinor, version.uRevision)
}

/// Whether a picture can be decoded alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An instantaneous decoder refresh, with parameter sets before it.
    Idr,
    /// Predicted from the picture before.
    Predicted,
}

/// The right to use OpenH264's slice threads: one encoder of the process has it, or none.
///
/// The library keeps one pool of threads for all encoders. A pool thread signals that a slice is done and
/// only then lets go of a lock that lies in the encoder; an encoder destroyed in between is written to after
/// its memory is freed (valgrind shows it within seconds). Only the pool's last user waits for its threads to
/// end before it frees anything. So its last user is always its only one.
#[derive(Debug)]
pub struct SliceThreads(());

static SLICE_THREADS_TAKEN: AtomicBool = AtomicBool::new(false);

impl SliceThreads {
    /// Takes the right, unless another encoder has it.
    pub fn take() -> Option<Self> {
        // `then_some` would make one even to throw it away, and so give back what another has.
        (!SLICE_THREADS_TAKEN.swap(true, Ordering::Acquire)).then(|| Self(()))
    }
}

impl Drop for SliceThreads {
    fn drop(&mut self) {
        SLICE_THREADS_TAKEN.store(false, Ordering::Release);
    }
}

/// An open encoder.
pub struct Encoder {
    raw: NonNull<ISVCEncoder>,
    /// Written by every encode; its pointers are into the encoder and valid until the next call.
    info: Box<SFrameBSInfo>,
    complaint: Arc<Complaint>,
    /// Given back after the encoder is destroyed.
    slice_threads: Option<SliceThreads>,
}

// SAFETY: OpenH264's encoder is bound to no thread; `&mut self` keeps its calls apart.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Opens an encoder with OpenH264's default parameters after `configure` has changed them; without
    /// `slice_threads` it encodes on the caller's thread alone, whatever they say.
    ///
    /// # Errors
    /// OpenH264's own sentence.
    pub fn open(
        slice_threads: Option<SliceThreads>,
        configure: impl FnOnce(&mut SEncParamExt),
    ) -> Result<Self, String> {
        let mut raw = ptr::null_mut();
        // SAFETY: writes a new encoder's address, or leaves null.
        let code = unsafe { APILoader::WelsCreateSVCEncoder(&raw mut raw) };
        let raw = NonNull::new(raw).ok_or_else(|| format!("no encoder could be created ({code})"))?;
        // From here on dropping `encoder` destroys it.
        let encoder = Self { raw, info: Box::default(), complaint: Arc::default(), slice_threads };
        let table = encoder.table();
        let mut params = SEncParamExt::default();
        let mut level = WELS_LOG_ERROR;
        let mut hear: WelsTraceCallback = Some(Complaint::hear);
        let mut context = Arc::as_ptr(&encoder.complaint).cast_mut().cast::<c_void>();
        // SAFETY: each option takes a pointer to the type it is given here and copies what it points to;
        // `complaint` outlives the encoder, see `drop`. Parameters are read during the calls only.
        let code = unsafe {
            let set = table.SetOption.ok_or("SetOption is missing")?;
            set(raw.as_ptr(), ENCODER_OPTION_TRACE_LEVEL, (&raw mut level).cast());
            set(raw.as_ptr(), ENCODER_OPTION_TRACE_CALLBACK_CONTEXT, (&raw mut context).cast());
            set(raw.as_ptr(), ENCODER_OPTION_TRACE_CALLBACK, (&raw mut hear).cast());
            table.GetDefaultParams.ok_or("GetDefaultParams is missing")?(raw.as_ptr(), &raw mut params);
            configure(&mut params);
            if encoder.slice_threads.is_none() {
                params.iMultipleThreadIdc = 1;
            }
            table.InitializeExt.ok_or("InitializeExt is missing")?(raw.as_ptr(), &raw const params)
        };
        if code != 0 {
            return Err(encoder.complaint.take(format!("the parameters were refused ({code})")));
        }
        Ok(encoder)
    }

    /// Makes the next picture an IDR.
    ///
    /// # Errors
    /// OpenH264's own sentence.
    pub fn force_idr(&mut self) -> Result<(), String> {
        let force = self.table().ForceIntraFrame.ok_or("ForceIntraFrame is missing")?;
        // SAFETY: the encoder is open. The C++ method has a second parameter, a layer number, which the C
        // table lacks; without simulcast it does not matter what it is.
        match unsafe { force(self.raw.as_ptr(), true) } {
            0 => Ok(()),
            code => Err(self.complaint.take(format!("no keyframe could be forced ({code})"))),
        }
    }

    /// Encodes one picture, read straight from the borrowed planes, at a time in milliseconds that grows
    /// from call to call.
    ///
    /// # Errors
    /// Planes shorter than they claim, or OpenH264's own sentence; do not use the encoder after that.
    pub fn encode(&mut self, picture: I420<'_>, millis: i64) -> Result<Kind, String> {
        let (width, height) = (picture.canvas.width as usize, picture.canvas.height as usize);
        let stride = c_int::try_from(picture.stride).map_err(|_| "the stride is too large")?;
        let needs = |stride: usize, width: usize, rows: usize| rows.saturating_sub(1) * stride + width;
        let luma = needs(picture.stride, width, height);
        let chroma = needs(picture.stride / 2, width / 2, height / 2);
        if picture.stride < width || !picture.stride.is_multiple_of(2) {
            return Err(format!(
                "a stride of {stride} bytes for {width} pixels; it must be even and no less"
            ));
        }
        if picture.y.len() < luma || picture.u.len() < chroma || picture.v.len() < chroma {
            return Err(format!(
                "planes of {}, {} and {} bytes; {luma}, {chroma} and {chroma} are needed",
                picture.y.len(),
                picture.u.len(),
                picture.v.len()
            ));
        }
        let source = SSourcePicture {
            iColorFormat: videoFormatI420,
            iStride: [stride, stride / 2, stride / 2, 0],
            pData: [
                picture.y.as_ptr().cast_mut(),
                picture.u.as_ptr().cast_mut(),
                picture.v.as_ptr().cast_mut(),
                ptr::null_mut(),
            ],
            iPicWidth: width as c_int,
            iPicHeight: height as c_int,
            uiTimeStamp: millis,
            ..SSourcePicture::default()
        };
        let encode = self.table().EncodeFrame.ok_or("EncodeFrame is missing")?;
        // SAFETY: the encoder is open; it copies width × height samples per plane, checked above to be
        // there, and writes to no plane; `info` is what it fills.
        let code = unsafe { encode(self.raw.as_ptr(), &raw const source, &raw mut *self.info) };
        if code != 0 {
            return Err(self.complaint.take(format!("the picture was refused ({code})")));
        }
        match self.info.eFrameType {
            t if t == videoFrameTypeIDR => Ok(Kind::Idr),
            t if t == videoFrameTypeP => Ok(Kind::Predicted),
            other => Err(self.complaint.take(format!("the picture was left out (frame type {other})"))),
        }
    }

    /// Bytes of the picture last encoded, start codes included.
    pub fn len(&self) -> usize {
        usize::try_from(self.info.iFrameSizeInBytes).unwrap_or(0)
    }

    /// The NALs of the picture last encoded, each with its Annex B start code.
    pub fn nals(&self) -> impl Iterator<Item = &[u8]> {
        let layers = usize::try_from(self.info.iLayerNum).unwrap_or(0);
        self.info.sLayerInfo.iter().take(layers).flat_map(|layer| {
            let count = usize::try_from(layer.iNalCount).unwrap_or(0);
            let mut from = 0;
            (0..count).map(move |i| {
                // SAFETY: since the last `encode`, which succeeded, `pNalLengthInByte` has `iNalCount`
                // lengths and `pBsBuf` their sum in bytes; both live in the encoder until it is called
                // again, which the borrow of `self` prevents.
                unsafe {
                    let length = usize::try_from(*layer.pNalLengthInByte.add(i)).unwrap_or(0);
                    let nal = std::slice::from_raw_parts(layer.pBsBuf.add(from), length);
                    from += length;
                    nal
                }
            })
        })
    }

    fn table(&self) -> &ISVCEncoderVtbl {
        // SAFETY: a created encoder points to its static table of functions.
        unsafe { &**self.raw.as_ptr() }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the encoder was created in `open` and is destroyed once; its destructor uninitialises it
        // and may still speak to `complaint`, which is dropped after this. No pool thread is still inside
        // it: see `SliceThreads`.
        unsafe { APILoader::WelsDestroySVCEncoder(self.raw.as_ptr()) };
    }
}

/// A decoded picture as it lies in the decoder: planes of `stride` bytes per row.
#[derive(Debug, Clone, Copy)]
pub struct Decoded<'a> {
    /// Pixels per luma row.
    pub width: usize,
    /// Luma rows.
    pub height: usize,
    /// Y, Cb, Cr.
    pub planes: [&'a [u8]; 3],
    /// Bytes per row of Y, and of Cb and Cr.
    pub strides: [usize; 2],
}

/// An open decoder.
pub struct Decoder {
    raw: NonNull<ISVCDecoder>,
    complaint: Arc<Complaint>,
}

// SAFETY: as the encoder.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Opens a decoder that conceals no error.
    ///
    /// # Errors
    /// OpenH264's own sentence.
    pub fn open() -> Result<Self, String> {
        let mut raw = ptr::null_mut();
        // SAFETY: writes a new decoder's address, or leaves null.
        let code = unsafe { APILoader::WelsCreateDecoder(&raw mut raw) };
        let raw = NonNull::new(raw).ok_or_else(|| format!("no decoder could be created ({code})"))?;
        let decoder = Self { raw, complaint: Arc::default() };
        let table = decoder.table();
        let mut params = SDecodingParam { eEcActiveIdc: ERROR_CON_DISABLE, ..SDecodingParam::default() };
        params.sVideoProperty.eVideoBsType = VIDEO_BITSTREAM_AVC;
        let mut level = WELS_LOG_ERROR;
        let mut hear: WelsTraceCallback = Some(Complaint::hear);
        let mut context = Arc::as_ptr(&decoder.complaint).cast_mut().cast::<c_void>();
        // SAFETY: as in `Encoder::open`.
        let code = unsafe {
            let set = table.SetOption.ok_or("SetOption is missing")?;
            set(raw.as_ptr(), DECODER_OPTION_TRACE_LEVEL, (&raw mut level).cast());
            set(raw.as_ptr(), DECODER_OPTION_TRACE_CALLBACK_CONTEXT, (&raw mut context).cast());
            set(raw.as_ptr(), DECODER_OPTION_TRACE_CALLBACK, (&raw mut hear).cast());
            table.Initialize.ok_or("Initialize is missing")?(raw.as_ptr(), &raw const params)
        };
        if code != 0 {
            return Err(decoder.complaint.take(format!("the parameters were refused ({code})")));
        }
        Ok(decoder)
    }

    /// Decodes one access unit in Annex B form; `None` where it holds no whole picture.
    ///
    /// # Errors
    /// OpenH264's own sentence, or its status bits.
    pub fn decode(&mut self, annex_b: &[u8]) -> Result<Option<Decoded<'_>>, String> {
        let length = c_int::try_from(annex_b.len()).map_err(|_| "over 2 GiB")?;
        let decode = self.table().DecodeFrameNoDelay.ok_or("DecodeFrameNoDelay is missing")?;
        let mut planes = [ptr::null_mut::<u8>(); 3];
        // SAFETY: plain numbers, pointers and a union of them, for all of which zero is a value.
        let mut info: SBufferInfo = unsafe { std::mem::zeroed() };
        // SAFETY: the decoder is open and reads `length` bytes; it writes three plane pointers and `info`.
        let state = unsafe {
            decode(self.raw.as_ptr(), annex_b.as_ptr(), length, planes.as_mut_ptr(), &raw mut info)
        };
        if state != 0 {
            return Err(self.complaint.take(format!("decoding state {state:#x}")));
        }
        if info.iBufferStatus != 1 || planes.iter().any(|p| p.is_null()) {
            return Ok(None);
        }
        // SAFETY: the union has this one member.
        let buffer = unsafe { info.UsrData.sSystemBuffer };
        let sizes = [buffer.iWidth, buffer.iHeight, buffer.iStride[0], buffer.iStride[1]];
        let [width, height, luma, chroma] = sizes.map(|n| usize::try_from(n).unwrap_or(0));
        if width == 0 || height == 0 || luma < width || chroma < width.div_ceil(2) {
            return Err(format!("a picture of {sizes:?} came out"));
        }
        // SAFETY: the planes are rows of these strides in the decoder's picture, valid until it is called
        // again, which the borrow of `self` prevents; the last row is counted to its last pixel only,
        // because a cropped plane starts inside its buffer.
        let plane = |i: usize, stride: usize, width: usize, rows: usize| unsafe {
            std::slice::from_raw_parts(planes[i].cast_const(), (rows - 1) * stride + width)
        };
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        Ok(Some(Decoded {
            width,
            height,
            planes: [
                plane(0, luma, width, height),
                plane(1, chroma, half_width, half_height),
                plane(2, chroma, half_width, half_height),
            ],
            strides: [luma, chroma],
        }))
    }

    fn table(&self) -> &ISVCDecoderVtbl {
        // SAFETY: a created decoder points to its static table of functions.
        unsafe { &**self.raw.as_ptr() }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: created in `open`, closed and destroyed once; `complaint` is dropped after this.
        unsafe {
            if let Some(close) = self.table().Uninitialize {
                close(self.raw.as_ptr());
            }
            APILoader::WelsDestroyDecoder(self.raw.as_ptr());
        }
    }
}
