//! `lucida serve` as a process: its line, its answers, its end.

use crate::{can_draw, image::small_image, lucida};
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// A server has this long to end.
const END: Duration = Duration::from_secs(5);

/// A running server and what it said; killed if a test fails.
pub struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    pub url: String,
}

impl Server {
    pub fn start(args: &[&str]) -> Self {
        let mut child = lucida()
            .args(["serve", "--port", "0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        out.read_line(&mut url).unwrap();
        if url.is_empty() {
            let mut err = String::new();
            child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
            panic!("lucida serve ended: {err}");
        }
        Self { child, out, url: url.trim().to_owned() }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.url.split('/').nth(2).unwrap()
    }

    /// The next line that it printed.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Ends it and reads what it logged.
    pub fn log(mut self) -> String {
        self.child.kill().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }

    /// Waits until it can show something.
    pub fn ready(&self) {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.get("/readyz").starts_with("HTTP/1.1 200") {
            assert!(Instant::now() < until, "never ready: {}", self.get("/readyz"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Status line, headers and body.
    pub fn get(&self, path: &str) -> String {
        let mut socket = TcpStream::connect(self.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address())
            .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Signals it and waits; `None` where it did not end in time.
    fn end(&mut self, signal: &str) -> Option<ExitStatus> {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let asked = Instant::now();
        while asked.elapsed() < END {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_where_it_is_answers_and_ends_when_told() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[image.to_str().unwrap()]);
        assert!(server.url.starts_with("http://127.0.0.1:") && !server.url.contains(":0/"), "{}", server.url);
        let tunnel = server.line();
        assert!(tunnel.contains("ssh -L"), "{tunnel}");

        assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
        assert!(server.get("/").contains("text/html"));
        server.ready();
        let status = server.end(signal).unwrap_or_else(|| panic!("still there {END:?} after SIG{signal}"));
        assert_eq!(status.code(), Some(0), "SIG{signal}");
    }
}

#[test]
fn another_address_demands_a_token() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    let server = Server::start(&[image.to_str().unwrap(), "--host", "0.0.0.0"]);
    let token = server.url.split_once("?token=").map(|(_, t)| t.to_owned()).expect("a token in the URL");
    assert!(token.len() >= 43, "256 bits: {token}");
    assert!(server.get("/metrics").starts_with("HTTP/1.1 401"));
    assert!(server.get("/metrics?token=wrong").starts_with("HTTP/1.1 401"));
    assert!(server.get(&format!("/metrics?token={token}")).starts_with("HTTP/1.1 200"));
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_taken_port_exits_with_1_and_names_the_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    crate::refused(1, &["serve", image.to_str().unwrap(), "--port", &port], &["--port", &port]);
}

/// Words of a text that look like one of our metrics.
fn metrics_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
        .filter(|w| w.starts_with("lucida_") && !["lucida_components", "lucida_systems"].contains(w))
        .map(str::to_owned)
        .collect()
}

#[test]
fn metrics_and_their_documentation_name_the_same() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    let server = Server::start(&[image.to_str().unwrap()]);
    let scraped = server.get("/metrics");
    let there = metrics_in(&scraped);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let texts = fs::read_dir(docs).unwrap().map(|e| fs::read_to_string(e.unwrap().path()).unwrap());
    let told: BTreeSet<String> = texts.flat_map(|t| metrics_in(&t)).collect();
    let unknown: Vec<_> = told.difference(&there).collect();
    assert!(unknown.is_empty(), "documented, but not there: {unknown:?}");
    let families = scraped.lines().filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next());
    let silent: Vec<_> = families.filter(|f| !told.iter().any(|t| t.starts_with(f))).collect();
    assert!(silent.is_empty(), "there, but not documented in docs/operating.md: {silent:?}");
}
