//! Who may come in: `Host`, `Origin` and token are checked before anything else happens.
//!
//! A page of another site can make a browser connect here. Its `Origin` gives it away; where it made the
//! browser believe that this machine bears its name, `Host` does.

use super::config::ServerConfig;
use axum::http::{HeaderMap, StatusCode, Uri, header, uri::Authority};
use lucida_components::session::Role;
use std::net::{IpAddr, SocketAddr};

/// Why a request is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name by which the client calls this machine is not its own.
    #[error("this server is not known by that host name; start it with --allow-host NAME to permit it")]
    Host,
    /// A page of another site asks.
    #[error("pages of that origin may not connect; start the server with --allow-host NAME to permit them")]
    Origin,
    /// No token, or a wrong one.
    #[error("a valid token is needed: append ?token=… as it was shown when the server started")]
    Token,
    /// The token of those who may only look.
    #[error("the token of viewers is not enough for this")]
    Viewer,
}

impl Refusal {
    /// The HTTP status that tells it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Host | Self::Origin | Self::Viewer => StatusCode::FORBIDDEN,
            Self::Token => StatusCode::UNAUTHORIZED,
        }
    }
}

/// Checks the name by which the client calls this machine.
pub fn host(headers: &HeaderMap, uri: &Uri, bound: SocketAddr, config: &ServerConfig) -> Result<(), Refusal> {
    let named = called(headers, uri).ok_or(Refusal::Host)?;
    if own(&named, bound.ip()) || allowed(&named, config) { Ok(()) } else { Err(Refusal::Host) }
}

/// Checks a port where no token is asked for. A page can only come by a name that is known here; whoever is no
/// browser may use any name for an address that others were let in on.
pub fn napari(
    headers: &HeaderMap,
    uri: &Uri,
    bound: SocketAddr,
    config: &ServerConfig,
) -> Result<(), Refusal> {
    if bound.ip().is_loopback() || headers.contains_key(header::ORIGIN) {
        host(headers, uri, bound, config)?;
    }
    origin(headers, uri, config)
}

/// Checks that a browser's page comes from here. What is not a browser sends no `Origin`.
pub fn origin(headers: &HeaderMap, uri: &Uri, config: &ServerConfig) -> Result<(), Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin: Uri = origin.to_str().ok().and_then(|o| o.parse().ok()).ok_or(Refusal::Origin)?;
    let default_port = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err(Refusal::Origin),
    };
    let page = origin.authority().ok_or(Refusal::Origin)?;
    let called = called(headers, uri).ok_or(Refusal::Origin)?;
    let port = |a: &Authority| a.port_u16().unwrap_or(default_port);
    let same = page.host().eq_ignore_ascii_case(called.host()) && port(page) == port(&called);
    if same || allowed(page, config) { Ok(()) } else { Err(Refusal::Origin) }
}

/// Checks the token, from the query or an `Authorization` header, where one is demanded. Says what whoever shows it
/// may do at most.
pub fn token(headers: &HeaderMap, query: Option<&str>, config: &ServerConfig) -> Result<Role, Refusal> {
    let Some(token) = &config.token else { return Ok(Role::Controller) };
    let bearer = || headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ");
    let offered = query.or_else(bearer).unwrap_or_default();
    // Both, whatever the first says: the time tells nothing.
    let controls = token.admits(offered);
    let views = config.viewer_token.as_ref().is_some_and(|token| token.admits(offered));
    match (controls, views) {
        (true, _) => Ok(Role::Controller),
        (false, true) => Ok(Role::Viewer),
        (false, false) => Err(Refusal::Token),
    }
}

/// Checks for the token of those who may change everything.
pub fn controller(headers: &HeaderMap, query: Option<&str>, config: &ServerConfig) -> Result<(), Refusal> {
    match token(headers, query, config)? {
        Role::Controller => Ok(()),
        Role::Viewer => Err(Refusal::Viewer),
    }
}

fn called(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let named: Authority = match headers.get(header::HOST) {
        Some(host) => host.to_str().ok()?.parse().ok()?,
        None => uri.authority()?.clone(),
    };
    (!named.as_str().contains('@')).then_some(named)
}

/// Loopback, and the address that is listened on. A server that listens on every address takes every
/// *number*: a foreign page cannot pass itself off under one.
fn own(named: &Authority, bound: IpAddr) -> bool {
    let host = named.host();
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() else { return false };
    ip.is_loopback() || ip == bound || bound.is_unspecified()
}

