//! What a client sees at the sockets. The test is the world: it holds the other end of its channels.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/applied.rs"]
mod fixture;
#[path = "support/harness.rs"]
mod harness;

use harness::{PATIENCE, Server, Socket, get, hello, packet, split};
use lucida::{
    app::bridge::{CloseReason, Inbound, Outbound, STATE_QUEUE},
    server::{ServerConfig, TlsPaths, Token},
    wire::command::{CommandCode, CommandFailure},
};
use lucida_components::{
    controls::ControlKey,
    ids::{LayerId, ViewId},
    intent::{Change, SessionEvent},
    notice::{Notice, NoticeBody, Topic},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

fn quick() -> ServerConfig {
    ServerConfig { hello_timeout: Duration::from_millis(300), ..ServerConfig::default() }
}

fn notice(topic: Topic, body: NoticeBody) -> Outbound {
    Outbound::Notice(Notice { topic, body, cause: None })
}

fn applied(topic: Topic) -> Outbound {
    notice(topic, NoticeBody::Applied(fixture::applied(1)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_joins_the_world_and_the_baseline_comes_in_its_order() {
    let server = Server::start(quick());
    let mut client = server.join(&["lucida.view", "lucida.frames"]).await;
    assert!(client.features.view && client.features.frames && client.features.dims && client.features.camera);
    let layer = NoticeBody::Layer { applied: fixture::applied(1), changed: ControlKey::ALL.into() };
    for outbound in [
        applied(Topic::Scene),
        applied(Topic::View),
        applied(Topic::Dims),
        notice(Topic::Layer(LayerId(0)), layer),
        notice(Topic::Stream, NoticeBody::Stream(fixture::stream())),
    ] {
        client.state.send(outbound).await.unwrap();
    }
    for expect in ["notify.scene", "notify.view", "notify.dims", "notify.layers", "notify.stream"] {
        let frame = client.socket.frame().await;
        assert_eq!((&frame["type"], &frame["session"]), (&json!(expect), &json!(client.name)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_reaches_the_world_and_its_ack_the_client() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    assert!(!client.features.view);
    // A canvas other than the default: rows of pixels are counted by it.
    client.state.send(applied(Topic::Camera)).await.unwrap();
    assert_eq!(client.socket.frame().await["type"], "notify.camera");
    let id = client.update("camera", "main", "zoom", json!({"factor": 2, "anchor_px": [1, 80]})).await;
    let intent = server.intent();
    assert_eq!(intent.view, ViewId::MAIN);
    assert_eq!(format!("{:?}", intent.change), "Camera(Zoom { factor: 2.0, anchor: [1.0, 1000.0] })");
    let origin = intent.origin.unwrap();
    assert_eq!((origin.session, &origin.intent.intent_id), (client.session, &id));
    client.answer(origin.intent).await;
    let ack = client.socket.frame().await;
    assert_eq!((&ack["type"], &ack["payload"]["intent_id"]), (&json!("ack.state"), &json!(id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_wire_wait_for_the_answers_that_come_before_them() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    let first = client.update("dims", "z", "step", json!(1)).await;
    let bad = client.update("dims", "z", "step", json!("one")).await;
    let last = client.update("dims", "z", "step", json!(2)).await;
    let intents = [server.intent(), server.intent()];
    sleep(Duration::from_millis(100)).await;
    for intent in intents {
        client.answer(intent.origin.unwrap().intent).await;
    }
    for (id, status) in [(first, "accepted"), (bad, "rejected"), (last, "accepted")] {
        let payload = client.socket.frame().await["payload"].take();
        assert_eq!((&payload["intent_id"], &payload["status"]), (&json!(id), &json!(status)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_values_are_refused_at_once_and_nobody_else_hears_of_it() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    for (scope, target, key, value) in [
        ("nonsense", "main", "key", json!(1)),
        ("layer", "layer-0", "foo", json!(1)),
        ("layer", "layer-0", "gamma", json!(-1)),
        ("dims", "z", "index", json!("first")),
        ("camera", "main", "zoom", json!({"factor": 0, "anchor_px": [0, 0]})),
    ] {
        let id = client.update(scope, target, key, value).await;
        let payload = client.socket.frame().await["payload"].take();
        assert_eq!(payload["intent_id"], json!(id));
        assert_eq!(payload["error"]["code"], "state.invalid");
        assert_eq!(payload["error"]["details"]["scope"], scope);
    }
    assert!(server.is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn greetings_that_are_wrong_are_told_why() {
    let server = Server::start(quick());
    let mut protocol = hello(&[]);
    protocol["payload"]["protocols"] = json!([1]);
    for (text, code) in [
        ("nonsense".to_owned(), "invalid_json"),
        (json!({"type": "ping"}).to_string(), "unexpected_message"),
        (json!({"type": "session.hello"}).to_string(), "invalid_payload"),
        (protocol.to_string(), "protocol_mismatch"),
    ] {
        let mut socket = Socket::open(server.addr, "/state").await;
        socket.text(text).await;
        let reject = socket.frame().await;
        assert_eq!((&reject["type"], &reject["payload"]["code"]), (&json!("session.reject"), &json!(code)));
        assert_eq!(socket.closed().await, 1000);
    }
    let mut silent = Socket::open(server.addr, "/state").await;
    assert_eq!(silent.frame().await["payload"]["code"], "timeout");
    assert_eq!(silent.closed().await, 1000);
    let mut binary = Socket::open(server.addr, "/state").await;
    binary.bytes(vec![0xff, 0xfe]).await;
    assert_eq!(binary.frame().await["payload"]["code"], "invalid_payload");
    let mut binary = Socket::open(server.addr, "/state").await;
    binary.bytes(hello(&[]).to_string().into_bytes()).await;
    assert_eq!(binary.frame().await["type"], "session.welcome");
    assert!(matches!(server.next(), Inbound::Join { .. }), "only the last one joined");
}

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
    client.socket.text(long).await;
    assert_eq!(client.socket.closed().await, 1009);
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

#[tokio::test(flavor = "multi_thread")]
async fn the_world_can_end_a_session() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    client.state.send(Outbound::Close(CloseReason::NotReading)).await.unwrap();
    let goodbye = client.socket.frame().await;
    assert_eq!(
        (&goodbye["type"], &goodbye["payload"]["code"]),
        (&json!("session.goodbye"), &json!("not_reading"))
    );
    assert_eq!(client.socket.closed().await, 1008);
    assert!(matches!(server.event(), SessionEvent::Left { .. }));

    let mut dropped = server.join(&[]).await;
    dropped.state = tokio::sync::mpsc::channel(1).0;
    assert_eq!(dropped.socket.frame().await["payload"]["reason"], "world_stopped");
    assert_eq!(dropped.socket.closed().await, 1011);
}

#[tokio::test(flavor = "multi_thread")]
async fn goodbye_is_answered_once() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    client.send("session.goodbye", "goodbye-1", json!({"code": "c", "message": "m"})).await;
    let goodbye = client.socket.frame().await;
    assert_eq!(goodbye["payload"], json!({"code": "c", "message": "m", "reason": "client_goodbye"}));
    assert_eq!(client.socket.closed().await, 1000);
    assert!(matches!(server.event(), SessionEvent::Left { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn hearts_beat_while_there_are_signs_of_life() {
    let server = Server::start(ServerConfig { heartbeat: Duration::from_millis(200), ..quick() });
    let mut client = server.join(&[]).await;
    for _ in 0..4 {
        assert_eq!(client.socket.frame().await["type"], "session.heartbeat");
        client.socket.send(&json!({"type": "ping"})).await;
    }
    for expect in ["session.heartbeat", "session.heartbeat", "session.goodbye"] {
        let frame = client.socket.frame().await;
        assert_eq!(frame["type"], expect);
        if expect == "session.goodbye" {
            assert_eq!(
                frame["payload"],
                json!({
                    "code": "timeout", "message": "heartbeat timeout", "reason": "heartbeat_timeout"
                })
            );
        }
    }
    assert_eq!(client.socket.closed().await, 1011);
    assert!(matches!(server.event(), SessionEvent::Left { .. }));
}

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

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_answered() {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = opened.clone();
    let opener = move |path: &str| {
        count.fetch_add(1, Ordering::SeqCst);
        match path {
            "/good" => Ok(Arc::new(fixture::dataset())),
            "/panics" => panic!("made to"),
            _ => Err(CommandFailure::new(CommandCode::InvalidImage, "not an image").at(path)),
        }
    };
    let datasets = ["/good", "/bad", "/panics"].map(|p| (p[1..].to_owned(), p.to_owned())).to_vec();
    let server = Server::with_opener(ServerConfig { datasets, ..quick() }, Arc::new(opener));
    let mut client = server.join(&[]).await;
    client.state.send(notice(Topic::Stream, NoticeBody::Stream(fixture::stream()))).await.unwrap();
    assert_eq!(client.socket.frame().await["type"], "notify.stream");

    client.send("call.command", "cmd-1", json!({"command": "napari.pixel.request_keyframe"})).await;
    assert!(
        matches!(server.event(), SessionEvent::KeyframeRequested { session } if session == client.session)
    );
    let reply = client.socket.frame().await;
    assert_eq!(reply["payload"], json!({"in_reply_to": "cmd-1", "status": "ok"}));
    assert_eq!(client.socket.frame().await["type"], "notify.stream", "the configuration once more");

    let load = |path: &str| json!({"command": "napari.load_zarr", "kwargs": {"path": path}});
    for (id, path, code) in [
        ("cmd-2", "/etc/passwd", "fs.forbidden"),
        ("cmd-3", "/good/../secret", "fs.forbidden"),
        ("cmd-4", "/bad", "zarr.invalid"),
        ("cmd-5", "/panics", "command.retryable"),
    ] {
        client.send("call.command", id, load(path)).await;
        let error = client.socket.frame().await;
        assert_eq!((&error["type"], &error["payload"]["code"]), (&json!("error.command"), &json!(code)));
        assert_eq!(error["payload"]["in_reply_to"], id);
    }
    assert_eq!(opened.load(Ordering::SeqCst), 2, "what is forbidden is not touched");

    client.send("call.command", "cmd-6", load("/good")).await;
    let intent = server.intent();
    assert!(matches!(intent.change, Change::Dataset(_)));
    client.answer(intent.origin.unwrap().intent).await;
    let reply = client.socket.frame().await;
    assert_eq!(reply["payload"], json!({"in_reply_to": "cmd-6", "status": "ok", "result": {"ok": true}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_wait_for_each_other_and_too_many_are_told_to_come_back() {
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let opener = move |path: &str| {
        let _ = gate.lock().unwrap().recv();
        Err(CommandFailure::new(CommandCode::InvalidImage, "not an image").at(path))
    };
    let datasets = vec![("a".to_owned(), "/a".to_owned())];
    let server = Server::with_opener(ServerConfig { datasets, ..quick() }, Arc::new(opener));
    let mut client = server.join(&[]).await;
    for n in 0..8 {
        let load = json!({"command": "napari.load_zarr", "args": ["/a"]});
        client.send("call.command", &format!("cmd-{n}"), load).await;
        sleep(Duration::from_millis(20)).await;
    }
    let busy = client.socket.frame().await;
    assert_eq!(busy["payload"]["code"], "command.retryable");
    assert_eq!(busy["payload"]["in_reply_to"], "cmd-5", "one runs, four wait");
    let id = client.update("nonsense", "", "k", json!(1)).await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(client.socket.frame().await["payload"].take());
    }
    assert!(codes.iter().any(|p| p["intent_id"] == json!(id)), "intents do not wait for loads");
    drop(go);
    for n in 0..5 {
        let payload = client.socket.frame().await["payload"].take();
        assert_eq!(
            (&payload["in_reply_to"], &payload["code"]),
            (&json!(format!("cmd-{n}")), &json!("zarr.invalid"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_origin_and_host_are_checked_before_anything_else() {
    let token = Token::generate().unwrap();
    let config =
        ServerConfig { token: Some(token.clone()), allow_hosts: vec!["lab.example".into()], ..quick() };
    let server = Server::start(config);
    let with = format!("?token={}", token.expose());
    for path in ["/state", "/pixels"] {
        let open = async |query: &str, headers: &[(&'static str, &str)]| {
            Socket::try_open(server.addr, &format!("{path}{query}"), headers).await.err()
        };
        let own = format!("http://{}", server.addr);
        let bearer = format!("Bearer {}", token.expose());
        assert_eq!(open("", &[]).await, Some(401));
        assert_eq!(open("?token=wrong", &[]).await, Some(401));
        assert_eq!(open("?token=a&token=b", &[]).await, Some(400));
        assert_eq!(open(&with, &[]).await, None);
        assert_eq!(open("", &[("authorization", &bearer)]).await, None);
        assert_eq!(open(&with, &[("origin", &own)]).await, None);
        assert_eq!(open(&with, &[("origin", "https://lab.example")]).await, None);
        assert_eq!(open(&with, &[("origin", "http://evil.example")]).await, Some(403));
        assert_eq!(open(&with, &[("origin", "null")]).await, Some(403));
        assert_eq!(open(&with, &[("host", "evil.example")]).await, Some(403));
        assert_eq!(open(&with, &[("host", "lab.example")]).await, None);
    }
    let secret = format!("Authorization: Bearer {}\r\n", token.expose());
    assert_eq!(get(server.addr, "/metrics", "").await.0, 401);
    assert_eq!(get(server.addr, "/metrics", &secret).await.0, 200);
    assert_eq!(get(server.addr, &format!("/metrics{with}"), "").await.0, 200);
    assert_eq!(get(server.addr, "/", "Host: evil.example\r\n").await.0, 403);
    assert_eq!(get(server.addr, "/metrics", "Host: evil.example\r\n").await.0, 403);
    assert_eq!(get(server.addr, "/healthz", "Host: 10.0.0.7\r\n").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_metrics_and_page() {
    let server = Server::start(quick());
    assert_eq!(get(server.addr, "/healthz", "").await.0, 200);
    assert_eq!(get(server.addr, "/readyz", "").await.0, 503);
    server.handle.shared().ready.store(true, Ordering::Release);
    assert_eq!(get(server.addr, "/readyz", "").await.0, 200);
    server.handle.shared().metrics.lock().unwrap().acks = 41;
    let (status, head, body) = get(server.addr, "/metrics", "").await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/openmetrics-text"), "{head}");
    assert!(body.contains("lucida_acks_total 41\n"), "{body}");
    let (status, head, _) = get(server.addr, "/no/such/file", "").await;
    assert_eq!(status, 404);
    assert!(
        head.contains("content-security-policy: default-src 'self'") && head.contains("nosniff"),
        "{head}"
    );
    assert_eq!(get(server.addr, "/state", "").await.0, 400, "not a WebSocket");
}

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

#[tokio::test(flavor = "multi_thread")]
async fn https_is_served_with_a_certificate_and_refused_without() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let paths = TlsPaths { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&paths.cert, made.cert.pem()).unwrap();

    let missing = Server::start(ServerConfig { tls: Some(paths.clone()), ..quick() });
    let error = missing.ended().await.unwrap_err().to_string();
    assert!(error.contains("key.pem"), "{error}");

    std::fs::write(&paths.key, made.signing_key.serialize_pem()).unwrap();
    let server = Server::start(ServerConfig { tls: Some(paths), ..quick() });
    let addr = server.addr;
    let response = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tls =
            rustls::ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let mut tcp = std::net::TcpStream::connect(addr).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        let _ = stream.read_to_string(&mut response);
        response
    });
    assert_eq!(split(&response.await.unwrap()).0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_and_unknown_types_are_not_answered() {
    let server = Server::start(quick());
    let mut client = server.join(&[]).await;
    for frame in
        [json!({"type": "ping"}), json!({"type": "shutdown"}), json!({"type": "notify.nonsense", "x": null})]
    {
        client.socket.send(&frame).await;
    }
    client.send("session.ack", "ack-1", json!({})).await;
    let id = client.update("nonsense", "", "k", Value::Null).await;
    assert_eq!(client.socket.frame().await["payload"]["intent_id"], json!(id), "the first answer there is");
    assert!(server.is_quiet());
}
