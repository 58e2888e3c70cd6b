//! `lucida serve`: the older protocol's ports, the roots, who may do what.

use crate::{can_draw, image::small_image, refused, serving::Server};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

/// The status line of the answer to somebody who asks for a WebSocket.
fn upgrade(address: &str, headers: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let ask = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}{headers}\r\n"
    );
    socket.write_all(ask.as_bytes()).unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    String::from_utf8(answer.to_vec()).unwrap()
}

#[test]
fn what_is_unsafe_or_does_not_fit_is_refused_before_anything_else() {
    let napari = ["serve", "x", "--port", "0", "--napari"];
    let with = |more: &[&'static str]| [&napari[..], more].concat();
    for open in ["0.0.0.0", "::", "192.0.2.1"] {
        let words = ["--napari-host", open, "--napari-no-auth", "ssh -L"];
        refused(2, &with(&["--napari-host", open]), &words);
    }
    for size in ["big", "161x120", "8x8", "4000x4000"] {
        refused(2, &with(&["--napari-size", size]), &["--napari-size", size, "3840x2160"]);
    }
    refused(2, &with(&["--napari-state-port", "65536"]), &["--napari-state-port"]);
    for option in ["--napari-host=::1", "--napari-state-port=1", "--napari-pixel-port=1", "--napari-no-auth"]
    {
        refused(2, &["serve", "x", option], &["--napari"]);
    }
    let token = "0123456789abcdef";
    refused(2, &["serve", "x", "--viewer-token", "short"], &["--viewer-token", "16"]);
    refused(2, &["serve", "x", "--token", token, "--viewer-token", token], &["--viewer-token", "another"]);
    refused(1, &["serve", "--root", "/no/such/folder", "--port", "0"], &["--root", "/no/such/folder"]);
    refused(1, &["serve", "--root", "/dev/null", "--port", "0"], &["/dev/null", "not a folder"]);
}

#[test]
fn a_taken_port_of_the_older_protocol_names_its_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in ["--napari-state-port", "--napari-pixel-port"] {
        let other = if option.contains("state") { "--napari-pixel-port=0" } else { "--napari-state-port=0" };
        let args = ["serve", "/no/such/image", "--port", "0", "--napari", other, option, port.as_str()];
        refused(1, &args, &[option, &port]);
    }
}

#[test]
fn napari_s_ports_are_told_and_open_and_ask_for_no_token() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    let ports = ["--napari", "--napari-state-port", "0", "--napari-pixel-port", "0"];
    let more = ["--token", "0123456789abcdef"];
    let mut server = Server::start(&[&[image.to_str().unwrap()][..], &ports, &more].concat());
    assert!(server.line().contains("ssh -L"));
    let told = server.line();
    let addresses: Vec<&str> =
        told.split("ws://").skip(1).map(|t| t.trim_end_matches([',', ' ']).trim()).collect();
    let [state, pixels] = addresses.as_slice() else { panic!("{told}") };
    let (state, pixels) = (state.split(',').next().unwrap(), *pixels);
    let tunnel = server.line();
    for address in [state, pixels] {
        assert!(address.starts_with("127.0.0.1:"), "{told}");
        let port = address.rsplit(':').next().unwrap();
        assert!(tunnel.contains(&format!("-L {port}:{address}")), "{tunnel}");
        assert_eq!(upgrade(address, ""), "HTTP/1.1 101");
        assert_eq!(upgrade(address, "Origin: http://evil.example\r\n"), "HTTP/1.1 403");
    }
    assert_eq!(upgrade(server.address(), ""), "HTTP/1.1 200", "the page, on its own port");
}

#[test]
fn ports_without_a_token_are_said_loudly() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    let mut server = Server::start(&[
        image.to_str().unwrap(),
        "--napari",
        "--napari-host",
        "0.0.0.0",
        "--napari-no-auth",
        "--napari-state-port",
        "0",
        "--napari-pixel-port",
        "0",
    ]);
    let lines: Vec<String> = (0..4).map(|_| server.line()).collect();
    assert!(lines[3].starts_with("WARNING") && lines[3].contains("no token"), "{lines:?}");
    let log = server.log();
    assert!(log.contains("WARN") && log.contains("without a token"), "{log}");
}

#[test]
fn with_a_root_the_server_waits_for_an_image() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--root", dir.path().to_str().unwrap()]);
    server.ready();
    assert!(server.get("/").contains("text/html"));
}

#[test]
fn viewers_get_a_link_and_the_others_a_token() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    let viewer = "viewer-of-the-data";
    let mut server = Server::start(&[image.to_str().unwrap(), "--viewer-token", viewer]);
    let token = server.url.split_once("?token=").map(|(_, t)| t.to_owned()).expect("a token in the URL");
    assert_ne!(token, viewer);
    let _tunnel = server.line();
    let link = server.line();
    assert!(
        link.starts_with("for viewers: http://") && link.ends_with(&format!("?token={viewer}")),
        "{link}"
    );
    assert!(server.get(&format!("/metrics?token={viewer}")).starts_with("HTTP/1.1 403"));
    assert!(server.get(&format!("/metrics?token={token}")).starts_with("HTTP/1.1 200"));
}
