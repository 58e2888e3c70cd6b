//! A client that speaks WebSocket byte by byte (RFC 6455), so that it can speak it wrongly.

use crate::harness::PATIENCE;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// A connection that was upgraded.
pub struct Raw(pub TcpStream);

/// A frame of the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub opcode: u8,
    pub payload: Vec<u8>,
}

impl Raw {
    pub async fn open(addr: SocketAddr, path: &str) -> Self {
        Self::upgrade(TcpStream::connect(addr).await.unwrap(), path).await
    }

    /// With a small receive buffer, so that what is not read is soon felt at the other end.
    pub async fn open_narrow(addr: SocketAddr, path: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Self::upgrade(socket.connect(addr).await.unwrap(), path).await
    }

    async fn upgrade(mut stream: TcpStream, path: &str) -> Self {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, stream.read_u8()).await.expect("a response").unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        // The key is RFC 6455's example, and so is the answer.
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        Self(stream)
    }

    /// Sends bytes as they are. A server that has closed already does not make this fail.
    pub async fn bytes(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// Sends a frame, masked as clients must.
    pub async fn frame(&mut self, first: u8, payload: &[u8]) {
        self.bytes(&frame(first, payload)).await;
    }

    /// Sends a whole message.
    pub async fn whole(&mut self, opcode: u8, payload: &[u8]) {
        self.frame(0x80 | opcode, payload).await;
    }

    /// The next frame; `None` where the connection ends.
    pub async fn next(&mut self) -> Option<Frame> {
        timeout(PATIENCE, self.read()).await.expect("a frame, or the end")
    }

    async fn read(&mut self) -> Option<Frame> {
        let [first, second] = [self.0.read_u8().await.ok()?, self.0.read_u8().await.ok()?];
        assert_eq!(first & 0xf0, 0x80, "the server sends whole messages, without reserved bits");
        assert_eq!(second & 0x80, 0, "the server does not mask");
        let length = match second {
            126 => u64::from(self.0.read_u16().await.ok()?),
            127 => self.0.read_u64().await.ok()?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame { opcode: first & 0x0f, payload })
    }

    /// The next frame of a kind; others are passed over.
    pub async fn next_of(&mut self, opcode: u8) -> Frame {
        loop {
            let frame = self.next().await.expect("an open connection");
            if frame.opcode == opcode {
                return frame;
            }
        }
    }

    /// The code with which the server closes, after whatever it still had to say; 0 where it says none.
    pub async fn closed(&mut self) -> u16 {
        while let Some(frame) = self.next().await {
            if frame.opcode == CLOSE {
                assert_ne!(frame.payload.len(), 1, "half a code");
                return frame.payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code));
            }
        }
        0
    }
}

/// A frame of a client: `first` is its first byte; the mask is not nothing.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut out = vec![first];
    match payload.len() {
        n @ ..=125 => out.push(0x80 | n as u8),
        n @ 126..=0xffff => {
            out.push(0xfe);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(0xff);
            out.extend((n as u64).to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(b, m)| b ^ m));
    out
}
