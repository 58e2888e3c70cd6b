//! The pixel channel of the strict client: every packet is checked and decoded, and can be looked at.

use crate::{
    rules::{
        pixels::{Header, Order, message, same_sets},
        stream::Sets,
    },
    serve::{Server, Still},
    state::{PATIENCE, Socket, open},
};
use futures_util::StreamExt;
use lucida::encode::decode::{Decoder, Picture};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// Without a packet for so long, the picture is the last one.
const STILL: Duration = Duration::from_millis(1200);
/// Without one for so long, none is to come at all.
const SETTLED: Duration = Duration::from_secs(3);

pub struct Pixels {
    socket: Socket,
    order: Order,
    decoder: Option<Decoder>,
    /// What notify.stream said, where a test wants it compared.
    pub told: Option<Sets>,
    /// Headers of all packets so far.
    pub headers: Vec<Header>,
    last: Option<Shown>,
}

/// A decoded picture.
#[derive(Clone)]
pub struct Shown {
    pub header: Header,
    picture: Arc<Picture>,
}

impl Pixels {
    pub async fn open(server: &Server) -> Self {
        let socket = open(server.pixels).await;
        Self { socket, order: Order::default(), decoder: None, told: None, headers: Vec::new(), last: None }
    }

    /// The next packet, decoded.
    pub async fn next(&mut self) -> Shown {
        self.next_within(PATIENCE).await.expect("a packet in time")
    }

    pub async fn next_within(&mut self, patience: Duration) -> Option<Shown> {
        loop {
            let message = timeout(patience, self.socket.next()).await.ok()?;
            match message.expect("open").expect("a message") {
                Message::Binary(bytes) => return Some(self.take(&bytes)),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("the pixel channel sends binary messages alone, not {other:?}"),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Shown {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        let checked = message(bytes, now).and_then(|(header, unit)| {
            self.order.next(header)?;
            if let Some(told) = &self.told {
                same_sets(unit, told)?;
            }
            Ok((header, unit))
        });
        let (header, unit) = checked.unwrap_or_else(|why| panic!("the client would not have it: {why}"));
        self.headers.push(header);
        if self.decoder.is_none() || header.keyframe && self.headers.len() == 1 {
            self.decoder = Some(Decoder::new().unwrap());
        }
        // A gap in what was encoded would be refused or come out wrong here: nothing is concealed.
        let picture = self.decoder.as_mut().unwrap().decode(unit).expect("decodes");
        assert_eq!([picture.canvas.width, picture.canvas.height], [header.width, header.height]);
        let shown = Shown { header, picture: Arc::new(picture) };
        self.last = Some(shown.clone());
        shown
    }

    /// The picture on the screen, once no other comes for a while; it may have come before.
    pub async fn settled(&mut self) -> Shown {
        if self.last.is_none() {
            return self.rest().await;
        }
        while self.next_within(SETTLED).await.is_some() {}
        self.last.clone().unwrap()
    }

    /// The last picture: one comes, and none after it for a while.
    pub async fn rest(&mut self) -> Shown {
        let begun = tokio::time::Instant::now();
        self.next().await;
        while self.next_within(STILL).await.is_some() {
            let recent = &self.headers[self.headers.len().saturating_sub(8)..];
            assert!(begun.elapsed() < PATIENCE, "it never comes to rest: {recent:?}");
        }
        self.last.clone().unwrap()
    }

    /// Reads whatever comes for a while.
    pub async fn watch(&mut self, length: Duration) {
        let until = tokio::time::Instant::now() + length;
        while let Some(left) = until.checked_duration_since(tokio::time::Instant::now()) {
            self.next_within(left).await;
        }
    }

    /// The first picture of which something holds.
    pub async fn until(&mut self, what: &str, is_it: impl Fn(&Shown) -> bool) -> Shown {
        let begun = tokio::time::Instant::now();
        let mut last = None;
        while begun.elapsed() < PATIENCE {
            let Some(shown) = self.next_within(PATIENCE).await else { break };
            if is_it(&shown) {
                return shown;
            }
            last = Some(shown);
        }
        let said = last.map(|l| (l.header, l.at(0.5, 0.1), l.at(0.5, 0.9)));
        panic!("no picture {what}; the last: {said:?}")
    }
}

impl Shown {
    pub fn size(&self) -> [u32; 2] {
        [self.header.width, self.header.height]
    }

    /// RGB of the pixel that the client shows at `x` from the left and `y` from the *top* of its window: it shows
    /// the first coded row at the bottom.
    pub fn pixel(&self, x: u32, y: u32) -> [f64; 3] {
        self.coded(x, self.header.height - 1 - y)
    }

    /// RGB as it is coded.
    pub fn coded(&self, x: u32, row: u32) -> [f64; 3] {
        let (x, row, width) = (x as usize, row as usize, self.header.width as usize);
        let chroma = row / 2 * (width / 2) + x / 2;
        to_rgb(self.picture.y[row * width + x], self.picture.u[chroma], self.picture.v[chroma])
    }

    /// Like [`Self::pixel`], in parts of the window.
    pub fn at(&self, x: f64, y: f64) -> [f64; 3] {
        let place = |part: f64, n: u32| ((part * f64::from(n)) as u32).min(n - 1);
        self.pixel(place(x, self.header.width), place(y, self.header.height))
    }

    /// Likeness to a still, dB; on every fourth pixel of either direction.
    pub fn likeness(&self, still: &Still) -> f64 {
        assert_eq!(self.size(), still.size);
        let (mut squares, mut n) = (0.0, 0.0);
        for y in (0..still.size[1]).step_by(4) {
            for x in (0..still.size[0]).step_by(4) {
                let (a, b) = (self.pixel(x, y), still.at(x, y));
                squares += (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>();
                n += 3.0;
            }
        }
        10.0 * (255.0 * 255.0 / (squares / n).max(1e-3)).log10()
    }
}

/// BT.709 limited range to RGB in 0..=255 (ITU-R BT.709-6).
fn to_rgb(y: u8, u: u8, v: u8) -> [f64; 3] {
    let y = (f64::from(y) - 16.0) / 219.0;
    let (pb, pr) = ((f64::from(u) - 128.0) / 224.0, (f64::from(v) - 128.0) / 224.0);
    let (r, b) = (y + 1.5748 * pr, y + 1.8556 * pb);
    let g = (y - 0.2126 * r - 0.0722 * b) / 0.7152;
    [r, g, b].map(|c| c.clamp(0.0, 1.0) * 255.0)
}
