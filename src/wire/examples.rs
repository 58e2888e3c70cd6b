//! The examples of `docs/protocol.md` are what this module speaks: each of them is known by its keys, read by what
//! reads its like, or compared with what is told.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{
    ack, command,
    conventions::{Conventions, Dialect},
    fixture, hello,
    notices::{self, idle},
    update::{self, Refused},
    welcome::{self, Welcome},
};
use lucida_components::{
    fault::Rejection,
    ids::{IntentRef, LayerId, SessionId, ViewId},
    incident::{Domain, Incident, Severity},
    notice::{AckApplied, Cursors, Mark, Residency, Telemetry},
    seats::{Seats, SessionSeat, ViewSeat},
    session::{Features, Role},
    thumbnail::Thumbnail,
    value::Value as Told,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// The values of the document's `json` blocks.
fn examples() -> Vec<Value> {
    let text = include_str!("../../docs/protocol.md");
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks
        .flat_map(|block| serde_json::Deserializer::from_str(block).into_iter::<Value>())
        .map(|value| value.unwrap())
        .collect()
}

/// What an example is an example of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Hello,
    Welcome,
    View,
    Controls,
    Thumbnail,
    Dims,
    Echo,
    Pose,
    Stream,
    Seats,
    Level,
    Telemetry,
    Incident,
    Residency,
    Accepted,
    Rejected,
    Update,
    Command,
    Listing,
}

/// By a key, or two, that no other has.
const KINDS: [(&[&str], Kind); 19] = [
    (&["type"], Kind::Hello),
    (&["protocol_version"], Kind::Welcome),
    (&["revision", "camera"], Kind::View),
    (&["layer_id", "controls"], Kind::Controls),
    (&["layer_id", "thumbnail"], Kind::Thumbnail),
    (&["step"], Kind::Dims),
    (&["origin", "delta"], Kind::Echo),
    (&["origin", "state"], Kind::Pose),
    (&["avcc"], Kind::Stream),
    (&["you"], Kind::Seats),
    (&["current_level", "levels"], Kind::Level),
    (&["presenter"], Kind::Telemetry),
    (&["domain"], Kind::Incident),
    (&["resident"], Kind::Residency),
    (&["status", "version"], Kind::Accepted),
    (&["status", "error"], Kind::Rejected),
    (&["scope"], Kind::Update),
    (&["command"], Kind::Command),
    (&["entries"], Kind::Listing),
];

fn kind(example: &Value) -> Kind {
    let has = |keys: &[&str]| keys.iter().all(|key| example.get(key).is_some());
    let found = KINDS.iter().find(|(keys, _)| has(keys));
    found.unwrap_or_else(|| panic!("nothing is known of {example}")).1
}

fn keys(value: &Value) -> BTreeSet<&String> {
    value.as_object().unwrap().keys().collect()
}

/// Objects have the same keys, all the way down as far as both have some.
#[track_caller]
fn alike(example: &Value, told: &Value, path: &str) {
    match (example, told) {
        (Value::Object(e), Value::Object(t)) => {
            assert_eq!(keys(example), keys(told), "{path}");
            e.iter().for_each(|(key, value)| alike(value, &t[key], &format!("{path}/{key}")));
        }
        (Value::Array(e), Value::Array(t)) => {
            e.iter().zip(t).for_each(|(e, t)| alike(e, t, path));
        }
        _ => {}
    }
}

#[test]
fn every_update_and_command_is_understood() {
    let (mut scopes, mut commands) = (BTreeSet::new(), BTreeSet::new());
    for example in &examples() {
        match kind(example) {
            Kind::Update => {
                let napari = example.get("napari").is_some();
                let dialect = if napari { Dialect::Napari } else { Dialect::House };
                let conventions = Conventions::new(dialect, Features::ALL);
                conventions.note(&fixture::applied(1).state);
                let change = update::parse(example.as_object().unwrap(), &conventions);
                assert!(change.is_ok(), "{example}: {change:?}");
                scopes.insert(example["scope"].as_str().unwrap().to_owned());
            }
            Kind::Command => {
                let call = command::parse(example.as_object().unwrap(), Features::ALL);
                assert!(call.is_ok(), "{example}: {call:?}");
                commands.insert(example["command"].as_str().unwrap().to_owned());
            }
            Kind::Hello => {
                let hello = hello::parse(&example.to_string()).unwrap();
                assert!(hello.resume.layers.is_some() && hello.features.contains("lucida.seats"));
            }
            _ => {}
        }
    }
    for scope in ["view", "camera", "layer", "volume", "clip", "multiscale"] {
        assert!(scopes.contains(scope), "there is an example of {scope}");
    }
    assert!(command::catalogue(Features::ALL).iter().all(|c| commands.contains(*c)), "{commands:?}");
}

