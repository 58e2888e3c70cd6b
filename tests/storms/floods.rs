//! Floods: held up at the socket they come from.

use crate::{
    harness::{Client, PATIENCE, Server},
    quick,
};
use lucida::{
    app::bridge::{INBOX, Inbound, SHARE},
    server::ServerConfig,
};
use lucida_components::intent::{Change, SessionEvent};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{task::JoinHandle, time::sleep};

/// No allowance: what holds a flood up is its share of the inbox alone.
fn unpaced() -> ServerConfig {
    ServerConfig { messages_per_second: 1e9, ..quick() }
}

fn flood(mut client: Client, intents: usize) -> JoinHandle<Client> {
    tokio::spawn(async move {
        for n in 0..intents {
            client.update("dims", "z", "index", json!(n)).await;
        }
        client
    })
}

/// Waits until so many messages wait for the world.
async fn until_waiting(server: &Server, messages: usize) {
    let begun = Instant::now();
    while server.inbox.len() < messages {
        assert!(begun.elapsed() < PATIENCE, "{} of {messages} messages came", server.inbox.len());
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_takes_its_share_of_the_inbox_and_others_come_right_behind_it() {
    const FLOOD: usize = 3000;
    let server = Server::start(unpaced());
    let mut other = server.join(&[]).await;
    let flooding = flood(server.join(&[]).await, FLOOD);
    until_waiting(&server, SHARE).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(server.inbox.len(), SHARE, "while the world takes nothing");
    other.update("dims", "t", "index", json!(7)).await;
    until_waiting(&server, SHARE + 1).await;
    let mut seen = 0;
    while seen < FLOOD as i64 {
        let intent = server.intent();
        if intent.origin.unwrap().session == other.session {
            assert_eq!(seen, SHARE as i64, "behind one share, whatever else the flood holds in store");
            continue;
        }
        let Change::Index { value, .. } = intent.change else { panic!() };
        assert_eq!(value, seen, "in order, none lost");
        seen += 1;
    }
    flooding.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keyframe_requests_and_intents_share_one_share() {
    let server = Server::start(unpaced());
    let mut client = server.join(&[]).await;
    for n in 0..SHARE * 2 {
        client.update("dims", "z", "index", json!(n)).await;
        let request = json!({"command": "napari.pixel.request_keyframe"});
        client.send("call.command", &format!("c-{n}"), request).await;
    }
    until_waiting(&server, SHARE).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(server.inbox.len(), SHARE);
    let keyframes = (0..SHARE * 4)
        .filter(|_| matches!(server.next(), Inbound::Session(SessionEvent::KeyframeRequested { .. })))
        .count();
    assert_eq!(keyframes, SHARE * 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_floods_as_sessions_leave_room_in_the_inbox() {
    let server = Server::start(ServerConfig { max_sessions: 64, ..unpaced() });
    let mut clients = Vec::new();
    for _ in 0..64 {
        clients.push(server.join(&[]).await);
    }
    let floods: Vec<_> = clients.into_iter().map(|client| flood(client, SHARE * 4)).collect();
    until_waiting(&server, SHARE * 64).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(server.inbox.len(), SHARE * 64);
    assert!(server.inbox.len() < INBOX, "an inbox of {INBOX} has room for everybody's share");
    for flood in floods {
        flood.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_read_no_faster_than_people_and_scripts_speak() {
    const RATE: f64 = 400.0;
    let server = Server::start(ServerConfig { messages_per_second: RATE, ..quick() });
    let client = server.join(&[]).await;
    let begun = Instant::now();
    let flooding = flood(client, 100_000);
    let mut taken = 0;
    while begun.elapsed() < Duration::from_secs(2) || taken < 256 {
        if let Inbound::Intent(_) = server.next() {
            taken += 1;
        }
    }
    // A burst is free; a slow machine takes less, never more.
    let most = 256.0 + RATE * begun.elapsed().as_secs_f64() + SHARE as f64;
    assert!(f64::from(taken) <= most, "{taken} in {:?}", begun.elapsed());
    flooding.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_reaches_the_world_is_paced_too() {
    let server = Server::start(ServerConfig { messages_per_second: 400.0, ..quick() });
    let mut other = server.join(&[]).await;
    let ping = json!({"type": "ping"}).to_string();
    for (what, message, count, tokens) in [
        ("pings", ping, 1000, 1.0),
        // Not JSON, and long: a message counts once more for each 4 KiB.
        ("spaces", " ".repeat(300 << 10), 20, 76.0),
    ] {
        let mut client = server.join(&[]).await;
        let begun = Instant::now();
        for _ in 0..count {
            client.socket.text(message.clone()).await;
        }
        let id = client.update("nothing", "main", "x", json!(1)).await;
        // Others are read meanwhile.
        let others = other.update("nothing", "main", "x", json!(1)).await;
        assert_eq!(other.socket.frame().await["payload"]["intent_id"], others.as_str());
        assert_eq!(client.socket.frame().await["payload"]["intent_id"], id.as_str(), "{what}");
        let least = (f64::from(count) * tokens - 256.0) / 400.0;
        assert!(begun.elapsed().as_secs_f64() > 0.9 * least, "{what}: {:?}, not {least} s", begun.elapsed());
        drop(client);
        server.event();
    }
}
