//! Too much of anything: it ends where it began.

use crate::fixture;
use crate::harness::{PATIENCE, Server, Socket, hello};
use crate::{applied, notice, quick};
use futures_util::SinkExt;
use lucida::app::bridge::STATE_QUEUE;
use lucida::server::ServerConfig;
use lucida_components::intent::{Change, SessionEvent};
use lucida_components::notice::{NoticeBody, Topic};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_says_so_and_takes_the_next_when_one_leaves() {
    let server = Server::start(ServerConfig { max_sessions: 1, ..quick() });
    let client = server.join(&[]).await;
    let mut second = Socket::open(server.addr, "/state").await;
    second.send(&hello(&[])).await;
    assert_eq!(second.frame().await["payload"]["code"], "server_full");
    assert_eq!(second.closed().await, 1013);
    let session = client.session;
    drop(client);
    assert!(matches!(server.event(), SessionEvent::Left { session: left } if left == session));
    // The place is free a moment after the world hears of it.
    sleep(Duration::from_millis(100)).await;
    assert_ne!(server.join(&[]).await.session, session, "numbers are never used again");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_frames_are_ignored_up_to_a_limit() {
    let server = Server::start(ServerConfig { malformed_limit: 8, ..quick() });
    let mut client = server.join(&[]).await;
    for _ in 0..8 {
        client.socket.text("{".into()).await;
    }
    let id = client.update("nonsense", "main", "key", json!(1)).await;
    assert_eq!(client.socket.frame().await["payload"]["intent_id"], json!(id), "still served");
    for _ in 0..3 {
        client.socket.bytes(vec![1, 2, 3]).await;
    }
    assert_eq!(client.socket.closed().await, 1008);
    assert!(matches!(server.event(), SessionEvent::Left { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn oversize_messages_end_their_session_alone() {
    let server = Server::start(quick());
    let mut other = server.join(&[]).await;
    let mut client = server.join(&[]).await;
    let long = json!({"type": "ping", "pad": "x".repeat((1 << 20) + 1)}).to_string();
    // The server does not read the message to its end: the client may hear 1009, or its writing is cut off.
    let code = match client.socket.0.send(Message::text(long)).await {
        Ok(()) => client.socket.closed().await,
        Err(_) => 0,
    };
    assert!([0, 1009].contains(&code), "{code}");
    assert!(matches!(server.event(), SessionEvent::Left { session } if session == client.session));
    let id = other.update("layer", "layer-0", "pad", json!("x".repeat(70_000))).await;
    let payload = other.socket.frame().await["payload"].take();
    assert_eq!((&payload["intent_id"], &payload["error"]["code"]), (&json!(id), &json!("state.invalid")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_held_up_at_its_own_socket_and_nothing_of_it_is_lost() {
    const FLOOD: usize = 3000;
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    let sender = tokio::spawn(async move {
        for n in 0..FLOOD {
            client.update("dims", "z", "index", json!(n)).await;
        }
        client
    });
    sleep(Duration::from_millis(300)).await;
    for n in 0..FLOOD as i64 {
        let Change::Index { value, .. } = server.intent().change else { panic!() };
        assert_eq!(value, n);
    }
    timeout(PATIENCE, sender).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_fills_its_own_queue_alone_and_is_sent_away() {
    let server = Server::start(ServerConfig { write_timeout: Duration::from_millis(500), ..quick() });
    let mut other = server.join(&[]).await;
    let client = server.join(&["lucida.view"]).await;
    // Neither read nor closed: the socket stays open in `client`.
    let mut state = fixture::state();
    let mut dataset = fixture::dataset();
    dataset.name = "x".repeat(1 << 20);
    state.dataset = dataset.into();
    let big = Arc::new(lucida_components::applied::Applied { revision: 1, state: state.into() });
    let begun = Instant::now();
    let mut filled = false;
    while !filled && begun.elapsed() < PATIENCE {
        let body = NoticeBody::Applied(big.clone());
        filled = client.state.try_send(notice(Topic::View, body)).is_err();
        tokio::task::yield_now().await;
    }
    assert!(filled, "a queue of {STATE_QUEUE} is bounded");
    other.state.send(applied(Topic::Dims)).await.unwrap();
    assert_eq!(other.socket.frame().await["type"], "notify.dims", "others are served");
    assert!(matches!(server.event(), SessionEvent::Left { session } if session == client.session));
    assert!(client.state.is_closed());
}
