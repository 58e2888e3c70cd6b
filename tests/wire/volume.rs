//! Volumes at the socket: what is asked for, what is refused, what each kind of client is told.

use crate::{fixture, harness::Server, notice, quick};
use lucida::app::bridge::Outbound;
use lucida_components::{
    applied::Applied,
    clip::ClipPlane,
    fault::Rejection,
    notice::{Ack, NoticeBody, Residency, Topic},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_and_its_cuts_reach_the_world() {
    let server = Server::start(quick());
    let mut client = server.join(&["lucida.view"]).await;
    let plane = json!({"position": [1, 2, 3], "normal": [0, 0, 1]});
    for (scope, target, key, value, change) in [
        ("view", "main", "ndisplay", json!(3), "Ndisplay(3)"),
        (
            "clip",
            "z",
            "range",
            json!([10, 50]),
            "Clip(ClipParts { ranges: [(\"z\", Some([10.0, 50.0]))], planes: None })",
        ),
        (
            "clip",
            "main",
            "planes",
            json!([plane]),
            "Clip(ClipParts { ranges: [], planes: Some([ClipPlane { position: [1.0, 2.0, 3.0], \
             normal: [0.0, 0.0, 1.0] }]) })",
        ),
        ("multiscale", "main", "level", json!(0), "Level(0)"),
    ] {
        client.update(scope, target, key, value).await;
        let intent = server.intent();
        assert_eq!(format!("{:?}", intent.change), change);
        client.answer(intent.origin.unwrap().intent).await;
        assert_eq!(client.socket.frame().await["payload"]["status"], "accepted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_cuts_are_refused_at_the_socket_and_a_level_by_the_world() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    for (target, key, value, word) in [
        ("z", "range", json!([5, 5]), "from < to"),
        ("", "range", json!([1, 2]), "an axis"),
        ("main", "planes", json!([{"position": [0, 0, 0], "normal": [0, 0, 0]}]), "zero"),
        ("main", "planes", json!([1, 2, 3, 4, 5, 6, 7]), "at most 6"),
        ("main", "box", json!({}), "unsupported clip key box"),
    ] {
        client.update("clip", target, key, value).await;
        let error = client.socket.frame().await["payload"]["error"].take();
        assert_eq!(error["code"], "state.invalid");
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
    }
    assert!(server.is_quiet());
    client.update("multiscale", "main", "level", json!(0)).await;
    let intent = server.intent().origin.unwrap().intent;
    let why = "level 0 would take 8.0 GiB";
    let outcome = Err(Rejection::error(why));
    client.state.send(Outbound::Ack(Ack { intent, outcome })).await.unwrap();
    assert_eq!(
        client.socket.frame().await["payload"]["error"],
        json!({"code": "state.error", "message": why}),
        "the sentence is the ledger's own"
    );
}

/// The state in 3D, with something cut away.
fn volume() -> Arc<Applied> {
    let mut state = fixture::state();
    state.view.ndisplay = 3;
    state.clip.ranges = vec![None, Some([10.0, 50.0]), None];
    state.clip.planes = vec![ClipPlane { position: [1.0; 3], normal: [0.0, 1.0, 0.0] }];
    Arc::new(Applied { revision: 2, state: Arc::new(state) })
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_client_is_told_a_volume_in_its_own_words() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    for topic in [Topic::Scene, Topic::Dims, Topic::Camera] {
        client.state.send(notice(topic, crate::about(topic, volume()))).await.unwrap();
    }
    let scene = client.socket.frame().await["payload"].take();
    assert_eq!(keys(&scene["viewer"]["camera"]), ["ndisplay", "center", "angles", "distance", "fov"].into());
    assert_eq!(
        (&scene["layers"][0]["layer_type"], &scene["layers"][0]["volume"]),
        (&json!("volume"), &json!(true))
    );
    let dims = client.socket.frame().await["payload"].take();
    assert_eq!(
        (&dims["mode"], &dims["ndisplay"], &dims["displayed"]),
        (&json!("volume"), &json!(3), &json!([0, 1, 2]))
    );
    let camera = client.socket.frame().await["payload"].take();
    assert_eq!(
        camera,
        json!({
            "mode": "pose", "origin": "worker.state.camera",
            "state": {"center": [0.5, 0.5, 0.5], "angles": [30.0, 30.0, 0.0], "distance": 1.0, "fov": 60.0}
        })
    );
    for told in [scene, dims, camera] {
        assert!(!told.to_string().contains("clip"), "what was negotiated is not told to others: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_client_is_told_what_is_cut_away_and_which_levels_are_drawn() {
    let server = Server::start(quick());
    let mut client = server.join(&["lucida.view"]).await;
    client.state.send(notice(Topic::View, NoticeBody::Applied(volume()))).await.unwrap();
    let view = client.socket.frame().await["payload"].take();
    assert_eq!(view["clip"]["ranges"], json!([null, [10.0, 50.0], null]));
    assert_eq!(view["clip"]["planes"][0]["normal"], json!([0.0, 1.0, 0.0]));
    let residency = Residency { resident: 5, wanted: 9, levels: Some([0, 1]), ..Residency::default() };
    client.state.send(notice(Topic::Residency, NoticeBody::Residency(residency))).await.unwrap();
    let told = client.socket.frame().await["payload"].take();
    assert_eq!((&told["wanted"], &told["levels"]), (&json!(9), &json!([0, 1])));
}
