//! Inside a session: handshake, intents, acks, heartbeats, goodbyes.

use crate::fixture;
use crate::harness::Server;
use crate::{applied, notice, quick};
use lucida::app::bridge::{CloseReason, Outbound};
use lucida::server::ServerConfig;
use lucida_components::controls::ControlKey;
use lucida_components::ids::{LayerId, ViewId};
use lucida_components::intent::SessionEvent;
use lucida_components::notice::{NoticeBody, Topic};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_joins_the_world_and_the_baseline_comes_in_its_order() {
    let server = Server::start(quick());
    let mut client = server.join(&["lucida.view", "lucida.frames"]).await;
    assert!(client.features.view && client.features.frames && client.features.dims && client.features.camera);
    let layer = NoticeBody::Layer { applied: fixture::applied(1), changed: ControlKey::ALL.into() };
    for outbound in [
        applied(Topic::Scene),
        applied(Topic::View),
        applied(Topic::Dims),
        notice(Topic::Layer(LayerId(0)), layer),
        notice(Topic::Stream, NoticeBody::Stream(fixture::stream())),
    ] {
        client.state.send(outbound).await.unwrap();
    }
    for expect in ["notify.scene", "notify.view", "notify.dims", "notify.layers", "notify.stream"] {
        let frame = client.socket.frame().await;
        assert_eq!((&frame["type"], &frame["session"]), (&json!(expect), &json!(client.name)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_reaches_the_world_and_its_ack_the_client() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    assert!(!client.features.view);
    // A canvas other than the default: rows of pixels are counted by it.
    client.state.send(applied(Topic::Camera)).await.unwrap();
    assert_eq!(client.socket.frame().await["type"], "notify.camera");
    let id = client.update("camera", "main", "zoom", json!({"factor": 2, "anchor_px": [1, 80]})).await;
    let intent = server.intent();
    assert_eq!(intent.view, ViewId::MAIN);
    assert_eq!(format!("{:?}", intent.change), "Camera(Zoom { factor: 2.0, anchor: [1.0, 1000.0] })");
    let origin = intent.origin.unwrap();
    assert_eq!((origin.session, &origin.intent.intent_id), (client.session, &id));
    client.answer(origin.intent).await;
    let ack = client.socket.frame().await;
    assert_eq!((&ack["type"], &ack["payload"]["intent_id"]), (&json!("ack.state"), &json!(id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_wire_wait_for_the_answers_that_come_before_them() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    let first = client.update("dims", "z", "step", json!(1)).await;
    let bad = client.update("dims", "z", "step", json!("one")).await;
    let last = client.update("dims", "z", "step", json!(2)).await;
    let intents = [server.intent(), server.intent()];
    sleep(Duration::from_millis(100)).await;
    for intent in intents {
        client.answer(intent.origin.unwrap().intent).await;
    }
    for (id, status) in [(first, "accepted"), (bad, "rejected"), (last, "accepted")] {
        let payload = client.socket.frame().await["payload"].take();
        assert_eq!((&payload["intent_id"], &payload["status"]), (&json!(id), &json!(status)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_values_are_refused_at_once_and_nobody_else_hears_of_it() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    for (scope, target, key, value, code) in [
        ("nonsense", "main", "key", json!(1), "state.invalid"),
        ("layer", "layer-0", "foo", json!(1), "state.invalid"),
        ("layer", "layer-0", "gamma", json!(-1), "state.error"),
        ("dims", "z", "index", json!("first"), "state.invalid"),
        ("camera", "main", "zoom", json!({"factor": 0, "anchor_px": [0, 0]}), "state.invalid"),
    ] {
        let id = client.update(scope, target, key, value).await;
        let payload = client.socket.frame().await["payload"].take();
        assert_eq!(payload["intent_id"], json!(id));
        assert_eq!(payload["error"]["code"], code);
        assert_eq!(payload["error"]["details"]["scope"], scope);
    }
    assert!(server.is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_world_can_end_a_session() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    client.state.send(Outbound::Close(CloseReason::NotReading)).await.unwrap();
    let goodbye = client.socket.frame().await;
    assert_eq!(
        (&goodbye["type"], &goodbye["payload"]["code"]),
        (&json!("session.goodbye"), &json!("not_reading"))
    );
    assert_eq!(client.socket.closed().await, 1008);
    assert!(matches!(server.event(), SessionEvent::Left { .. }));

    let mut dropped = server.join(&[]).await;
    dropped.state = tokio::sync::mpsc::channel(1).0;
    assert_eq!(dropped.socket.frame().await["payload"]["reason"], "world_stopped");
    assert_eq!(dropped.socket.closed().await, 1011);
}

#[tokio::test(flavor = "multi_thread")]
async fn goodbye_is_answered_once() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    client.send("session.goodbye", "goodbye-1", json!({"code": "c", "message": "m"})).await;
    let goodbye = client.socket.frame().await;
    assert_eq!(goodbye["payload"], json!({"code": "c", "message": "m", "reason": "client_goodbye"}));
    assert_eq!(client.socket.closed().await, 1000);
    assert!(matches!(server.event(), SessionEvent::Left { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn hearts_beat_while_there_are_signs_of_life() {
    let server = Server::start(ServerConfig { heartbeat: Duration::from_millis(200), ..quick() });
    let mut client = server.join(&[]).await;
    for _ in 0..4 {
        assert_eq!(client.socket.frame().await["type"], "session.heartbeat");
        client.socket.send(&json!({"type": "ping"})).await;
    }
    for expect in ["session.heartbeat", "session.heartbeat", "session.goodbye"] {
        let frame = client.socket.frame().await;
        assert_eq!(frame["type"], expect);
        if expect == "session.goodbye" {
            assert_eq!(
                frame["payload"],
                json!({
                    "code": "timeout", "message": "heartbeat timeout", "reason": "heartbeat_timeout"
                })
            );
        }
    }
    assert_eq!(client.socket.closed().await, 1011);
    assert!(matches!(server.event(), SessionEvent::Left { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_and_unknown_types_are_not_answered() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    for frame in
        [json!({"type": "ping"}), json!({"type": "shutdown"}), json!({"type": "notify.nonsense", "x": null})]
    {
        client.socket.send(&frame).await;
    }
    client.send("session.ack", "ack-1", json!({})).await;
    let id = client.update("nonsense", "", "k", Value::Null).await;
    assert_eq!(client.socket.frame().await["payload"]["intent_id"], json!(id), "the first answer there is");
    assert!(server.is_quiet());
}
