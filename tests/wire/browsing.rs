//! Folders that clients look into, and images that they find there.

use crate::fixture;
use crate::harness::{Client, Server};
use crate::quick;
use lucida::{
    data::roots::Roots,
    server::{Opener, ServerConfig},
    wire::command::{CommandCode, CommandFailure},
};
use lucida_components::intent::Change;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

fn image(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(".zattrs"), r#"{"multiscales": [{"version": "0.4"}]}"#).unwrap();
}

/// A folder beside which lies what nobody is to see.
fn data() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    image(&root.join("a.zarr"));
    image(&root.join("lab/b.zarr"));
    image(&root.join("lab/c.zarr"));
    image(&root.join("one/inner/d.zarr"));
    image(&dir.path().join("secret.zarr"));
    fs::create_dir(root.join(".hidden")).unwrap();
    fs::write(root.join("notes.txt"), "12345").unwrap();
    symlink("../secret.zarr", root.join("out")).unwrap();
    symlink("/", root.join("all")).unwrap();
    (dir, root)
}

/// A server that opens anything, and what it opened.
fn server(config: ServerConfig) -> (Server, Arc<Mutex<Vec<String>>>) {
    let opened: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = opened.clone();
    let opener: Opener = Arc::new(move |path: &str| {
        log.lock().unwrap().push(path.to_owned());
        if path.ends_with("torn") {
            return Err(CommandFailure::new(CommandCode::InvalidImage, "torn").at(path));
        }
        Ok(Arc::new(fixture::dataset()))
    });
    (Server::with_opener(config, opener), opened)
}

fn rooted(roots: &[&Path]) -> ServerConfig {
    let roots: Vec<PathBuf> = roots.iter().map(|r| r.to_path_buf()).collect();
    ServerConfig { roots: Roots::new(&roots).unwrap(), ..quick() }
}

async fn call(client: &mut Client, command: &str, kwargs: Value) -> Value {
    client.send("call.command", "cmd-1", json!({"command": command, "kwargs": kwargs})).await;
    client.socket.frame().await["payload"].take()
}

