//! Whole frames, in and out.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{
    command::{Call, CommandCode, CommandFailure},
    conventions::{Conventions, Dialect},
    encoder::{Encoder, command_intent},
    envelope::{Frame, MAX_NAME},
    fixture, hello,
    inbound::{self, Goodbye, Said},
    notices::Facts,
    pixels::{self, Extension},
};
use lucida_components::{
    controls::ControlKey,
    fault::Rejection,
    ids::{IntentRef, LayerId, SessionId, StreamId, ViewId},
    intent::Change,
    notice::{Ack, AckApplied, Cursors, Notice, NoticeBody, Residency, Topic},
    packet::{Answer, Packet},
    session::Features,
    stream::Canvas,
    value::Value as Told,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// The house's, on a canvas of 640 × 480.
fn house() -> Conventions {
    let house = Conventions::new(Dialect::House, Features::ALL);
    house.note_canvas(Canvas { width: 640, height: 480 });
    house
}

/// That of napari-cuda's client, who was told of an image.
fn napari() -> Conventions {
    let napari = Conventions::new(Dialect::Napari, Features::BASE);
    napari.note(&fixture::applied(1).state);
    napari
}

/// The one frame that a notice makes.
fn only(frames: Vec<Frame>) -> Frame {
    let [frame] = <[Frame; 1]>::try_from(frames).unwrap();
    frame
}

fn greeting() -> Value {
    json!({
        "type": "session.hello", "version": 2, "frame_id": "hello-0f", "timestamp": 1_763_600_000.5,
        "payload": {
            "protocols": [2],
            "client": {"name": "napari-cuda-client", "version": "0.1.0", "platform": "Linux-6.8-x86_64"},
            "features": {"notify.scene": true, "notify.layers": true, "notify.stream": true},
            "resume_tokens": {"notify.scene": null, "notify.layers": "abc"}
        }
    })
}

fn encoder(features: &[(&str, bool)]) -> Encoder {
    let mut hello = greeting();
    for (name, on) in features {
        hello["payload"]["features"][*name] = json!(on);
    }
    let facts = Facts { datasets: Vec::new(), fps: 60.0, encoder: None };
    let hello = hello::parse(&hello.to_string()).unwrap();
    Encoder::new(SessionId(1), "s-1".into(), &hello, Arc::new(facts), Dialect::House)
}

/// `frame` with the value at `path` replaced or added.
fn with(mut frame: Value, path: &str, value: Value) -> Value {
    let (parent, key) = path.rsplit_once('/').unwrap();
    frame.pointer_mut(parent).unwrap()[key] = value;
    frame
}

fn json(frame: &Frame) -> Value {
    serde_json::from_str(&frame.text()).unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn told(topic: Topic, body: NoticeBody) -> Notice {
    let cause = Some(IntentRef { intent_id: "intent-1".into(), frame_id: "state-1".into() });
    Notice { topic, body, cause, view: ViewId::MAIN, mark: None }
}

fn applied(topic: Topic) -> Notice {
    let applied = fixture::applied(1);
    let body = match topic {
        Topic::Scene => NoticeBody::Scene { applied, thumbnails: Arc::default() },
        Topic::Camera => NoticeBody::Camera { applied, echo: None },
        _ => NoticeBody::Applied(applied),
    };
    told(topic, body)
}

fn layer() -> Notice {
    let changed = [ControlKey::Opacity].into();
    told(Topic::Layer(LayerId(0)), NoticeBody::Layer { applied: fixture::applied(1), changed })
}

#[test]
fn hello_is_refused_in_the_order_of_the_protocol() {
    let code = |text: &str| hello::parse(text).map_or_else(|r| r.code, |_| "accepted");
    let with = |path: &str, value: Value| with(greeting(), path, value).to_string();
    assert_eq!(code(&greeting().to_string()), "accepted");
    assert_eq!(code(&with("/type", json!("Session.Hello"))), "accepted");
    assert_eq!(code(&with("/payload/auth", json!({"type": "token", "token": "x"}))), "accepted");
    assert_eq!(code(&with("/session", json!(null))), "accepted", "null is absent");
    assert_eq!(code("{"), "invalid_json");
    assert_eq!(code(&"[".repeat(100_000)), "invalid_json");
    assert_eq!(code("[]"), "invalid_payload");
    assert_eq!(code("{}"), "unexpected_message");
    assert_eq!(code(r#"{"type":"ping"}"#), "unexpected_message");
    for (path, value, why) in [
        ("/version", json!(1), "version"),
        ("/version", json!(null), "no version"),
        ("/timestamp", json!("now"), "timestamp"),
        ("/frame_id", json!(null), "no frame_id"),
        ("/frame_id", json!("x".repeat(MAX_NAME + 1)), "long frame_id"),
        ("/session", json!("s"), "session"),
        ("/intent_id", json!("i"), "intent_id"),
        ("/seq", json!(0), "seq"),
        ("/payload", json!([]), "payload"),
        ("/payload/extra", json!(1), "unknown key"),
        ("/payload/protocols", json!(2), "protocols"),
        ("/payload/protocols", json!(vec![2; 65]), "many protocols"),
        ("/payload/client/extra", json!(1), "unknown client key"),
        ("/payload/client/name", json!(null), "no name"),
        ("/payload/features/x", json!("yes"), "feature"),
        ("/payload/auth", json!({"token": "x"}), "auth"),
        ("/payload/resume_tokens/notify.scene", json!(7), "token"),
    ] {
        assert_eq!(code(&with(path, value)), "invalid_payload", "{why}");
    }
    let mismatch = hello::parse(&with("/payload/protocols", json!([1]))).unwrap_err();
    assert_eq!(
        (mismatch.code, mismatch.details),
        ("protocol_mismatch", Some(json!({"client_protocols": [1]})))
    );
    let missing = hello::parse(&with("/payload/features/notify.layers", json!(false))).unwrap_err();
    assert_eq!(
        (missing.code, missing.details),
        ("unsupported_client", Some(json!({"missing": ["notify.layers"]})))
    );
    assert_eq!(hello::parse_bytes(&[0xff]).unwrap_err().code, "invalid_payload");
    assert!(hello::parse_bytes(greeting().to_string().as_bytes()).is_ok());
}

#[test]
fn a_reject_names_no_session() {
    let mut reject = hello::Reject::new("protocol_mismatch", "need protocol 2");
    reject.details = Some(json!({"client_protocols": [1]}));
    let frame = json(&reject.frame());
    assert_eq!(keys(&frame), ["type", "version", "frame_id", "timestamp", "payload"].into());
    assert_eq!(
        frame["payload"],
        json!({
            "code": "protocol_mismatch", "message": "need protocol 2", "details": {"client_protocols": [1]}
        })
    );
}

#[test]
fn a_strict_client_is_welcomed_without_our_additions() {
    let frame = json(&encoder(&[]).welcome(Duration::from_secs(15), &Cursors::default()));
    assert_eq!((&frame["type"], &frame["version"]), (&json!("session.welcome"), &json!(2)));
    assert_eq!(frame["session"], frame["payload"]["session"]["id"]);
    assert_eq!(
        frame["payload"],
        json!({
            "protocol_version": 2,
            "session": {"id": "s-1", "heartbeat_s": 15.0, "ack_timeout_ms": 250},
            "features": {
                "notify.scene": {"enabled": true, "version": 1, "resume": true},
                "notify.layers": {"enabled": true, "version": 1, "resume": true},
                "notify.stream": {"enabled": true, "version": 1, "resume": true},
                "notify.dims": {"enabled": true, "version": 1, "resume": false},
                "notify.camera": {"enabled": true, "version": 1, "resume": false},
                "notify.telemetry": {"enabled": false},
                "call.command": {"enabled": true, "version": 1, "resume": false,
                    "commands": ["napari.pixel.request_keyframe", "fs.listdir", "napari.load_zarr"]}
            }
        })
    );
}

#[test]
fn our_own_client_gets_what_it_asked_for() {
    let mut encoder = encoder(&[("lucida.view", true), ("lucida.frames", true), ("notify.dims", false)]);
    let features =
        json(&encoder.welcome(Duration::from_secs(15), &Cursors::default()))["payload"]["features"].take();
    let on = json!({"enabled": true, "version": 1, "resume": false});
    assert_eq!((&features["lucida.view"], &features["lucida.frames"]), (&on, &on));
    assert_eq!(features["notify.dims"], json!({"enabled": false}));
    assert!(encoder.notice(&applied(Topic::Dims)).is_empty());
    assert!(!encoder.notice(&applied(Topic::Camera)).is_empty());
    assert_eq!(only(encoder.notice(&applied(Topic::View))).kind, "notify.view");
    let residency = told(Topic::Residency, NoticeBody::Residency(Residency::default()));
    assert_eq!(only(encoder.notice(&residency)).kind, "notify.residency");
}

#[test]
fn a_strict_client_may_not_decline_dims_and_never_hears_view() {
    let mut encoder = encoder(&[("notify.dims", false)]);
    assert!(!encoder.notice(&applied(Topic::Dims)).is_empty());
    assert!(encoder.notice(&applied(Topic::View)).is_empty());
    assert!(encoder.notice(&told(Topic::Residency, NoticeBody::Residency(Residency::default()))).is_empty());
}

#[test]
fn envelopes_follow_the_matrix() {
    let mut encoder = encoder(&[]);
    let plain: BTreeSet<&str> = ["type", "version", "session", "frame_id", "timestamp", "payload"].into();
    let mut numbered = plain.clone();
    numbered.extend(["seq", "delta_token"]);
    for topic in [Topic::Dims, Topic::Camera] {
        assert_eq!(keys(&json(&only(encoder.notice(&applied(topic))))), plain, "{topic:?}");
    }
    assert_eq!(keys(&json(&only(encoder.notice(&applied(Topic::Scene))))), numbered);
    let stream = told(Topic::Stream, NoticeBody::Stream(fixture::stream()));
    assert_eq!(keys(&json(&only(encoder.notice(&stream)))), numbered);
    numbered.insert("intent_id");
    let layer = json(&only(encoder.notice(&layer())));
    assert_eq!(keys(&layer), numbered);
    assert_eq!(layer["intent_id"], "intent-1");
    assert_eq!(layer["payload"], json!({"layer_id": "layer-0", "controls": {"opacity": 1.0}}));
    for frame in [encoder.heartbeat(), encoder.goodbye(&Goodbye::new("a", "b", "c")), encoder.done("cmd-1")] {
        assert_eq!(keys(&json(&frame)), plain, "{}", frame.kind);
    }
}

#[test]
fn sequences_count_per_topic_and_begin_anew_with_a_scene() {
    let mut encoder = encoder(&[]);
    let stream = told(Topic::Stream, NoticeBody::Stream(fixture::stream()));
    let mut seq = |notice: &Notice| {
        let frame = only(encoder.notice(notice));
        (frame.seq.unwrap(), frame.delta_token.unwrap())
    };
    let scene = seq(&applied(Topic::Scene));
    assert_eq!(scene.0, 0);
    assert_eq!([seq(&layer()).0, seq(&layer()).0, seq(&stream).0, seq(&stream).0], [0, 1, 0, 1]);
    let again = seq(&applied(Topic::Scene));
    assert_eq!(again.0, 0);
    assert_ne!(scene.1, again.1, "tokens are fresh");
    assert_eq!([seq(&layer()).0, seq(&stream).0], [0, 0]);
}

#[test]
fn acks_are_those_of_the_protocol() {
    let mut encoder = encoder(&[]);
    let intent = IntentRef { intent_id: "intent-0000000b".into(), frame_id: "state-0000000b".into() };
    let mut ack = |outcome| json(&encoder.ack(&Ack { intent: intent.clone(), outcome }))["payload"].take();
    assert_eq!(
        ack(Ok(AckApplied { value: Told::Float(0.7), version: 3, of: None })),
        json!({
            "intent_id": "intent-0000000b", "in_reply_to": "state-0000000b", "status": "accepted",
            "applied_value": 0.7, "version": 3
        })
    );
    assert_eq!(ack(Ok(AckApplied { value: Told::None, version: 1, of: None })).get("applied_value"), None);
    for (why, code) in [
        (Rejection::invalid("m"), "state.invalid"),
        (Rejection::error("m"), "state.error"),
        (Rejection::unsupported("m"), "state.unsupported"),
    ] {
        assert_eq!(
            ack(Err(why)),
            json!({
                "intent_id": "intent-0000000b", "in_reply_to": "state-0000000b", "status": "rejected",
                "error": {"code": code, "message": "m"}
            })
        );
    }
}

#[test]
fn an_anchor_comes_back_as_it_was_sent() {
    let mut encoder = encoder(&[]);
    let state = fixture::applied(1);
    encoder.notice(&told(Topic::Camera, NoticeBody::Camera { applied: state, echo: None }));
    assert_eq!(encoder.conventions().told().canvas.height, 1080);
    let value =
        Told::Map(vec![("factor", Told::Float(1.1)), ("anchor_px", Told::Floats(vec![960.0, 1000.0]))]);
    let intent = IntentRef { intent_id: "i".into(), frame_id: "f".into() };
    let ack = json(&encoder.ack(&Ack { intent, outcome: Ok(AckApplied { value, version: 1, of: None }) }));
    assert_eq!(ack["payload"]["applied_value"], json!({"factor": 1.1, "anchor_px": [960.0, 80.0]}));
}

#[test]
fn the_answer_to_a_load_is_the_ack_of_its_intent() {
    let mut encoder = encoder(&[]);
    let intent = command_intent("cmd-2".into());
    let done = Ok(AckApplied { value: Told::None, version: 1, of: None });
    let reply = json(&encoder.ack(&Ack { intent: intent.clone(), outcome: done }));
    assert_eq!(reply["type"], "reply.command");
    assert_eq!(reply["payload"], json!({"in_reply_to": "cmd-2", "status": "ok", "result": {"ok": true}}));
    let error = json(&encoder.ack(&Ack { intent: intent.clone(), outcome: Err(Rejection::error("no")) }));
    assert_eq!(
        (&error["type"], &error["payload"]["code"]),
        (&json!("error.command"), &json!("command.retryable"))
    );
    let scene = Notice { cause: Some(intent), ..layer() };
    assert_eq!(only(encoder.notice(&scene)).intent_id, None, "a command is no intent of the client");
}

#[test]
fn commands() {
    let call = |payload: Value| super::command::parse(payload.as_object().unwrap(), Features::ALL);
    let load = |path: &str| Ok(Call::LoadZarr { path: path.into() });
    assert_eq!(call(json!({"command": "napari.pixel.request_keyframe"})), Ok(Call::RequestKeyframe));
    assert_eq!(call(json!({"command": "napari.load_zarr", "kwargs": {"path": "/a", "x": 1}})), load("/a"));
    assert_eq!(call(json!({"command": "napari.load_zarr", "args": [" /b "]})), load("/b"));
    for (payload, code) in [
        (json!({"command": "x"}), "command.not_found"),
        (json!({}), "command.forbidden"),
        (json!({"command": 7}), "command.forbidden"),
        (json!({"command": "napari.load_zarr", "args": {}}), "command.forbidden"),
        (json!({"command": "napari.load_zarr", "kwargs": []}), "command.forbidden"),
        (json!({"command": "napari.load_zarr"}), "command.invalid"),
        (json!({"command": "napari.load_zarr", "kwargs": {"path": " "}}), "command.invalid"),
        (json!({"command": "napari.load_zarr", "kwargs": {"path": 7}}), "command.invalid"),
        (json!({"command": "napari.load_zarr", "kwargs": {"path": "x".repeat(5000)}}), "command.invalid"),
    ] {
        assert_eq!(call(payload.clone()).unwrap_err().code.as_str(), code, "{payload}");
    }
    let mut several = CommandFailure::new(CommandCode::Ambiguous, "two images").at("/d");
    several.options = vec!["a".into(), "b".into()];
    let error = json(&encoder(&[]).failed("cmd-2", &several));
    assert_eq!(
        error["payload"],
        json!({
            "in_reply_to": "cmd-2", "status": "error", "code": "zarr.disambiguate", "message": "two images",
            "details": {"path": "/d", "options": ["a", "b"]}
        })
    );
}

fn update() -> Value {
    json!({
        "type": "state.update", "version": 2, "session": "s-1", "frame_id": "state-b", "timestamp": 1.0,
        "intent_id": "intent-b",
        "payload": {"scope": "layer", "target": "layer-0", "key": "opacity", "value": 0.7}
    })
}

#[test]
fn an_update_becomes_a_change_with_its_names() {
    let said = inbound::parse(&update().to_string(), "s-1", &house()).unwrap();
    let Said::Update { intent, change } = said else { panic!("{said:?}") };
    assert_eq!(intent, IntentRef { intent_id: "intent-b".into(), frame_id: "state-b".into() });
    assert!(matches!(change, Ok(Change::Layer { layer: LayerId(0), .. })), "{change:?}");
}

#[test]
fn a_wrong_update_is_refused_if_its_sender_can_tell_which_and_ignored_otherwise() {
    let said = |path: &str, value: Value| {
        let frame = with(update(), path, value);
        match inbound::parse(&frame.to_string(), "s-1", &house()) {
            Ok(Said::Update { change: Ok(_), .. }) => "accepted",
            Ok(Said::Update { change: Err(_), .. }) => "refused",
            Ok(_) => "alive",
            Err(_) => "malformed",
        }
    };
    for (path, value, expect) in [
        ("/seq", json!(null), "accepted"),
        ("/whatever", json!(1), "accepted"),
        ("/version", json!(1), "refused"),
        ("/timestamp", json!(null), "refused"),
        ("/session", json!("other"), "refused"),
        ("/seq", json!(1), "refused"),
        ("/payload", json!(null), "refused"),
        ("/payload/scope", json!("x"), "refused"),
        ("/payload/pad", json!("x".repeat(70_000)), "refused"),
        ("/session", json!(null), "malformed"),
        ("/intent_id", json!(null), "malformed"),
        ("/intent_id", json!(""), "malformed"),
        ("/intent_id", json!("x".repeat(300)), "malformed"),
        ("/frame_id", json!(7), "malformed"),
        ("/type", json!("ping"), "alive"),
        ("/type", json!("something.else"), "alive"),
    ] {
        assert_eq!(said(path, value.clone()), expect, "{path} {value}");
    }
}

#[test]
fn other_texts_are_signs_of_life_or_malformed() {
    let parse = |text: &str| inbound::parse(text, "s-1", &house());
    assert!(matches!(parse(r#"{"type":"ping"}"#), Ok(Said::Alive)));
    for bad in ["", "nonsense", "[]", "7", "null", r#"{"type":7}"#, "{}", r#"{"type":"call.command"}"#] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    let session = |kind: &str, session: &str, payload: Value| {
        let frame = json!({"type": kind, "version": 2, "session": session, "frame_id": "f", "timestamp": 1,
            "payload": payload});
        parse(&frame.to_string())
    };
    assert!(matches!(session("session.ack", "s-1", json!({})), Ok(Said::Alive)));
    assert!(session("session.ack", "s-2", json!({})).is_err());
    let Ok(Said::Goodbye(words)) = session("session.goodbye", "s-1", json!({"code": "bye"})) else {
        panic!()
    };
    assert_eq!(words, Goodbye::new("bye", "client requested shutdown", "client_goodbye"));
    assert!(session("session.goodbye", "s-1", json!({"extra": 1})).is_err());
    let call = session("call.command", "s-1", json!({"command": "nope"}));
    assert!(matches!(call, Ok(Said::Call { call: Err(_), .. })));
    // A command whose sender can tell which it was is answered although its frame is wrong.
    let Ok(Said::Call { frame_id, call: Err(why) }) = session("call.command", "s-1", json!(7)) else {
        panic!()
    };
    assert_eq!((frame_id.as_str(), why.code), ("f", CommandCode::Forbidden));
    assert!(session("call.command", "s-2", json!({"command": "nope"})).is_err(), "another session's");
    assert!(parse(&format!("{{\"type\":\"ping\",\"x\":\"{}\"}}", "x".repeat(1 << 20))).is_err());
}

fn packet(answered: Vec<(SessionId, IntentRef)>) -> Packet {
    Packet {
        stream: StreamId::MAIN,
        width: 1280,
        height: 720,
        keyframe: true,
        revision: 12,
        answered: answered
            .into_iter()
            .map(|(session, intent)| Answer { op: 1, session, intent, arrived: Instant::now() })
            .collect(),
        captured: 1.5,
        bytes: [0, 0, 0, 1, 0x65].into(),
        config: None,
        encode_micros: 0,
    }
}

#[test]
fn a_picture_has_the_header_of_the_protocol() {
    let base = pixels::message(&packet(Vec::new()), 0x0102_0304, Extension::None);
    assert_eq!(
        base,
        [
            1, 2, 3, 4, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0xD0, 1, 1, 0, 0, // header
            0, 0, 0, 1, 0x65
        ]
    );
}

#[test]
fn an_extension_names_the_answered_intents_of_its_session_alone() {
    let intent = |id: &str| IntentRef { intent_id: id.into(), frame_id: "f".into() };
    let (own, other) = (SessionId(1), SessionId(2));
    let packet =
        packet(vec![(own, intent("a\"b")), (other, intent("c")), (own, command_intent("cmd".into()))]);
    let message = pixels::message(&packet, 0, Extension::Answers(own));
    let n = usize::from(u16::from_be_bytes([message[22], message[23]]));
    let extension: Value = serde_json::from_slice(&message[24..24 + n]).unwrap();
    assert_eq!(extension, json!({"revision": 12, "intents": ["a\"b"]}));
    assert_eq!(&message[24 + n..], &*packet.bytes);
}

#[test]
fn an_extension_never_outgrows_its_length() {
    let long = |n: usize| (SessionId(1), IntentRef { intent_id: format!("{n:0256}"), frame_id: "f".into() });
    let message =
        pixels::message(&packet((0..1000).map(long).collect()), 0, Extension::Answers(SessionId(1)));
    let n = usize::from(u16::from_be_bytes([message[22], message[23]]));
    let extension: Value = serde_json::from_slice(&message[24..24 + n]).unwrap();
    assert!(extension["intents"].as_array().unwrap().len() > 200);
    assert_eq!(message.len(), 24 + n + 5);
}

#[test]
fn acknowledgements_have_four_bytes() {
    assert_eq!(pixels::parse_ack(&[0, 0, 1, 2]), Some(258));
    assert_eq!(pixels::parse_ack(&[0, 0, 1]), None);
    assert_eq!(pixels::parse_ack(b"hello"), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from)];
    let text =
        prop_oneof![".{0,12}", "(main|layer-[0-9]{1,12}|z|#[0-9a-f]{6}|[0-9]{1,30})"].prop_map(Value::from);
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), number, text];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let key = "(factor|anchor_px|dx_px|dy_px|center|zoom|rect|angles|fov|position|normal|lo|hi|scope|target|key|value|path|.{0,4})";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5).prop_map(|m| m.into_iter().collect()),
        ]
    })
}

