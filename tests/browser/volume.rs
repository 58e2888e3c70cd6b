//! Plane and volume: the switch, the hands in a volume, and the way back.

use super::{
    EFFECT, SEEN, SETTLED, browser,
    cdp::{ARROW_UP, Browser, HOME, Held, LETTER_D, LETTER_Y, Picture},
    frames, middle, opened,
    server::Server,
    settled,
};
use lucida_components::{camera::VolumePose, rays::Rays, stream::Canvas};
use serde_json::Value;
use std::{env, path::PathBuf, time::Duration};

/// Mean difference of two pictures of the same that were encoded on different ways, of 255.
const ENCODED_ANEW: f64 = 4.0;

/// A volume at rest is drawn in full within this time, and then not any more.
const AT_REST: Duration = Duration::from_secs(4);

/// The pose of the mode that is shown, as the server last told it.
async fn pose(browser: &mut Browser) -> Value {
    browser.eval("JSON.parse(document.body.dataset.pose)").await
}

/// Does something and waits until the pose is another one.
macro_rules! moved {
    ($browser:ident, $hand:expr) => {{
        let before = $browser.text("document.body.dataset.pose").await;
        $hand;
        $browser.wait_for(&format!("document.body.dataset.pose !== {before:?}"), EFFECT).await;
        // Whatever else was on its way has been told when nothing moves any more.
        after_all(&mut $browser).await
    }};
}

/// The pose once it rests.
async fn after_all(browser: &mut Browser) -> Value {
    let mut before = pose(browser).await;
    loop {
        tokio::time::sleep(SETTLED).await;
        let now = pose(browser).await;
        if now == before {
            return now;
        }
        before = now;
    }
}

async fn shows(browser: &mut Browser, mode: &str) {
    browser.wait_for(&format!("document.body.dataset.mode === '{mode}'"), EFFECT).await;
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("numbers")).collect()
}

#[tokio::test]
async fn a_volume_follows_the_hands_and_the_plane_comes_back() {
    let Some((_turn, mut browser)) = browser().await else { return };
    let server = Server::start(0);
    opened(&mut browser, &server).await;
    let at = middle(&mut browser).await;
    let plane = after!(browser, browser.wheel(at, -100.0).await);
    let plane_pose = pose(&mut browser).await;
    let sliders = "[...document.querySelectorAll('.axis input[type=range]')].filter((s) => !s.hidden).length";
    let (rows, bounds) = (browser.eval(sliders).await, browser.bounds("#picture").await);

    browser.key(LETTER_D).await;
    shows(&mut browser, "volume").await;
    let home = after_all(&mut browser).await;
    assert_eq!(home["angles"].as_array().map(Vec::len), Some(3), "{home}");
    let left = browser.eval(sliders).await;
    assert_eq!(left.as_u64(), rows.as_u64().map(|n| n - 1), "an axis of the volume has no slider");
    assert_eq!(browser.bounds("#picture").await, bounds, "the picture keeps its place");
    assert_eq!(browser.text("document.getElementById('mode-3').ariaPressed").await, "true");

    // What is in front follows the hand: right and down bring the camera left and up.
    let turned = moved!(browser, browser.drag(at, (at.0 + 50.0, at.1 + 25.0)).await);
    let (before, now) = (numbers(&home["angles"]), numbers(&turned["angles"]));
    assert!((now[0] - before[0] + 10.0).abs() < 1e-6 && (now[1] - before[1] - 5.0).abs() < 1e-6, "{now:?}");
    assert_eq!((&turned["center"], &turned["distance"]), (&home["center"], &home["distance"]));
    let told = browser.text("document.getElementById('orientation').getAttribute('aria-label')").await;
    assert!(told.contains(&format!("azimuth {}°", now[0].round())), "{told}");

    let panned = moved!(browser, browser.drag_with(Held::Shift, at, (at.0 - 40.0, at.1)).await);
    assert_ne!(panned["center"], turned["center"], "shift drags the volume");
    assert_eq!(panned["angles"], turned["angles"]);
    let near = moved!(browser, browser.wheel(at, -100.0).await);
    assert!(near["distance"].as_f64() < panned["distance"].as_f64(), "away from the hand is nearer");
    let lifted = moved!(browser, browser.key_with(Held::Shift, ARROW_UP).await);
    assert!(numbers(&lifted["angles"])[1] < numbers(&near["angles"])[1], "the arrow pushes as a hand does");
    let fitted = moved!(browser, browser.key(HOME).await);
    assert_eq!(fitted["center"], home["center"]);
    assert_ne!(fitted["distance"], lifted["distance"]);
    assert_eq!(fitted["angles"], lifted["angles"], "what is fitted is not turned");

    // There and back, as often as one likes.
    browser.key_with(Held::Control, LETTER_Y).await;
    shows(&mut browser, "plane").await;
    assert_eq!(pose(&mut browser).await, plane_pose, "the plane is exactly where it was");
    browser.eval("document.getElementById('mode-3').click()").await;
    shows(&mut browser, "volume").await;
    assert_eq!(pose(&mut browser).await, fitted, "so is the volume");
    let again = after!(browser, browser.eval("document.getElementById('mode-2').click()").await);
    assert_eq!(pose(&mut browser).await, plane_pose);
    assert!(plane.difference(&again) < ENCODED_ANEW, "{}", plane.difference(&again));
    browser.finish().await;
}

