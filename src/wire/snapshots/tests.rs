//! Every frame that is sent, in either dialect, as text: `house.snap` and `napari.snap` beside this file.
//!
//! `INSTA_UPDATE=always cargo test --lib wire::snapshots` writes them anew; read the difference.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{
    command::{CommandCode, CommandFailure, Entry, Listing, ZarrMetadata},
    conventions::Dialect,
    encoder::{Encoder, command_intent},
    envelope::Frame,
    fixture,
    hello::{self, Reject},
    inbound::{self, Goodbye, Said},
    notices::Facts,
};
use lucida_components::{
    applied::{Applied, ViewState},
    controls::{Blending, ControlKey, Controls},
    fault::Rejection,
    ids::{IntentRef, LayerId, SessionId, ViewId},
    incident::{Domain, Incident, Severity},
    layer::LayerKind,
    notice::{Ack, AckApplied, Cursors, Mark, Notice, NoticeBody, Residency, Telemetry, Topic},
    seats::{Seats, SessionSeat, ViewSeat},
    session::Role,
    thumbnail::{Thumbnail, Thumbnails},
    value::Value as Told,
};
use serde_json::{Value, json};
use std::{fmt::Write, sync::Arc, time::Duration};

const FEATURES: [&str; 7] = [
    "lucida.view",
    "lucida.frames",
    "lucida.seats",
    "lucida.thumbnails",
    "notify.scene.level",
    "notify.telemetry",
    "notify.error",
];

/// A token as the world makes them: process, image, number.
fn mark(seq: u64) -> Mark {
    Mark { seq, token: format!("00000000000000aa00000007{seq:08x}") }
}

fn scene_mark() -> Mark {
    Mark { seq: 0, token: "00000000000000aa00000007ffffffff".into() }
}

/// A conversation, frame by frame, each with a title.
struct Conversation {
    encoder: Encoder,
    told: Vec<(String, Frame)>,
}

impl Conversation {
    fn new(dialect: Dialect, resume: bool) -> Self {
        let mut features = json!({"notify.scene": true, "notify.layers": true, "notify.stream": true});
        if dialect == Dialect::House {
            for name in FEATURES {
                features[name] = json!(true);
            }
        }
        let mut greeting = json!({
            "type": "session.hello", "version": 2, "frame_id": "hello-1", "timestamp": 1.0,
            "payload": {
                "protocols": [2], "features": features,
                "client": {"name": "c", "version": "0", "platform": "p"}
            }
        });
        if resume {
            greeting["payload"]["resume_tokens"] = json!({
                "notify.scene": scene_mark().token, "notify.layers": mark(3).token, "notify.stream": "unknown"
            });
        }
        let datasets = vec![("a".into(), "/data/a.zarr".into())];
        let facts = Arc::new(Facts { datasets, fps: 60.0, encoder: None });
        let hello = hello::parse(&greeting.to_string()).unwrap();
        let mut encoder = Encoder::new(SessionId(3), "s-1".into(), &hello, facts, dialect);
        let cursors = Cursors { scene: Some(scene_mark()), layers: Some(mark(3)), stream: Some(mark(9)) };
        let welcome = encoder.welcome(Duration::from_secs(15), &cursors);
        let title = if resume { "welcome of a client that comes back" } else { "welcome" };
        Self { encoder, told: vec![(title.into(), welcome)] }
    }

    fn push(&mut self, title: &str, frame: Frame) {
        self.told.push((title.to_owned(), frame));
    }

    fn notice(&mut self, title: &str, topic: Topic, body: NoticeBody, mark: Option<Mark>) {
        self.caused(title, topic, body, mark, None);
    }

    fn caused(
        &mut self,
        title: &str,
        topic: Topic,
        body: NoticeBody,
        mark: Option<Mark>,
        cause: Option<IntentRef>,
    ) {
        let notice = Notice { topic, body, cause, view: ViewId(2), mark };
        let frames = self.encoder.notice(&notice);
        if frames.is_empty() {
            self.push(&format!("{title}: nothing"), Frame::new("", String::new(), Value::Null));
        }
        for (n, frame) in frames.into_iter().enumerate() {
            self.push(&if n == 0 { title.to_owned() } else { format!("{title}, then") }, frame);
        }
    }

