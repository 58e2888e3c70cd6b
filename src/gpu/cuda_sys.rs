//! CUDA's driver: whether it is on this machine and which devices it has. Loaded at run time, so that one
//! binary runs with and without it.

use super::not_loaded;
use libloading::{Library, Symbol};
use std::ffi::{CStr, c_char, c_int, c_uint};

/// The library, as NVIDIA's driver installs it.
const LIBRARY: &str = "libcuda.so.1";

/// Devices that are asked for their names at most.
const MAX_DEVICES: c_int = 64;

/// What CUDA said.
#[derive(serde::Serialize, Debug, Clone, PartialEq, Eq, Default)]
pub struct CudaReport {
    /// The CUDA version that the driver knows, for example `13.0`.
    pub version: Option<String>,
    /// Names of the devices, in CUDA's order.
    pub devices: Vec<String>,
    /// Why there is no device, and what to do about it.
    pub reason: Option<String>,
}

/// Asks CUDA for its devices. Makes no context and touches no device.
pub fn probe() -> CudaReport {
    let mut report = CudaReport::default();
    if let Err(reason) = fill(&mut report) {
        report.reason = Some(reason);
    }
    report
}

type CuInit = unsafe extern "C" fn(flags: c_uint) -> c_int;
type CuGetNumber = unsafe extern "C" fn(number: *mut c_int) -> c_int;
type CuDeviceGet = unsafe extern "C" fn(device: *mut c_int, ordinal: c_int) -> c_int;
type CuDeviceGetName = unsafe extern "C" fn(name: *mut c_char, length: c_int, device: c_int) -> c_int;
type CuGetErrorName = unsafe extern "C" fn(error: c_int, name: *mut *const c_char) -> c_int;

fn fill(report: &mut CudaReport) -> Result<(), String> {
    // SAFETY: libcuda's initialisers have no precondition.
    let library = unsafe { Library::new(LIBRARY) }.map_err(|error| {
        format!("{}; install NVIDIA's driver if this machine has an NVIDIA GPU", not_loaded(LIBRARY, &error))
    })?;
    // SAFETY: the types are those of the CUDA driver API's C header.
    let (init, version, count, get, name, error_name) = unsafe {
        (
            symbol::<CuInit>(&library, c"cuInit")?,
            symbol::<CuGetNumber>(&library, c"cuDriverGetVersion")?,
            symbol::<CuGetNumber>(&library, c"cuDeviceGetCount")?,
            symbol::<CuDeviceGet>(&library, c"cuDeviceGet")?,
            symbol::<CuDeviceGetName>(&library, c"cuDeviceGetName")?,
            symbol::<CuGetErrorName>(&library, c"cuGetErrorName")?,
        )
    };
    let check = |call: &str, code: c_int| {
        if code == 0 {
            return Ok(());
        }
        let mut text = std::ptr::null();
        // SAFETY: writes the address of a static string, or null where it does not know the code.
        unsafe { error_name(code, &raw mut text) };
        // SAFETY: not null, then a zero-terminated static string.
        let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy());
        Err(format!("{call}: {} ({code})", text.as_deref().unwrap_or("unknown error")))
    };
    // SAFETY: allowed before `cuInit`; writes one number.
    let (mut known, mut devices) = (0, 0);
    check("cuDriverGetVersion", unsafe { version(&raw mut known) })?;
    report.version = Some(format!("{}.{}", known / 1000, known % 1000 / 10));
    // SAFETY: 0 is the only value for the flags.
    check("cuInit", unsafe { init(0) })
        .map_err(|error| format!("{error}; check that the GPU is visible to this process (nvidia-smi)"))?;
    // SAFETY: writes one number.
    check("cuDeviceGetCount", unsafe { count(&raw mut devices) })?;
    for ordinal in 0..devices.min(MAX_DEVICES) {
        let mut device = 0;
        let mut text: [c_char; 256] = [0; 256];
        // SAFETY: writes one number.
        check("cuDeviceGet", unsafe { get(&raw mut device, ordinal) })?;
        // SAFETY: writes at most 255 characters and the zero; the last one is never touched.
        check("cuDeviceGetName", unsafe { name(text.as_mut_ptr(), 255, device) })?;
        // SAFETY: the last character is zero.
        report.devices.push(unsafe { CStr::from_ptr(text.as_ptr()) }.to_string_lossy().into_owned());
    }
    if report.devices.is_empty() {
        return Err("CUDA's driver is there, but no device is visible to this process".into());
    }
    Ok(())
}

/// # Safety
/// `T` must be the function's type.
unsafe fn symbol<'a, T>(library: &'a Library, name: &CStr) -> Result<Symbol<'a, T>, String> {
    // SAFETY: promised by the caller.
    unsafe { library.get(name.to_bytes_with_nul()) }
        .map_err(|error| format!("{}; the driver is too old", not_loaded(LIBRARY, &error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_devices_or_a_reason() {
        let report = probe();
        assert_eq!(report.devices.is_empty(), report.reason.is_some(), "{report:?}");
        println!("{report:?}");
    }
}