/// The picture of full quality: it is drawn in pieces, and nothing is seen of it before it is whole.
async fn rested(browser: &mut Browser) -> Picture {
    let mut before = settled(browser).await;
    for _ in 0..10 {
        tokio::time::sleep(AT_REST).await;
        let now = settled(browser).await;
        if now == before {
            return now;
        }
        before = now;
    }
    panic!("pictures never rest");
}

/// Lit pixels of a picture with data in it.
fn lit(picture: &Picture) -> usize {
    picture.brighter_than(40)
}

#[tokio::test]
async fn a_volume_is_drawn_cut_and_refined_at_rest() {
    let Some((_turn, mut browser)) = browser().await else { return };
    let server = Server::start(0);
    let plane = opened(&mut browser, &server).await;
    let volume = after!(browser, browser.key(LETTER_D).await);
    shows(&mut browser, "volume").await;
    assert!(lit(&volume) > volume.rgb.len() / 3 / 200, "only {} pixels are lit", lit(&volume));
    assert!(volume.difference(&plane) > SEEN, "it is not the plane");
    let at = middle(&mut browser).await;
    after!(browser, browser.drag(at, (at.0 + 200.0, at.1 + 40.0)).await);
    let turned = rested(&mut browser).await;
    assert!(lit(&turned) > 0 && turned.difference(&volume) > SEEN, "turning changes the picture");
    if let Some(folder) = env::var_os("LUCIDA_SCREENSHOTS") {
        browser.save(&PathBuf::from(folder).join("volume.png")).await;
    }

    // What stands at rest is as good as what is drawn without haste.
    after!(browser, browser.key(LETTER_D).await);
    after!(browser, browser.key(LETTER_D).await);
    let fresh = rested(&mut browser).await;
    let apart = fresh.difference(&turned);
    assert!(apart < ENCODED_ANEW && apart < turned.difference(&volume) / 4.0, "{apart}");

    // A crop box of half of x, by its tick and its number.
    let tick = "document.querySelector('.crop input[type=checkbox]')";
    browser.eval(&format!("{tick}.click()")).await;
    browser.wait_for("!document.querySelector('.crop .span').hidden", EFFECT).await;
    let half = "(() => { const [low, high] = document.querySelectorAll('.crop input[type=number]'); \
                high.value = (Number(low.value) + Number(high.value)) / 2; \
                high.dispatchEvent(new Event('change')); })()";
    let cropped = after!(browser, browser.eval(half).await);
    assert!(lit(&cropped) < lit(&fresh), "{} of {} are left", lit(&cropped), lit(&fresh));
    assert!(lit(&cropped) > 0, "half is left");
    after!(browser, browser.eval(&format!("{tick}.click()")).await);
    let whole = rested(&mut browser).await;
    assert!(whole.difference(&fresh) < ENCODED_ANEW, "the whole is back");

    // A plane across what is looked at takes away what lies before it, and goes again.
    let planes = "document.querySelectorAll('.cut').length";
    after!(browser, browser.eval("document.querySelector('#view button.auto').click()").await);
    assert_eq!(browser.eval(planes).await, 1);
    let cut = rested(&mut browser).await;
    assert!(cut.difference(&whole) > SEEN && lit(&cut) > 0, "half is cut away");
    after!(browser, browser.eval("document.querySelector('.cut button').click()").await);
    assert_eq!(browser.eval(planes).await, 0);

    // Another rendering is another picture; its threshold comes with it.
    let hidden =
        "document.querySelector('[aria-label^=\"Threshold of the surface\"]').closest('label').hidden";
    assert_eq!(browser.eval(hidden).await, true);
    let iso = "(() => { const s = document.querySelector('[aria-label^=Rendering]'); s.value = 'iso'; \
               s.dispatchEvent(new Event('change')); })()";
    let surface = after!(browser, browser.eval(iso).await);
    assert!(surface.difference(&whole) > 0.0, "a surface is no projection");
    assert_eq!(browser.eval(hidden).await, false);
    browser.finish().await;
}

