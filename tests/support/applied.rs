//! An applied state to be told: two channels of a small pyramid, the numbers of the protocol's examples.

use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    axes::{Axes, AxisKind},
    camera::{Camera, PlanePose},
    clip::Clip,
    controls::Controls,
    dataset::{ArrayAxis, Dataset, LayerSource, Level, LevelKind, Multiscale, SceneAxis, SourceId},
    dtype::{Dtype, StoredType},
    ids::LayerId,
    index::Index,
    layer::{Layer, LayerKind},
    lod::Lod,
    restore::RestoreCache,
    stream::{Canvas, StreamConfig},
    view::View,
};
use std::sync::Arc;

/// 64 × 2048 × 2048 and half of it in y and x, two channels.
pub fn dataset() -> Dataset {
    let level = |path: &str, size: u64, scale: f64| Level {
        path: path.into(),
        shape: vec![2, 64, size, size],
        chunk: vec![1, 1, 256, 256],
        scale: vec![1.0, 1.0, scale, scale],
        translation: vec![0.0, 0.0, (scale - 1.0) / 2.0, (scale - 1.0) / 2.0],
        kind: LevelKind::Stored,
    };
    let axis = |label: &str, unit: Option<&str>| SceneAxis {
        label: label.into(),
        kind: AxisKind::Space,
        unit: unit.map(Into::into),
    };
    let layer = |channel: u64, name: &str| LayerSource {
        name: name.into(),
        image: 0,
        channel,
        controls: Controls { contrast_limits: [10.0, 500.0], ..Controls::default() },
        range: [0.0, 65_535.0],
        kind: LayerKind::Image,
        labels: None,
    };
    Dataset {
        name: "a".into(),
        locator: "/data/a.zarr".into(),
        format: "ome-zarr 0.4".into(),
        axes: vec![axis("z", Some("micrometer")), axis("y", None), axis("x", None)],
        images: vec![Multiscale {
            source: SourceId(7),
            stored: StoredType::U16,
            dtype: Dtype::U16,
            dims: vec![ArrayAxis::Channel, ArrayAxis::Scene(0), ArrayAxis::Scene(1), ArrayAxis::Scene(2)],
            levels: vec![level("0", 2048, 1.0), level("1", 1024, 2.0)],
        }],
        layers: vec![layer(0, "DAPI"), layer(1, "GFP")],
        start: Vec::new(),
        contents: None,
        warnings: vec!["no units".into()],
    }
}

/// The state at z 32, level 1, 1920 × 1080.
pub fn state() -> ViewState {
    let dataset = dataset();
    let layers = dataset.layers.iter().enumerate().map(|(n, source)| LayerState {
        id: LayerId(n as u32),
        layer: Layer {
            name: source.name.clone(),
            image: 0,
            channel: source.channel,
            order: n as u32,
            kind: source.kind,
        },
        controls: source.controls.clone(),
    });
    ViewState {
        layers: layers.collect(),
        view: View { ndisplay: 2 },
        axes: Axes {
            labels: dataset.axes.iter().map(|a| a.label.clone()).collect(),
            kinds: dataset.axes.iter().map(|a| a.kind).collect(),
            units: dataset.axes.iter().map(|a| a.unit.clone()).collect(),
            order: vec![0, 1, 2],
        },
        index: Index::at(vec![32, 0, 0]),
        lod: Lod { level: 1, ..Lod::default() },
        camera: Camera { plane: PlanePose { center: [512.0, 512.0], zoom: 2.0 }, ..Camera::default() },
        restore: RestoreCache::default(),
        clip: Clip::default(),
        canvas: Canvas { width: 1920, height: 1080 },
        dataset: Arc::new(dataset),
    }
}

/// The state as applied at a revision.
pub fn applied(revision: u64) -> Arc<Applied> {
    Arc::new(Applied { revision, state: Arc::new(state()) })
}

/// A stream's configuration.
pub fn stream() -> Arc<StreamConfig> {
    Arc::new(StreamConfig {
        canvas: Canvas { width: 1920, height: 1080 },
        codec: "avc1.42C028".into(),
        avcc: vec![1, 0x42, 0xC0, 40, 0xFF],
        encoder: "openh264",
    })
}
