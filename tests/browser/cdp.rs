//! Drives a headless Chromium over the Chrome `DevTools` Protocol: one browser, one page, one call at a time.
//! Every wait has an end; the browser dies with its handle.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::{
    env, fs,
    io::Cursor,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{net::TcpStream, time};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// One call must be answered within this time; a software-rendered screenshot takes about one second.
const CALL: Duration = Duration::from_secs(30);
/// Chromium must have opened its port within this time.
const LAUNCH: Duration = Duration::from_secs(30);
/// Chromium has ended within this time after it was asked to, or is killed.
const CLOSE: Duration = Duration::from_secs(5);
/// Pause between two looks at a condition.
const POLL: Duration = Duration::from_millis(50);

/// Names under which Chromium is installed.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The window of the page in CSS pixels; one device pixel each.
pub const WINDOW: (u32, u32) = (960, 640);

/// Where Chromium is: `LUCIDA_CHROMIUM`, else the first of its usual names on `PATH`.
pub fn chromium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("LUCIDA_CHROMIUM") {
        return Some(path.into());
    }
    let path = env::var_os("PATH")?;
    NAMES
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|p| p.is_file())
}

/// A key of the keyboard.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    name: &'static str,
    code: &'static str,
    number: u32,
}

/// The arrow to the right.
pub const ARROW_RIGHT: Key = Key { name: "ArrowRight", code: "ArrowRight", number: 39 };
/// The arrow upward.
pub const ARROW_UP: Key = Key { name: "ArrowUp", code: "ArrowUp", number: 38 };
/// The letter D.
pub const LETTER_D: Key = Key { name: "d", code: "KeyD", number: 68 };
/// The letter Y.
pub const LETTER_Y: Key = Key { name: "y", code: "KeyY", number: 89 };
/// The key that goes home.
pub const HOME: Key = Key { name: "Home", code: "Home", number: 36 };
/// The digit one.
pub const DIGIT_1: Key = Key { name: "1", code: "Digit1", number: 49 };

/// A key that is held while something else is done, as `DevTools` counts them.
#[derive(Debug, Clone, Copy)]
pub enum Held {
    /// None.
    Nothing = 0,
    /// Control.
    Control = 2,
    /// Shift.
    Shift = 8,
}

/// A part of the window as it was seen: 8-bit red, green, blue, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels per row.
    pub width: usize,
    /// `3 × width × height` bytes.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// How many pixels have a channel above `level`.
    pub fn brighter_than(&self, level: u8) -> usize {
        self.rgb.chunks_exact(3).filter(|pixel| pixel.iter().any(|&c| c > level)).count()
    }

    /// Mean absolute difference of two pictures of one size, 0..=255.
    pub fn difference(&self, other: &Self) -> f64 {
        assert_eq!(self.rgb.len(), other.rgb.len(), "pictures of one size are compared");
        let sum: u64 = self.rgb.iter().zip(&other.rgb).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / self.rgb.len() as f64
    }

    fn decode(png: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(png)).read_info().expect("a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("a screenshot's size")];
        let info = reader.next_frame(&mut bytes).expect("a whole PNG");
        bytes.truncate(info.buffer_size());
        let rgb = match info.color_type {
            png::ColorType::Rgb => bytes,
            png::ColorType::Rgba => bytes.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
            other => panic!("Chromium writes colour screenshots, this one is {other:?}"),
        };
        Self { width: info.width as usize, rgb }
    }
}

/// A browser with one page.
pub struct Browser {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    calls: u64,
    faults: Vec<String>,
    network_may_fail: bool,
    // Removed last, when nothing writes to it any more.
    _profile: TempDir,
}

