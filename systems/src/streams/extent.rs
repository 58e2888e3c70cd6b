//! What the canvases of a view's streams show together: planning and the choice of the level count with that.

use super::drawn;
use crate::txn::level::LevelClock;
use bevy_ecs::prelude::*;
use lucida_components::{
    clock::{Clock, NextWake},
    fit::Fit,
    ids::ViewId,
    stream::Canvas,
};

/// Relative to the canvas of the view, so that it stays while that is resized.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Pixels of the sharpest stream per pixel of the view's canvas.
    scale: f64,
    /// Width and height of what is seen, of those of the view's canvas; ≥ 1.
    over: [f64; 2],
}

impl Default for Extent {
    fn default() -> Self {
        Self { scale: 1.0, over: [1.0; 2] }
    }
}

impl Extent {
    fn of(view: Canvas, streams: impl Iterator<Item = Canvas>) -> Self {
        let mut extent: Option<Self> = None;
        for canvas in streams {
            let scale = Fit::of(view, canvas).scale();
            let over = [
                f64::from(canvas.width) / (f64::from(view.width) * scale),
                f64::from(canvas.height) / (f64::from(view.height) * scale),
            ];
            let all = extent.get_or_insert(Self { scale, over });
            all.scale = all.scale.max(scale);
            all.over = [all.over[0].max(over[0]), all.over[1].max(over[1])];
        }
        extent.unwrap_or_default()
    }

    /// From the view's canvas to one that shows all that any of its streams shows, as sharp as the sharpest.
    pub fn fit(&self, view: Canvas) -> Fit {
        let side = |pixels: u32, over: f64| {
            // A pixel too many is better than one too few; but rounding is no pixel.
            (f64::from(pixels) * self.scale * over - 1e-6).ceil().max(1.0) as u32
        };
        let all = Canvas { width: side(view.width, self.over[0]), height: side(view.height, self.over[1]) };
        Fit::scaled(view, all, self.scale)
    }
}

/// Notes the extents of all views. A view whose extent changes is looked at again: its level may not do any more.
pub(super) fn note(world: &mut World, views: &[(ViewId, Entity, Canvas)]) {
    for (view, entity, canvas) in views {
        let next = Extent::of(*canvas, drawn(world, *view).iter().map(|s| s.canvas));
        let mut view = world.entity_mut(*entity);
        let Some(mut extent) = view.get_mut::<Extent>() else { continue };
        if !extent.set_if_neq(next) {
            continue;
        }
        if let Some(mut clock) = view.get_mut::<LevelClock>() {
            clock.recheck = true;
        }
        if let Some(mut plan) = view.get_mut::<crate::residency::plan::Plan>() {
            plan.stale = true;
        }
        let now = world.resource::<Clock>().now;
        world.resource_mut::<NextWake>().at(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn canvas(width: u32, height: u32) -> Canvas {
        Canvas { width, height }
    }

    #[test]
    fn one_stream_of_the_views_canvas_is_that_canvas() {
        for view in [canvas(1280, 720), canvas(1278, 722), canvas(16, 2160)] {
            let extent = Extent::of(view, [view].into_iter());
            assert_eq!(extent, Extent::default());
            assert!(extent.fit(view).is_same());
        }
    }

    #[test]
    fn what_is_planned_covers_every_stream_at_its_sharpest() {
        let view = canvas(1280, 720);
        let streams = [canvas(1920, 1080), canvas(500, 900), canvas(1600, 400)];
        let fit = Extent::of(view, streams.into_iter()).fit(view);
        assert_eq!(fit.scale(), 1.5);
        let all = fit.to();
        for stream in streams {
            // Size of what it shows, in pixels of the sharpest.
            let shown = fit.scale() / Fit::of(view, stream).scale();
            assert!(f64::from(all.width) >= f64::from(stream.width) * shown - 1e-6);
            assert!(f64::from(all.height) >= f64::from(stream.height) * shown - 1e-6);
        }
    }
}
