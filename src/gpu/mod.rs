//! GPU device, beyond what wgpu knows.

pub mod cuda_sys;
pub mod device;

/// Why a library was not loaded: the dynamic linker's own words, which begin with the library's name.
pub(crate) fn not_loaded(library: &str, error: &libloading::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => format!("{library}: {error}"),
    }
}
