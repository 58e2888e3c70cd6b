//! The lines that tell a person where to look.

use super::config::ServerConfig;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The URL, and the line that makes a tunnel where a browser needs one: browsers decode video only on
/// `localhost` and https.
pub fn urls(bound: SocketAddr, config: &ServerConfig) -> Vec<String> {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let query = config.token.as_ref().map_or_else(String::new, |t| format!("?token={}", t.expose()));
    let (ip, port) = (reachable(bound.ip()), bound.port());
    let mut lines = vec![format!("{scheme}://{}/{query}", SocketAddr::new(ip, port))];
    if ip.is_loopback() || config.tls.is_none() {
        lines.push(format!(
            "from another machine: ssh -L {port}:{} USER@THIS-MACHINE, then {scheme}://localhost:{port}/{query}",
            SocketAddr::new(ip, port)
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
