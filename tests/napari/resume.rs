//! A connection drops and another comes with its tokens: what was missed is told, and nothing else.

use crate::{pixels::Pixels, serve::Server, state::State};
use serde_json::{Value, json};

/// Frames of a type.
fn of<'a>(heard: &'a [Value], kind: &str) -> Vec<&'a Value> {
    heard.iter().filter(|f| f["type"] == kind).collect()
}

/// What the reconnected client was told of its layers, once nothing more comes.
async fn missed(client: &mut State) -> Vec<Value> {
    let mut heard = std::mem::take(&mut client.heard);
    heard.extend(client.rest().await);
    let told = of(&heard, "notify.layers").into_iter().filter(|f| f["payload"].get("controls").is_some());
    told.cloned().collect()
}

/// Two that look at the same believe the same.
async fn same(server: &Server, client: &mut State) {
    client.rest().await;
    let mut fresh = State::connect(server).await;
    fresh.rest().await;
    for part in ["dims", "layers"] {
        assert_eq!(client.talk.believes()[part], fresh.talk.believes()[part], "{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_once_nothing_was_missed() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    client.does("layer", "layer-0", "opacity", json!(0.5)).await;
    client.rest().await;
    let before = client.talk;
    drop(client.socket);
    let mut again = State::again(&server, &before).await;
    let features = again.welcome["features"].clone();
    // All that it had is all there is: its tokens are the present ones.
    for topic in ["notify.scene", "notify.layers"] {
        let state = &features[topic]["resume_state"];
        assert_eq!(state["delta_token"], json!(before.tokens[topic]), "{topic}: {features}");
    }
    let heard = again.heard.clone();
    assert_eq!(of(&heard, "notify.scene").len(), 1, "the scene is told anew, always");
    assert_eq!(of(&heard, "notify.dims").len(), 1, "dims cannot be resumed");
    same(&server, &mut again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_changed_meanwhile_is_replayed_and_nothing_else() {
    let Some(server) = Server::small() else { return };
    let mut other = State::connect(&server).await;
    let mut client = State::connect(&server).await;
    client.does("layer", "layer-0", "gamma", json!(0.8)).await;
    client.rest().await;
    let before = client.talk;
    drop(client.socket);
    // Twice one property: only what it is now is told.
    for (key, value) in [("opacity", json!(0.25)), ("opacity", json!(0.75)), ("colormap", json!("magma"))] {
        other.does("layer", "layer-1", key, value).await;
    }
    other.does("dims", "z", "index", json!(5)).await;
    other.rest().await;
    let mut again = State::again(&server, &before).await;
    let told = missed(&mut again).await;
    assert!(!told.is_empty() && told.len() <= 3, "{told:#?}");
    let mut keys: Vec<&str> = Vec::new();
    for frame in &told {
        assert_eq!(frame["payload"]["layer_id"], "layer-1", "{frame}");
        for (key, value) in frame["payload"]["controls"].as_object().unwrap() {
            let now = if key == "opacity" { json!(0.75) } else { json!("magma") };
            assert_eq!(*value, now, "{key}");
            keys.push(key);
        }
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys, ["colormap", "opacity"]);
    assert_eq!(again.talk.dims["step"][0], json!(5));
    same(&server, &mut again).await;
    // And from there once more, by the token of what was replayed.
    let before = again.talk;
    drop(again.socket);
    other.does("layer", "layer-0", "gamma", json!(1.5)).await;
    other.rest().await;
    let mut third = State::again(&server, &before).await;
    let told = missed(&mut third).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["payload"], json!({"layer_id": "layer-0", "controls": {"gamma": 1.5}}));
    same(&server, &mut third).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_image_or_a_foreign_token_means_everything_anew() {
    let Some(server) = Server::small() else { return };
    let mut other = State::connect(&server).await;
    let mut client = State::connect(&server).await;
    client.rest().await;
    let before = client.talk;
    drop(client.socket);
    other.result("napari.load_zarr", json!({"path": server.folder.path("second.ome.zarr")})).await;
    other.rest().await;
    let mut again = State::again(&server, &before).await;
    for topic in ["notify.scene", "notify.layers"] {
        let state = again.welcome["features"][topic].get("resume_state");
        assert_eq!(state, None, "{topic}: that token is of another image");
    }
    let told = missed(&mut again).await;
    assert_eq!(told.len(), 2, "every layer with all its controls: {told:#?}");
    same(&server, &mut again).await;

    // Tokens that this server never gave, and another process's.
    let mut foreign = again.talk;
    drop(again.socket);
    for token in ["", "x", "0123456789abcdef0123456789abcdef", &"z".repeat(255)] {
        for topic in ["notify.scene", "notify.layers", "notify.stream"] {
            foreign.tokens.insert(topic, Some(token.to_owned()));
        }
        let mut client = State::again(&server, &foreign).await;
        for topic in ["notify.scene", "notify.layers", "notify.stream"] {
            assert_eq!(client.welcome["features"][topic].get("resume_state"), None, "{topic} {token}");
        }
        assert_eq!(missed(&mut client).await.len(), 2, "{token}");
        same(&server, &mut client).await;
    }
    drop(server);
    let Some(server) = Server::small() else { return };
    let mut elsewhere = State::again(&server, &other.talk).await;
    assert_eq!(missed(&mut elsewhere).await.len(), 2);
    same(&server, &mut elsewhere).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_still_the_same_is_not_told_again() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut pixels = Pixels::open(&server).await;
    pixels.rest().await;
    client.believes("the stream", |t| t.stream.is_object()).await;
    client.rest().await;
    let before = client.talk;
    drop(client.socket);
    let mut again = State::again(&server, &before).await;
    let mut heard = std::mem::take(&mut again.heard);
    heard.extend(again.rest().await);
    assert_eq!(of(&heard, "notify.stream").len(), 0, "{heard:#?}");
    // The welcome comes before anybody knows which stream it is, so its token is forgotten, and told next time.
    assert_eq!(again.welcome["features"]["notify.stream"].get("resume_state"), None);
    let before = again.talk;
    drop(again.socket);
    let mut third = State::again(&server, &before).await;
    third.until("the stream", |f| f["type"] == "notify.stream").await;
    // A newcomer is told at once.
    let mut fresh = State::connect(&server).await;
    fresh.believes("the stream", |t| t.stream.is_object()).await;
    assert_eq!(fresh.talk.stream, before.stream);
}
