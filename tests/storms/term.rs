//! SIGTERM in the middle of a storm: the process ends in time, and as told.

use crate::{
    harness::{Socket, hello},
    raw::{Raw, TEXT, frame},
    small::small_image,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, time::sleep};

/// Sessions have 3 s to take leave, the world and its threads end with their turn; the rest is for a machine
/// that does much else.
const END: Duration = Duration::from_secs(15);

/// Killed if the test fails.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_ends_the_process_as_told() {
    if crate::common::device().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucida"));
    command.args(["serve", "--port", "0", "--max-sessions", "8"]).arg(image);
    command.env("NODEVICE_SELECT", "1").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Server(command.spawn().unwrap());
    let mut line = String::new();
    let mut out = BufReader::new(server.0.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let addr: SocketAddr = line.trim().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();

    let mut there = Vec::new();
    let mut floods = Vec::new();
    for n in 0..6 {
        let mut raw = Raw::open_narrow(addr, "/state").await;
        raw.whole(TEXT, hello(&[]).to_string().as_bytes()).await;
        let welcome: Value = serde_json::from_slice(&raw.next_of(TEXT).await.payload).unwrap();
        let session = welcome["session"].as_str().unwrap().to_owned();
        // None of them reads its pictures.
        there.push(Raw::open_narrow(addr, &format!("/pixels?session={session}")).await.0);
        let pan = json!({
            "type": "state.update", "version": 2, "session": session, "timestamp": 1.0, "frame_id": "f",
            "intent_id": "i", "payload": {"scope": "camera", "target": "main", "key": "pan",
                                          "value": {"dx_px": if n % 2 == 0 { 1 } else { -1 }, "dy_px": 0}}
        });
        let pan = frame(0x80 | TEXT, pan.to_string().as_bytes());
        floods.push(tokio::spawn(async move {
            let mut stream: TcpStream = raw.0;
            while tokio::io::AsyncWriteExt::write_all(&mut stream, &pan).await.is_ok() {}
        }));
    }
    for _ in 0..8 {
        there.push(TcpStream::connect(addr).await.unwrap());
    }
    let mut polite = Socket::open(addr, "/state").await;
    polite.send(&hello(&[])).await;
    assert_eq!(polite.frame().await["type"], "session.welcome");
    sleep(Duration::from_millis(500)).await;

    let kill = format!("kill -TERM {}", server.0.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let asked = Instant::now();
    let goodbye = loop {
        let frame = polite.frame().await;
        if frame["type"] == "session.goodbye" {
            break frame;
        }
    };
    assert_eq!(goodbye["payload"]["code"], "shutdown");
    assert_eq!(polite.closed().await, 1001);
    loop {
        if let Some(status) = server.0.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0), "{status}");
            break;
        }
        assert!(asked.elapsed() < END, "still there after {END:?}");
        sleep(Duration::from_millis(20)).await;
    }
    for flood in floods {
        flood.await.unwrap();
    }
    drop(there);
}
