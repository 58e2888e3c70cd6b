//! `lucida serve --napari` as a process, and `lucida render` for the stills to compare with.

use crate::image::Folder;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

/// Until the server says where it is.
const START: Duration = Duration::from_mins(1);

/// A running server on an image of its own; killed on drop.
pub struct Server {
    child: Child,
    pub folder: Folder,
    /// The page's port, and those of the older protocol.
    pub page: SocketAddr,
    pub state: SocketAddr,
    pub pixels: SocketAddr,
}

/// The binary, with nothing of this machine's own settings.
pub fn lucida() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucida"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LUCIDA_") && name != "LUCIDA_LOG" {
            command.env_remove(name);
        }
    }
    // Mesa otherwise complains on stderr where there is no display.
    command.env("NODEVICE_SELECT", "1").stdin(Stdio::null());
    command
}

/// Whether anything can be drawn here; says so where not.
pub fn can_draw() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    let can = *CAN.get_or_init(|| !lucida::gpu::device::adapters().is_empty());
    if !can {
        eprintln!("SKIPPED: no Vulkan driver here; apt-get install mesa-vulkan-drivers");
    }
    can
}

impl Server {
    /// Shows the first image of a folder, with small pictures; `None` where nothing can be drawn.
    pub fn small() -> Option<Self> {
        Self::start(&["--napari-size", "320x180"])
    }

    /// With further arguments.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        can_draw().then(|| Self::of(Folder::new(), arguments))
    }

    fn of(folder: Folder, arguments: &[&str]) -> Self {
        let mut child = lucida()
            .args([
                "serve",
                "--port",
                "0",
                "--napari",
                "--napari-state-port",
                "0",
                "--napari-pixel-port",
                "0",
            ])
            .arg(folder.path("first.ome.zarr"))
            .args(["--root", folder.root().to_str().unwrap()])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, said) = mpsc::sync_channel(64);
        follow(child.stdout.take().unwrap(), lines.clone());
        follow(child.stderr.take().unwrap(), lines);
        let mut heard = Vec::new();
        let mut found = Vec::new();
        while found.len() < 3 {
            let Ok(line) = said.recv_timeout(START) else {
                let _ = child.kill();
                let _ = child.wait();
                panic!("lucida serve names no addresses; it said: {heard:#?}");
            };
            // The page first, then the state channel, then the pixels.
            for address in addresses(&line) {
                if !found.contains(&address) {
                    found.push(address);
                }
            }
            heard.push(line);
        }
        Self { child, folder, page: found[0], state: found[1], pixels: found[2] }
    }

    /// Its counters.
    pub fn metric(&self, name: &str) -> f64 {
        let mut socket = TcpStream::connect(self.page).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(socket, "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.page).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let line = answer.lines().find(|l| l.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        line.unwrap_or_else(|| panic!("no {name} in {answer}")).rsplit(' ').next().unwrap().parse().unwrap()
    }

    fn proc(&self, what: &str) -> String {
        format!("/proc/{}/{what}", self.child.id())
    }

    /// Open files, sockets included.
    pub fn files(&self) -> usize {
        fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// Threads of ours; the driver's own come and go.
    pub fn threads(&self) -> usize {
        let names = fs::read_dir(self.proc("task")).unwrap();
        let names = names.filter_map(|t| fs::read_to_string(t.ok()?.path().join("comm")).ok());
        names.filter(|n| n.starts_with("lucida-") && !n.starts_with("lucida-gpu")).count()
    }

    /// Resident memory, MiB.
    pub fn resident(&self) -> f64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// A still of one of its images, drawn by another process from the same files.
    pub fn still(&self, image: &str, size: [u32; 2], arguments: &[&str]) -> Still {
        let png = self.folder.scratch("still.png");
        let made = lucida()
            .arg("render")
            .arg(self.folder.path(image))
            .arg("--output")
            .arg(&png)
            .args(["--size", &format!("{}x{}", size[0], size[1])])
            .args(arguments)
            .output()
            .unwrap();
        assert!(made.status.success(), "lucida render: {}", String::from_utf8_lossy(&made.stderr));
        Still::read(&png)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A picture from a file: RGBA, row 0 on top.
pub struct Still {
    pub size: [u32; 2],
    pub rgba: Vec<u8>,
}

impl Still {
    fn read(path: &Path) -> Self {
        let mut reader =
            png::Decoder::new(BufReader::new(fs::File::open(path).unwrap())).read_info().unwrap();
        let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut rgba).unwrap();
        assert_eq!(frame.color_type, png::ColorType::Rgba);
        Self { size: [frame.width, frame.height], rgba }
    }

    /// RGB; y from the top.
    pub fn at(&self, x: u32, y: u32) -> [f64; 3] {
        let at = ((y * self.size[0] + x) * 4) as usize;
        [0, 1, 2].map(|i| f64::from(self.rgba[at + i]))
    }
}

/// The addresses of this machine that a line tells.
fn addresses(line: &str) -> impl Iterator<Item = SocketAddr> {
    let after = line.split("://").skip(1);
    after.filter_map(|rest| {
        rest.split(|c: char| !(c.is_ascii_digit() || ".:".contains(c))).next()?.parse().ok()
    })
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
        .unwrap();
}
