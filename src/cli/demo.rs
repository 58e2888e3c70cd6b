//! `lucida demo`: writes an image to look at.

use super::{Failure, usage};
use crate::data;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

/// Write a demo image: five dimensions, three channels, like a fluorescence microscope's.
#[derive(Debug, Args)]
pub struct Demo {
    /// Folder to write; must not exist.
    #[arg(env = "LUCIDA_DEMO", default_value = "demo.ome.zarr")]
    path: PathBuf,
    /// How large: `default` is some 115 MB, `small` 2 MB.
    #[arg(long, env = "LUCIDA_DEMO_SIZE", default_value = "default", value_parser = ["default", "small"])]
    size: String,
    /// Do nothing where it is already there.
    #[arg(long, env = "LUCIDA_IF_MISSING")]
    if_missing: bool,
}

pub(super) fn run(args: &Demo) -> Result<(), Failure> {
    if args.path.exists() {
        if args.if_missing {
            return Ok(());
        }
        return Err(usage(format!("{} is already there; name another folder", args.path.display())));
    }
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "writing the demo image {bar:40} {pos}/{len} chunks, {eta} left",
    )?);
    let mut spec = data::demo::demo_spec();
    if args.size == "small" {
        spec.shape = [3, 3, 8, 192, 256];
    }
    data::demo::write(spec, &args.path, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    println!("{}", args.path.display());
    Ok(())
}
