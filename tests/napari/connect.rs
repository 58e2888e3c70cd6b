//! Hello, welcome, baseline, farewell, and everything that is refused.

use crate::{
    image::{LIMITS, SCALE, SHAPE},
    rules::{self, conversation::Stage},
    serve::Server,
    state::{PATIENCE, State, closed, hello, open},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn the_baseline_says_what_the_image_is() {
    let Some(server) = Server::start(&[]) else { return };
    let mut client = State::connect(&server).await;
    let kinds: Vec<&str> =
        client.heard.iter().map(|f| f["type"].as_str().unwrap()).filter(|k| *k != "notify.camera").collect();
    assert_eq!(
        kinds[..5],
        ["session.welcome", "notify.scene", "notify.dims", "notify.layers", "notify.layers"]
    );
    assert_eq!(client.welcome["session"]["heartbeat_s"], json!(15.0));
    assert_eq!(client.welcome["session"]["ack_timeout_ms"], json!(250));
    assert_eq!(client.welcome["features"]["notify.telemetry"]["enabled"], json!(false));

    let scene = client.heard[1]["payload"].clone();
    assert_eq!(scene["viewer"]["settings"]["canvas_size"], json!([1920, 1080]));
    assert_eq!(scene["metadata"]["status"], "ready");
    let [z, y, x] = SHAPE;
    let shapes = json!([[z, y, x], [z / 2, y / 2, x / 2]]);
    let labels = json!(["z", "y", "x"]);
    for (layer, name) in [(0, "Actin"), (1, "Nuclei")] {
        let block = &scene["layers"][layer];
        assert_eq!(block["layer_type"], "image");
        assert_eq!(block["name"], name);
        assert_eq!((&block["level_shapes"], &block["axis_labels"]), (&shapes, &labels));
        // The limits that it was opened with are 0 and 1 here, whatever they are in the file.
        assert_eq!(block["controls"]["contrast_limits"], json!([0.0, 1.0]), "{LIMITS:?} in the file");
    }
    assert_eq!(scene["layers"][0]["controls"]["colormap"], "gray");
    assert_eq!(scene["layers"][1]["controls"]["colormap"], "green");
    // Home shows everything, and its middle is that of the image: world y grows upward over the same interval.
    let rect = rules::numbers(&scene["viewer"]["camera"]["rect"], "rect", 4).unwrap();
    let (width, height) = (SCALE[2] * x as f64, SCALE[1] * y as f64);
    assert!(rect[0] <= -0.25 && rect[0] + rect[2] >= width - 0.25, "{rect:?}");
    assert!(rect[1] <= -0.25 && rect[1] + rect[3] >= height - 0.25, "{rect:?}");
    let center = rules::numbers(&scene["viewer"]["camera"]["center"], "center", 2).unwrap();
    assert!((center[0] - (width / 2.0 - 0.25)).abs() < 0.01, "{center:?}");
    assert!((center[1] - (height / 2.0 - 0.25)).abs() < 0.01, "{center:?}");

    assert_eq!(client.talk.dims["level_shapes"], shapes);
    assert_eq!(client.talk.dims["axis_labels"], labels);
    assert_eq!(client.talk.dims["ndisplay"], json!(2));
    assert_eq!(client.talk.dims["current_level"], json!(0));
    assert_eq!(client.talk.dims["step"][0], json!(z / 2));
    // A second one is told the same.
    let other = State::connect(&server).await;
    client.rest().await;
    assert_eq!(other.talk.believes()["dims"], client.talk.believes()["dims"]);
    assert_eq!(other.talk.believes()["layers"], client.talk.believes()["layers"]);
    assert_ne!(other.talk.session, client.talk.session);
}

#[tokio::test(flavor = "multi_thread")]
async fn thumbnails_show_the_layers_in_their_colours() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    // Nothing is read for those whom nobody watches.
    let _pixels = crate::pixels::Pixels::open(&server).await;
    let pixel = |talk: &rules::conversation::Conversation, layer: usize, y: f64, x: f64| -> Vec<f64> {
        let array = &talk.layers[layer].1["metadata"]["thumbnail"];
        let rows = array.as_array().unwrap();
        let row = rows[(y * rows.len() as f64) as usize].as_array().unwrap();
        let pixel = &row[(x * row.len() as f64) as usize];
        pixel.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    // Once the data is there: the block of the second layer, below on the right, in green.
    client
        .believes("a thumbnail of what the layer shows", |talk| {
            let block = pixel(talk, 1, 0.78, 0.84);
            let other = pixel(talk, 1, 0.2, 0.2);
            block[1] > 0.7 && block[0] < 0.2 && other[1] < 0.2
        })
        .await;
    client
        .believes("the upper third of the first layer is brighter", |talk| {
            let (above, below) = (pixel(talk, 0, 0.1, 0.9), pixel(talk, 0, 0.9, 0.1));
            above[0] > below[0] + 0.2 && (above[0] - above[2]).abs() < 0.02
        })
        .await;
    // It follows the controls.
    client.does("layer", "layer-1", "colormap", json!("magenta")).await;
    client
        .believes("a magenta thumbnail", |talk| {
            let block = pixel(talk, 1, 0.78, 0.84);
            block[0] > 0.7 && block[1] < 0.2 && block[2] > 0.7
        })
        .await;
}

/// Sends one message and reads what comes back: a reject's payload, and the close code.
async fn refused(server: &Server, message: Message) -> (Value, u16) {
    let mut socket = open(server.state).await;
    socket.send(message).await.unwrap();
    let text = match timeout(PATIENCE, socket.next()).await.expect("an answer").unwrap().unwrap() {
        Message::Text(text) => text,
        other => panic!("{other:?}"),
    };
    let frame: Value = serde_json::from_str(&text).unwrap();
    rules::frame(&frame).unwrap_or_else(|why| panic!("{why}: {frame}"));
    assert_eq!(frame["type"], "session.reject", "{frame}");
    (frame["payload"].clone(), closed(&mut socket).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hello_that_is_wrong_is_rejected_as_the_contract_says() {
    let Some(server) = Server::small() else { return };
    let good = || hello(&BTreeMap::new());
    let changed = |pointer: &str, value: Value| {
        let mut hello = good();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        hello.pointer_mut(parent).unwrap()[key] = value;
        hello
    };
    let without = |pointer: &str| {
        let mut hello = good();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        hello.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        hello
    };
    let text = |hello: Value| Message::text(hello.to_string());
    let features = |name: &str| format!("/payload/features/{name}");
    for (message, code) in [
        (Message::binary(vec![0xff, 0xfe, 0x00]), "invalid_payload"),
        (Message::text("hello"), "invalid_json"),
        (Message::text("{"), "invalid_json"),
        (text(changed("/type", json!("state.update"))), "unexpected_message"),
        (text(changed("/version", json!(1))), "invalid_payload"),
        (text(without("/version")), "invalid_payload"),
        (text(without("/timestamp")), "invalid_payload"),
        (text(without("/frame_id")), "invalid_payload"),
        (text(without("/payload")), "invalid_payload"),
        (text(changed("/session", json!("s"))), "invalid_payload"),
        (text(changed("/seq", json!(1))), "invalid_payload"),
        (text(changed("/intent_id", json!("i"))), "invalid_payload"),
        (text(changed("/payload/extra", json!(1))), "invalid_payload"),
        (text(changed("/payload/client/extra", json!(1))), "invalid_payload"),
        (text(without("/payload/client/platform")), "invalid_payload"),
        (text(without("/payload/client")), "invalid_payload"),
        (text(changed("/payload/protocols", json!("2"))), "invalid_payload"),
        (text(changed("/payload/features", json!([]))), "invalid_payload"),
        (text(changed("/payload/protocols", json!([1]))), "protocol_mismatch"),
        (text(changed("/payload/protocols", json!([]))), "protocol_mismatch"),
        (text(without(&features("notify.scene"))), "unsupported_client"),
        (text(changed(&features("notify.layers"), json!(false))), "unsupported_client"),
        (text(without(&features("notify.stream"))), "unsupported_client"),
    ] {
        let what = message.to_string();
        let (payload, closed) = refused(&server, message).await;
        assert_eq!(payload["code"], code, "{what}: {payload}");
        // A normal close makes the client reconnect at once, again and again; but that is what it was told to
        // expect after a rejection.
        assert_eq!(closed, 1000, "{what}");
        match code {
            "unexpected_message" => assert_eq!(payload["details"]["received"], "state.update"),
            "protocol_mismatch" => assert!(payload["details"]["client_protocols"].is_array(), "{payload}"),
            "unsupported_client" => assert_eq!(payload["details"]["missing"].as_array().unwrap().len(), 1),
            _ => {}
        }
    }
    // After all that, a good one is welcome.
    State::connect(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hellos_that_look_odd_are_welcome() {
    let Some(server) = Server::small() else { return };
    let mut capitals = hello(&BTreeMap::new());
    capitals["type"] = json!("Session.Hello");
    let mut more = hello(&BTreeMap::new());
    more["payload"]["auth"] = json!({"type": "none", "token": "x"});
    more["payload"]["features"]["notify.telemetry"] = json!(true);
    more["payload"]["features"]["something.else"] = json!(true);
    more["payload"]["protocols"] = json!([1, 2, 3]);
    more["something"] = json!("ignored");
    let mut least = hello(&BTreeMap::new());
    least["payload"]["features"] =
        json!({"notify.scene": true, "notify.layers": true, "notify.stream": true});
    let bytes = hello(&BTreeMap::new()).to_string().into_bytes();
    for message in [
        Message::text(capitals.to_string()),
        Message::text(more.to_string()),
        Message::text(least.to_string()),
        Message::binary(bytes),
    ] {
        let mut socket = open(server.state).await;
        let what = message.to_string();
        socket.send(message).await.unwrap();
        let answer = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        let frame: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
        rules::frame(&frame).unwrap_or_else(|why| panic!("{what}: {why}: {frame}"));
        assert_eq!(frame["type"], "session.welcome", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_told_that_it_took_too_long() {
    let Some(server) = Server::small() else { return };
    let mut socket = open(server.state).await;
    let answer = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    let frame: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
    rules::frame(&frame).unwrap();
    assert_eq!(frame["payload"]["code"], "timeout");
    assert_eq!(closed(&mut socket).await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_is_answered_once_and_ends_normally() {
    let Some(server) = Server::small() else { return };
    for (said, answer) in [
        (json!({}), ["goodbye", "client requested shutdown", "client_goodbye"]),
        (json!({"code": "bye", "message": "enough", "reason": "tired"}), ["bye", "enough", "tired"]),
    ] {
        let mut client = State::connect(&server).await;
        client.frame("session.goodbye", "goodbye-1", said).await;
        let heard = client.told("session.goodbye").await;
        assert_eq!([&heard["code"], &heard["message"], &heard["reason"]], answer);
        assert_eq!(client.closed().await, 1000);
    }
    let mut gone = State::connect(&server).await;
    gone.socket.close(None).await.unwrap();
    drop(gone);
    State::connect(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_is_ignored_and_malformed_updates_are_answered_where_they_can_be() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    client.rest().await;
    let session = client.talk.session.clone().unwrap();
    let whole = |payload: Value| {
        json!({"type": "state.update", "version": 2, "session": session, "timestamp": 1.0, "frame_id": "state-1",
               "intent_id": "intent-1", "payload": payload})
    };
    let update = json!({"scope": "dims", "target": "z", "key": "step", "value": 1});
    let without = |key: &str| {
        let mut frame = whole(update.clone());
        frame.as_object_mut().unwrap().remove(key).unwrap();
        frame
    };
    // Nothing to answer to, or nobody.
    for noise in [
        json!({"type": "ping"}),
        json!({"type": "shutdown"}),
        json!({"type": "notify.scene"}),
        json!([1, 2]),
        json!(7),
        json!(null),
        json!({"type": "session.ack", "version": 2, "session": session}),
        json!({"type": "session.ack", "version": 2, "session": session, "timestamp": 1.0, "frame_id": "a",
               "payload": {"extra": 1}}),
        json!({"type": "session.ack", "payload": 3}),
        without("frame_id"),
        without("intent_id"),
        without("session"),
    ] {
        client.send(&noise).await;
    }
    client.socket.send(Message::text("not json")).await.unwrap();
    client.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(client.rest().await, Vec::<Value>::new(), "noise is not answered");

    // Whoever can be told is told.
    for broken in [
        whole(json!({})),
        whole(json!([])),
        whole(json!({"scope": "dims", "target": "z", "key": "step"})),
        whole(json!({"scope": 1, "target": "z", "key": "step", "value": 1})),
        without("payload"),
    ] {
        client.talk.asks("intent-1", "state-1");
        client.send(&broken).await;
        let ack = client.told("ack.state").await;
        assert_eq!(
            (&ack["status"], &ack["error"]["code"]),
            (&json!("rejected"), &json!("state.invalid")),
            "{broken}"
        );
    }
    // Another session's name is refused, and nothing is done for anybody.
    let other = State::connect(&server).await;
    for name in ["somebody-else", other.talk.session.as_deref().unwrap()] {
        let mut foreign = whole(update.clone());
        foreign["session"] = json!(name);
        client.talk.asks("intent-1", "state-1");
        client.send(&foreign).await;
        let ack = client.told("ack.state").await;
        assert_eq!((&ack["status"], &ack["error"]["code"]), (&json!("rejected"), &json!("state.invalid")));
    }
    assert_eq!(client.rest().await, Vec::<Value>::new());
    // And it still works.
    assert_eq!(client.does("dims", "z", "index", json!(1)).await, json!(1));
    assert_eq!(client.talk.stage, Stage::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_or_never_ends_is_closed_and_others_go_on() {
    let Some(server) = Server::small() else { return };
    let mut good = State::connect(&server).await;
    let mut huge = State::connect(&server).await;
    let padding = "x".repeat(2 << 20);
    // It may be closed before all of it is sent: the system then says only that the connection is gone.
    let _ = huge.socket.send(Message::text(json!({"type": "ping", "padding": padding}).to_string())).await;
    assert!([0, 1009].contains(&huge.closed().await));
    let mut first = open(server.state).await;
    let _ = first.send(Message::text(padding)).await;
    assert!([0, 1009].contains(&closed(&mut first).await));
    // An update of more than is sensible for one is refused, or its client is.
    let mut long = State::connect(&server).await;
    let list = vec!["0123456789"; 20_000];
    let id = long.update("layer", "layer-0", "colormap", json!(list)).await;
    let ack = long.until("ack", |f| f["payload"]["intent_id"] == id.as_str()).await;
    assert_eq!(ack["payload"]["status"], "rejected");
    assert_eq!(good.does("dims", "z", "index", json!(2)).await, json!(2));
}
