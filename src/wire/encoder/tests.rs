//! What a session is told, and where it stands afterwards.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::wire::{fixture, hello};
use lucida_components::{
    applied::Applied,
    controls::ControlKey,
    ids::{LayerId, ViewId},
    notice::{Mark, Notice, NoticeBody, Topic},
    seats::Seats,
    stream::Canvas,
    thumbnail::Thumbnail,
    value::Value as Told,
};

fn mark(source: u32, seq: u64) -> Mark {
    Mark { seq, token: format!("00000000000000aa{source:08x}{seq:08x}") }
}

fn scene_mark(source: u32) -> Mark {
    Mark { seq: 0, token: format!("00000000000000aa{source:08x}ffffffff") }
}

fn cursors() -> Cursors {
    Cursors { scene: Some(scene_mark(7)), layers: Some(mark(7, 5)), stream: Some(mark(9, 0)) }
}

/// The encoder of a client that greets with these features and tokens, and the features of its welcome.
fn welcomed(dialect: Dialect, features: &[&str], tokens: Value) -> (Encoder, Value) {
    let mut greeting = json!({
        "type": "session.hello", "version": 2, "frame_id": "hello-1", "timestamp": 1.0,
        "payload": {
            "protocols": [2], "resume_tokens": tokens,
            "features": {"notify.scene": true, "notify.layers": true, "notify.stream": true},
            "client": {"name": "c", "version": "0", "platform": "p"}
        }
    });
    for name in features {
        greeting["payload"]["features"][*name] = json!(true);
    }
    let hello = hello::parse(&greeting.to_string()).unwrap();
    let facts = Facts { datasets: Vec::new(), fps: 60.0, encoder: None };
    let mut encoder = Encoder::new(SessionId(3), "s-1".into(), &hello, Arc::new(facts), dialect);
    let mut welcome = encoder.welcome(Duration::from_secs(15), &cursors());
    (encoder, welcome.payload["features"].take())
}

fn notice(topic: Topic, body: NoticeBody, mark: Option<Mark>) -> Notice {
    Notice { topic, body, cause: None, view: ViewId::MAIN, mark }
}

fn scene(source: u32) -> Notice {
    let applied = fixture::applied(1);
    notice(Topic::Scene, NoticeBody::Scene { applied, thumbnails: Arc::default() }, Some(scene_mark(source)))
}

fn layer(at: Mark) -> Notice {
    let changed = [ControlKey::Opacity].into();
    notice(Topic::Layer(LayerId(0)), NoticeBody::Layer { applied: fixture::applied(1), changed }, Some(at))
}

fn thumbnail() -> Notice {
    let picture = Thumbnail { size: [1, 1], pixels: vec![[0.0, 0.0, 0.0, 1.0]] };
    notice(Topic::Thumbnail(LayerId(0)), NoticeBody::Thumbnail(Arc::new(picture)), None)
}

fn place(frames: &[Frame]) -> (u64, String) {
    (frames[0].seq.unwrap(), frames[0].delta_token.clone().unwrap())
}

#[test]
fn a_client_that_comes_back_is_told_where_it_stands_if_it_missed_nothing() {
    let state = |mark: Mark| json!({"seq": mark.seq, "delta_token": mark.token});
    let told = |tokens: Value, topic: &str| {
        welcomed(Dialect::Napari, &[], tokens).1[topic].get("resume_state").cloned()
    };
    for (topic, token, expect) in [
        ("notify.scene", scene_mark(7).token, Some(state(scene_mark(7)))),
        ("notify.scene", mark(7, 3).token, Some(state(scene_mark(7)))),
        ("notify.scene", scene_mark(8).token, None),
        ("notify.scene", "short".into(), None),
        ("notify.layers", mark(7, 5).token, Some(state(mark(7, 5)))),
        ("notify.layers", mark(7, 4).token, None),
        ("notify.layers", mark(8, 5).token, None),
        ("notify.stream", mark(9, 0).token, Some(state(mark(9, 0)))),
        ("notify.stream", "é".repeat(20), None),
        ("notify.dims", "x".into(), None),
    ] {
        assert_eq!(told(json!({ topic: token }), topic), expect, "{topic} {token}");
    }
    assert_eq!(told(Value::Null, "notify.layers"), None);
}

#[test]
fn tokens_reach_the_world_as_they_were_sent_unless_no_token_is_so_long() {
    let (encoder, _) = welcomed(
        Dialect::House,
        &[],
        json!({"notify.scene": "a", "notify.layers": "x".repeat(300), "notify.stream": null, "other": "b"}),
    );
    assert_eq!(encoder.resume, Resume { scene: Some("a".into()), layers: None, stream: None });
}

#[test]
fn frames_are_where_the_world_says_and_thumbnails_move_nothing() {
    let (mut encoder, _) = welcomed(Dialect::Napari, &[], Value::Null);
    assert_eq!(place(&encoder.notice(&scene(7))), (0, scene_mark(7).token));
    assert_eq!(place(&encoder.notice(&layer(mark(7, 41)))), (41, mark(7, 41).token));
    assert_eq!(place(&encoder.notice(&thumbnail())), (41, mark(7, 41).token));
    // The same image once more, and another.
    encoder.notice(&scene(7));
    assert_eq!(place(&encoder.notice(&thumbnail())), (41, mark(7, 41).token));
    encoder.notice(&scene(8));
    assert_ne!(place(&encoder.notice(&thumbnail())).1, mark(7, 41).token);
}

#[test]
fn a_client_that_missed_nothing_stands_there_although_nothing_was_told() {
    let tokens = json!({"notify.scene": scene_mark(7).token, "notify.layers": mark(7, 5).token});
    let (mut encoder, _) = welcomed(Dialect::Napari, &[], tokens);
    encoder.notice(&scene(7));
    assert_eq!(place(&encoder.notice(&thumbnail())), (5, mark(7, 5).token));
}