#[tokio::test]
async fn a_level_that_does_not_fit_is_refused_with_a_sentence() {
    let Some((_turn, mut browser)) = browser().await else { return };
    // Of these, three quarters are for bricks: fewer than level 0 has.
    let server = Server::start_with(0, &["--gpu-volumes", "16"]);
    opened(&mut browser, &server).await;
    browser.key(LETTER_D).await;
    shows(&mut browser, "volume").await;
    let choose = |level: &str| {
        format!(
            "(() => {{ const s = document.querySelector('[aria-label=Level]'); s.value = '{level}'; \
             s.dispatchEvent(new Event('change')); }})()"
        )
    };
    let refusal = "document.querySelector('.refusal')";
    browser.eval(&choose("0")).await;
    browser.wait_for(&format!("!{refusal}.hidden"), EFFECT).await;
    let sentence = browser.text(&format!("{refusal}.textContent")).await;
    assert!(sentence.contains("level 0") && sentence.contains("MiB"), "{sentence}");
    let shown = "document.querySelector('[aria-label=Level]').value";
    assert_eq!(browser.text(shown).await, "auto", "what was refused is not shown as chosen");
    browser.eval(&choose("3")).await;
    browser.wait_for(&format!("{refusal}.hidden && {shown} === '3'"), EFFECT).await;
    browser.wait_for("document.getElementById('level').textContent.includes('locked')", EFFECT).await;
    browser.finish().await;
}

#[tokio::test]
async fn the_page_looks_along_the_same_rays_as_the_server() {
    let Some((_turn, mut browser)) = browser().await else { return };
    let server = Server::start(0);
    browser.open(server.url()).await;
    browser.wait_for("document.readyState === 'complete'", EFFECT).await;
    let canvas = Canvas { width: 640, height: 480 };
    for (angles, fov) in [([0.0; 3], 60.0), ([30.0, 30.0, 0.0], 0.0), ([-170.0, -85.0, 33.0], 45.0)] {
        let rays = Rays::of(&VolumePose { center: [0.0; 3], angles, distance: 7.0, fov }, canvas);
        let script = format!(
            "import('/world.js').then((w) => {{ const b = w.basis({angles:?}); \
             return [...b.right, ...b.down, ...b.forward, w.seenHeight({{ distance: 7, fov: {fov} }})]; }})"
        );
        let want = [&rays.right[..], &rays.down, &rays.forward, &[rays.pixel * 480.0]].concat();
        for (page, server) in numbers(&browser.eval(&script).await).iter().zip(&want) {
            assert!((page - server).abs() < 1e-9, "{angles:?} {fov}: {page} is not {server}");
        }
    }
    browser.finish().await;
}

#[tokio::test]
async fn what_a_hand_does_between_two_frames_is_one_message() {
    let Some((_turn, mut browser)) = browser().await else { return };
    let server = Server::start(0);
    browser.open(server.url()).await;
    browser.wait_for("document.readyState === 'complete'", EFFECT).await;
    let sent = browser
        .eval(
            "import('/updates.js').then(async ({ Updates }) => {
                const sent = [];
                const answer = { status: 'accepted' };
                const updates = new Updates({ update: async (...what) => { sent.push(what); return answer; } });
                for (let i = 0; i < 20; i += 1) updates.orbit(-1, 0.5);
                updates.pan(2, 3);
                updates.pan(1, -1);
                updates.orbit(4, 0);
                await new Promise((done) => setTimeout(done, 500));
                return sent;
            })",
        )
        .await;
    let want = serde_json::json!([
        ["camera", "main", "orbit", { "d_az_deg": -20, "d_el_deg": 10 }],
        ["camera", "main", "pan", { "dx_px": 3, "dy_px": 2 }],
        ["camera", "main", "orbit", { "d_az_deg": 4, "d_el_deg": 0 }],
    ]);
    assert_eq!(sent, want, "in the order in which it was done");
    browser.finish().await;
}
