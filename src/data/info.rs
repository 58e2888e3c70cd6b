//! What an opened image is, for people and for programs.

use super::{
    Opened,
    inventory::{self, LabelsInfo},
};
use lucida_components::{
    axes::AxisKind,
    contents::Contents,
    dataset::{ArrayAxis, Dataset, LevelKind, Multiscale},
    dtype::Dtype,
    layer::LayerKind,
};
use serde::Serialize;
use std::fmt;

/// A description of an image. Its JSON form is part of the command line's contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Info {
    /// Name to show.
    pub name: String,
    /// Where it was opened.
    pub path: String,
    /// Format and version.
    pub format: String,
    /// Value type as stored, by its Zarr name.
    pub dtype: String,
    /// Value type as drawn, likewise.
    pub drawn_as: &'static str,
    /// Names of the array's dimensions in their order, the channel axis as `c`.
    pub dimensions: Vec<String>,
    /// The axes of the scene; the channel axis is not among them.
    pub axes: Vec<AxisInfo>,
    /// The pyramid, finest first.
    pub levels: Vec<LevelInfo>,
    /// The layers that are channels, bottom first.
    pub channels: Vec<ChannelInfo>,
    /// The layers that are labels, over them.
    pub labels: Vec<LabelsInfo>,
    /// What else stands there; `None` for a single image.
    pub contents: Option<Contents>,
    /// Bytes of all stored levels, decoded.
    pub bytes: u64,
    /// What was odd but usable.
    pub warnings: Vec<String>,
}

/// One axis of the scene.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AxisInfo {
    /// Name.
    pub label: String,
    /// What it measures.
    pub kind: AxisKind,
    /// Unit as the data names it.
    pub unit: Option<String>,
    /// Voxels at full resolution.
    pub size: u64,
    /// Units per voxel at full resolution.
    pub scale: f64,
}

/// One level; lists have one entry per dimension.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LevelInfo {
    /// Path inside the image; empty where it is virtual.
    pub path: String,
    /// Stored, or virtual: made while it is looked at.
    pub level: LevelKind,
    /// Extent in voxels.
    pub shape: Vec<u64>,
    /// Extent of what is read at once.
    pub chunk: Vec<u64>,
    /// Units per voxel.
    pub scale: Vec<f64>,
    /// Centre of voxel 0 in units.
    pub translation: Vec<f64>,
    /// Bytes, decoded.
    pub bytes: u64,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelInfo {
    /// Name to show.
    pub name: String,
    /// Colormap, or `#rrggbb`.
    pub colormap: String,
    /// Display window, raw units.
    pub window: [f64; 2],
    /// What the window's control spans, raw units.
    pub range: [f64; 2],
    /// Whether it is shown at first.
    pub visible: bool,
}

/// Describes an opened image.
pub fn describe(opened: &Opened) -> Info {
    let dataset = &*opened.dataset;
    let image = dataset.reference();
    let levels: Vec<LevelInfo> = image.into_iter().flat_map(levels).collect();
    Info {
        name: dataset.name.clone(),
        path: dataset.locator.clone(),
        format: dataset.format.clone(),
        dtype: image.map(|i| i.stored.to_string()).unwrap_or_default(),
        drawn_as: image.map(|i| name_of(i.dtype)).unwrap_or_default(),
        dimensions: image.map(|i| dimensions(dataset, i)).unwrap_or_default(),
        axes: axes(dataset),
        bytes: levels
            .iter()
            .filter(|l| l.level == LevelKind::Stored)
            .fold(0, |n, l| n.saturating_add(l.bytes)),
        levels,
        channels: dataset
            .layers
            .iter()
            .filter(|layer| layer.kind == LayerKind::Image)
            .map(|layer| ChannelInfo {
                name: layer.name.clone(),
                colormap: layer.controls.colormap.clone(),
                window: layer.controls.contrast_limits,
                range: layer.range,
                visible: layer.controls.visible,
            })
            .collect(),
        labels: inventory::labels(dataset),
        contents: dataset.contents.clone(),
        warnings: dataset.warnings.clone(),
    }
}

fn levels(image: &Multiscale) -> impl Iterator<Item = LevelInfo> + '_ {
    image.levels.iter().map(|level| {
        let voxels = level.shape.iter().fold(1u64, |n, s| n.saturating_mul(*s));
        LevelInfo {
            path: level.path.clone(),
            level: level.kind,
            shape: level.shape.clone(),
            chunk: level.chunk.clone(),
            scale: level.scale.clone(),
            translation: level.translation.clone(),
            bytes: voxels.saturating_mul(image.stored.size() as u64),
        }
    })
}

