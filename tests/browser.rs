//! The page in a real browser, against the real server: what a person sees and does.
//!
//! Needs Chromium (`LUCIDA_CHROMIUM` or on `PATH`); without one these tests say so and pass.

#[path = "browser/cdp.rs"]
mod cdp;
#[path = "browser/server.rs"]
mod server;

use cdp::{ARROW_RIGHT, Browser, DIGIT_1, HOME, Picture};
use server::Server;
use std::{env, path::PathBuf, time::Duration};
use tokio::{
    sync::{Mutex, MutexGuard},
    time,
};

/// Until the first picture: server, shaders, browser and decoder all start for it.
const START: Duration = Duration::from_mins(1);
/// Until a hand's effect is seen.
const EFFECT: Duration = Duration::from_secs(20);
/// Pictures have stopped coming when none came for this long.
const SETTLED: Duration = Duration::from_millis(700);
/// Nothing may be drawn for an idle client in this time.
const IDLE: Duration = Duration::from_secs(2);
/// Mean difference of two pictures that a person would call different, of 255; a lossy stream's noise is far below.
const SEEN: f64 = 1.0;

/// One browser at a time: several would only slow each other down.
static ONE: Mutex<()> = Mutex::const_new(());

/// The right to run, and the browser to run with; `None` where there is no browser.
async fn browser() -> Option<(MutexGuard<'static, ()>, Browser)> {
    let Some(program) = cdp::chromium() else {
        eprintln!("SKIPPED: no Chromium here; install it or point LUCIDA_CHROMIUM to it");
        return None;
    };
    let turn = ONE.lock().await;
    Some((turn, Browser::launch(&program).await))
}

/// What of the picture nothing else covers.
async fn place(browser: &mut Browser) -> [f64; 4] {
    let [left, top, width, height] = browser.bounds("#picture").await;
    let [_, _, _, bar] = browser.bounds("#bar").await;
    [left, top + bar, width, height - bar]
}

async fn middle(browser: &mut Browser) -> (f64, f64) {
    let [left, top, width, height] = place(browser).await;
    (left + width / 2.0, top + height / 2.0)
}

async fn frames(browser: &mut Browser) -> u64 {
    browser.text("document.body.dataset.frames").await.parse().expect("a count")
}

/// Waits until data is there and no more pictures come, then looks.
async fn settled(browser: &mut Browser) -> Picture {
    browser.wait_for("document.body.dataset.waiting === 'false'", EFFECT).await;
    let mut before = frames(browser).await;
    for _ in 0..20 {
        time::sleep(SETTLED).await;
        let now = frames(browser).await;
        if now == before {
            let place = place(browser).await;
            return browser.see(place).await;
        }
        before = now;
    }
    panic!("pictures never stop coming");
}

/// Opens the page and waits for its first settled picture.
async fn opened(browser: &mut Browser, server: &Server) -> Picture {
    browser.open(server.url()).await;
    browser.wait_for("Number(document.body.dataset.frames) > 0", START).await;
    settled(browser).await
}

/// Does something and waits for a picture that shows it.
macro_rules! after {
    ($browser:ident, $hand:expr) => {{
        let before = frames(&mut $browser).await;
        $hand;
        let shown = format!("Number(document.body.dataset.frames) > {before}");
        $browser.wait_for(&shown, EFFECT).await;
        settled(&mut $browser).await
    }};
}

// Behind the macro, which it uses.
#[path = "browser/volume.rs"]
mod volume;

async fn zoom(browser: &mut Browser) -> f64 {
    let text = browser.text("document.getElementById('zoom').textContent").await;
    text.trim_end_matches('×').parse().expect("a magnification")
}

