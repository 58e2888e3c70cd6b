//! `lucida render`: one still, through the same ledger, transactions and shaders as the server.

use super::{Failure, cache::Cache, reading::Reading, size::size, usage, volume::Volume};
use crate::{
    app::{
        still::{Picture, Stills},
        world::WorldSettings,
    },
    data::{self, coarse::with_levels},
    gpu::device,
    wire::{
        conventions::{Conventions, Dialect},
        update,
    },
};
use anyhow::Context;
use clap::Args;
use lucida_components::{
    applied::ViewState,
    camera::{CameraDelta, CameraParts, Rect},
    intent::{Change, Grid},
    session::Features,
};
use serde_json::{Map, Value, json};
use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

/// Draw one picture of an image into a PNG.
#[derive(Debug, Args)]
pub struct Render {
    /// An OME-Zarr image.
    #[arg(env = "LUCIDA_DATA")]
    data: PathBuf,
    /// The PNG to write.
    #[arg(short, long, env = "LUCIDA_OUTPUT")]
    output: PathBuf,
    /// Place on the axes that are not displayed, full-resolution voxels: `t=0,z=32`.
    #[arg(long, env = "LUCIDA_INDEX", value_delimiter = ',')]
    index: Vec<String>,
    /// Thickness of the slice on axes that are not displayed, full-resolution voxels before and after the place,
    /// for layers with a projection: `z=5` or `z=2:8`.
    #[arg(long, env = "LUCIDA_MARGINS", value_delimiter = ',')]
    margins: Vec<String>,
    /// World rectangle to show: `left,top,width,height` in the image's units. Everything where it is not given.
    #[arg(long, env = "LUCIDA_RECT", allow_hyphen_values = true)]
    rect: Option<String>,
    /// Pixels of the picture: `1280x720`.
    #[arg(long, env = "LUCIDA_SIZE", default_value = "1280x720")]
    size: String,
    /// One control of one layer, by name or number: `T1:colormap=viridis`, `0:contrast_limits=0,200`,
    /// `2:visible=false`, `T1:projection=max`, `tissue:contour=2`, `0:auto_contrast=1,99`. Can be given several
    /// times.
    #[arg(long = "layer", env = "LUCIDA_LAYER", value_delimiter = ';')]
    layers: Vec<String>,
    /// Pyramid level, 0 = full resolution; chosen by the size where it is not given. In a volume it is drawn
    /// everywhere; else each part is as fine as the picture shows.
    #[arg(long, env = "LUCIDA_LEVEL")]
    level: Option<i64>,
    #[command(flatten)]
    volume: Volume,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    cache: Cache,
}

pub(super) fn run(args: &Render) -> Result<(), Failure> {
    let canvas = size("--size", &args.size)?;
    let opened = data::open::open_with(&args.data, &args.reading.options())?;
    let opened = with_levels(opened, &args.cache.shelf());
    let device = device::open()?;
    let settings = WorldSettings::of(&device);
    let mut stills = Stills::new(device, settings, opened)?;
    let state = stills.state().context("the image was not applied")?;

    let mut changes = vec![Change::Canvas(canvas)];
    for place in &args.index {
        changes.push(index(place, &state)?);
    }
    for margin in &args.margins {
        changes.push(margins(margin, &state)?);
    }
    changes.extend(args.volume.changes(&state)?);
    if let Some(text) = &args.rect {
        if args.volume.is_on() {
            return Err(usage("--rect is for planes; a volume has --center and --distance"));
        }
        let rect = Some(rect(text)?);
        changes.push(Change::Camera(CameraDelta::Set(CameraParts { rect, ..CameraParts::default() })));
    }
    if let Some(level) = args.level {
        changes.push(Change::Level(level));
    }
    // What is shown must be there before it can be measured.
    let mut measures = Vec::new();
    for text in &args.layers {
        match layer(text, &state)? {
            change @ Change::AutoContrast { .. } => measures.push(change),
            change => changes.push(change),
        }
    }
    let mut picture = stills.draw(changes)?;
    if !measures.is_empty() {
        picture = stills.draw(measures)?;
    }
    if picture.residency.missing > 0 {
        eprintln!(
            "lucida: {} {} have parts that could not be read; they are black",
            picture.residency.missing,
            if args.volume.is_on() { "bricks" } else { "tiles" }
        );
    }
    write(&args.output, &picture)?;
    let level = picture.state.lod.level;
    println!("{}: {}×{}, level {level}", args.output.display(), picture.canvas.width, picture.canvas.height);
    Ok(())
}