/// Every number that a change carries is finite.
fn finite(change: &Change) -> bool {
    let text = format!("{change:?}");
    !["NaN", "(inf", "[inf", " inf", "-inf"].iter().any(|bad| text.contains(bad))
}

proptest! {
    #[test]
    fn whatever_the_value_nothing_panics_and_nothing_infinite_gets_in(
        asked in prop::sample::select(vec![
            ("view", "ndisplay"), ("dims", "index"), ("dims", "scene_index"), ("dims", "step"), ("dims", "margins"),
            ("dims", "order"), ("camera", "zoom"), ("camera", "pan"), ("camera", "orbit"), ("camera", "reset"),
            ("camera", "set"), ("clip", "range"), ("clip", "planes"), ("layer", "visible"), ("layer", "opacity"), ("layer", "gamma"),
            ("layer", "contrast_limits"), ("layer", "colormap"), ("layer", "sample_step"), ("layer", "iso_threshold"),
            ("layer", "plane_position"), ("layer", "plane_normal"), ("layer", "plane_thickness"),
            ("layer", "attenuation"),
            ("volume", "render_mode"), ("volume", "contrast_limits"), ("multiscale", "level"),
            ("multiscale", "policy"), ("stream", "canvas"),
        ]),
        target in prop::sample::select(vec!["", "main", "z", "layer-1"]),
        value in any_json(),
    ) {
        let mut frame = update();
        frame["payload"] = json!({"scope": asked.0, "key": asked.1, "target": target, "value": value});
        for conventions in [house(), napari()] {
            let Ok(Said::Update { change, .. }) = inbound::parse(&frame.to_string(), "s-1", &conventions) else {
                return Err(TestCaseError::fail("an update is always answered"));
            };
            prop_assert!(change.as_ref().map_or(true, finite), "{change:?}");
        }
    }

    #[test]
    fn whatever_the_frame_nothing_panics(
        kind in prop::sample::select(vec!["session.hello", "state.update", "call.command", "session.goodbye", "ping"]),
        path in prop::sample::select(vec!["/version", "/session", "/frame_id", "/intent_id", "/payload", "/type"]),
        value in any_json(),
    ) {
        let mut frame = update();
        frame["type"] = kind.into();
        let text = with(frame, path, value).to_string();
        let _ = inbound::parse(&text, "s-1", &house());
        let _ = inbound::parse(&text, "s-1", &napari());
        let _ = hello::parse(&text);
    }

    #[test]
    fn whatever_a_command_comes_with_it_is_answered(
        command in prop::sample::select(super::command::catalogue(Features::ALL)),
        key in prop::sample::select(vec!["path", "only", "show_hidden", "view", "name", "session", "role", "x"]),
        value in any_json(), args in any_json(),
    ) {
        let mut frame = update();
        frame.as_object_mut().unwrap().remove("intent_id");
        frame["type"] = "call.command".into();
        frame["payload"] = json!({"command": command, "kwargs": {key: value}, "args": args});
        for conventions in [house(), napari()] {
            let said = inbound::parse(&frame.to_string(), "s-1", &conventions);
            let answered = matches!(&said, Ok(Said::Call { frame_id, .. }) if frame_id == "state-b");
            prop_assert!(answered, "{:?}", said);
        }
    }

    #[test]
    fn whatever_the_bytes_nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = hello::parse_bytes(&bytes);
        let _ = inbound::parse(&String::from_utf8_lossy(&bytes), "s-1", &napari());
    }

    #[test]
    fn whatever_the_text_nothing_panics(text in ".{0,200}") {
        let _ = inbound::parse(&text, "s-1", &house());
        let _ = inbound::parse(&text, "s-1", &napari());
        let _ = hello::parse(&text);
    }
}
