//! `lucida info`: what an image is.

use super::{Failure, reading::Reading};
use crate::data;
use clap::Args;
use std::path::PathBuf;

/// Say what an image is: axes, levels, channels, warnings.
#[derive(Debug, Args)]
pub struct Info {
    /// An OME-Zarr image, plate, well, collection or labels image, or a bare Zarr array.
    #[arg(env = "LUCIDA_DATA")]
    data: PathBuf,
    /// As JSON.
    #[arg(long, env = "LUCIDA_JSON")]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(args: &Info) -> Result<(), Failure> {
    let info = data::info::describe(&data::open::open_with(&args.data, &args.reading.options())?);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&info)?);
    } else {
        print!("{info}");
    }
    Ok(())
}