    fn ack(&mut self, title: &str, value: Told, of: Option<(LayerId, ControlKey)>) {
        let frame = self.encoder.ack(&Ack {
            intent: intent("intent-0000000b"),
            outcome: Ok(AckApplied { value, version: 3, of }),
        });
        self.push(title, frame);
    }
}

fn intent(id: &str) -> IntentRef {
    IntentRef { intent_id: id.into(), frame_id: id.replace("intent", "state") }
}

fn applied(state: &ViewState) -> Arc<Applied> {
    Arc::new(Applied { revision: 12, state: Arc::new(state.clone()) })
}

fn thumbnail() -> Arc<Thumbnail> {
    let pixels = vec![[0.0, 0.0, 0.0, 1.0], [0.25, 0.5, 1.0, 1.0], [1.0 / 3.0, 0.0, 0.0, 0.5]];
    Arc::new(Thumbnail { size: [1, 3], pixels })
}

/// A second layer of labels, and limits that are not those that the first was opened with.
fn labelled() -> ViewState {
    let mut state = fixture::state();
    let mut layers = state.layers.to_vec();
    layers[0].controls.contrast_limits = [255.0, 745.0];
    layers[0].controls.iso_threshold = 59.0;
    layers[0].controls.colormap = "#800000".into();
    layers[0].controls.blending = Blending::Maximum;
    (layers[1].layer.kind, layers[1].controls) = (LayerKind::Labels, Controls::labels());
    state.layers = layers.into();
    state.camera.plane.center = [512.0, 1200.0];
    state
}

fn conversation(dialect: Dialect) -> Vec<(String, Frame)> {
    let mut said = Conversation::new(dialect, false);
    baseline(&mut said);
    changes(&mut said);
    answers(&mut said);
    ours(&mut said);
    said.told.extend(Conversation::new(dialect, true).told);
    let greeting = |text: &str| hello::parse(text).unwrap_err().frame();
    said.push("refusal of another protocol", {
        let details = json!({"client_protocols": [1]});
        Reject { details: Some(details), ..Reject::new("protocol_mismatch", "no") }.frame()
    });
    said.push("refusal of what is no greeting", greeting("{\"type\":\"ping\"}"));
    said.push("refusal where there is no room", Reject::server_full(100).frame());
    said.told
}

fn baseline(said: &mut Conversation) {
    let thumbnails = Arc::new(Thumbnails([(LayerId(0), thumbnail())].into()));
    let scene =
        |state: &ViewState| NoticeBody::Scene { applied: applied(state), thumbnails: thumbnails.clone() };
    said.notice("no image is open", Topic::Scene, NoticeBody::Idle, Some(mark(0)));
    let state = fixture::state();
    let block = |state: &ViewState| NoticeBody::Applied(applied(state));
    said.notice("scene", Topic::Scene, scene(&state), Some(scene_mark()));
    said.notice("view", Topic::View, block(&state), None);
    said.notice("dims", Topic::Dims, block(&state), None);
    let changed = ControlKey::ALL.into_iter().collect();
    let layer = NoticeBody::Layer { applied: applied(&state), changed };
    said.notice("every control of a layer", Topic::Layer(LayerId(0)), layer, Some(mark(3)));
    said.notice("pose", Topic::Camera, NoticeBody::Camera { applied: applied(&state), echo: None }, None);
    said.notice("stream", Topic::Stream, NoticeBody::Stream(fixture::stream()), Some(mark(9)));
    let again = said.encoder.stream_again().unwrap();
    said.push("stream once more, for a keyframe", again);
    let mut volume = labelled();
    volume.view.ndisplay = 3;
    said.notice("scene of a volume with labels", Topic::Scene, scene(&volume), Some(scene_mark()));
    said.notice("dims of a volume", Topic::Dims, block(&volume), None);
    let pose = NoticeBody::Camera { applied: applied(&volume), echo: None };
    said.notice("pose of a volume", Topic::Camera, pose, None);
}

