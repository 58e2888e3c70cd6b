//! The two ports of the older protocol.

use crate::harness::{Napari, Server, Socket, hello, packet};
use crate::quick;
use lucida::app::bridge::{CloseReason, Inbound, Outbound};
use lucida::server::{ServerConfig, Token};
use lucida_components::{
    ids::SessionId,
    intent::SessionEvent,
    packet::Packet,
    session::{Features, Newcomer, Role},
    stream::{Canvas, Orientation},
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

fn server(config: ServerConfig) -> (Server, Napari) {
    let server = Server::with_napari(config);
    let ports = server.napari.unwrap();
    (server, ports)
}

/// What the world hears when a pixel channel opens.
struct Watcher {
    session: SessionId,
    newcomer: Box<Newcomer>,
    state: mpsc::Sender<Outbound>,
    pictures: mpsc::Sender<Arc<Packet>>,
}

fn watcher(server: &Server) -> Watcher {
    let Inbound::Join { session, newcomer, state } = server.next() else { panic!("no join") };
    let (watching, pictures) = server.watch();
    assert_eq!(watching, session, "it watches as what it joined as");
    Watcher { session, newcomer, state, pictures }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_channel_is_greeted_under_any_path_in_its_own_dialect() {
    let canvas = Canvas { width: 640, height: 480 };
    let (server, ports) = server(ServerConfig { napari_canvas: canvas, ..quick() });
    let mut stay = Vec::new();
    for path in ["/", "/state", "/whatever?token=nonsense&role=viewer"] {
        let mut greeting = hello(&["lucida.view", "lucida.seats"]);
        greeting["payload"]["resume_tokens"] = json!({"notify.layers": "0123", "notify.scene": null});
        let client = server.join_at(ports.state, path, &greeting).await;
        let features = Features { thumbnails: true, ..Features::BASE };
        let newcomer = &*client.newcomer;
        assert_eq!(newcomer.features, features, "nothing of ours can be asked for here");
        assert_eq!((newcomer.canvas, newcomer.orientation), (Some(canvas), Orientation::BottomUp));
        assert_eq!(
            (newcomer.role, newcomer.most, newcomer.hears),
            (Role::Controller, Role::Controller, true)
        );
        assert_eq!(newcomer.resume.layers.as_deref(), Some("0123"));
        let told = client.welcome["payload"]["features"].as_object().unwrap();
        assert!(told.keys().all(|topic| !topic.starts_with("lucida.")), "{told:?}");
        let commands = json!(["napari.pixel.request_keyframe", "fs.listdir", "napari.load_zarr"]);
        assert_eq!(told["call.command"]["commands"], commands);
        stay.push(client);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ports_admit_whoever_is_here_and_no_foreign_page() {
    // A token of the page's port is not asked for here.
    let token = Some(Token::generate().unwrap());
    let (server, ports) = server(ServerConfig { token, allow_hosts: vec!["lab.example".into()], ..quick() });
    assert_eq!(Socket::try_open(server.addr, "/state", &[]).await.err(), Some(401));
    for addr in [ports.state, ports.pixels] {
        let open = async |headers: &[(&'static str, &str)]| Socket::try_open(addr, "/", headers).await.err();
        let own = format!("http://{addr}");
        assert_eq!(open(&[]).await, None);
        assert_eq!(open(&[("host", "localhost:9999")]).await, None, "through a tunnel");
        assert_eq!(open(&[("origin", &own)]).await, None);
        assert_eq!(open(&[("origin", "https://lab.example")]).await, None);
        for foreign in ["http://evil.example", "null", "http://localhost:3000", "file://"] {
            assert_eq!(open(&[("origin", foreign)]).await, Some(403), "{foreign}");
        }
        for foreign in ["evil.example", "10.0.0.1", "192.0.2.7:8081"] {
            assert_eq!(open(&[("host", foreign)]).await, Some(403), "{foreign}");
        }
        let (status, ..) = crate::harness::get(addr, "/", "").await;
        assert_eq!(status, 400, "what is no web socket");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_compressed() {
    let (_server, ports) = server(quick());
    for addr in [ports.state, ports.pixels] {
        let ask = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                   Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
        let head = crate::harness::head(addr, "/", ask).await;
        assert!(head.starts_with("http/1.1 101"), "{head}");
        assert!(!head.contains("extensions"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pixel_channel_is_a_session_of_its_own_that_hears_nothing() {
    let (server, ports) = server(quick());
    let mut pixels = Socket::open(ports.pixels, "/any/path").await;
    let Watcher { session, newcomer, state, pictures } = watcher(&server);
    assert!(!newcomer.hears);
    assert_eq!(newcomer.features, Features::default());
    let fixed = Some(Canvas { width: 1920, height: 1080 });
    assert_eq!((newcomer.canvas, newcomer.orientation), (fixed, Orientation::BottomUp));
    for seq in 0..3 {
        pictures.send(packet(1, 100, &[(session, "intent-1")])).await.unwrap();
        assert_eq!(pixels.picture().await, (seq, None, vec![7; 100]), "without an extension");
        assert!(matches!(server.event(), SessionEvent::PictureTaken { session: s } if s == session));
    }
    // What it says is of no account.
    pixels.bytes(vec![0, 0, 0, 0]).await;
    pixels.text("{\"type\": \"session.hello\"}".into()).await;
    assert!(server.is_quiet());
    assert!(!state.is_closed());
    // Another one is another session.
    let _second = Socket::open(ports.pixels, "/").await;
    let second = watcher(&server);
    assert_ne!(second.session, session);
    drop(pixels);
    assert!(matches!(server.event(), SessionEvent::Left { session: s } if s == session));
    assert!(server.is_quiet(), "it left: nothing more about it");
}

#[tokio::test(flavor = "multi_thread")]
async fn pixel_channels_are_counted_and_never_refused_as_agreed() {
    let (server, ports) = server(ServerConfig { max_sessions: 2, ..quick() });
    let first = Socket::open(ports.pixels, "/").await;
    let gone = watcher(&server);
    let mut second = Socket::open(ports.pixels, "/").await;
    let Watcher { pictures, state, .. } = watcher(&server);
    // A normal close would bring the client back at once.
    assert_eq!(Socket::open(ports.pixels, "/").await.closed().await, 1013);
    assert!(server.is_quiet(), "the world heard nothing of it");
    drop(first);
    assert!(matches!(server.event(), SessionEvent::Left { session } if session == gone.session));
    // The place is free again, as soon as the task has ended.
    let (mut third, watching) = loop {
        let mut third = Socket::open(ports.pixels, "/").await;
        let join = tokio::task::block_in_place(|| server.inbox.recv_timeout(Duration::from_millis(150)));
        match join {
            Ok(letter) => break (third, (letter, server.watch())),
            Err(_) => assert_eq!(third.closed().await, 1013),
        }
    };
    // A world that gives up a channel, in two ways.
    drop(pictures);
    assert_eq!(second.closed().await, 1011);
    drop(watching);
    assert_eq!(third.closed().await, 1011);
    drop(state);
    for _ in 0..2 {
        assert!(matches!(server.event(), SessionEvent::Left { .. }));
    }
    // Sessions are another count.
    let client = server.join_at(ports.state, "/", &hello(&[])).await;
    assert!(client.newcomer.hears);
}

#[tokio::test(flavor = "multi_thread")]
async fn pixel_channels_come_and_go_without_growth() {
    let (server, ports) = server(ServerConfig { max_sessions: 4, ..quick() });
    for _ in 0..50 {
        let pixels = Socket::open(ports.pixels, "/").await;
        let watcher = watcher(&server);
        drop(pixels);
        assert!(matches!(server.event(), SessionEvent::Left { session } if session == watcher.session));
    }
    assert!(server.is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_do_not_greet_are_counted_on_both_ports_together() {
    let config = ServerConfig { max_sessions: 1, hello_timeout: Duration::from_mins(1), ..quick() };
    let (server, ports) = server(config);
    let mut silent = Vec::new();
    for n in 0..4 {
        let (addr, path) = if n % 2 == 0 { (ports.state, "/") } else { (server.addr, "/state") };
        silent.push(Socket::open(addr, path).await);
    }
    for (addr, path) in [(ports.state, "/"), (server.addr, "/state")] {
        assert_eq!(Socket::try_open(addr, path, &[]).await.err(), Some(503));
    }
    // Pixel channels do not greet.
    let _pixels = Socket::open(ports.pixels, "/").await;
    assert!(!watcher(&server).newcomer.hears);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pixel_client_that_never_reads_is_cut_off_and_slows_no_other() {
    const BIG: usize = 4 << 20;
    let write_timeout = Duration::from_millis(500);
    let (server, ports) = server(ServerConfig { write_timeout, ..quick() });
    let _never_reads = Socket::open(ports.pixels, "/").await;
    let stuck = watcher(&server);
    let mut reads = Socket::open(ports.pixels, "/").await;
    let fine = watcher(&server);
    for seq in 0..8 {
        let _ = stuck.pictures.try_send(packet(1, BIG, &[]));
        fine.pictures.send(packet(1, 1000, &[])).await.unwrap();
        assert_eq!(reads.picture().await.0, seq);
    }
    loop {
        match server.event() {
            SessionEvent::PictureTaken { .. } => {}
            SessionEvent::Left { session } => break assert_eq!(session, stuck.session),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_that_ends_a_pixel_channel_is_obeyed() {
    for (reason, code) in
        [(CloseReason::Failed, 1011), (CloseReason::Shutdown, 1001), (CloseReason::NotReading, 1008)]
    {
        let (server, ports) = server(quick());
        let mut pixels = Socket::open(ports.pixels, "/").await;
        let Watcher { state, pictures: _pictures, .. } = watcher(&server);
        state.send(Outbound::Close(reason)).await.unwrap();
        assert_eq!(pixels.closed().await, code);
    }
    let (server, ports) = server(quick());
    drop(server.inbox);
    assert_eq!(Socket::open(ports.pixels, "/").await.closed().await, 1011, "there is no world");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pixel_channel_without_a_sign_of_life_ends() {
    let (server, ports) = server(ServerConfig { heartbeat: Duration::from_secs(1), ..quick() });
    // One that answers pings, as every library does while it reads, stays.
    let mut reading = Socket::open(ports.pixels, "/").await;
    let stays = watcher(&server);
    // One that never reads does not answer.
    let _silent = Socket::open(ports.pixels, "/").await;
    let goes = watcher(&server);
    let reader = tokio::spawn(async move { reading.closed().await });
    let event = server.event();
    assert!(
        matches!(event, SessionEvent::Left { session } if session == goes.session),
        "{event:?}, {:?} stays",
        stays.session
    );
    assert!(server.is_quiet());
    reader.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyframe_asked_for_on_the_state_channel_is_the_session_s() {
    let (server, ports) = server(quick());
    let mut client = server.join_at(ports.state, "/", &hello(&[])).await;
    client.send("call.command", "cmd-1", json!({"command": "napari.pixel.request_keyframe"})).await;
    let event = server.event();
    assert!(matches!(event, SessionEvent::KeyframeRequested { session } if session == client.session));
    assert_eq!(client.socket.frame().await["type"], "reply.command");
}

#[tokio::test(flavor = "multi_thread")]
async fn greetings_without_an_answer_are_refused_there_too() {
    let (server, ports) = server(ServerConfig { max_sessions: 1, ..quick() });
    let mut silent = Socket::open(ports.state, "/").await;
    assert_eq!(silent.frame().await["payload"]["code"], "timeout");
    assert_eq!(silent.closed().await, 1000);
    let _first = server.join(&[]).await;
    let mut full = Socket::open(ports.state, "/").await;
    full.send(&hello(&[])).await;
    assert_eq!(full.frame().await["payload"]["code"], "server_full", "one count for both ports");
    assert_eq!(full.closed().await, 1013);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_covers_both_ports() {
    let (mut server, ports) = server(quick());
    let mut client = server.join_at(ports.state, "/", &hello(&[])).await;
    let mut pixels = Socket::open(ports.pixels, "/").await;
    let _watcher = watcher(&server);
    server.signal_stop();
    assert_eq!(client.socket.frame().await["type"], "session.goodbye");
    assert_eq!(client.socket.closed().await, 1001);
    assert_eq!(pixels.closed().await, 1001);
    server.ended().await.unwrap();
    for addr in [ports.state, ports.pixels] {
        assert!(tokio::net::TcpStream::connect(addr).await.is_err(), "nobody listens any more");
    }
}
