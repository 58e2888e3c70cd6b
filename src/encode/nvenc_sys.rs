//! NVENC: whether its library is on this machine, and nothing else yet.

/// The library, as NVIDIA's driver installs it.
pub const LIBRARY: &str = "libnvidia-encode.so.1";

/// Whether the library can be loaded.
///
/// # Errors
/// The dynamic linker's sentence, the library's name first.
pub fn find() -> Result<(), String> {
    // SAFETY: NVIDIA's library has no initialiser that depends on what else the process does; it is
    // unloaded at once and no symbol of it is kept.
    unsafe { libloading::Library::new(LIBRARY) }
        .map(drop)
        .map_err(|error| crate::gpu::not_loaded(LIBRARY, &error))
}
