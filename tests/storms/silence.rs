//! Clients that come and then do nothing: they are waited for as long as is stated, and hold up nobody.

use crate::{
    harness::{PATIENCE, Server, Socket, hello, packet},
    quick,
    raw::{CLOSE, Raw, TEXT, frame},
};
use lucida::server::ServerConfig;
use lucida_components::intent::SessionEvent;
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Everything that is left to read; nothing more comes then.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection ends");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_and_silence_after_an_answer_are_not_waited_for() {
    let server = Server::start(ServerConfig { head_timeout: Duration::from_millis(300), ..quick() });
    for half in ["", "G", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        let said = rest(&mut stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{half:?}: {said}");
    }
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"), "answered, and closed when nothing follows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_end_is_refused() {
    let server = Server::start(quick());
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ").await.unwrap();
    let endless = async { while stream.write_all(&[b'x'; 16 << 10]).await.is_ok() {} };
    timeout(PATIENCE, endless).await.expect("the connection is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_never_greet_take_no_place_of_a_session_nor_of_its_pictures() {
    // 4 sessions: 16 web sockets, 4 of which may be there without having been welcomed.
    let hello_timeout = Duration::from_secs(30);
    let server = Server::start(ServerConfig { max_sessions: 4, hello_timeout, ..quick() });
    let client = server.join(&[]).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(Socket::open(server.addr, "/state").await);
    }
    assert_eq!(Socket::try_open(server.addr, "/state", &[]).await.err(), Some(503));
    let mut pixels = client.pixels(&server).await;
    let (_, pictures) = server.watch();
    pictures.send(packet(1, 10, &[])).await.unwrap();
    assert_eq!(pixels.picture().await.0, 0, "who was welcomed is served");
    assert!(matches!(server.event(), SessionEvent::PictureTaken { .. }));
    // One that speaks after all makes room.
    silent[0].send(&hello(&[])).await;
    assert_eq!(silent[0].frame().await["type"], "session.welcome");
    server.next();
    Socket::open(server.addr, "/state").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_greeting_is_not_waited_for() {
    let server = Server::start(ServerConfig { hello_timeout: Duration::from_millis(300), ..quick() });
    let greeting = frame(0x80 | TEXT, hello(&[]).to_string().as_bytes());
    for sent in [0, 1, 5, greeting.len() / 2, greeting.len() - 1] {
        let mut raw = Raw::open(server.addr, "/state").await;
        raw.bytes(&greeting[..sent]).await;
        let reject: serde_json::Value = serde_json::from_slice(&raw.next_of(TEXT).await.payload).unwrap();
        assert_eq!(reject["payload"]["code"], "timeout", "{sent} bytes");
        assert_eq!(raw.closed().await, 1000);
    }
    // Drop by drop is no faster.
    let mut raw = Raw::open(server.addr, "/state").await;
    let mut closed = None;
    for byte in &greeting {
        raw.bytes(&[*byte]).await;
        if let Ok(frame) = timeout(Duration::from_millis(20), raw.next()).await {
            closed = frame;
            break;
        }
    }
    let reject: serde_json::Value = serde_json::from_slice(&closed.expect("a reject").payload).unwrap();
    assert_eq!(reject["payload"]["code"], "timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_stops_in_mid_message_is_sent_away_like_a_silent_one() {
    let server = Server::start(ServerConfig { heartbeat: Duration::from_millis(200), ..quick() });
    let ping = frame(0x80 | TEXT, json!({"type": "ping"}).to_string().as_bytes());
    for sent in [1, 2, 7, ping.len() - 1] {
        let mut raw = Raw::open(server.addr, "/state").await;
        raw.whole(TEXT, hello(&[]).to_string().as_bytes()).await;
        raw.next_of(TEXT).await;
        let _join = server.next();
        raw.bytes(&ping[..sent]).await;
        assert_eq!(raw.closed().await, 1011, "{sent} bytes");
        assert!(matches!(server.event(), SessionEvent::Left { .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_reads_pictures_is_told_and_dropped_and_can_come_again() {
    let server = Server::start(ServerConfig { write_timeout: Duration::from_millis(300), ..quick() });
    let client = server.join(&[]).await;
    let path = format!("/pixels?session={}", client.name);
    let mut narrow = Raw::open_narrow(server.addr, &path).await;
    let (session, pictures) = server.watch();
    // As the world does: no more than three under way.
    for _ in 0..3 {
        pictures.send(packet(1, 8 << 20, &[])).await.unwrap();
    }
    assert!(matches!(server.event(), SessionEvent::Unwatching { session: s } if s == session));
    timeout(PATIENCE, pictures.closed()).await.expect("what waited is freed");
    // Reading at last, it finds a part of the first picture and the end.
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, narrow.0.read_to_end(&mut bytes)).await.expect("the connection ends");
    assert!(bytes.len() < 10 << 20, "{} bytes", bytes.len());
    let mut again = client.pixels(&server).await;
    let (_, pictures) = server.watch();
    pictures.send(packet(1, 10, &[])).await.unwrap();
    assert_eq!(again.picture().await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_is_not_answered_is_not_waited_for() {
    let server = Server::start(quick());
    let mut raw = Raw::open(server.addr, "/state").await;
    raw.whole(TEXT, hello(&[]).to_string().as_bytes()).await;
    raw.next_of(TEXT).await;
    drop(server.next()); // the world ends the session
    assert_eq!(raw.next_of(CLOSE).await.payload[..2], 1011_u16.to_be_bytes());
    assert_eq!(raw.next().await, None, "the connection ends although the client does not answer");
}