fn dimensions(dataset: &Dataset, image: &Multiscale) -> Vec<String> {
    let name = |dim: &ArrayAxis| match dim {
        ArrayAxis::Scene(axis) => dataset.axes[*axis].label.clone(),
        ArrayAxis::Channel => "c".into(),
    };
    image.dims.iter().map(name).collect()
}

fn axes(dataset: &Dataset) -> Vec<AxisInfo> {
    let axes = dataset.axes.iter().enumerate();
    axes.map(|(i, axis)| AxisInfo {
        label: axis.label.clone(),
        kind: axis.kind,
        unit: axis.unit.clone(),
        size: dataset.extent(i),
        scale: dataset.placement(i).0,
    })
    .collect()
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims = self.dimensions.join(" × ");
        writeln!(f, "{}", self.name)?;
        writeln!(f, "  path      {}", self.path)?;
        writeln!(f, "  format    {}", self.format)?;
        writeln!(f, "  values    {}, drawn as {}", self.dtype, self.drawn_as)?;
        let stored = self.levels.iter().filter(|l| l.level == LevelKind::Stored).count();
        writeln!(f, "  size      {} decoded, in {stored} level(s)", bytes(self.bytes))?;
        f.write_str(&inventory::lines(&self.labels, self.contents.as_ref()))?;
        let rows = self.axes.iter().map(|a| {
            let unit = a.unit.as_deref().unwrap_or("");
            let kind = match a.kind {
                AxisKind::Space => "space",
                AxisKind::Time => "time",
                AxisKind::Other => "other",
            };
            vec![
                a.label.clone(),
                kind.into(),
                a.size.to_string(),
                format!("{} {unit}", short(a.scale)).trim().into(),
            ]
        });
        table(f, &["axis", "kind", "size", "step"], rows)?;
        let rows = self.levels.iter().enumerate().map(|(i, l)| {
            vec![
                i.to_string(),
                if l.level == LevelKind::Virtual { "virtual".into() } else { l.path.clone() },
                times(&l.shape),
                times(&l.chunk),
                list(&l.scale),
                bytes(l.bytes),
            ]
        });
        table(f, &["level", "path", &dims, "chunk", "scale", "bytes"], rows)?;
        let rows = self.channels.iter().enumerate().map(|(i, c)| {
            let shown = if c.visible { "yes" } else { "no" };
            vec![
                i.to_string(),
                c.name.clone(),
                c.colormap.clone(),
                span(c.window),
                span(c.range),
                shown.into(),
            ]
        });
        if !self.channels.is_empty() {
            table(f, &["channel", "name", "colormap", "window", "range", "shown"], rows)?;
        }
        for warning in &self.warnings {
            writeln!(f, "  warning: {warning}")?;
        }
        Ok(())
    }
}

/// A table with columns as wide as they have to be, behind an empty line.
fn table(f: &mut fmt::Formatter<'_>, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> fmt::Result {
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    writeln!(f)?;
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(f, "  {}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

fn name_of(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::U8 => "uint8",
        Dtype::U16 => "uint16",
        Dtype::I16 => "int16",
        Dtype::F32 => "float32",
        Dtype::U32 => "uint32",
    }
}

fn times(values: &[u64]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ")
}

fn list(values: &[f64]) -> String {
    values.iter().map(|v| short(*v)).collect::<Vec<_>>().join(", ")
}

fn span(window: [f64; 2]) -> String {
    format!("{} … {}", short(window[0]), short(window[1]))
}

/// Five digits at most behind the point, none that say nothing.
fn short(v: f64) -> String {
    let rounded = (v * 1e5).round() / 1e5;
    if rounded != 0.0 && rounded.abs() < 1e15 { rounded.to_string() } else { v.to_string() }
}

fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if n < 1024 {
        return format!("{n} bytes");
    }
    let mut value = n as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::procedural::{ProceduralSpec, procedural};

    #[test]
    fn people_read_a_table_and_programs_json() {
        let spec = ProceduralSpec { shape: [4, 2, 30, 700, 1000], levels: 2, ..Default::default() };
        let info = describe(&procedural(spec));
        insta::assert_snapshot!(info.to_string());
        insta::assert_json_snapshot!(info);
    }

    #[test]
    fn numbers_are_short_and_sizes_have_units() {
        assert_eq!(short(2.008_620_689), "2.00862");
        assert_eq!(short(0.000_000_5), "0.0000005");
        assert_eq!(short(-3.0), "-3");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
    }
}