fn changes(said: &mut Conversation) {
    let state = applied(&labelled());
    let cause = Some(intent("intent-0000000c"));
    for (layer, title) in [(0, "controls that a client changed"), (1, "controls of labels")] {
        let changed =
            [ControlKey::ContrastLimits, ControlKey::Colormap, ControlKey::Blending, ControlKey::Contour];
        let body = NoticeBody::Layer { applied: state.clone(), changed: changed.into() };
        said.caused(title, Topic::Layer(LayerId(layer)), body, Some(mark(4)), cause.clone());
    }
    let unheard = NoticeBody::Layer { applied: state.clone(), changed: [ControlKey::Contour].into() };
    said.notice("a control that is in notify.view alone", Topic::Layer(LayerId(1)), unheard, Some(mark(5)));
    said.notice("thumbnail", Topic::Thumbnail(LayerId(0)), NoticeBody::Thumbnail(thumbnail()), None);
    let floats = |v: &[f64]| Told::Floats(v.to_vec());
    for (key, value) in [
        ("zoom", Told::Map(vec![("factor", Told::Float(1.1)), ("anchor_px", floats(&[960.0, 1000.0]))])),
        ("set", Told::Map(vec![("center", floats(&[512.0, 1200.0])), ("zoom", Told::Float(2.0))])),
        ("reset", Told::Map(vec![("reason", Told::Text("home".into()))])),
    ] {
        let body = NoticeBody::Camera { applied: state.clone(), echo: Some((key, value)) };
        said.caused(&format!("camera {key}"), Topic::Camera, body, None, cause.clone());
    }
}

fn answers(said: &mut Conversation) {
    let floats = |v: &[f64]| Told::Floats(v.to_vec());
    let layer = |key| Some((LayerId(0), key));
    said.ack("accepted", Told::Float(0.7), layer(ControlKey::Opacity));
    said.ack("accepted limits", floats(&[255.0, 745.0]), layer(ControlKey::ContrastLimits));
    said.ack("accepted colour", Told::Text("#800000".into()), layer(ControlKey::Colormap));
    said.ack("accepted without a value", Told::None, None);
    let rect = Told::Map(vec![("rect", floats(&[0.0, 100.0, 200.0, 300.0]))]);
    said.ack("accepted rectangle", rect, None);
    for (why, title) in [
        (Rejection::invalid("m"), "rejected as invalid"),
        (Rejection::error("m"), "rejected as an error"),
        (Rejection::forbidden("m"), "rejected as forbidden"),
    ] {
        let frame = said.encoder.ack(&Ack { intent: intent("intent-1"), outcome: Err(why) });
        said.push(title, frame);
    }
    let update = json!({
        "type": "state.update", "version": 2, "session": "s-1", "frame_id": "state-1", "timestamp": 1.0,
        "intent_id": "intent-1", "payload": {"scope": "layer", "target": "layer-0", "key": "foo", "value": 1}
    });
    let conventions = said.encoder.conventions();
    let Said::Update { intent, change: Err(why) } =
        inbound::parse(&update.to_string(), "s-1", &conventions).unwrap()
    else {
        panic!("refused");
    };
    let refused = said.encoder.refused(&intent, &why);
    said.push("refused before it reached the world", refused);
    let done = said.encoder.done("cmd-1");
    said.push("keyframe on its way", done);
    let zarr = ZarrMetadata { is_dataset: true, has_multiscales: true, dataset_children: Vec::new() };
    let entry = |name: &str, zarr: Option<ZarrMetadata>| Entry {
        name: name.into(),
        path: format!("/data/{name}"),
        is_dir: zarr.is_some(),
        size: 4096,
        mtime: 1.5,
        zarr,
    };
    let entries = vec![entry("a.zarr", Some(zarr)), entry("notes.txt", None)];
    let listed = said.encoder.listed("cmd-2", &Listing { path: "/data".into(), entries, has_more: false });
    said.push("what lies in a folder", listed);
    let command = |value| Ack {
        intent: command_intent("cmd-3".into()),
        outcome: Ok(AckApplied { value, version: 1, of: None }),
    };
    let loaded = said.encoder.ack(&command(Told::None));
    said.push("another image is shown", loaded);
    let mut several = CommandFailure::new(CommandCode::Ambiguous, "two images").at("/data/d");
    several.options = vec!["a".into(), "b".into()];
    for (title, why) in [
        ("several images", several),
        ("a path that may not be opened", CommandFailure::new(CommandCode::PathForbidden, "no").at("/etc")),
        ("an unknown command", CommandFailure::new(CommandCode::NotFound, "unknown command 'x'")),
    ] {
        let failed = said.encoder.failed("cmd-4", &why);
        said.push(title, failed);
    }
    let heartbeat = said.encoder.heartbeat();
    said.push("heartbeat", heartbeat);
    let goodbye =
        said.encoder.goodbye(&Goodbye::new("goodbye", "client requested shutdown", "client_goodbye"));
    said.push("goodbye", goodbye);
}

