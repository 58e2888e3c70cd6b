//! Reducers: intents become *requested* blocks, and each opens an op. They never touch what is applied.
//!
//! A reducer that cannot make sense of an intent refuses its op at once; nothing was written then.
//! Each may run again within a turn: when a transaction faulted, its ops are retried one by one.

mod auto_contrast;
pub mod camera;
pub mod clip;
pub mod dataset;
pub mod dims;
pub mod layers;
pub mod lod;
pub mod seats;
pub mod stream;
pub mod view;
pub mod volume;

use lucida_components::{
    axes::Axes,
    fault::Rejection,
    intent::Intent,
    ops::{Op, OpKind, OpState, Ops, Report},
};

/// Opens the op of an intent (or reopens it, on a retry) and settles it by what the reducer found.
pub(crate) fn settle(ops: &mut Ops, intent: &Intent, kind: OpKind, outcome: Result<Report, Rejection>) {
    let (report, state) = match outcome {
        Ok(report) => (report, OpState::Open),
        Err(why) => (Report::None, OpState::Rejected(why)),
    };
    tracing::debug!(op = intent.op, %kind, open = (state == OpState::Open), "reduced");
    if let Some(op) = ops.get_mut(intent.op) {
        op.report = report;
        op.state = state;
        return;
    }
    ops.turn.push(Op {
        seq: intent.op,
        kind,
        view: intent.view,
        origin: intent.origin.clone(),
        intent: Some(intent.clone()),
        report,
        state,
        arrived: intent.arrived,
    });
}

/// The refusal of an intent about a view that does not exist.
fn no_view(intent: &Intent) -> Rejection {
    Rejection::invalid(format!("view {} does not exist; the main view is 0", intent.view.0))
}

/// The refusal of an axis that the image does not have.
fn no_axis(axes: &Axes, name: &str) -> Rejection {
    Rejection::error(format!("axis {name:?} does not exist; there are {}", axes.labels.join(", ")))
}

/// The refusal of an intent that needs an image while there is none.
fn nothing_open() -> Rejection {
    Rejection::error("no image is open yet")
}
