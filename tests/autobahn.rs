//! The Autobahn test suite's fuzzing client against our WebSockets, where it is installed.
//!
//! The suite wants what it sends back, which our endpoints do not do. So an echo stands here, on the same
//! library with the same settings as the endpoints; what these answer themselves is tested in `tests/storms`.
#![expect(clippy::unwrap_used, reason = "tests")]

use axum::{
    Router,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    routing::get,
};
use lucida::{server::limited, wire::envelope::MAX_TEXT};
use serde_json::{Value, json};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};
use tokio::net::TcpListener;

/// Cases of features we do not offer: messages beyond the limit of the state channel, 1 MiB (of section 9), and
/// compression (12, 13).
const NOT_OFFERED: [&str; 10] =
    ["9.1.4", "9.1.5", "9.1.6", "9.2.4", "9.2.5", "9.2.6", "9.3.*", "9.4.*", "12.*", "13.*"];

/// The program, where it can be started.
fn wstest() -> Option<PathBuf> {
    let named = std::env::var_os("LUCIDA_WSTEST").map_or_else(|| "wstest".into(), PathBuf::from);
    match Command::new(&named).arg("--help").output() {
        Ok(said) if said.status.success() => Some(named),
        _ => {
            eprintln!(
                "SKIPPED: no wstest of the Autobahn test suite that runs; docs/testing.md says how to have it"
            );
            None
        }
    }
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        match message {
            Message::Text(_) | Message::Binary(_) => {
                if socket.send(message).await.is_err() {
                    return;
                }
            }
            // A close is answered while the end is waited for.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }
}

async fn serve() -> SocketAddr {
    let upgrade = async |upgrade: WebSocketUpgrade| limited(upgrade, MAX_TEXT).on_upgrade(echo);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(upgrade))).await });
    addr
}

/// Cases whose verdict is not good, with their verdicts.
fn bad(index: &Path) -> (usize, Vec<String>) {
    let index: Value = serde_json::from_slice(&fs::read(index).unwrap()).unwrap();
    let cases = index["lucida"].as_object().expect("reports of our agent");
    let good = |verdict: &Value| {
        verdict.as_str().is_some_and(|v| ["OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"].contains(&v))
    };
    let failed = cases.iter().filter(|(_, case)| !good(&case["behavior"]) || !good(&case["behaviorClose"]));
    (cases.len(), failed.map(|(name, case)| format!("{name}: {case}")).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fuzzing_client_has_nothing_to_complain_about() {
    let Some(wstest) = wstest() else { return };
    let addr = serve().await;
    let dir = tempfile::tempdir().unwrap();
    let spec = dir.path().join("fuzzingclient.json");
    let reports = dir.path().join("reports");
    let wanted = json!({
        "outdir": reports, "servers": [{"agent": "lucida", "url": format!("ws://{addr}/")}],
        "cases": ["*"], "exclude-cases": NOT_OFFERED, "exclude-agent-cases": {},
    });
    fs::write(&spec, wanted.to_string()).unwrap();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new(wstest).args(["-m", "fuzzingclient", "-s"]).arg(spec).output().unwrap()
    });
    let ran = ran.await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let (cases, bad) = bad(&reports.join("index.json"));
    println!("{cases} cases of the Autobahn test suite");
    assert!(cases > 200, "{cases} cases were run");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
