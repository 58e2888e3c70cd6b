//! Clients by the thousand: as many as is stated are there at once, the others are told so, and in the end
//! nothing of them is left.

use crate::{
    harness::{PATIENCE, Server, Socket, get, hello, split},
    quick,
    raw::{Raw, TEXT},
};
use futures_util::FutureExt;
use lucida::server::ServerConfig;
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_told_so() {
    // 4 sessions: 16 web sockets, 32 connections.
    let server = Server::start(ServerConfig { max_sessions: 4, ..quick() });
    let mut there = Vec::new();
    for _ in 0..33 {
        there.push(TcpStream::connect(server.addr).await.unwrap());
    }
    // Each is admitted by a task of its own: which one is too many is theirs to decide.
    let told = async {
        loop {
            let is_told = |s: &TcpStream| s.peek(&mut [0]).now_or_never().is_some();
            match there.iter().position(is_told) {
                Some(n) => break n,
                None => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let n = timeout(PATIENCE, told).await.expect("one is told");
    let mut surplus = there.swap_remove(n);
    let mut said = String::new();
    timeout(PATIENCE, surplus.read_to_string(&mut said)).await.expect("an end").unwrap();
    let (status, head, body) = split(&said);
    assert_eq!((status, body.as_str()), (503, "too many connections; try again later\n"));
    assert!(
        head.contains(&format!("content-length: {}", body.len())) && head.contains("retry-after"),
        "{head}"
    );
    // Those that are there are served, and when one goes another may come.
    there[0]
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut said = String::new();
    timeout(PATIENCE, there[0].read_to_string(&mut said)).await.expect("an end").unwrap();
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    drop(there.swap_remove(1));
    let mut tries = 0;
    while get(server.addr, "/healthz", "").await.0 != 200 {
        tries += 1;
        assert!(tries < 100, "the places of those that left are free");
        sleep(Duration::from_millis(20)).await;
    }
}

/// What one of the thousand does; whether it was served.
async fn visit(addr: SocketAddr, n: usize) -> bool {
    match n % 8 {
        // Comes and goes at once.
        0 => drop(TcpStream::connect(addr).await),
        // Half a head.
        1 => {
            let Ok(mut stream) = TcpStream::connect(addr).await else { return false };
            let _ = stream.write_all(b"GET /state HTTP/1.1\r\nHost: loc").await;
        }
        // Another protocol.
        2 => {
            let Ok(mut stream) = TcpStream::connect(addr).await else { return false };
            let _ = stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).await;
            let _ = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
        }
        // Upgrades and hangs up.
        3 => drop(Socket::try_open(addr, "/state", &[]).await),
        // Half a greeting.
        4 => {
            let Ok(mut socket) = Socket::try_open(addr, "/state", &[]).await else { return false };
            socket.text("{\"type\": \"session.hel".into()).await;
            drop(socket);
        }
        // Somebody else's pictures.
        5 => drop(Socket::try_open(addr, "/pixels?session=nobody", &[]).await),
        // A whole session, ended politely or not.
        _ => {
            let Ok(mut socket) = Socket::try_open(addr, "/state", &[]).await else { return false };
            socket.send(&hello(&[])).await;
            let welcomed = socket.frame().await["type"] == "session.welcome";
            if n.is_multiple_of(2) {
                let _ = timeout(PATIENCE, socket.0.close(None)).await;
            }
            return welcomed;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_visitors_leave_nothing_behind() {
    const AT_ONCE: usize = 40;
    static SERVED: AtomicUsize = AtomicUsize::new(0);
    let server = Server::start(ServerConfig { max_sessions: 16, ..quick() });
    let addr = server.addr;
    let staying = server.join(&[]).await;
    let mut visits = JoinSet::new();
    for n in 0..1000 {
        while visits.len() >= AT_ONCE {
            visits.join_next().await.unwrap().unwrap();
        }
        server.inbox.try_iter().for_each(drop);
        visits.spawn(async move {
            SERVED.fetch_add(usize::from(visit(addr, n).await), Ordering::Relaxed);
        });
    }
    while let Some(visit) = visits.join_next().await {
        visit.unwrap();
        server.inbox.try_iter().for_each(drop);
    }
    let served = SERVED.load(Ordering::Relaxed);
    assert!(served > 100, "{served} of 250 sessions were served; the others were told that it is full");

    // Who stays noticed nothing, and all places are free again: fifteen more sessions, and their pictures.
    let mut staying = staying;
    let id = staying.update("nothing", "main", "x", serde_json::json!(1)).await;
    assert_eq!(staying.socket.frame().await["payload"]["intent_id"], id.as_str());
    let mut sessions = Vec::new();
    while sessions.len() < 15 {
        server.inbox.try_iter().for_each(drop);
        let Ok(mut socket) = Socket::try_open(addr, "/state", &[]).await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        socket.send(&hello(&[])).await;
        let answer = socket.frame().await;
        if answer["type"] == "session.welcome" {
            let name = answer["session"].as_str().unwrap();
            let pixels = Socket::open(addr, &format!("/pixels?session={name}")).await;
            sessions.push((socket, pixels));
        } else {
            assert_eq!(answer["payload"]["code"], "server_full", "a visitor that is still leaving");
            sleep(Duration::from_millis(20)).await;
        }
    }
    let mut surplus = Raw::open(addr, "/state").await;
    surplus.whole(TEXT, hello(&[]).to_string().as_bytes()).await;
    assert_eq!(surplus.closed().await, 1013);
}
