//! The server stops.

use crate::harness::{Server, packet};
use crate::{applied, quick};
use lucida::app::bridge::{CloseReason, Inbound, Outbound};
use lucida_components::notice::Topic;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_says_goodbye_to_everyone_even_if_the_world_does_not() {
    let mut server = Server::start(quick());
    let (mut a, mut b) = (server.join(&[]).await, server.join(&[]).await);
    let mut pixels = a.pixels(&server).await;
    let (_, _pictures) = server.watch();
    server.signal_stop();
    for client in [&mut a, &mut b] {
        let goodbye = client.socket.frame().await;
        assert_eq!(
            (&goodbye["type"], &goodbye["payload"]["code"]),
            (&json!("session.goodbye"), &json!("shutdown"))
        );
        assert_eq!(client.socket.closed().await, 1001);
    }
    assert_eq!(pixels.closed().await, 1001);
    assert!(matches!(server.next(), Inbound::Shutdown));
    let addr = server.addr;
    server.ended().await.unwrap();
    assert!(tokio::net::TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_lets_the_world_have_the_last_word() {
    let mut server = Server::start(quick());
    let mut client = server.join(&[]).await;
    server.signal_stop();
    assert!(matches!(server.next(), Inbound::Shutdown));
    client.state.send(applied(Topic::Dims)).await.unwrap();
    client.state.send(Outbound::Close(CloseReason::Shutdown)).await.unwrap();
    assert_eq!(client.socket.frame().await["type"], "notify.dims");
    assert_eq!(client.socket.frame().await["type"], "session.goodbye");
    assert_eq!(client.socket.closed().await, 1001);
    server.ended().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_does_not_wait_for_clients_that_hang() {
    let mut server = Server::start(quick());
    let client = server.join(&[]).await;
    let _never_read = client.pixels(&server).await;
    let (_, pictures) = server.watch();
    for _ in 0..4 {
        pictures.send(packet(1, 8 << 20, &[])).await.unwrap();
    }
    let begun = Instant::now();
    server.signal_stop();
    server.ended().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}
