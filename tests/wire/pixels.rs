//! Pictures and their acknowledgements.

use crate::harness::{PATIENCE, Server, Socket, packet};
use crate::quick;
use lucida_components::intent::SessionEvent;
use serde_json::json;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_the_base_protocol_count_as_taken_when_they_are_written() {
    let server = Server::start(quick());
    let client = server.join(&[]).await;
    let mut pixels = client.pixels(&server).await;
    let (session, pictures) = server.watch();
    assert_eq!(session, client.session);
    for seq in 0..3 {
        pictures.send(packet(1, 100, &[(session, "intent-1")])).await.unwrap();
        assert_eq!(pixels.picture().await, (seq, None, vec![7; 100]));
        assert!(matches!(server.event(), SessionEvent::PictureTaken { session: s } if s == session));
    }
    pixels.bytes(vec![0, 0, 0, 0]).await;
    assert!(server.is_quiet(), "acknowledgements are not of the base protocol");
    drop(pixels);
    assert!(matches!(server.event(), SessionEvent::Unwatching { session: s } if s == session));
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_pictures_say_what_they_answer() {
    let server = Server::start(quick());
    let client = server.join(&["lucida.frames"]).await;
    let mut pixels = client.pixels(&server).await;
    let (session, pictures) = server.watch();
    let other = lucida_components::ids::SessionId(99);
    pictures.send(packet(5, 10, &[(session, "intent-1"), (other, "intent-2")])).await.unwrap();
    pictures.send(packet(6, 10, &[])).await.unwrap();
    assert_eq!(pixels.picture().await.1, Some(json!({"revision": 5, "intents": ["intent-1"]})));
    assert_eq!(pixels.picture().await.1, Some(json!({"revision": 6, "intents": []})));
    assert!(server.is_quiet(), "written is not taken");
    for wrong in [vec![0, 0, 0, 9], vec![1], vec![0; 8]] {
        pixels.bytes(wrong).await;
    }
    assert!(server.is_quiet());
    for seq in [0_u32, 0, 1] {
        pixels.bytes(seq.to_be_bytes().to_vec()).await;
    }
    for _ in 0..2 {
        assert!(matches!(server.event(), SessionEvent::PictureTaken { session: s } if s == session));
    }
    assert!(server.is_quiet(), "nothing is taken twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_pixel_client_that_never_reads_slows_no_other() {
    const BIG: usize = 4 << 20;
    let server = Server::start(quick());
    let (slow, fast) = (server.join(&[]).await, server.join(&[]).await);
    let _never_read = slow.pixels(&server).await;
    let (_, to_slow) = server.watch();
    let mut pixels = fast.pixels(&server).await;
    let (_, to_fast) = server.watch();
    let mut stuck = 0;
    for seq in 0..30 {
        if to_slow.try_send(packet(1, BIG, &[])).is_err() {
            stuck += 1;
        }
        to_fast.send(packet(1, 1000, &[])).await.unwrap();
        assert_eq!(pixels.picture().await.0, seq);
    }
    assert!(stuck > 10, "the queue of the one that does not read is bounded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_pixel_channel_replaces_the_first() {
    let server = Server::start(quick());
    let client = server.join(&[]).await;
    let mut first = client.pixels(&server).await;
    let (_, to_first) = server.watch();
    let mut second = client.pixels(&server).await;
    let (_, to_second) = server.watch();
    assert_eq!(first.closed().await, 1008);
    timeout(PATIENCE, to_first.closed()).await.unwrap();
    assert!(server.is_quiet(), "the session still watches");
    to_second.send(packet(1, 5, &[])).await.unwrap();
    assert_eq!(second.picture().await.0, 0, "seq begins anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pixel_channel_ends_with_its_session() {
    let server = Server::start(quick());
    let client = server.join(&[]).await;
    let name = client.name.clone();
    let mut pixels = client.pixels(&server).await;
    let (session, _pictures) = server.watch();
    drop(client);
    assert_eq!(pixels.closed().await, 1011);
    assert!(matches!(server.event(), SessionEvent::Left { session: s } if s == session));
    assert!(server.is_quiet(), "it left: nothing more about it");
    let mut late = Socket::open(server.addr, &format!("/pixels?session={name}")).await;
    assert_eq!(late.closed().await, 1008);
    for path in ["/pixels", "/pixels?session=", "/pixels?session=nobody"] {
        assert_eq!(Socket::open(server.addr, path).await.closed().await, 1008, "{path}");
    }
    assert!(server.is_quiet());
}
