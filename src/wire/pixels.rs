//! The pixel channel: one binary message per picture, network byte order.
//!
//! `seq u32 · ts f64 · width u32 · height u32 · codec u8 · flags u8 · n u16 · extension (n bytes) · AVCC`.
//! The extension is JSON and stands there for sessions with `lucida.frames`; for others `n` is 0.

use lucida_components::{ids::SessionId, packet::Packet};

/// Bytes before the extension.
pub const HEADER: usize = 24;
/// The codec's number: H.264.
const H264: u8 = 1;
/// Flag: decoding can start here.
const KEYFRAME: u8 = 1;

/// What a picture's message carries besides the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// Nothing: the base protocol.
    None,
    /// Revision and answered intents of this session.
    Answers(SessionId),
}

/// Makes the message of one picture. The access unit is copied once: a WebSocket message is one piece.
pub fn message(packet: &Packet, seq: u32, extension: Extension) -> Vec<u8> {
    let extension = match extension {
        Extension::None => String::new(),
        Extension::Answers(session) => answers(packet, session),
    };
    let mut out = Vec::with_capacity(HEADER + extension.len() + packet.bytes.len());
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(&packet.captured.to_be_bytes());
    out.extend_from_slice(&packet.width.to_be_bytes());
    out.extend_from_slice(&packet.height.to_be_bytes());
    out.push(H264);
    out.push(if packet.keyframe { KEYFRAME } else { 0 });
    out.extend_from_slice(&(extension.len() as u16).to_be_bytes());
    out.extend_from_slice(extension.as_bytes());
    out.extend_from_slice(&packet.bytes);
    out
}

/// `{"revision":12,"intents":[…]}` with as many intents as its 16-bit length holds.
fn answers(packet: &Packet, session: SessionId) -> String {
    const END: &str = "]}";
    let mut text = format!("{{\"revision\":{},\"intents\":[", packet.revision);
    let own = packet.answered.iter().filter(|a| a.session == session && !a.intent.intent_id.is_empty());
    for (n, answer) in own.enumerate() {
        let name = serde_json::Value::from(answer.intent.intent_id.as_str()).to_string();
        if text.len() + 1 + name.len() + END.len() > usize::from(u16::MAX) {
            break;
        }
        if n > 0 {
            text.push(',');
        }
        text.push_str(&name);
    }
    text + END
}

/// Reads a client's acknowledgement: the `seq` of the picture that it decoded.
pub fn parse_ack(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}