#[tokio::test]
async fn the_picture_follows_the_hands() {
    let Some((_turn, mut browser)) = browser().await else { return };
    let server = Server::start(0);
    let first = opened(&mut browser, &server).await;
    assert_eq!(browser.text("document.body.dataset.state").await, "open");
    let lit = first.brighter_than(40);
    assert!(lit > first.rgb.len() / 3 / 200, "only {lit} pixels of the first picture are lit");

    let [_, _, width, height] = browser.bounds("#picture").await;
    let size = browser.eval("[picture.width, picture.height].join()").await;
    assert_eq!(size, format!("{width},{height}"), "the picture has a pixel for every pixel of its place");

    // The wheel away from the hand zooms in.
    let before = zoom(&mut browser).await;
    let at = middle(&mut browser).await;
    let zoomed = after!(browser, browser.wheel(at, -300.0).await);
    assert!(first.difference(&zoomed) > SEEN, "the wheel changes the picture");
    let now = zoom(&mut browser).await;
    assert!((now / before - 1.1_f64.powi(3)).abs() < 0.02, "three notches zoom by 1.1³: {before} → {now}");

    // Dragging moves it, Home brings it back.
    let panned = after!(browser, browser.drag(at, (at.0 + 90.0, at.1 + 60.0)).await);
    assert!(zoomed.difference(&panned) > SEEN, "dragging changes the picture");
    let fitted = after!(browser, browser.key(HOME).await);
    let (far, near) = (first.difference(&panned), first.difference(&fitted));
    assert!(near < far / 8.0, "Home shows the first picture again: {near} is no small part of {far}");

    // Axes.
    let read = "document.querySelector('.axis .index').textContent";
    let index = browser.text(read).await;
    let stepped = after!(browser, browser.key(ARROW_RIGHT).await);
    assert_ne!(index, browser.text(read).await, "the arrow steps the first axis");
    let [left, top, width, height] = browser.bounds(".axis input").await;
    let grip = (left + width * 0.85, top + height / 2.0);
    let slid = after!(browser, browser.click(grip).await);
    assert!(stepped.difference(&slid) > 0.0, "the slider changes the picture");

    // Layers.
    let hidden = after!(browser, browser.key(DIGIT_1).await);
    assert!(slid.difference(&hidden) > SEEN, "a layer's eye changes the picture");
    let eye = browser.text("document.querySelector('.eye').getAttribute('aria-pressed')").await;
    assert_eq!(eye, "false", "the row says that its layer is off");

    // And then nothing moves any more.
    let before = frames(&mut browser).await;
    time::sleep(IDLE).await;
    assert_eq!(frames(&mut browser).await, before, "an idle page gets no pictures");

    if let Some(folder) = env::var_os("LUCIDA_SCREENSHOTS") {
        browser.save(&PathBuf::from(folder).join("page.png")).await;
    }
    browser.finish().await;
}

#[tokio::test]
async fn a_killed_server_is_told_and_found_again() {
    let Some((_turn, mut browser)) = browser().await else { return };
    let server = Server::start(0);
    let port = server.port();
    opened(&mut browser, &server).await;

    browser.network_may_fail();
    drop(server);
    browser.wait_for("document.body.dataset.state === 'closed'", EFFECT).await;
    browser.wait_for("document.querySelector('#message:not([hidden]) button')", EFFECT).await;
    let message = browser.text("document.getElementById('message').innerText").await;
    assert!(message.contains("server"), "the message speaks of the server: {message}");
    let before = frames(&mut browser).await;

    let _server = Server::start(port);
    browser.eval("document.querySelector('#message button')?.click()").await;
    browser.wait_for("document.body.dataset.state === 'open'", EFFECT).await;
    browser.wait_for(&format!("Number(document.body.dataset.frames) > {before}"), START).await;
    assert_eq!(browser.eval("document.getElementById('message').hidden").await, true);
    let again = settled(&mut browser).await;
    assert!(again.brighter_than(40) > 0, "the picture is back");
    browser.finish().await;
}

#[tokio::test]
async fn a_browser_without_webcodecs_is_told_what_to_do() {
    let Some((_turn, mut browser)) = browser().await else { return };
    let server = Server::start(0);
    browser.before_each_page("delete globalThis.VideoDecoder").await;
    browser.open(server.url()).await;
    browser.wait_for("document.body.dataset.state === 'unsupported'", START).await;
    let message = browser.text("document.getElementById('message').innerText").await;
    assert!(message.contains("WebCodecs"), "{message}");
    browser.finish().await;
}
