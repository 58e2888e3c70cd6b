//! Keyframes, listings, and another image for everybody.

use crate::{pixels::Pixels, rules::conversation::Stage, serve::Server, state::State};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_listed_inside_the_roots_alone() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let names = |listing: &Value| -> Vec<String> {
        let entries = listing["entries"].as_array().unwrap();
        entries.iter().map(|e| e["name"].as_str().unwrap().to_owned()).collect()
    };
    let root = server.folder.root().canonicalize().unwrap().display().to_string();
    // The conversation itself checks the form of every listing.
    for (kwargs, want) in [
        (json!({}), vec!["Empty", "first.ome.zarr", "lab", "many", "second.ome.zarr"]),
        (
            json!({"path": null, "only": []}),
            vec!["Empty", "first.ome.zarr", "lab", "many", "notes.txt", "second.ome.zarr"],
        ),
        (
            json!({"path": root, "only": [".txt"]}),
            vec!["Empty", "first.ome.zarr", "lab", "many", "notes.txt", "second.ome.zarr"],
        ),
        (
            json!({"path": root, "show_hidden": true}),
            vec![".hidden", "Empty", "first.ome.zarr", "lab", "many", "second.ome.zarr"],
        ),
        (json!({"path": "many"}), vec!["a.ome.zarr", "b.ome.zarr"]),
        (json!({"path": server.folder.path("lab")}), vec!["only.ome.zarr"]),
    ] {
        let listing = client.result("fs.listdir", kwargs.clone()).await;
        assert_eq!(names(&listing), want, "{kwargs}");
        assert_eq!(listing["has_more"], json!(false));
    }
    let all = client.result("fs.listdir", json!({"only": []})).await;
    assert_eq!(all["path"], json!(root));
    let of =
        |name: &str| all["entries"].as_array().unwrap().iter().find(|e| e["name"] == name).unwrap().clone();
    let zarr = |name: &str| of(name)["zarr_metadata"].clone();
    assert_eq!(
        zarr("first.ome.zarr"),
        json!({"is_dataset": true, "has_multiscales": true, "dataset_children": []})
    );
    assert_eq!(zarr("Empty"), json!({"is_dataset": false, "has_multiscales": false, "dataset_children": []}));
    assert_eq!(zarr("many")["dataset_children"].as_array().unwrap().len(), 2);
    assert_eq!((zarr("notes.txt"), of("notes.txt")["size"].clone()), (Value::Null, json!(8)));
    // What it names can be asked for again.
    let path = of("many")["path"].clone();
    assert_eq!(names(&client.result("fs.listdir", json!({"path": path})).await).len(), 2);
    for (kwargs, code) in [
        (json!({"path": "nowhere"}), "fs.not_found"),
        (json!({"path": "../"}), "fs.forbidden"),
        (json!({"path": "/"}), "fs.forbidden"),
        (json!({"path": server.folder.outside()}), "fs.forbidden"),
        (json!({"path": "lab/../../outside.ome.zarr"}), "fs.forbidden"),
        (json!({"only": ".zarr"}), "command.invalid"),
    ] {
        let answer = client.command("fs.listdir", kwargs.clone()).await;
        assert_eq!(
            (&answer["status"], &answer["code"]),
            (&json!("error"), &json!(code)),
            "{kwargs}: {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_image_is_shown_live_to_everybody() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut other = State::connect(&server).await;
    let mut pixels = Pixels::open(&server).await;
    pixels.rest().await;
    client.does("layer", "layer-0", "opacity", json!(0.5)).await;
    client.rest().await;
    other.rest().await;
    let planes = |t: &crate::rules::conversation::Conversation| t.dims["level_shapes"][0][0].clone();
    // By its path, below a folder that has one image alone, relative to the root.
    for (path, count) in [
        (server.folder.path("second.ome.zarr"), 2),
        (server.folder.path("lab"), 4),
        ("second.ome.zarr".into(), 2),
    ] {
        for watcher in [&mut client, &mut other] {
            watcher.rest().await;
        }
        assert_eq!(
            client.result("napari.load_zarr", json!({"path": path})).await,
            json!({"ok": true}),
            "{path}"
        );
        for watcher in [&mut client, &mut other] {
            watcher.believes("the other image", |t| t.stage == Stage::Live && planes(t) == count).await;
            let came: Vec<Value> = std::mem::take(&mut watcher.heard);
            let kinds: Vec<&str> = came.iter().filter_map(|f| f["type"].as_str()).collect();
            for kind in ["notify.scene", "notify.dims", "notify.layers"] {
                assert!(kinds.contains(&kind), "{path}: a full baseline to everybody: {kinds:?}");
            }
            assert_eq!(watcher.talk.controls(0)["opacity"], json!(1.0), "controls of its own");
        }
    }
    // The stream goes on: what is seen is the new image, and nobody had to open anything anew.
    client.does("dims", "z", "index", json!(1)).await;
    let shown = pixels.rest().await;
    let still = server.still("second.ome.zarr", shown.size(), &["--index", "z=1"]);
    assert!(shown.likeness(&still) > 28.0, "{:.1} dB", shown.likeness(&still));

    client.rest().await;
    let before = client.talk.believes();
    for (kwargs, code) in [
        (json!({"path": "nowhere.zarr"}), "fs.not_found"),
        (json!({"path": server.folder.outside()}), "fs.forbidden"),
        (json!({"path": "../outside.ome.zarr"}), "fs.forbidden"),
        (json!({"path": "many"}), "zarr.disambiguate"),
        (json!({"path": "Empty"}), "zarr.invalid"),
        (json!({"path": "notes.txt"}), "zarr.invalid"),
        (json!({"path": ""}), "command.invalid"),
        (json!({"path": 3}), "command.invalid"),
        (json!({}), "command.invalid"),
    ] {
        let answer = client.command("napari.load_zarr", kwargs.clone()).await;
        assert_eq!(
            (&answer["status"], &answer["code"]),
            (&json!("error"), &json!(code)),
            "{kwargs}: {answer}"
        );
    }
    let answer = client.command("napari.load_zarr", json!({"path": "many"})).await;
    assert_eq!(answer["details"]["options"], json!(["a.ome.zarr", "b.ome.zarr"]));
    client.rest().await;
    assert_eq!(client.talk.believes(), before, "what was refused changed nothing");
    // One of the options, below the path that it was told for.
    let path = format!("{}/b.ome.zarr", answer["details"]["path"].as_str().unwrap());
    client.result("napari.load_zarr", json!({"path": path})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_nobody_knows_and_frames_that_are_none() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    for name in ["x", "lucida.view.create", "lucida.session.role", "os.system"] {
        let answer = client.command(name, json!({})).await;
        assert_eq!(answer["code"], "command.not_found", "{answer}");
    }
    for payload in
        [json!({}), json!({"command": 1}), json!({"command": "fs.listdir", "kwargs": []}), json!(null)]
    {
        client.talk.commands("cmd-x");
        client.frame("call.command", "cmd-x", payload.clone()).await;
        let answer = client.told("error.command").await;
        assert!(
            ["command.forbidden", "command.invalid", "command.not_found"]
                .contains(&answer["code"].as_str().unwrap()),
            "{payload}: {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyframe_comes_when_asked_for_and_disturbs_nobody() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut mine = Pixels::open(&server).await;
    let mut others = Pixels::open(&server).await;
    mine.rest().await;
    others.rest().await;
    for _ in 0..3 {
        let asked = mine.headers.len();
        // No result: the contract's reply has none.
        let answer = client.command("napari.pixel.request_keyframe", json!({})).await;
        assert_eq!((&answer["status"], answer.get("result")), (&json!("ok"), None));
        mine.until("is a keyframe", |p| p.header.keyframe).await;
        assert!(mine.headers.len() > asked);
        // The other decodes whatever of it comes to it, without a gap.
        others.settled().await;
    }
    // Asked a hundred times at once it does not become a hundred pictures.
    mine.settled().await;
    let before = mine.headers.len();
    for n in 0..100 {
        let id = format!("cmd-many-{n}");
        client.talk.commands(&id);
        client.frame("call.command", &id, json!({"command": "napari.pixel.request_keyframe"})).await;
    }
    client.believes("100 answers", crate::rules::conversation::Conversation::is_answered).await;
    mine.settled().await;
    assert!(mine.headers.len() - before < 60, "{} pictures", mine.headers.len() - before);
}