#[test]
fn a_configuration_that_is_repeated_has_the_place_that_it_had() {
    let (mut encoder, _) = welcomed(Dialect::House, &[], Value::Null);
    assert!(encoder.stream_again().is_none(), "not known yet");
    let told =
        encoder.notice(&notice(Topic::Stream, NoticeBody::Stream(fixture::stream()), Some(mark(9, 2))));
    let again = encoder.stream_again().unwrap();
    assert_eq!((again.seq, &again.delta_token), (told[0].seq, &told[0].delta_token));
    assert_eq!(again.payload, told[0].payload);
    assert_ne!(again.frame_id, told[0].frame_id);
}

#[test]
fn a_camera_that_one_client_moved_is_told_with_what_it_asked_for() {
    for dialect in [Dialect::House, Dialect::Napari] {
        let (mut encoder, _) = welcomed(dialect, &[], Value::Null);
        let pan = Told::Map(vec![("dx_px", Told::Float(3.0)), ("dy_px", Told::Float(-4.0))]);
        let body = |echo| NoticeBody::Camera { applied: fixture::applied(1), echo };
        let intent = IntentRef { intent_id: "intent-1".into(), frame_id: "state-1".into() };
        let mut moved = notice(Topic::Camera, body(Some(("pan", pan))), None);
        moved.cause = Some(intent);
        let frames = encoder.notice(&moved);
        assert_eq!(frames.len(), 2);
        assert_eq!((&frames[0].frame_id, frames[0].intent_id.as_deref()), (&None, Some("intent-1")));
        assert_eq!(
            frames[0].payload,
            json!({"mode": "pan", "origin": "state.update", "delta": {"dx_px": 3.0, "dy_px": -4.0}})
        );
        assert_eq!((frames[1].payload["mode"].as_str(), &frames[1].intent_id), (Some("pose"), &None));
        assert!(frames[1].frame_id.is_some());
        // Several did, or a command: nobody is named.
        moved.cause = None;
        assert_eq!(encoder.notice(&moved).len(), 1);
        moved.cause = Some(command_intent("cmd-1".into()));
        assert_eq!(encoder.notice(&moved).len(), 1);
        let still = notice(Topic::Camera, body(None), None);
        assert_eq!(encoder.notice(&still).len(), 1);
    }
}

#[test]
fn without_an_image_there_is_a_scene_without_layers_and_nothing_to_convert_by() {
    let (mut encoder, _) = welcomed(Dialect::Napari, &[], Value::Null);
    encoder.notice(&scene(7));
    assert!(encoder.conventions().told().state.is_some());
    let frames = encoder.notice(&notice(Topic::Scene, NoticeBody::Idle, None));
    let kinds: Vec<_> = frames.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, ["notify.scene", "notify.dims"]);
    assert_eq!(frames[0].payload["metadata"], json!({"status": "idle"}));
    assert_eq!(frames[0].payload["layers"], json!([]));
    let told = encoder.conventions().told();
    assert_eq!((told.state, told.canvas), (None, Canvas { width: 1920, height: 1080 }));
    let asked = welcomed(Dialect::House, &["lucida.view"], Value::Null);
    let mut encoder = asked.0;
    let scene = &encoder.notice(&notice(Topic::Scene, NoticeBody::Idle, None))[0].payload;
    assert_eq!(scene["metadata"]["datasets"], json!([]), "what can be opened is told all the more");
}

#[test]
fn a_view_is_told_by_its_name_and_a_session_who_it_is() {
    let (mut encoder, _) = welcomed(Dialect::House, &["lucida.view", "lucida.seats"], Value::Null);
    let applied: Arc<Applied> = fixture::applied(1);
    let mut view = notice(Topic::View, NoticeBody::Applied(applied), None);
    assert_eq!(encoder.notice(&view)[0].payload["view"], "main");
    view.view = ViewId(7);
    assert_eq!(encoder.notice(&view)[0].payload["view"], "view-7");
    let seats = notice(Topic::Seats, NoticeBody::Seats(Arc::new(Seats::default())), None);
    assert_eq!(encoder.notice(&seats)[0].payload, json!({"you": "session-3", "views": [], "sessions": []}));
}

#[test]
fn the_older_dialect_names_nothing_of_ours_whatever_is_asked_for() {
    let all = [
        "lucida.view",
        "lucida.frames",
        "lucida.seats",
        "lucida.thumbnails",
        "notify.scene.level",
        "notify.telemetry",
        "notify.error",
    ];
    let (encoder, features) = welcomed(Dialect::Napari, &all, Value::Null);
    assert_eq!(encoder.features(), Features { thumbnails: true, ..Features::BASE });
    let names: Vec<_> = features.as_object().unwrap().keys().map(String::as_str).collect();
    let base = [
        "notify.scene",
        "notify.layers",
        "notify.stream",
        "notify.dims",
        "notify.camera",
        "notify.telemetry",
        "call.command",
    ];
    assert_eq!(names, base);
    assert_eq!(features["notify.telemetry"], json!({"enabled": false}));
    let (encoder, features) = welcomed(Dialect::House, &all, Value::Null);
    assert_eq!(encoder.features(), Features::ALL);
    for name in all {
        assert_eq!(features[name], json!({"enabled": true, "version": 1, "resume": false}), "{name}");
    }
    assert_eq!(features["call.command"]["commands"].as_array().unwrap().len(), 10);
    let (encoder, features) = welcomed(Dialect::House, &[], Value::Null);
    assert_eq!(encoder.features(), Features::BASE);
    assert_eq!(features.as_object().unwrap().len(), base.len());
}
