//! The pixel stream decoded and looked at: rows, size, keyframes, and everybody else's.

use crate::{
    pixels::Pixels,
    rules::{pixels::Backlog, stream},
    serve::Server,
    state::State,
};
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_coded_row_is_the_bottom_of_the_picture() {
    // At the size that the older server has where nothing else is said.
    let Some(server) = Server::start(&[]) else { return };
    let mut client = State::connect(&server).await;
    let mut pixels = Pixels::open(&server).await;
    client.believes("the stream", |t| t.stream.is_object()).await;
    assert_eq!(client.talk.stream["frame_size"], json!([1920, 1080]));
    pixels.told = Some(stream::record(&client.talk.stream["avcc"]).unwrap());
    let shown = pixels.rest().await;
    assert_eq!(shown.size(), [1920, 1080]);
    // The upper third is brighter, the green block is below on the right, the white mark above on the left.
    let (above, below) = (shown.at(0.6, 0.1), shown.at(0.4, 0.6));
    assert!(above[0] > below[0] + 60.0, "{above:?} above, {below:?} below");
    let (green, mark) = (shown.at(0.84, 0.78), shown.at(0.19, 0.165));
    assert!(green[1] > green[0] + 80.0, "{green:?}");
    assert!(mark.iter().all(|c| *c > 235.0), "{mark:?}");
    // Coded, that is the other way round.
    let coded = shown.coded(1152, 108);
    assert!((coded[0] - below[0]).abs() < 8.0, "{coded:?}");
    let still = server.still("first.ome.zarr", [1920, 1080], &["--index", "z=3"]);
    let likeness = shown.likeness(&still);
    assert!(likeness > 30.0, "{likeness:.1} dB");
    // The anchor's second number is the coded row: what is there stays under it.
    let [x, y] = [365.0, 180.0];
    let anchor = json!([x, 1080.0 - y]);
    client.does("camera", "main", "zoom", json!({"factor": 0.5, "anchor_px": anchor})).await;
    let near = pixels.rest().await;
    let mark = near.pixel(365, 180);
    assert!(mark.iter().all(|c| *c > 235.0), "the mark stayed under the pointer: {mark:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyframe_at_rest_and_every_two_seconds_while_it_moves() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut pixels = Pixels::open(&server).await;
    pixels.rest().await;
    assert!(pixels.headers.last().unwrap().keyframe, "the picture at rest can be joined");
    let first = pixels.headers.len();
    let moving = tokio::spawn(async move {
        for n in 0..400 {
            let dx = if n % 100 < 50 { 1.0 } else { -1.0 };
            client.update("camera", "main", "pan", json!({"dx_px": dx, "dy_px": 0.5 * dx})).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client
    });
    pixels.watch(Duration::from_secs(9)).await;
    let _client = moving.await.unwrap();
    pixels.settled().await;
    let during = &pixels.headers[first..];
    assert!(during.len() > 20, "it moved: {} pictures", during.len());
    let mut last = during[0].ts;
    for header in during {
        // Two seconds are meant; the rest is for a machine that does much else.
        assert!(header.ts - last < 4.0, "{:.1} s without a keyframe", header.ts - last);
        if header.keyframe {
            last = header.ts;
        }
    }
    assert!(during.last().unwrap().keyframe, "at rest again");
    // Not every picture is one, or the line would be full of them.
    let keys = during.iter().filter(|h| h.keyframe).count();
    assert!(keys * 3 < during.len(), "{keys} of {}", during.len());
    // Then nothing is sent.
    assert!(pixels.next_within(Duration::from_secs(3)).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_join_and_ask_do_not_disturb_who_is_there() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut first = Pixels::open(&server).await;
    let shown = first.rest().await;
    let encoder = server.metric("lucida_encode_seconds_count");
    let mut guests = Vec::new();
    for n in 0..4 {
        let mut guest = Pixels::open(&server).await;
        // Its first packet is a keyframe: `Pixels` wants that. It sees what is there already.
        let seen = guest.next().await;
        assert_eq!(seen.size(), shown.size());
        client.does("dims", "z", "index", json!(n)).await;
        client.command("napari.pixel.request_keyframe", json!({})).await;
        guests.push(guest);
        // The first one decodes everything that comes, in its order, without a gap: `Pixels` wants that too.
        first.watch(Duration::from_millis(700)).await;
    }
    let last = first.settled().await;
    let made = server.metric("lucida_encode_seconds_count") - encoder;
    for mut guest in guests {
        let seen = guest.settled().await;
        let (a, b) = (seen.at(0.6, 0.1), last.at(0.6, 0.1));
        assert!((a[0] - b[0]).abs() < 6.0, "{a:?} and {b:?}");
    }
    assert!(made < 120.0, "{made} pictures for one stream");
}

/// The client's software decoder at a pace that it cannot keep: it forgets everything at a backlog, asks for
/// nothing, and is shown the end all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_decoder_that_gave_up_finds_the_next_keyframe() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut pixels = Pixels::open(&server).await;
    pixels.rest().await;
    let mut backlog = Backlog::new();
    let mut gave_up = 0;
    for n in 0..120 {
        client.update("dims", "z", "index", json!(n % 6)).await;
        client.update("camera", "main", "pan", json!({"dx_px": 1, "dy_px": 0})).await;
        let before = pixels.headers.len();
        pixels.watch(Duration::from_millis(30)).await;
        for header in &pixels.headers[before..] {
            let was = backlog.is_gated();
            // It never comes to decode one.
            backlog.take(header.keyframe);
            gave_up += usize::from(backlog.is_gated() && !was);
        }
    }
    client.believes("answers", crate::rules::conversation::Conversation::is_answered).await;
    let before = pixels.headers.len();
    pixels.settled().await;
    for header in &pixels.headers[before..] {
        backlog.take(header.keyframe);
        backlog.decoded();
    }
    assert!(gave_up > 0, "{} pictures were no backlog", pixels.headers.len());
    assert!(!backlog.is_gated(), "the picture at rest is a keyframe, so it sees the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_on_the_pixel_channel_is_ignored() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let Some(server) = Server::small() else { return };
    let mut socket = crate::state::open(server.pixels).await;
    for message in
        [Message::text("{\"type\":\"ping\"}"), Message::binary(vec![0; 4]), Message::binary(vec![7; 900])]
    {
        socket.send(message).await.unwrap();
    }
    let mut client = State::connect(&server).await;
    let mut pixels = Pixels::open(&server).await;
    pixels.rest().await;
    client.does("dims", "z", "index", json!(0)).await;
    pixels.next().await;
    // Whoever said something is still sent pictures.
    let packet = tokio::time::timeout(crate::state::PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(packet.is_binary(), "{packet:?}");
}