fn index(text: &str, state: &ViewState) -> Result<Change, Failure> {
    let axes = state.axes.labels.join(", ");
    let bad = || usage(format!("--index {text}: AXIS=NUMBER, axes are {axes}"));
    let (axis, value) = text.split_once('=').ok_or_else(bad)?;
    let value: i64 = value.trim().parse().map_err(|_| bad())?;
    let number = state.axes.resolve(axis).ok_or_else(bad)?;
    let extent = state.dataset.extent(number);
    if value < 0 || value as u64 >= extent {
        return Err(usage(format!("--index {text}: {} goes from 0 to {}", axis.trim(), extent - 1)));
    }
    Ok(Change::Index { axis: axis.trim().into(), value, grid: Grid::Scene })
}

/// Reads `AXIS=BOTH` or `AXIS=BEFORE:AFTER`.
fn margins(text: &str, state: &ViewState) -> Result<Change, Failure> {
    let axes = state.axes.labels.join(", ");
    let bad = || usage(format!("--margins {text}: AXIS=VOXELS or AXIS=BEFORE:AFTER, axes are {axes}"));
    let (axis, value) = text.split_once('=').ok_or_else(bad)?;
    state.axes.resolve(axis).ok_or_else(bad)?;
    let (before, after) = value.split_once(':').unwrap_or((value, value));
    let voxels = |v: &str| v.trim().parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0);
    let margins = [voxels(before).ok_or_else(bad)?, voxels(after).ok_or_else(bad)?];
    Ok(Change::Margins { axis: axis.trim().into(), margins })
}

fn rect(text: &str) -> Result<Rect, Failure> {
    let bad = || usage(format!("--rect {text}: left,top,width,height; width and height > 0"));
    let numbers: Vec<f64> =
        text.split(',').map(|v| v.trim().parse()).collect::<Result<_, _>>().map_err(|_| bad())?;
    match numbers[..] {
        [left, bottom, width, height] if width > 0.0 && height > 0.0 => {
            Ok(Rect { left, bottom, width, height })
        }
        _ => Err(bad()),
    }
}

/// Reads `LAYER:KEY=VALUE`; key and value go the way of a client's `state.update`.
fn layer(text: &str, state: &ViewState) -> Result<Change, Failure> {
    let bad = |why: String| usage(format!("--layer {text}: {why}"));
    let (rest, value) =
        text.rsplit_once('=').ok_or_else(|| bad("LAYER:KEY=VALUE, for example 0:colormap=viridis".into()))?;
    let (name, key) = rest.rsplit_once(':').ok_or_else(|| bad("LAYER:KEY=VALUE".into()))?;
    let by_number = || name.parse::<usize>().ok().and_then(|n| state.layers.get(n));
    let found = state.layers.iter().find(|l| l.layer.name == name).or_else(by_number);
    let Some(found) = found else {
        let names: Vec<_> = state.layers.iter().map(|l| l.layer.name.as_str()).collect();
        return Err(bad(format!("layers are {}", names.join(", "))));
    };
    let value = match value.split(',').map(str::parse::<f64>).collect::<Result<Vec<_>, _>>() {
        Ok(numbers) if numbers.len() > 1 => json!(numbers),
        _ => serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.into())),
    };
    let mut payload = Map::new();
    payload.insert("scope".into(), "layer".into());
    payload.insert("target".into(), found.id.to_string().into());
    payload.insert("key".into(), key.into());
    payload.insert("value".into(), value);
    let house = Conventions::new(Dialect::House, Features::ALL);
    update::parse(&payload, &house).map_err(|refused| bad(refused.why.message))
}

fn write(path: &Path, picture: &Picture) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), picture.canvas.width, picture.canvas.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.rgba)?;
    writer.finish().with_context(|| format!("cannot write {}", path.display()))
}
