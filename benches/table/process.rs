//! The real binary: from its start to the first picture, and what it costs at rest.

use super::{
    client::Client,
    stats::{Row, percentile},
};
use lucida::data::demo;
use std::{
    fs,
    io::{BufRead, BufReader, Lines, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// A running server; killed when dropped.
pub struct Server {
    pub child: Child,
    /// Kept open, as a terminal is.
    _output: Lines<BufReader<ChildStdout>>,
    pub addr: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the server on an image, on a port of its own.
pub fn start(data: &PathBuf) -> Server {
    let (mut child, mut lines) = spawn(data, &[]);
    let Some(addr) = lines.by_ref().map_while(Result::ok).find_map(|line| addresses(&line).next()) else {
        let _ = child.kill();
        panic!("lucida serve names no address");
    };
    Server { child, _output: lines, addr }
}

/// The same with the older protocol's ports: those of its state and of its pixels.
pub fn start_napari(data: &PathBuf) -> (Server, [SocketAddr; 2]) {
    let ports = ["--napari", "--napari-state-port", "0", "--napari-pixel-port", "0"];
    let (child, mut lines) = spawn(data, &ports);
    let mut found: Vec<SocketAddr> = Vec::new();
    while found.len() < 3 {
        let line = lines.next().unwrap().unwrap();
        for address in addresses(&line) {
            if !found.contains(&address) {
                found.push(address);
            }
        }
    }
    (Server { child, _output: lines, addr: found[0] }, [found[1], found[2]])
}

/// The addresses of this machine that a line tells.
fn addresses(line: &str) -> impl Iterator<Item = SocketAddr> {
    let after = line.split("://").skip(1);
    after.filter_map(|rest| {
        rest.split(|c: char| !(c.is_ascii_digit() || ".:".contains(c))).next()?.parse().ok()
    })
}

fn spawn(data: &PathBuf, arguments: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let binary = std::env::var_os("LUCIDA_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_lucida").into());
    let mut child = Command::new(binary)
        .args(["serve", "--port", "0"])
        .args(arguments)
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

impl Server {
    /// One of its counters.
    pub fn metric(&self, name: &str) -> f64 {
        let mut socket = TcpStream::connect(self.addr).unwrap();
        write!(socket, "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.addr).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let value = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
    }

    /// Resident memory, MiB.
    pub fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
    }
}

/// The image to serve: the real brain where it is, a small made one elsewhere.
pub fn data() -> (PathBuf, &'static str, Option<tempfile::TempDir>) {
    if let Some(path) = std::env::var_os("LUCIDA_BENCH_DATA") {
        return (path.into(), "as named", None);
    }
    let brain = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/brain-3ch-v04.ome.zarr");
    if brain.is_dir() {
        return (brain, "brain-3ch-v04", None);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made.ome.zarr");
    let spec = lucida::data::procedural::ProceduralSpec { shape: [1, 3, 16, 256, 256], ..demo::demo_spec() };
    demo::write(spec, &path, &|_, _| {}).unwrap();
    (path, "a made image", Some(dir))
}

pub fn rows(full: bool) -> Vec<Row> {
    let (path, name, _dir) = data();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut starts = Vec::new();
    for _ in 0..if full { 7 } else { 1 } {
        let started = Instant::now();
        let server = start(&path);
        runtime.block_on(async {
            let mut client = Client::connect(server.addr).await.unwrap();
            let _ = tokio::time::timeout(Duration::from_secs(20), client.news.changed()).await.unwrap();
        });
        starts.push(started.elapsed());
    }
    let p50 = percentile(&mut starts, 50.0);
    let first = Row::new(
        &format!("start of `lucida serve` → first frame received ({name})"),
        "500 ms",
        format!("{p50:.0} ms (n {})", starts.len()),
        p50 <= 500.0,
    );

    let server = start(&path);
    let seconds = if full { 60 } else { 2 };
    let (frames, bytes, share) = runtime.block_on(async {
        let client = Client::connect(server.addr).await.unwrap();
        // The picture comes, is refined, and the world comes to rest.
        tokio::time::sleep(Duration::from_secs(3)).await;
        client.seen.lock().unwrap().pictures.clear();
        let before = cpu_seconds(&server);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let share = (cpu_seconds(&server) - before) / seconds as f64;
        let seen = client.seen.lock().unwrap();
        (seen.pictures.len(), seen.pictures.iter().map(|p| p.1).sum::<usize>(), share)
    });
    let idle = Row::new(
        &format!("idle for {seconds} s with a client"),
        "0 frames, 0 bytes, < 1 % of a core",
        format!("{frames} frames, {bytes} bytes, {:.2} % of a core", share * 100.0),
        frames == 0 && bytes == 0 && share < 0.01,
    );
    vec![first, idle]
}

/// CPU time of the server's process so far (user and system), in seconds.
fn cpu_seconds(server: &Server) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}
