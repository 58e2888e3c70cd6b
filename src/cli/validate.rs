//! `lucida validate`: whether data is what the specification says.

use super::{Failure, usage};
use crate::data::validate::{self, Severity, Version};
use clap::Args;
use std::{io::Write, path::PathBuf};

/// Say whether data is valid OME-Zarr: everything that must or should be otherwise, with file and field.
///
/// Exit code 0: valid; 1: invalid, or it could not be read; 2: asked for wrongly.
#[derive(Debug, Args)]
pub struct Validate {
    /// An OME-Zarr image, plate, well, collection or labels image; its arrays' metadata is looked at too.
    #[arg(env = "LUCIDA_DATA", required_unless_present = "json", conflicts_with = "json")]
    data: Option<PathBuf>,
    /// One metadata file instead: a `.zattrs`, a `zarr.json`, or the attributes out of one.
    #[arg(long, env = "LUCIDA_JSON_FILE", value_name = "FILE")]
    json: Option<PathBuf>,
    /// The version whose rules apply; that of the place where the metadata stands if it is not given.
    #[arg(long, env = "LUCIDA_NGFF", value_parser = ["0.4", "0.5"])]
    ngff: Option<String>,
    /// Warnings make it invalid too.
    #[arg(long, env = "LUCIDA_STRICT")]
    strict: bool,
}

pub(super) fn run(args: &Validate) -> Result<(), Failure> {
    let version = match args.ngff.as_deref() {
        Some("0.4") => Some(Version::V04),
        Some(_) => Some(Version::V05),
        None => None,
    };
    let report = match (&args.data, &args.json) {
        (_, Some(file)) => validate::file(file, version)?,
        (Some(data), None) => validate::folder(data, version)?,
        (None, None) => return Err(usage("give the path of some data, or a file with --json")),
    };
    write!(std::io::stdout(), "{report}")?;
    if !report.is_valid() {
        return Err(anyhow::anyhow!("not valid").into());
    }
    if args.strict && report.count(Severity::Warning) > 0 {
        return Err(anyhow::anyhow!("valid, but not as it should be").into());
    }
    Ok(())
}
