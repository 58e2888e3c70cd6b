//! What a token lets do.

use crate::harness::{Server, Socket, get, hello};
use crate::quick;
use lucida::server::{ServerConfig, Token};
use lucida_components::session::Role;
use serde_json::json;

const CONTROLLER: &str = "controller-0123456789";
const VIEWER: &str = "viewer-0123456789";

fn server() -> Server {
    let token = |text| Some(Token::parse(text).unwrap());
    Server::start(ServerConfig { token: token(CONTROLLER), viewer_token: token(VIEWER), ..quick() })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_says_the_role_and_a_controller_may_come_as_a_viewer() {
    let server = server();
    let mut stay = Vec::new();
    for (query, role, most) in [
        (format!("token={CONTROLLER}"), Role::Controller, Role::Controller),
        (format!("token={VIEWER}"), Role::Viewer, Role::Viewer),
        (format!("token={CONTROLLER}&role=viewer"), Role::Viewer, Role::Controller),
        (format!("token={CONTROLLER}&role=controller"), Role::Controller, Role::Controller),
        (format!("token={VIEWER}&role=controller"), Role::Viewer, Role::Viewer),
    ] {
        let client = server.join_at(server.addr, &format!("/state?{query}"), &hello(&[])).await;
        assert_eq!((client.newcomer.role, client.newcomer.most), (role, most), "{query}");
        stay.push(client);
    }
    let open = async |path: &str| Socket::try_open(server.addr, path, &[]).await.err();
    assert_eq!(open(&format!("/state?token={CONTROLLER}&role=king")).await, Some(400));
    assert_eq!(open("/state?role=viewer").await, Some(401), "a role is no token");
    assert_eq!(open(&format!("/pixels?token={VIEWER}&session=x")).await, None);
    assert_eq!(get(server.addr, &format!("/metrics?token={VIEWER}"), "").await.0, 403);
    assert_eq!(get(server.addr, &format!("/metrics?token={CONTROLLER}"), "").await.0, 200);
    assert_eq!(get(server.addr, "/metrics", "").await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_lists_and_opens_nothing() {
    let server = server();
    let mut viewer =
        server.join_at(server.addr, &format!("/state?token={VIEWER}"), &hello(&["lucida.seats"])).await;
    for (id, command) in [("cmd-1", "fs.listdir"), ("cmd-2", "napari.load_zarr")] {
        viewer.send("call.command", id, json!({"command": command, "kwargs": {"path": "/x"}})).await;
        let error = viewer.socket.frame().await;
        assert_eq!(error["payload"]["in_reply_to"], id);
        assert_eq!(error["payload"]["code"], "command.forbidden");
    }
    // Who may step up is not stopped here: what it does is the world's to judge.
    let path = format!("/state?token={CONTROLLER}&role=viewer");
    let mut modest = server.join_at(server.addr, &path, &hello(&[])).await;
    modest.send("call.command", "cmd-1", json!({"command": "fs.listdir"})).await;
    assert_eq!(modest.socket.frame().await["type"], "reply.command");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_everybody_controls() {
    let server = Server::start(quick());
    let client = server.join_at(server.addr, "/state", &hello(&[])).await;
    assert_eq!((client.newcomer.role, client.newcomer.most), (Role::Controller, Role::Controller));
    let viewer = server.join_at(server.addr, "/state?role=viewer", &hello(&[])).await;
    assert_eq!((viewer.newcomer.role, viewer.newcomer.most), (Role::Viewer, Role::Controller));
}