fn allowed(named: &Authority, config: &ServerConfig) -> bool {
    config
        .allow_hosts
        .iter()
        .any(|entry| entry.eq_ignore_ascii_case(named.host()) || entry.eq_ignore_ascii_case(named.as_str()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::server::Token;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse::<header::HeaderName>().unwrap(), v.parse().unwrap())).collect()
    }

    fn config(allow: &[&str]) -> ServerConfig {
        ServerConfig { allow_hosts: allow.iter().map(|a| (*a).into()).collect(), ..ServerConfig::default() }
    }

    #[test]
    fn hosts() {
        let uri = Uri::from_static("/state");
        let check = |bound: &str, host: &str, allow: &[&str]| {
            super::host(&headers(&[("host", host)]), &uri, bound.parse().unwrap(), &config(allow)).is_ok()
        };
        for own in ["localhost", "localhost:9", "LOCALHOST:8080", "127.0.0.1:1", "127.0.0.2", "[::1]:8080"] {
            assert!(check("127.0.0.1:8080", own, &[]), "{own}");
        }
        for foreign in
            ["evil.example", "evil.example:8080", "10.0.0.1", "localhost.evil.example", "", "a@localhost"]
        {
            assert!(!check("127.0.0.1:8080", foreign, &[]), "{foreign}");
        }
        assert!(check("10.0.0.1:80", "10.0.0.1", &[]));
        assert!(check("0.0.0.0:80", "192.0.2.7:80", &[]));
        assert!(!check("0.0.0.0:80", "evil.example", &[]));
        assert!(check("127.0.0.1:80", "lab.example:80", &["lab.example"]));
        assert!(check("127.0.0.1:80", "Lab.example:81", &["lab.example:81"]));
        assert!(!check("127.0.0.1:80", "lab.example:82", &["lab.example:81"]));
        assert!(super::host(&HeaderMap::new(), &uri, "127.0.0.1:1".parse().unwrap(), &config(&[])).is_err());
    }

    #[test]
    fn origins() {
        let uri = Uri::from_static("/state");
        let check = |host: &str, origin: &str, allow: &[&str]| {
            super::origin(&headers(&[("host", host), ("origin", origin)]), &uri, &config(allow)).is_ok()
        };
        assert!(super::origin(&headers(&[("host", "localhost")]), &uri, &config(&[])).is_ok());
        assert!(check("localhost:8080", "http://localhost:8080", &[]));
        assert!(check("lab.example", "https://lab.example", &[]));
        assert!(check("lab.example:443", "https://lab.example", &[]));
        assert!(check("127.0.0.1:8080", "https://front.example", &["front.example"]));
        for foreign in
            ["http://localhost:3000", "http://127.0.0.1:8080", "null", "http://evil.example", "file://"]
        {
            assert!(!check("localhost:8080", foreign, &[]), "{foreign}");
        }
    }

    #[test]
    fn without_a_token_pages_come_by_known_names_alone() {
        let check = |bound: &str, pairs: &[(&'static str, &str)]| {
            let uri = Uri::from_static("/");
            super::napari(&headers(pairs), &uri, bound.parse().unwrap(), &config(&[])).is_ok()
        };
        let (here, open) = ("127.0.0.1:8081", "0.0.0.0:8081");
        assert!(check(here, &[("host", "localhost:1")]));
        assert!(!check(here, &[("host", "lab.example")]), "another name for loopback");
        assert!(check(open, &[("host", "lab.example")]), "a client that is no browser");
        // A name that was made to mean this machine: page and host agree.
        for bound in [here, open] {
            let pair = [("host", "evil.example:8081"), ("origin", "http://evil.example:8081")];
            assert!(!check(bound, &pair), "{bound}");
            assert!(
                !check(bound, &[("host", "127.0.0.1:8081"), ("origin", "http://evil.example")]),
                "{bound}"
            );
        }
    }

    #[test]
    fn tokens() {
        let mut config = config(&[]);
        assert!(super::token(&HeaderMap::new(), None, &config).is_ok());
        config.token = Some(Token::parse("0123456789abcdef").unwrap());
        let bearer = |t: &str| headers(&[("authorization", t)]);
        assert!(super::token(&HeaderMap::new(), Some("0123456789abcdef"), &config).is_ok());
        assert!(super::token(&bearer("Bearer 0123456789abcdef"), None, &config).is_ok());
        for (headers, query) in [
            (HeaderMap::new(), None),
            (HeaderMap::new(), Some("")),
            (HeaderMap::new(), Some("0123456789abcdeF")),
            (bearer("0123456789abcdef"), None),
            (bearer("Basic 0123456789abcdef"), None),
        ] {
            assert_eq!(super::token(&headers, query, &config), Err(Refusal::Token));
        }
    }

    #[test]
    fn the_token_says_the_role() {
        let mut config = config(&[]);
        let viewer = "viewer-of-the-data";
        config.viewer_token = Some(Token::parse(viewer).unwrap());
        let role = |query, config: &ServerConfig| super::token(&HeaderMap::new(), query, config);
        assert_eq!(role(None, &config), Ok(Role::Controller), "no token is demanded");
        config.token = Some(Token::parse("0123456789abcdef").unwrap());
        assert_eq!(role(Some("0123456789abcdef"), &config), Ok(Role::Controller));
        assert_eq!(role(Some(viewer), &config), Ok(Role::Viewer));
        assert_eq!(role(Some("viewer-of-the-dat"), &config), Err(Refusal::Token));
        assert_eq!(role(None, &config), Err(Refusal::Token));
        let controller = |query| super::controller(&HeaderMap::new(), query, &config);
        assert_eq!(controller(Some("0123456789abcdef")), Ok(()));
        assert_eq!(controller(Some(viewer)), Err(Refusal::Viewer));
        assert_eq!(controller(Some("wrong")), Err(Refusal::Token));
    }
}
