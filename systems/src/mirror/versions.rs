//! A counter per property, told in acknowledgements: 1, 2, 3, …; unchanged while the value is.

use bevy_ecs::prelude::*;
use lucida_components::{
    controls::ControlKey,
    ids::{LayerId, ViewId},
    ops::Report,
    value::Value,
};
use std::collections::HashMap;

/// A property of which clients count versions. There are as many as axes, layers and controls: bounded by
/// the dataset's own bounds, times the views there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Property {
    Ndisplay,
    Index(usize),
    Margins(usize),
    Order,
    Level,
    Policy,
    Control(LayerId, ControlKey),
    VolumeControl(ControlKey),
    Canvas,
    Camera,
    Clip,
    Other,
}

impl Property {
    /// Whether each view has its own. What all views share is counted once for all.
    fn is_of_view(self) -> bool {
        !matches!(self, Self::Control(..) | Self::VolumeControl(_) | Self::Other)
    }
}

/// The versions of every property that was ever acknowledged.
#[derive(Resource, Debug, Default)]
pub struct Versions(HashMap<(ViewId, Property), (Value, u64)>);

impl Versions {
    /// The version of a property that now has this value.
    pub fn next(&mut self, view: ViewId, report: &Report, value: &Value) -> u64 {
        let property = match report {
            Report::None | Report::Value(_) => Property::Other,
            Report::Ndisplay => Property::Ndisplay,
            Report::LevelIndex(a) | Report::SceneIndex(a) => Property::Index(*a),
            Report::Margins(a) => Property::Margins(*a),
            Report::Order => Property::Order,
            Report::Level => Property::Level,
            Report::Policy => Property::Policy,
            Report::Control(layer, key) => Property::Control(*layer, *key),
            Report::VolumeControl(key) => Property::VolumeControl(*key),
            Report::Canvas(_) => Property::Canvas,
            Report::Clip => Property::Clip,
            Report::Camera(..) => Property::Camera,
        };
        let view = if property.is_of_view() { view } else { ViewId::MAIN };
        let (last, version) = self.0.entry((view, property)).or_insert((Value::None, 0));
        // Camera commands are counted, not compared: two equal pans are two commands.
        if *version == 0 || property == Property::Camera || last != value {
            *last = value.clone();
            *version += 1;
        }
        *version
    }

    /// Forgets a view that is gone.
    pub fn forget(&mut self, view: ViewId) {
        self.0.retain(|(of, _), _| *of != view);
    }

    /// How many properties are remembered.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was ever acknowledged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
