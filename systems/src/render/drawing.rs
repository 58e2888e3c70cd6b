//! What drawing has at hand, and what it does with it besides pictures.

use super::{
    gpu::Gpu,
    job::{Handover, Job, UploadJob},
    pictures::{Grade, Motion, Pictures, REST, is_forgetful},
    programs::Spec,
    renderer::Renderer,
    upload::Uploading,
    volume,
};
use crate::residency::{
    cache::ChunkCache,
    plan::{LayerPlan, Plan},
    pools::Pools,
};
use bevy_ecs::{prelude::*, system::SystemParam};
use lucida_components::{
    applied::ViewState,
    clock::{Clock, NextWake},
    controls::Interpolation,
    incident::Incidents,
    lod::Budgets,
    metrics::Metrics,
    stream::Stream,
};
use std::{sync::Arc, time::Duration};

/// Uploads without a picture that may wait to be submitted.
const UPLOADS: usize = 2;

/// What drawing reads and writes besides views and streams.
#[derive(SystemParam)]
pub struct Drawing<'w> {
    pub(super) gpu: Res<'w, Gpu>,
    pub(super) renderer: ResMut<'w, Renderer>,
    pub(super) pools: ResMut<'w, Pools>,
    pub(super) cache: ResMut<'w, ChunkCache>,
    pub(super) handover: ResMut<'w, Handover>,
    pub(super) budgets: Res<'w, Budgets>,
    pub(super) clock: Res<'w, Clock>,
    pub(super) wake: ResMut<'w, NextWake>,
    pub(super) metrics: ResMut<'w, Metrics>,
    pub(super) incidents: ResMut<'w, Incidents>,
}

impl Drawing<'_> {
    pub(super) fn encoder(&self, label: &str) -> wgpu::CommandEncoder {
        self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) })
    }

    /// Records uploads of a plan. False where the GPU has no room for a pool: what was recorded is void.
    pub(super) fn upload(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        state: &ViewState,
        plan: &mut Plan,
    ) -> bool {
        let is_at_rest = plan.moved.is_none_or(|at| at + REST <= self.clock.now);
        let mut uploading = Uploading {
            renderer: &mut self.renderer,
            gpu: &self.gpu,
            encoder,
            pools: &mut self.pools,
            cache: &mut self.cache,
            budgets: &self.budgets,
            metrics: &mut self.metrics,
            is_at_rest,
        };
        let outcome = uploading.run(state, plan);
        self.renderer.refused = outcome.err();
        self.renderer.refused.is_none()
    }

    /// Uploads what there is of a picture that cannot be drawn yet: chunks that wait for others, or for a
    /// client that lags, would fill the cache.
    pub(super) fn upload_ahead(&mut self, state: &ViewState, plan: &mut Plan, interval: Duration) {
        if plan.uploads.is_empty() {
            return;
        }
        if Arc::strong_count(&self.renderer.uploads) > UPLOADS {
            self.wake.at(self.clock.now + interval);
            return;
        }
        let mut encoder = self.encoder("tiles");
        let before = plan.stamp;
        if !self.upload(&mut encoder, state, plan) {
            return;
        }
        if plan.stamp == before {
            self.wake.at(self.clock.now + interval);
            return;
        }
        self.hand_over_upload(encoder);
        // The plan is looked at again at once: the picture may be possible now.
        self.wake.at(self.clock.now);
    }

    pub(super) fn hand_over_upload(&mut self, encoder: wgpu::CommandEncoder) {
        self.renderer.staging.finish(&encoder);
        let pending = self.renderer.uploads.clone();
        let job = UploadJob { gpu: self.gpu.clone(), commands: encoder.finish(), pending };
        self.handover.0.push(Job::Upload(job));
    }

    /// A plane is at rest: what would draw the volume is made ready, so that it need not be waited for.
    pub(super) fn expect_volume(&mut self, state: &ViewState) {
        if state.axes.len() < 3 {
            return;
        }
        let spec = volume::program::Spec::likely(state);
        if self.gpu.is_cpu {
            self.renderer.programs.expect(&self.gpu.device, &Spec::Volume(spec.clone().nearest()));
        }
        self.renderer.programs.expect(&self.gpu.device, &Spec::Volume(spec));
    }

    /// Whether a keyframe is due although nobody asked: a decoder that lost its place shall not show an old picture
    /// for ever, so what has come to rest is given once more, if its last frame was none. `settled` says that
    /// nothing better is to come.
    pub(super) fn resync(
        &mut self,
        stream: &Stream,
        pictures: &Pictures,
        motion: Motion,
        settled: bool,
    ) -> bool {
        if !is_forgetful(stream) || !settled || !pictures.unkeyed {
            return false;
        }
        let rest = motion.changed + REST;
        if self.clock.now < rest {
            self.wake.at(rest);
        }
        self.clock.now >= rest
    }

    /// How a plane is drawn: on a software driver, nearest while something moves.
    pub(super) fn plane_grade(
        &mut self,
        state: &ViewState,
        plan: &Plan,
        motion: Motion,
        always: bool,
    ) -> Grade {
        let rest = motion.moved + REST;
        // Labels are always drawn nearest.
        let is_smooth =
            |l: &LayerPlan| state.layers[l.layer].controls.interpolation != Interpolation::Nearest;
        if self.gpu.is_cpu && !always && self.clock.now < rest && plan.layers.iter().any(is_smooth) {
            self.wake.at(rest);
            return Grade::Draft;
        }
        Grade::Full
    }
}
