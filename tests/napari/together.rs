//! A page and a napari client on one view: each has its own canvas and its own way up, and neither's resize
//! touches the other's.

use crate::{
    live::{Client, watch},
    pixels::Pixels,
    serve::Server,
    state::State,
};
use serde_json::json;
use std::time::Duration;

/// The page's picture at rest, from one of them on.
async fn rest(page: &mut Client, first: crate::live::Shown) -> crate::live::Shown {
    let mut last = first;
    while let Some(next) = page.picture_within(Duration::from_millis(1200)).await {
        last = next;
    }
    last
}

/// Colour in parts of the page's picture, row 0 on top.
fn at(shown: &crate::live::Shown, x: f64, y: f64) -> [f64; 3] {
    let place = |part: f64, n: u32| (part * f64::from(n)) as usize;
    shown.rgb[place(y, shown.height) * shown.width as usize + place(x, shown.width)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_a_napari_window_look_at_the_same() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut pixels = Pixels::open(&server).await;
    let shown = pixels.rest().await;
    let mut page = watch(server.page).await;
    page.ask("stream", "main", "canvas", json!([640, 360])).await;
    let first = page.picture_of(|p| (p.width, p.height) == (640, 360)).await;
    let seen = rest(&mut page, first).await;
    assert_eq!((seen.width, seen.height), (640, 360));
    // The page's is upright as it is coded: bright above, the green block below on the right.
    let (above, below, green) = (at(&seen, 0.6, 0.1), at(&seen, 0.4, 0.6), at(&seen, 0.84, 0.78));
    assert!(above[0] > below[0] + 60.0, "{above:?} above, {below:?} below");
    assert!(green[1] > green[0] + 80.0, "{green:?}");
    // Same sides, so the same picture, place by place.
    for (x, y) in [(0.6, 0.1), (0.4, 0.6), (0.84, 0.78), (0.19, 0.165)] {
        let (a, b) = (at(&seen, x, y), shown.at(x, y));
        assert!((0..3).all(|i| (a[i] - b[i]).abs() < 12.0), "{x}, {y}: page {a:?}, napari {b:?}");
    }

    // Resizes of the page, one of them to other sides.
    client.rest().await;
    let stream = client.talk.stream.clone();
    for size in [[800, 400], [300, 500], [640, 360]] {
        page.ask("stream", "main", "canvas", json!(size)).await;
        page.picture_of(|p| [p.width, p.height] == size).await;
        pixels.watch(Duration::from_millis(300)).await;
    }
    client.rest().await;
    assert_eq!(client.talk.stream, stream, "the napari client's stream is as it was");
    assert!(pixels.headers.iter().all(|h| [h.width, h.height] == [320, 180]));

    // Either one's hand is seen by both.
    client.does("dims", "z", "index", json!(0)).await;
    let told = pixels.settled().await;
    let first = page.picture().await;
    let seen = rest(&mut page, first).await;
    let (a, b) = (at(&seen, 0.4, 0.6), told.at(0.4, 0.6));
    assert!((a[0] - 30.0).abs() < 10.0 && (b[0] - 30.0).abs() < 10.0, "page {a:?}, napari {b:?}");
    page.ask("dims", "z", "scene_index", json!(5)).await;
    client.believes("the page's step", |t| t.dims["step"][0] == 5).await;
    let told = pixels.settled().await;
    assert!((told.at(0.4, 0.6)[0] - 80.0).abs() < 10.0, "{:?}", told.at(0.4, 0.6));

    // Raw contrast from the page comes normalised, and the other way round.
    page.ask("layer", "layer-0", "contrast_limits", json!([51, 204])).await;
    client.believes("normalised limits", |t| t.controls(0)["contrast_limits"] == json!([0.2, 0.8])).await;
    // What napari has no name for comes as the nearest that it has.
    page.ask("layer", "layer-0", "colormap", json!("#ff0000")).await;
    client.believes("red", |t| t.controls(0)["colormap"] == "red").await;
    page.ask("layer", "layer-0", "blending", json!("maximum")).await;
    // A view of one's own, crop boxes, labels: left out of this client's frames, which are checked as they come.
    page.ask("clip", "z", "range", json!([1, 5])).await;
    client.rest().await;
    // The page goes: nothing happens to the other.
    drop(page);
    client.does("dims", "z", "index", json!(1)).await;
    pixels.settled().await;
    assert_eq!(client.talk.stream, stream);
}