fn names(reply: &Value) -> Vec<&str> {
    reply["result"]["entries"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_is_listed_as_the_protocol_has_it() {
    let (_dir, root) = data();
    let (server, _) = server(rooted(&[&root]));
    let mut client = server.join(&[]).await;
    let shown = root.to_str().unwrap();
    let reply = call(&mut client, "fs.listdir", json!({"path": null})).await;
    assert_eq!((reply["status"].as_str(), reply["in_reply_to"].as_str()), (Some("ok"), Some("cmd-1")));
    assert_eq!(reply["result"]["path"], shown);
    assert_eq!(reply["result"]["has_more"], false);
    assert_eq!(
        names(&reply),
        ["a.zarr", "lab", "one"],
        "no link that leads out, nothing hidden, images alone"
    );
    let entries = reply["result"]["entries"].as_array().unwrap();
    let signs = json!({"is_dataset": true, "has_multiscales": true, "dataset_children": []});
    assert_eq!(entries[0]["zarr_metadata"], signs);
    assert_eq!(entries[0]["path"], format!("{shown}/a.zarr"));
    assert_eq!(entries[1]["zarr_metadata"]["dataset_children"], json!(["b.zarr", "c.zarr"]));
    let mut keys: Vec<&str> = entries[0].as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["is_dir", "mtime", "name", "path", "size", "zarr_metadata"]);

    let all = call(&mut client, "fs.listdir", json!({"path": ".", "show_hidden": true, "only": []})).await;
    assert_eq!(names(&all), [".hidden", "a.zarr", "lab", "notes.txt", "one"]);
    assert_eq!(all["result"]["entries"][3]["zarr_metadata"], Value::Null);
    assert_eq!(all["result"]["entries"][3]["size"], 5);
    for path in ["lab", "./lab/", &format!("{shown}/lab")] {
        let lab = call(&mut client, "fs.listdir", json!({"path": path})).await;
        assert_eq!(names(&lab), ["b.zarr", "c.zarr"], "{path}");
        assert_eq!(lab["result"]["path"], format!("{shown}/lab"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_is_listed_or_opened() {
    let (dir, root) = data();
    let (server, opened) = server(rooted(&[&root]));
    let mut client = server.join(&[]).await;
    let beside = dir.path().join("secret.zarr");
    let up = format!("{}/../secret.zarr", root.display());
    for path in [
        "..",
        "../secret.zarr",
        "lab/../../secret.zarr",
        "lab/..",
        "out",
        "all",
        "all/etc",
        "all/no/such/thing",
        "/",
        "/etc",
        beside.to_str().unwrap(),
        &up,
        dir.path().to_str().unwrap(),
    ] {
        for command in ["fs.listdir", "napari.load_zarr"] {
            let error = call(&mut client, command, json!({"path": path})).await;
            assert_eq!(error["code"], "fs.forbidden", "{command} {path}: {error}");
        }
    }
    for path in ["nothing", "lab/nothing/deeper"] {
        for command in ["fs.listdir", "napari.load_zarr"] {
            assert_eq!(call(&mut client, command, json!({"path": path})).await["code"], "fs.not_found");
        }
    }
    assert_eq!(call(&mut client, "fs.listdir", json!({"path": "notes.txt"})).await["code"], "fs.not_found");
    assert!(opened.lock().unwrap().is_empty(), "what is forbidden is not touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_told() {
    let (_dir, root) = data();
    let (server, _) = server(rooted(&[&root]));
    let mut client = server.join(&[]).await;
    for wrong in [
        json!({"only": ".zarr"}),
        json!({"only": [1]}),
        json!({"only": {}}),
        json!({"show_hidden": "yes"}),
        json!({"path": 7}),
        json!({"path": ["a"]}),
    ] {
        let error = call(&mut client, "fs.listdir", wrong.clone()).await;
        assert_eq!(error["code"], "command.invalid", "{wrong}: {error}");
    }
    for wrong in [json!({}), json!({"path": ""}), json!({"path": null}), json!({"path": 7})] {
        assert_eq!(call(&mut client, "napari.load_zarr", wrong).await["code"], "command.invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_entries_are_told_at_most() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..1005 {
        fs::create_dir(dir.path().join(format!("Folder-{n:04}"))).unwrap();
    }
    let (server, _) = server(rooted(&[dir.path()]));
    let mut client = server.join(&[]).await;
    let reply = call(&mut client, "fs.listdir", json!({})).await;
    let names = names(&reply);
    assert_eq!((names.len(), names[0], names[999]), (1000, "Folder-0000", "Folder-0999"));
    assert_eq!(reply["result"]["has_more"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_roots_the_images_are_listed_and_with_several_the_roots() {
    let (_dir, root) = data();
    let named = root.join("a.zarr").to_str().unwrap().to_owned();
    let (server, _) = server(ServerConfig { datasets: vec![("a".into(), named.clone())], ..quick() });
    let mut client = server.join(&[]).await;
    let images = call(&mut client, "fs.listdir", json!({})).await;
    assert_eq!(names(&images), ["a"]);
    assert_eq!(images["result"]["entries"][0]["path"], named);
    for path in ["a.zarr", root.to_str().unwrap(), "/"] {
        assert_eq!(call(&mut client, "fs.listdir", json!({"path": path})).await["code"], "fs.forbidden");
    }

    let (server, _) = self::server(rooted(&[&root.join("lab"), &root.join("one")]));
    let mut client = server.join(&[]).await;
    let both = call(&mut client, "fs.listdir", json!({})).await;
    assert_eq!(names(&both), ["lab", "one"]);
    let second = both["result"]["entries"][1]["path"].clone();
    assert_eq!(names(&call(&mut client, "fs.listdir", json!({"path": second})).await), ["inner"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_found_named_and_loaded() {
    let (_dir, root) = data();
    let named = "/named/on/the/command/line";
    let datasets = vec![("named".to_owned(), named.to_owned())];
    let (server, opened) = server(ServerConfig { datasets, ..rooted(&[&root]) });
    let mut client = server.join(&[]).await;
    let real = |path: &str| root.join(path).canonicalize().unwrap().to_str().unwrap().to_owned();
    for (asked, path) in [
        (named.to_owned(), named.to_owned()),
        ("a.zarr".to_owned(), real("a.zarr")),
        (root.join("a.zarr").to_str().unwrap().to_owned(), real("a.zarr")),
        ("one".to_owned(), real("one/inner/d.zarr")),
    ] {
        let load = json!({"command": "napari.load_zarr", "kwargs": {"path": asked}});
        client.send("call.command", "cmd-7", load).await;
        let intent = server.intent();
        assert!(matches!(intent.change, Change::Dataset(_)), "{asked}");
        assert_eq!(opened.lock().unwrap().pop(), Some(path));
        client.answer(intent.origin.unwrap().intent).await;
        let reply = client.socket.frame().await;
        assert_eq!(reply["payload"], json!({"in_reply_to": "cmd-7", "status": "ok", "result": {"ok": true}}));
    }
    let ambiguous = call(&mut client, "napari.load_zarr", json!({"path": "lab"})).await;
    assert_eq!(ambiguous["code"], "zarr.disambiguate");
    assert_eq!(ambiguous["details"], json!({"path": "lab", "options": ["b.zarr", "c.zarr"]}));
    for empty in [".hidden", "notes.txt"] {
        assert_eq!(
            call(&mut client, "napari.load_zarr", json!({"path": empty})).await["code"],
            "zarr.invalid"
        );
    }
    image(&root.join("torn"));
    assert_eq!(call(&mut client, "napari.load_zarr", json!({"path": "torn"})).await["code"], "zarr.invalid");
}
