//! The lines that tell a person where to look.

use super::{config::ServerConfig, token::Token};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The URL, and the line that makes a tunnel where a browser needs one: browsers decode video only on
/// `localhost` and https.
pub fn urls(bound: SocketAddr, config: &ServerConfig) -> Vec<String> {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let query_of = |t: &Token| format!("?token={}", t.expose());
    let query = config.token.as_ref().map_or_else(String::new, query_of);
    let (ip, port) = (reachable(bound.ip()), bound.port());
    let mut lines = vec![format!("{scheme}://{}/{query}", SocketAddr::new(ip, port))];
    if ip.is_loopback() || config.tls.is_none() {
        lines.push(format!(
            "from another machine: ssh -L {port}:{} USER@THIS-MACHINE, then {scheme}://localhost:{port}/{query}",
            SocketAddr::new(ip, port)
        ));
    }
    if let Some(viewer) = &config.viewer_token {
        let query = query_of(viewer);
        lines.push(format!("for viewers: {scheme}://{}/{query}", SocketAddr::new(ip, port)));
    }
    lines
}

/// The lines about the older protocol's two ports. Its client finds its pixel port by itself only where the numbers
/// are the usual ones at both ends of a tunnel.
pub fn napari_lines(state: SocketAddr, pixels: SocketAddr) -> Vec<String> {
    let here = |bound: SocketAddr| SocketAddr::new(reachable(bound.ip()), bound.port());
    let (state_here, pixels_here) = (here(state), here(pixels));
    let mut lines = vec![
        format!("napari: state ws://{state_here}, pixels ws://{pixels_here}"),
        format!(
            "napari from another machine: ssh -L {}:{state_here} -L {}:{pixels_here} USER@THIS-MACHINE, \
             then connect to localhost, state port {}, pixel port {}",
            state.port(),
            pixels.port(),
            state.port(),
            pixels.port()
        ),
    ];
    if !state.ip().is_loopback() {
        lines.push(format!(
            "WARNING: no token is asked for on the napari ports: whoever reaches {state} may look at everything and \
             change everything"
        ));
    }
    lines
}

/// Where this machine reaches itself.
fn reachable(ip: IpAddr) -> IpAddr {
    if ip.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { ip }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::server::{TlsPaths, Token};

    #[test]
    fn loopback_tells_url_and_tunnel() {
        let lines = urls("127.0.0.1:8080".parse().unwrap(), &ServerConfig::default());
        assert_eq!(
            lines,
            [
                "http://127.0.0.1:8080/",
                "from another machine: ssh -L 8080:127.0.0.1:8080 USER@THIS-MACHINE, then http://localhost:8080/"
            ]
        );
    }

    #[test]
    fn viewers_have_a_link_of_their_own() {
        let config = ServerConfig {
            token: Some(Token::parse("abcdefghijklmnop").unwrap()),
            viewer_token: Some(Token::parse("viewviewviewview").unwrap()),
            ..ServerConfig::default()
        };
        let lines = urls("127.0.0.1:8080".parse().unwrap(), &config);
        assert!(lines[0].ends_with("?token=abcdefghijklmnop"), "{lines:?}");
        assert_eq!(lines[2], "for viewers: http://127.0.0.1:8080/?token=viewviewviewview");
    }

    #[test]
    fn napari_is_told_both_ports_and_the_danger_where_there_is_one() {
        let lines = |state: &str, pixels: &str| napari_lines(state.parse().unwrap(), pixels.parse().unwrap());
        assert_eq!(
            lines("127.0.0.1:8081", "127.0.0.1:8082"),
            [
                "napari: state ws://127.0.0.1:8081, pixels ws://127.0.0.1:8082",
                "napari from another machine: ssh -L 8081:127.0.0.1:8081 -L 8082:127.0.0.1:8082 USER@THIS-MACHINE, \
                 then connect to localhost, state port 8081, pixel port 8082"
            ]
        );
        let open = lines("0.0.0.0:8081", "0.0.0.0:8082");
        assert!(open[0].contains("ws://127.0.0.1:8081"), "{open:?}");
        assert!(open[2].starts_with("WARNING: no token") && open[2].contains("0.0.0.0:8081"), "{open:?}");
    }

    #[test]
    fn an_open_address_with_tls_tells_the_token_and_needs_no_tunnel() {
        let config = ServerConfig {
            token: Some(Token::parse("abcdefghijklmnop").unwrap()),
            tls: Some(TlsPaths { cert: "c".into(), key: "k".into() }),
            ..ServerConfig::default()
        };
        assert_eq!(
            urls("[2001:db8::1]:443".parse().unwrap(), &config),
            ["https://[2001:db8::1]:443/?token=abcdefghijklmnop"]
        );
    }
}