impl Browser {
    /// Starts Chromium with a fresh profile and an empty page.
    pub async fn launch(program: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let child = Command::new(program)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--force-device-scale-factor=1", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let mut starting = Starting(Some(child));
        let address = devtools(profile.path()).await;
        let (socket, _) = connect_async(address).await.expect("DevTools takes the connection");
        let child = starting.0.take().expect("the browser has just started");
        let mut browser = Self {
            child,
            socket,
            session: None,
            calls: 0,
            faults: Vec::new(),
            network_may_fail: false,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attached = browser
            .call("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }))
            .await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        let (width, height) = WINDOW;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.call("Emulation.setDeviceMetricsOverride", metrics).await;
        browser
    }

    /// Opens an address.
    pub async fn open(&mut self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(answer["errorText"].is_null(), "{url} does not open: {}", answer["errorText"]);
    }

    /// Runs a script in every page opened from now on, before the page's own.
    pub async fn before_each_page(&mut self, script: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// The value of a JavaScript expression, awaited where it is a promise.
    pub async fn eval(&mut self, expression: &str) -> Value {
        let call = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", call).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// The value of an expression as text; empty where it is none.
    pub async fn text(&mut self, expression: &str) -> String {
        self.eval(expression).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression is true.
    pub async fn wait_for(&mut self, condition: &str, most: Duration) {
        let end = Instant::now() + most;
        // While one document replaces another there is no body to ask.
        let guarded =
            format!("(() => {{ try {{ return Boolean({condition}) }} catch {{ return false }} }})()");
        while self.eval(&guarded).await != Value::Bool(true) {
            if Instant::now() >= end {
                let facts = self.eval("JSON.stringify({ ...document.body?.dataset })").await;
                panic!(
                    "not within {most:?}: {condition}\n  the page says {facts}\n  faults: {:#?}",
                    self.faults
                );
            }
            time::sleep(POLL).await;
        }
    }

    /// Turns the wheel over a point; `delta` in CSS pixels, negative away from the hand.
    pub async fn wheel(&mut self, (x, y): (f64, f64), delta: f64) {
        let wheel = json!({ "type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": delta });
        self.call("Input.dispatchMouseEvent", wheel).await;
    }

    /// Drags from one point to another with the left button.
    pub async fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.drag_with(Held::Nothing, from, to).await;
    }

    /// Drags with the left button while a key is held.
    pub async fn drag_with(&mut self, held: Held, from: (f64, f64), to: (f64, f64)) {
        const STEPS: i32 = 6;
        self.mouse(held, "mousePressed", from).await;
        for step in 1..=STEPS {
            let part = f64::from(step) / f64::from(STEPS);
            let at = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            self.mouse(held, "mouseMoved", at).await;
        }
        self.mouse(held, "mouseReleased", to).await;
    }

    /// Clicks a point with the left button.
    pub async fn click(&mut self, at: (f64, f64)) {
        self.mouse(Held::Nothing, "mousePressed", at).await;
        self.mouse(Held::Nothing, "mouseReleased", at).await;
    }

    async fn mouse(&mut self, held: Held, kind: &str, (x, y): (f64, f64)) {
        let buttons = i32::from(kind != "mouseReleased");
        let event = json!({
            "type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1,
            "modifiers": held as i32,
        });
        self.call("Input.dispatchMouseEvent", event).await;
    }

    /// Presses and releases a key.
    pub async fn key(&mut self, key: Key) {
        self.key_with(Held::Nothing, key).await;
    }

    /// Presses and releases a key while another is held.
    pub async fn key_with(&mut self, held: Held, key: Key) {
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": key.name, "code": key.code, "windowsVirtualKeyCode": key.number,
                "modifiers": held as i32,
            });
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Left, top, width and height of the first element that a selector finds, in CSS pixels.
    pub async fn bounds(&mut self, selector: &str) -> [f64; 4] {
        let script = format!(
            "(() => {{ const b = document.querySelector({selector:?}).getBoundingClientRect(); \
             return [b.left, b.top, b.width, b.height]; }})()"
        );
        let value = self.eval(&script).await;
        std::array::from_fn(|i| value[i].as_f64().expect("four numbers"))
    }

    /// What the window shows in a rectangle of left, top, width and height.
    pub async fn see(&mut self, [x, y, width, height]: [f64; 4]) -> Picture {
        let clip = json!({ "x": x, "y": y, "width": width, "height": height, "scale": 1 });
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png", "clip": clip })).await;
        let png = STANDARD.decode(answer["data"].as_str().expect("a screenshot")).expect("base64");
        Picture::decode(&png)
    }

    /// Saves what the whole window shows, for people to look at.
    pub async fn save(&mut self, path: &Path) {
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" })).await;
        let png = STANDARD.decode(answer["data"].as_str().expect("a screenshot")).expect("base64");
        fs::write(path, png).unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
    }

    /// From now on addresses that do not answer are no fault.
    pub fn network_may_fail(&mut self) {
        self.network_may_fail = true;
    }

    /// Ends the browser. Fails the test where the page logged an error or let an exception go.
    pub async fn finish(mut self) {
        // Whatever was on its way has arrived when this is answered.
        self.eval("0").await;
        assert!(self.faults.is_empty(), "the page had faults: {:#?}", self.faults);
        // Asked to, it ends with all its helpers and leaves its profile alone; killed by `drop` it may not.
        self.session = None;
        self.call("Browser.close", json!({})).await;
        let end = Instant::now() + CLOSE;
        while self.child.try_wait().is_ok_and(|status| status.is_none()) && Instant::now() < end {
            time::sleep(POLL).await;
        }
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let mut call = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            call["sessionId"] = json!(session);
        }
        let talk = async {
            self.socket.send(Message::text(call.to_string())).await.expect("the browser listens");
            loop {
                let message =
                    self.socket.next().await.expect("the browser lives").expect("the browser speaks");
                let Message::Text(text) = message else { continue };
                let mut answer: Value = serde_json::from_str(&text).expect("DevTools speaks JSON");
                if answer["id"] == id {
                    assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                    return answer["result"].take();
                }
                if let Some(fault) = fault(&answer, self.network_may_fail) {
                    self.faults.push(fault);
                }
            }
        };
        time::timeout(CALL, talk)
            .await
            .unwrap_or_else(|_| panic!("{method} was not answered within {CALL:?}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends a browser that does not get as far as being one.
struct Starting(Option<Child>);

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            end(child);
        }
    }
}

fn end(child: &mut Child) {
    // Both fail only where it has ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// The address that Chromium writes into its profile once it listens.
async fn devtools(profile: &Path) -> String {
    let end = Instant::now() + LAUNCH;
    loop {
        if let Ok(text) = fs::read_to_string(profile.join("DevToolsActivePort")) {
            let mut lines = text.lines();
            if let (Some(port), Some(path)) = (lines.next(), lines.next()) {
                return format!("ws://127.0.0.1:{port}{path}");
            }
        }
        assert!(Instant::now() < end, "Chromium did not open its port within {LAUNCH:?}");
        time::sleep(POLL).await;
    }
}

/// What of an event a test must not overlook: exceptions that nobody caught, and errors in the console.
fn fault(event: &Value, network_may_fail: bool) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => {
            let details = &params["exceptionDetails"];
            Some(
                details["exception"]["description"]
                    .as_str()
                    .map_or_else(|| details.to_string(), str::to_owned),
            )
        }
        "Runtime.consoleAPICalled" if params["type"] == "error" => Some(params["args"].to_string()),
        "Log.entryAdded" if params["entry"]["level"] == "error" => {
            let entry = &params["entry"];
            let network = entry["source"] == "network" || entry["source"] == "javascript" && is_socket(entry);
            (!(network && network_may_fail)).then(|| format!("{} ({})", entry["text"], entry["url"]))
        }
        _ => None,
    }
}

/// Chromium counts a WebSocket that does not connect as the fault of the script that opened it.
fn is_socket(entry: &Value) -> bool {
    entry["text"].as_str().is_some_and(|text| text.starts_with("WebSocket connection to"))
}
