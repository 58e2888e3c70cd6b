//! Who comes in, and what everybody may ask.

use crate::harness::{PATIENCE, Server, Socket, get, hello, split};
use crate::quick;
use lucida::app::bridge::Inbound;
use lucida::server::{ServerConfig, TlsPaths, Token};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;

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