fn ours(said: &mut Conversation) {
    let residency = Residency { resident: 3, wanted: 6, levels: Some([0, 4]), ..Residency::default() };
    said.notice("residency", Topic::Residency, NoticeBody::Residency(residency), None);
    let state = NoticeBody::Applied(applied(&fixture::state()));
    said.notice("level", Topic::Level, state, None);
    let telemetry = Telemetry { draw: 3.5, encode: 1.25, in_flight: 2 };
    said.notice("telemetry", Topic::Telemetry, NoticeBody::Telemetry(telemetry), None);
    let incident = Incident {
        domain: Domain::Gpu,
        code: "gpu.lost",
        message: "the GPU is gone; it is looked for".into(),
        severity: Severity::Critical,
    };
    said.notice("incident", Topic::Incident(Domain::Gpu), NoticeBody::Incident(Arc::new(incident)), None);
    let seat = |id, role, view, follows| SessionSeat {
        id: SessionId(id),
        name: format!("session-{id}"),
        role,
        view: ViewId(view),
        follows,
    };
    let seats = Seats {
        views: vec![
            ViewSeat { id: ViewId::MAIN, name: "main".into(), owner: None },
            ViewSeat { id: ViewId(2), name: "Ada's".into(), owner: Some(SessionId(3)) },
        ],
        sessions: vec![seat(3, Role::Controller, 2, None), seat(4, Role::Viewer, 2, Some(SessionId(3)))],
    };
    said.notice("seats", Topic::Seats, NoticeBody::Seats(Arc::new(seats)), None);
    let created = Ack {
        intent: command_intent("cmd-5".into()),
        outcome: Ok(AckApplied {
            value: Told::Map(vec![("view", Told::Text("view-2".into()))]),
            version: 1,
            of: None,
        }),
    };
    let created = said.encoder.ack(&created);
    said.push("a view was made", created);
}

/// A frame as text: what differs from run to run is left out, what is nested deep stands on one line.
fn text(title: &str, frame: &Frame) -> String {
    if frame.kind.is_empty() {
        return format!("# {title}\n");
    }
    let mut value: Value = serde_json::from_str(&frame.text()).unwrap();
    value["timestamp"] = json!(0);
    if let Some(at) = value.pointer_mut("/payload/thumbnail/generated_at") {
        *at = json!(0);
    }
    if value["type"] == "notify.scene.level" {
        value["delta_token"] = json!("(made for the occasion)");
    }
    let mut out = format!("# {title}\n");
    lines(&value, 0, &mut out);
    out + "\n"
}

fn lines(value: &Value, depth: usize, out: &mut String) {
    let short = value.to_string();
    match value {
        Value::Object(entries) if short.len() > 90 => {
            out.push_str("{\n");
            for (n, (key, value)) in entries.iter().enumerate() {
                write!(out, "{}{}: ", " ".repeat(depth + 1), Value::from(key.as_str())).unwrap();
                lines(value, depth + 1, out);
                out.push_str(if n + 1 < entries.len() { ",\n" } else { "\n" });
            }
            write!(out, "{}}}", " ".repeat(depth)).unwrap();
        }
        Value::Array(entries) if short.len() > 110 && entries.iter().any(Value::is_object) => {
            out.push_str("[\n");
            for (n, value) in entries.iter().enumerate() {
                out.push_str(&" ".repeat(depth + 1));
                lines(value, depth + 1, out);
                out.push_str(if n + 1 < entries.len() { ",\n" } else { "\n" });
            }
            write!(out, "{}]", " ".repeat(depth)).unwrap();
        }
        _ => out.push_str(&short),
    }
}

fn all(dialect: Dialect) -> String {
    let told: Vec<String> = conversation(dialect).iter().map(|(title, frame)| text(title, frame)).collect();
    told.join("\n")
}

#[test]
fn frames() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(".");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!("house", all(Dialect::House));
        insta::assert_snapshot!("napari", all(Dialect::Napari));
    });
}