#[test]
fn what_is_told_has_the_keys_that_are_written() {
    let mut seen = BTreeSet::new();
    for example in &examples() {
        let kind = kind(example);
        seen.insert(kind);
        if let Some(told) = told(kind) {
            alike(example, &told, &format!("{kind:?}"));
        }
    }
    assert_eq!(seen.len(), KINDS.len(), "there is an example of each: {seen:?}");
}

/// Something of the kind, as it is told; `None` of what is only read.
fn told(kind: Kind) -> Option<Value> {
    let applied = fixture::applied(12);
    let state = &*applied.state;
    let house = Conventions::new(Dialect::House, Features::ALL);
    let intent = || IntentRef { intent_id: "i".into(), frame_id: "f".into() };
    let thumbnail = Thumbnail { size: [2, 1], pixels: vec![[0.0; 4]; 2] };
    Some(match kind {
        Kind::Hello | Kind::Update | Kind::Command => return None,
        Kind::Welcome => welcome(),
        Kind::View => view(),
        Kind::Controls => {
            use lucida_components::controls::ControlKey::{ContrastLimits, Opacity};
            notices::layers::controls(&state.layers[0], &[Opacity, ContrastLimits], Features::BASE).unwrap()
        }
        Kind::Thumbnail => notices::thumbnail::payload(LayerId(0), &thumbnail),
        Kind::Dims => {
            assert_eq!(keys(&idle::dims()), keys(&notices::dims::payload(state)));
            notices::dims::payload(state)
        }
        Kind::Echo => {
            let zoom = vec![("factor", Told::Float(1.1)), ("anchor_px", Told::Floats(vec![1.0, 2.0]))];
            notices::camera::echo("zoom", &Told::Map(zoom), &house)
        }
        Kind::Pose => notices::camera::pose(state),
        Kind::Stream => notices::stream::payload(&fixture::stream(), 60.0),
        Kind::Seats => notices::seats::payload(SessionId(3), &seats()),
        Kind::Level => notices::level::payload(state),
        Kind::Telemetry => notices::telemetry::payload(Telemetry::default()),
        Kind::Incident => notices::incident::payload(&Incident {
            domain: Domain::Gpu,
            code: "gpu.lost",
            message: String::new(),
            severity: Severity::Critical,
        }),
        Kind::Residency => {
            notices::residency::payload(Residency { levels: Some([0, 4]), ..Residency::default() })
        }
        Kind::Accepted => {
            let applied = AckApplied { value: Told::Float(0.7), version: 3, of: None };
            ack::accepted(&intent(), &applied, &house)
        }
        Kind::Rejected => {
            let refused: Refused = update::parse(
                json!({"scope": "layer", "target": "", "key": "foo", "value": 1}).as_object().unwrap(),
                &house,
            )
            .unwrap_err();
            let why: &Rejection = &refused.why;
            ack::rejected(&intent(), why, refused.details.clone())
        }
        Kind::Listing => listing(),
    })
}

/// With a range cut away and planes, which the fixture lacks.
fn view() -> Value {
    let mut told = notices::view::payload(&fixture::applied(12), ViewId::MAIN);
    told["clip"]["planes"] = json!([{"position": [0, 0, 0], "normal": [0, 0, 1]}]);
    // The example shows one layer of one axis each, and a few of its controls.
    let controls = told["layers"][0]["controls"].as_object_mut().unwrap();
    controls.retain(|key, _| ["visible", "opacity", "blending"].contains(&key.as_str()));
    told
}

fn seats() -> Seats {
    let view = |id, owner| ViewSeat { id: ViewId(id), name: String::new(), owner };
    let session = |id, follows| SessionSeat {
        id: SessionId(id),
        name: String::new(),
        role: Role::Viewer,
        view: ViewId(1),
        follows,
    };
    Seats {
        views: vec![view(0, None), view(1, Some(SessionId(3)))],
        sessions: vec![session(3, None), session(4, Some(SessionId(3)))],
    }
}

fn welcome() -> Value {
    let resume = lucida_components::session::Resume {
        scene: Some("5f0c3a9b17e2d46800000007ffffffff".into()),
        ..Default::default()
    };
    let mark = Mark { seq: 0, token: resume.scene.clone().unwrap() };
    let greeting = examples().into_iter().find(|e| kind(e) == Kind::Hello).unwrap();
    let dialect = Dialect::Napari;
    Welcome {
        session: "s-1",
        heartbeat: Duration::from_secs(15),
        dialect,
        features: welcome::negotiate(&hello::parse(&greeting.to_string()).unwrap(), dialect),
        resume: &resume,
        cursors: &Cursors { scene: Some(mark), ..Cursors::default() },
    }
    .payload()
}

fn listing() -> Value {
    let entry = |zarr| command::Entry {
        name: String::new(),
        path: String::new(),
        is_dir: false,
        size: 0,
        mtime: 0.0,
        zarr,
    };
    let entries = vec![entry(Some(command::ZarrMetadata::default())), entry(None)];
    command::Listing { path: String::new(), entries, has_more: false }.result()
}
