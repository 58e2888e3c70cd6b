//! `lucida info`: what an image is.

use super::{Failure, reading::Reading};
use crate::data::{
    self,
    coarse::{Shelf, with_levels},
};
use clap::Args;
use std::{path::PathBuf, sync::Arc};

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
    // Levels that would be made are told too; none is made here.
    let memory = Arc::new(Shelf::new(None, 0));
    let opened = data::open::open_with(&args.data, &args.reading.options())?;
    let info = data::info::describe(&with_levels(opened, &memory));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&info)?);
    } else {
        print!("{info}");
    }
    Ok(())
}
