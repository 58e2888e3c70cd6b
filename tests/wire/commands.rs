//! Commands and their answers.

use crate::fixture;
use crate::harness::Server;
use crate::{notice, quick};
use lucida::server::ServerConfig;
use lucida::wire::command::{CommandCode, CommandFailure};
use lucida_components::intent::{Change, SessionEvent};
use lucida_components::notice::{NoticeBody, Topic};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_answered() {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = opened.clone();
    let opener = move |path: &str| {
        count.fetch_add(1, Ordering::SeqCst);
        match path {
            "/good" => Ok(Arc::new(fixture::dataset())),
            "/panics" => panic!("made to"),
            _ => Err(CommandFailure::new(CommandCode::InvalidImage, "not an image").at(path)),
        }
    };
    let datasets = ["/good", "/bad", "/panics"].map(|p| (p[1..].to_owned(), p.to_owned())).to_vec();
    let server = Server::with_opener(ServerConfig { datasets, ..quick() }, Arc::new(opener));
    let mut client = server.join(&[]).await;
    client.state.send(notice(Topic::Stream, NoticeBody::Stream(fixture::stream()))).await.unwrap();
    assert_eq!(client.socket.frame().await["type"], "notify.stream");

    client.send("call.command", "cmd-1", json!({"command": "napari.pixel.request_keyframe"})).await;
    assert!(
        matches!(server.event(), SessionEvent::KeyframeRequested { session } if session == client.session)
    );
    let reply = client.socket.frame().await;
    assert_eq!(reply["payload"], json!({"in_reply_to": "cmd-1", "status": "ok"}));
    assert_eq!(client.socket.frame().await["type"], "notify.stream", "the configuration once more");

    let load = |path: &str| json!({"command": "napari.load_zarr", "kwargs": {"path": path}});
    for (id, path, code) in [
        ("cmd-2", "/etc/passwd", "fs.forbidden"),
        ("cmd-3", "/good/../secret", "fs.forbidden"),
        ("cmd-4", "/bad", "zarr.invalid"),
        ("cmd-5", "/panics", "command.retryable"),
    ] {
        client.send("call.command", id, load(path)).await;
        let error = client.socket.frame().await;
        assert_eq!((&error["type"], &error["payload"]["code"]), (&json!("error.command"), &json!(code)));
        assert_eq!(error["payload"]["in_reply_to"], id);
    }
    assert_eq!(opened.load(Ordering::SeqCst), 2, "what is forbidden is not touched");

    client.send("call.command", "cmd-6", load("/good")).await;
    let intent = server.intent();
    assert!(matches!(intent.change, Change::Dataset(_)));
    client.answer(intent.origin.unwrap().intent).await;
    let reply = client.socket.frame().await;
    assert_eq!(reply["payload"], json!({"in_reply_to": "cmd-6", "status": "ok", "result": {"ok": true}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_wait_for_each_other_and_too_many_are_told_to_come_back() {
    let (go, gate) = std::sync::mpsc::sync_channel::<()>(1);
    let gate = std::sync::Mutex::new(gate);
    let opener = move |path: &str| {
        let _ = gate.lock().unwrap().recv();
        Err(CommandFailure::new(CommandCode::InvalidImage, "not an image").at(path))
    };
    let datasets = vec![("a".to_owned(), "/a".to_owned())];
    let server = Server::with_opener(ServerConfig { datasets, ..quick() }, Arc::new(opener));
    let mut client = server.join(&[]).await;
    for n in 0..8 {
        let load = json!({"command": "napari.load_zarr", "args": ["/a"]});
        client.send("call.command", &format!("cmd-{n}"), load).await;
        sleep(Duration::from_millis(20)).await;
    }
    let busy = client.socket.frame().await;
    assert_eq!(busy["payload"]["code"], "command.retryable");
    assert_eq!(busy["payload"]["in_reply_to"], "cmd-5", "one runs, four wait");
    let id = client.update("nonsense", "", "k", json!(1)).await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(client.socket.frame().await["payload"].take());
    }
    assert!(codes.iter().any(|p| p["intent_id"] == json!(id)), "intents do not wait for loads");
    drop(go);
    for n in 0..5 {
        let payload = client.socket.frame().await["payload"].take();
        assert_eq!(
            (&payload["in_reply_to"], &payload["code"]),
            (&json!(format!("cmd-{n}")), &json!("zarr.invalid"))
        );
    }
}
