//! A step intent through reducers, RenderTxn and mirrors; nothing is drawn.

use super::stats::{Row, percentile};
use bevy_app::App;
use lucida::data::procedural::{ProceduralSpec, procedural};
use lucida_components::{
    clock::Clock,
    ids::{IntentRef, SessionId, ViewId},
    intent::{Change, Intent, Origin, SessionEvent},
    outbox::Outbox,
    session::{Features, Newcomer},
};
use lucida_systems::{LucidaPlugin, ingest::Inbox};
use std::time::Instant;

pub fn rows(full: bool) -> Vec<Row> {
    let mut app = App::new();
    app.add_plugins(LucidaPlugin);
    app.finish();
    app.cleanup();
    let session = SessionId(1);
    let features = Features { view: true, frames: true, ..Features::BASE };
    let joined = SessionEvent::Joined { session, newcomer: Box::new(Newcomer::new(features)) };
    app.world_mut().resource_mut::<Inbox>().events.push(joined);
    send(&mut app, None, Change::Dataset(procedural(ProceduralSpec::default()).dataset));
    app.update();
    let mut times = Vec::new();
    for n in 0..if full { 20_000_u32 } else { 50 } {
        let delta = if n % 40 < 20 { 1 } else { -1 };
        let intent = IntentRef { intent_id: format!("intent-{n:08x}"), frame_id: format!("state-{n:08x}") };
        send(&mut app, Some(Origin { session, intent }), Change::Step { axis: "z".into(), delta });
        app.world_mut().resource_mut::<Clock>().now = Instant::now();
        let started = Instant::now();
        app.update();
        times.push(started.elapsed());
        let world = app.world_mut();
        let mut outbox = world.query::<&mut Outbox>().single_mut(world).unwrap();
        assert_eq!(outbox.acks.len(), 1, "answered in its turn");
        *outbox = Outbox::default();
    }
    let (p50, p99) = (percentile(&mut times, 50.0) * 1e3, percentile(&mut times, 99.0) * 1e3);
    let measured = format!("{p50:.1} µs (p99 {p99:.1}, n {})", times.len());
    vec![Row::new(
        "step intent → reducers + RenderTxn + mirrors (a whole turn, no draw)",
        "50 µs",
        measured,
        p50 <= 50.0,
    )]
}

fn send(app: &mut App, origin: Option<Origin>, change: Change) {
    let intent = Intent { origin, view: ViewId::MAIN, change, arrived: Instant::now(), op: 0 };
    app.world_mut().resource_mut::<Inbox>().intents.push(intent);
}
