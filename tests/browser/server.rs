//! The real server on a small demo image, started and killed as a person would.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

/// Until the server says where it is.
const START: Duration = Duration::from_mins(1);
/// Lines of the server's that may wait to be read here; the readers drop what is more.
const LINES: usize = 64;

/// A running server; killed on drop.
pub struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Serves the demo image on a port of 127.0.0.1; 0 takes a free one.
    pub fn start(port: u16) -> Self {
        Self::start_with(port, &[])
    }

    /// The same with further arguments.
    pub fn start_with(port: u16, arguments: &[&str]) -> Self {
        let mut child = lucida()
            .arg("serve")
            .arg(demo())
            .args(["--port", &port.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("lucida starts");
        let (lines, said) = mpsc::sync_channel(LINES);
        follow(child.stdout.take().expect("piped"), lines.clone());
        follow(child.stderr.take().expect("piped"), lines);
        let mut heard = Vec::new();
        let url = loop {
            let Ok(line) = said.recv_timeout(START) else {
                let _ = child.kill();
                let _ = child.wait();
                panic!("lucida serve names no address; it said: {heard:#?}");
            };
            if let Some(begin) = line.find("http://127.0.0.1:") {
                break line[begin..].split_whitespace().next().expect("an address").to_owned();
            }
            heard.push(line);
        };
        Self { child, url }
    }

    /// Its page.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        let digits: String =
            self.url["http://127.0.0.1:".len()..].chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a port in the address")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lucida() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lucida"))
}

/// Reads a pipe to its end, so that the server never waits for this test to listen.
fn follow(pipe: impl Read + Send + 'static, lines: mpsc::SyncSender<String>) {
    thread::Builder::new()
        .name("server-output".into())
        .spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let _ = lines.try_send(line);
            }
        })
        .expect("a thread");
}

/// A small demo image, written anew once for all tests of this process.
fn demo() -> &'static Path {
    static DEMO: OnceLock<PathBuf> = OnceLock::new();
    DEMO.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser-demo.ome.zarr");
        if path.exists() {
            fs::remove_dir_all(&path).expect("an older demo goes");
        }
        let help = lucida().args(["demo", "--help"]).output().expect("lucida starts");
        let mut demo = lucida();
        demo.arg("demo").arg(&path);
        if String::from_utf8_lossy(&help.stdout).contains("--size") {
            demo.args(["--size", "small"]);
        }
        let made = demo.output().expect("lucida starts");
        assert!(made.status.success(), "lucida demo: {}", String::from_utf8_lossy(&made.stderr));
        path
    })
}
