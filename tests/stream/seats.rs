//! Views of one's own, from the command to the picture.

use super::{
    device, is_grey,
    live::{Client, Live, watch_with},
    stairs,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Sends a command; its answer.
async fn call(client: &mut Client, command: &str, kwargs: Value) -> Value {
    let frame_id = format!("{command} {kwargs}");
    let frame = json!({
        "type": "call.command", "version": 2, "session": client.session, "timestamp": 1.0,
        "frame_id": frame_id, "payload": {"command": command, "kwargs": kwargs}
    });
    client.send_text(&frame.to_string()).await;
    loop {
        let frame = client.any_frame().await;
        let is_answer = frame["type"] == "reply.command" || frame["type"] == "error.command";
        if is_answer && frame["payload"]["in_reply_to"] == frame_id.as_str() {
            return frame["payload"].clone();
        }
    }
}

/// What an accepted command came to.
async fn done(client: &mut Client, command: &str, kwargs: Value) -> Value {
    let reply = call(client, command, kwargs).await;
    assert_eq!(reply["status"], "ok", "{reply}");
    reply["result"].clone()
}

/// What is told of seats, once it is as wanted.
async fn seats(client: &mut Client, is_it: impl Fn(&Value) -> bool) -> Value {
    loop {
        let told = client.frame("notify.seats").await["payload"].clone();
        if is_it(&told) {
            return told;
        }
    }
}

/// Steps to a plane; its picture comes.
async fn step_to(client: &mut Client, z: i32) {
    let id = client.update("dims", "z", "scene_index", json!(z)).await;
    let shown = client.picture_of(|p| p.intents.contains(&id)).await;
    assert!(is_grey(&shown, 40.0 + 3.0 * f64::from(z)), "z {z}: {:?}", shown.middle());
}

/// No picture comes any more.
async fn rests(client: &mut Client) {
    while client.picture_within(Duration::from_millis(700)).await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_ones_own_goes_its_own_way_and_comes_back() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut shared = live.watcher().await;
    shared.picture().await;
    let mut own = watch_with(live.addr, &["lucida.seats"]).await;
    let first = own.picture().await;
    assert!(is_grey(&first, 130.0), "{:?}", first.middle());
    let told = seats(&mut own, |told| told["sessions"].as_array().is_some_and(|s| s.len() == 2)).await;
    assert_eq!(told["views"], json!([{"id": "main", "name": "main", "owner": null}]));
    let me = told["you"].clone();
    done(&mut own, "lucida.session.name", json!({"name": "Ada"})).await;

    let made = done(&mut own, "lucida.view.create", json!({"name": "Side"})).await;
    assert_eq!(made, json!({"view": "view-1"}));
    let told = seats(&mut own, |told| told["views"].as_array().is_some_and(|v| v.len() == 2)).await;
    assert_eq!(told["views"][1], json!({"id": "view-1", "name": "Side", "owner": me}));
    let seat = told["sessions"].as_array().unwrap().iter().find(|s| s["id"] == me).unwrap();
    assert_eq!((&seat["name"], &seat["view"]), (&json!("Ada"), &json!("view-1")));

    // The same picture to begin with; then each steps through its own, and nobody sees the other.
    rests(&mut shared).await;
    step_to(&mut own, 3).await;
    assert!(shared.picture_within(Duration::from_millis(500)).await.is_none());
    rests(&mut own).await;
    step_to(&mut shared, 50).await;
    assert!(own.picture_within(Duration::from_millis(500)).await.is_none());
    step_to(&mut own, 7).await;

    // Layers are everybody's.
    own.update("layer", "layer-0", "visible", json!(false)).await;
    shared.picture_of(|p| is_grey(p, 0.0)).await;
    own.picture_of(|p| is_grey(p, 0.0)).await;
    shared.update("layer", "layer-0", "visible", json!(true)).await;
    own.picture_of(|p| is_grey(p, 61.0)).await;

    // Back where the others are; its own view is closed.
    assert_eq!(done(&mut own, "lucida.view.watch", json!({"view": "main"})).await, json!({"view": "main"}));
    own.picture_of(|p| is_grey(p, 190.0)).await;
    let renamed = done(&mut own, "lucida.view.rename", json!({"view": "view-1", "name": "x"})).await;
    assert_eq!(renamed, json!({"view": "view-1"}));
    assert_eq!(done(&mut own, "lucida.view.close", json!({"view": "view-1"})).await, json!({"ok": true}));
    seats(&mut own, |told| told["views"].as_array().is_some_and(|v| v.len() == 1)).await;
    let gone = call(&mut own, "lucida.view.watch", json!({"view": "view-1"})).await;
    assert_eq!(gone["status"], "error", "{gone}");
    assert!(gone["message"].as_str().unwrap().contains("there are main"), "{gone}");
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_is_refused_and_follows() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut leader = watch_with(live.addr, &["lucida.seats"]).await;
    leader.picture().await;
    let leads = seats(&mut leader, |_| true).await["you"].clone();
    let mut viewer = watch_with(live.addr, &["lucida.seats"]).await;
    viewer.picture().await;
    assert_eq!(
        done(&mut viewer, "lucida.session.role", json!({"role": "viewer"})).await,
        json!({"ok": true})
    );
    let ack = viewer.ask("dims", "z", "scene_index", json!(1)).await;
    assert_eq!((&ack["status"], &ack["error"]["code"]), (&json!("rejected"), &json!("state.forbidden")));
    let why = call(&mut viewer, "lucida.view.create", json!({})).await;
    assert_eq!((&why["status"], &why["code"]), (&json!("error"), &json!("command.forbidden")));

    let followed = done(&mut viewer, "lucida.session.follow", json!({"session": leads})).await;
    assert_eq!(followed, json!({"view": "main"}));
    done(&mut leader, "lucida.view.create", json!({})).await;
    step_to(&mut leader, 5).await;
    viewer.picture_of(|p| is_grey(p, 55.0)).await;
    seats(&mut viewer, |told| {
        let seat = told["sessions"].as_array().and_then(|s| s.iter().find(|s| s["id"] == told["you"]));
        seat.is_some_and(|s| s["view"] == "view-1" && s["role"] == "viewer" && s["follows"] == leads)
    })
    .await;
    done(&mut viewer, "lucida.session.role", json!({"role": "controller"})).await;
    step_to(&mut viewer, 9).await;
    leader.picture_of(|p| is_grey(p, 67.0)).await;
    live.end().await;
}
