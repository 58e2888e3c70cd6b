//! Commands: what was called → what is to be done, or the failure that is told.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use lucida_components::{
    ids::{SessionId, ViewId},
    seats::MOST_NAME,
    session::Role,
};

fn call(command: &str, kwargs: Value, features: Features) -> Result<Call, &'static str> {
    let payload = json!({ "command": command, "kwargs": kwargs });
    parse(payload.as_object().unwrap(), features).map_err(|why| {
        assert!(!why.message.is_empty() && why.message.len() < 400, "{}", why.message);
        why.code.as_str()
    })
}

fn listing(kwargs: Value) -> Result<Wanted, &'static str> {
    match call("fs.listdir", kwargs, Features::BASE) {
        Ok(Call::ListDir(wanted)) => Ok(wanted),
        Ok(other) => panic!("{other:?}"),
        Err(code) => Err(code),
    }
}

fn seat(command: &str, kwargs: Value) -> Result<SeatChange, &'static str> {
    match call(command, kwargs, Features::ALL) {
        Ok(Call::Seat(change)) => Ok(change),
        Ok(other) => panic!("{other:?}"),
        Err(code) => Err(code),
    }
}

#[test]
fn a_folder_is_listed_as_the_base_protocol_has_it() {
    let wanted = |path: Option<&str>, show_hidden: bool, only: &[&str]| {
        let only = only.iter().map(|s| (*s).to_owned()).collect();
        Ok(Wanted { path: path.map(str::to_owned), show_hidden, only })
    };
    assert_eq!(listing(json!({})), wanted(None, false, &[".zarr"]));
    let as_sent = json!({"path": null, "show_hidden": false, "only": [".zarr"]});
    assert_eq!(listing(as_sent), wanted(None, false, &[".zarr"]));
    assert_eq!(listing(json!({"path": " sub ", "show_hidden": true})), wanted(Some("sub"), true, &[".zarr"]));
    assert_eq!(listing(json!({"path": "", "only": null})), wanted(None, false, &[".zarr"]));
    assert_eq!(listing(json!({"path": "/a", "only": []})), wanted(Some("/a"), false, &[]), "no filter");
    let several = json!({"only": [".zarr", ".tif"], "whatever": 1});
    assert_eq!(listing(several), wanted(None, false, &[".zarr", ".tif"]));
    for bad in [
        json!({"only": ".zarr"}),
        json!({"only": {}}),
        json!({"only": 7}),
        json!({"only": [7]}),
        json!({"only": [null]}),
        json!({"only": vec![".a"; 65]}),
        json!({"only": ["x".repeat(65)]}),
        json!({"path": 7}),
        json!({"path": ["/"]}),
        json!({"path": "x".repeat(4097)}),
        json!({"show_hidden": "yes"}),
        json!({"show_hidden": 1}),
    ] {
        assert_eq!(listing(bad.clone()), Err("command.invalid"), "{bad}");
    }
    let by_place = json!({"command": "fs.listdir", "args": ["/b"]});
    let by_place = parse(by_place.as_object().unwrap(), Features::BASE);
    assert!(matches!(by_place, Ok(Call::ListDir(Wanted { path: Some(path), .. })) if path == "/b"));
}

#[test]
fn seats_are_asked_for_by_name() {
    let text = str::to_owned;
    for (command, kwargs, change) in [
        ("lucida.view.create", json!({}), SeatChange::Create { name: None }),
        ("lucida.view.create", json!({"name": null}), SeatChange::Create { name: None }),
        ("lucida.view.create", json!({"name": " Side "}), SeatChange::Create { name: Some(text("Side")) }),
        (
            "lucida.view.rename",
            json!({"view": "view-2", "name": "é"}),
            SeatChange::Rename { view: ViewId(2), name: text("é") },
        ),
        ("lucida.view.watch", json!({"view": "main"}), SeatChange::Watch(ViewId::MAIN)),
        ("lucida.view.close", json!({"view": " view-7 "}), SeatChange::Close(ViewId(7))),
        ("lucida.session.follow", json!({"session": "session-4"}), SeatChange::Follow(Some(SessionId(4)))),
        ("lucida.session.follow", json!({"session": null}), SeatChange::Follow(None)),
        ("lucida.session.follow", json!({}), SeatChange::Follow(None)),
        ("lucida.session.name", json!({"name": "x".repeat(64)}), SeatChange::Name("x".repeat(64))),
        (
            "lucida.session.role",
            json!({"role": "viewer"}),
            SeatChange::Role { session: None, role: Role::Viewer },
        ),
        (
            "lucida.session.role",
            json!({"session": "session-9", "role": "controller"}),
            SeatChange::Role { session: Some(SessionId(9)), role: Role::Controller },
        ),
    ] {
        assert_eq!(seat(command, kwargs.clone()), Ok(change), "{command} {kwargs}");
    }
    for (command, bad) in [
        ("lucida.view.create", json!({"name": ""})),
        ("lucida.view.create", json!({"name": 7})),
        ("lucida.view.create", json!({"name": "a\nb"})),
        ("lucida.view.create", json!({"name": "\u{1b}[31m"})),
        ("lucida.view.rename", json!({"view": "view-2"})),
        ("lucida.view.rename", json!({"name": "a"})),
        ("lucida.view.watch", json!({})),
        ("lucida.view.watch", json!({"view": "view-0"})),
        ("lucida.view.watch", json!({"view": "view-x"})),
        ("lucida.view.watch", json!({"view": 1})),
        ("lucida.view.close", json!({"view": ""})),
        ("lucida.session.follow", json!({"session": "Ada"})),
        ("lucida.session.follow", json!({"session": 3})),
        ("lucida.session.name", json!({})),
        ("lucida.session.name", json!({"name": "x".repeat(MOST_NAME + 1)})),
        ("lucida.session.role", json!({})),
        ("lucida.session.role", json!({"role": "owner"})),
        ("lucida.session.role", json!({"role": "viewer", "session": "x"})),
    ] {
        assert_eq!(seat(command, bad.clone()), Err("command.invalid"), "{command} {bad}");
    }
}

#[test]
fn our_commands_are_there_for_who_asked_for_them() {
    assert_eq!(
        catalogue(Features::BASE),
        ["napari.pixel.request_keyframe", "fs.listdir", "napari.load_zarr"]
    );
    let all = catalogue(Features::ALL);
    assert_eq!(all.len(), 10);
    for command in &all[3..] {
        let code = call(command, json!({"view": "main", "name": "a", "role": "viewer"}), Features::BASE);
        assert_eq!(code, Err("command.not_found"), "{command}");
        assert!(call(command, json!({"view": "main", "name": "a", "role": "viewer"}), Features::ALL).is_ok());
    }
    assert_eq!(call("lucida.view.destroy", json!({}), Features::ALL), Err("command.not_found"));
}

#[test]
fn the_answer_is_what_the_world_says_or_that_it_is_done() {
    let view = Told::Map(vec![("view", Told::Text("view-3".into()))]);
    assert_eq!(result(&view), json!({"view": "view-3"}));
    for done in [Told::None, Told::Int(1)] {
        assert_eq!(result(&done), json!({"ok": true}));
    }
}
