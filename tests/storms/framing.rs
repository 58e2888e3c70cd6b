//! RFC 6455 at the sockets, in the groups of the Autobahn test suite. Our endpoints do not echo, so a message
//! was understood if it is answered: an unknown key of a `state.update` is, with its intent's name.

use crate::{
    harness::{Server, hello},
    quick,
    raw::{BINARY, CLOSE, CONTINUATION, PING, PONG, Raw, TEXT, frame},
};
use lucida::{app::bridge::Inbound, server::ServerConfig};
use serde_json::{Value, json};

/// A welcomed client that speaks byte by byte.
struct Speaker {
    raw: Raw,
    session: String,
    /// The world's end of its channel.
    _join: Inbound,
}

impl Speaker {
    async fn join(server: &Server) -> Self {
        let mut raw = Raw::open(server.addr, "/state").await;
        raw.whole(TEXT, hello(&[]).to_string().as_bytes()).await;
        let welcome: Value = serde_json::from_slice(&raw.next_of(TEXT).await.payload).unwrap();
        let session = welcome["session"].as_str().unwrap().to_owned();
        Self { raw, session, _join: server.next() }
    }

    /// A message that is answered with `id`.
    fn question(&self, id: &str) -> Vec<u8> {
        let frame = json!({
            "type": "state.update", "version": 2, "session": self.session, "timestamp": 1.0,
            "frame_id": "f", "intent_id": id,
            "payload": {"scope": "nothing", "target": "", "key": "grüße \u{1F52C}", "value": null}
        });
        frame.to_string().into_bytes()
    }

    /// Whether the next answer is to `id`.
    async fn is_answered(&mut self, id: &str) {
        let answer: Value = serde_json::from_slice(&self.raw.next_of(TEXT).await.payload).unwrap();
        assert_eq!(answer["payload"]["intent_id"], json!(id), "{answer}");
    }
}

/// Sends each of these to a session of its own and expects the server to close with this code.
async fn closes(code: u16, cases: &[(&str, Vec<u8>)]) {
    let server = Server::start(quick());
    for (what, bytes) in cases {
        let mut speaker = Speaker::join(&server).await;
        speaker.raw.bytes(bytes).await;
        assert_eq!(speaker.raw.closed().await, code, "{what}");
        assert_eq!(speaker.raw.next().await, None, "{what}: nothing after the close");
        server.event();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_one_frame_of_every_length() {
    let server = Server::start(quick());
    let mut speaker = Speaker::join(&server).await;
    let shortest = speaker.question("i").len();
    // Around the lengths at which the header grows, and the longest that an update may have.
    for length in [shortest, 0xffff - 1, 0xffff, 0x1_0000] {
        let mut text = speaker.question("i");
        text.resize(length, b' ');
        speaker.raw.whole(TEXT, &text).await;
        speaker.is_answered("i").await;
    }
    // A length written longer than it need be is still a length.
    let text = speaker.question("long way");
    let mut long = vec![0x81, 0xff];
    long.extend((text.len() as u64).to_be_bytes());
    long.extend([0; 4]);
    long.extend(&text);
    speaker.raw.bytes(&long).await;
    speaker.is_answered("long way").await;
    // Empty messages, and bytes where texts are spoken: ignored.
    speaker.raw.whole(TEXT, b"").await;
    speaker.raw.whole(BINARY, b"").await;
    speaker.raw.whole(BINARY, &[0xff; 300]).await;
    // Octet by octet.
    for byte in frame(0x81, &speaker.question("slowly")) {
        speaker.raw.bytes(&[byte]).await;
    }
    speaker.is_answered("slowly").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_are_answered_and_pongs_are_not() {
    let server = Server::start(quick());
    let mut speaker = Speaker::join(&server).await;
    for payload in [&b""[..], b"hello", &[0, 0xff, 0xfe, 0xfd], &[0xfe; 125]] {
        speaker.raw.whole(PING, payload).await;
        assert_eq!(speaker.raw.next_of(PONG).await.payload, payload);
    }
    speaker.raw.whole(PONG, b"").await;
    speaker.raw.whole(PONG, b"nobody asked").await;
    speaker.raw.whole(PING, b"after pongs").await;
    assert_eq!(speaker.raw.next_of(PONG).await.payload, b"after pongs");
    let question = speaker.question("after all");
    speaker.raw.whole(TEXT, &question).await;
    speaker.is_answered("after all").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_make_one_message_and_control_frames_may_come_between() {
    let server = Server::start(quick());
    let mut speaker = Speaker::join(&server).await;
    let question = speaker.question("in parts");
    for size in [1, 3, question.len() / 2] {
        let parts: Vec<&[u8]> = question.chunks(size).collect();
        for (n, part) in parts.iter().enumerate() {
            let opcode = if n == 0 { TEXT } else { CONTINUATION };
            let last = if n + 1 == parts.len() { 0x80 } else { 0 };
            speaker.raw.frame(last | opcode, part).await;
            if n == 0 {
                speaker.raw.whole(PING, b"between").await;
                assert_eq!(speaker.raw.next_of(PONG).await.payload, b"between");
            }
        }
        speaker.is_answered("in parts").await;
    }
    // Fragments of nothing round it.
    speaker.raw.frame(TEXT, b"").await;
    speaker.raw.frame(CONTINUATION, &question).await;
    speaker.raw.frame(0x80 | CONTINUATION, b"").await;
    speaker.is_answered("in parts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_websocket_closes_with_1002() {
    let mut cases = Vec::new();
    for bits in [0x40, 0x20, 0x10, 0x70] {
        cases.push(("reserved bits of a text", frame(0x81 | bits, b"x")));
        cases.push(("reserved bits of a ping", frame(0x89 | bits, b"x")));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        cases.push(("a reserved opcode", frame(0x80 | opcode, b"x")));
    }
    let then = |first: Vec<u8>, second: Vec<u8>| [first, second].concat();
    cases.extend([
        ("a long ping", frame(0x80 | PING, &[0; 126])),
        ("a long close", frame(0x80 | CLOSE, &[3; 126])),
        ("a ping in parts", frame(PING, b"x")),
        ("a pong in parts", frame(PONG, b"x")),
        ("a close in parts", frame(CLOSE, &[3, 232])),
        ("a continuation of nothing", frame(0x80 | CONTINUATION, b"x")),
        ("an open continuation of nothing", frame(CONTINUATION, b"x")),
        ("a text in a text", then(frame(TEXT, b"x"), frame(0x80 | TEXT, b"x"))),
        ("bytes in a text", then(frame(TEXT, b"x"), frame(0x80 | BINARY, b"x"))),
        ("no mask", vec![0x81, 1, b'x']),
    ]);
    closes(1002, &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_not_utf8_closes_with_1007() {
    let mut cases: Vec<(&str, Vec<u8>)> = Vec::new();
    for bad in [
        &b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"[..], // a surrogate
        b"\xf4\x90\x80\x80",                                                    // beyond Unicode
        b"\xc0\xaf",                                                            // longer than it need be
        b"\xe0\x80\xaf",
        b"\x80",
        b"\xbf",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe",
        b"\xff",
        b"cut off \xe2\x82",
    ] {
        cases.push(("in one frame", frame(0x81, bad)));
        let (head, tail) = bad.split_at(bad.len() / 2);
        cases.push(("in parts", [frame(TEXT, head), frame(0x80 | CONTINUATION, tail)].concat()));
    }
    // Told as soon as it can be known, not at the end of the message.
    cases.push(("at once", [frame(TEXT, b"good"), frame(CONTINUATION, b"\xff"), Vec::new()].concat()));
    cases.push(("a close reason", frame(0x80 | CLOSE, &[&[3, 232][..], b"\xce\xff"].concat())));
    closes(1007, &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_may_be_cut_by_fragments() {
    let server = Server::start(quick());
    let mut speaker = Speaker::join(&server).await;
    let question = speaker.question("cut");
    let at = question.windows(4).position(|w| w == "\u{1F52C}".as_bytes()).unwrap();
    for cut in 1..4 {
        speaker.raw.frame(TEXT, &question[..at + cut]).await;
        speaker.raw.frame(0x80 | CONTINUATION, &question[at + cut..]).await;
        speaker.is_answered("cut").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closes_are_answered_and_wrong_ones_are_told() {
    let server = Server::start(quick());
    let close = |payload: Vec<u8>| frame(0x80 | CLOSE, &payload);
    let coded = |code: u16, reason: &[u8]| close([&code.to_be_bytes()[..], reason].concat());
    let echoed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    let mut cases: Vec<(Vec<u8>, Vec<u16>)> = vec![(close(vec![]), vec![0, 1000, 1005])];
    cases.extend(echoed.map(|code| (coded(code, b""), vec![code])));
    cases.push((coded(1000, &[b'r'; 123]), vec![1000]));
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        // Answered as a mistake, or with the code of one.
        cases.push((coded(code, b""), vec![1002]));
    }
    cases.push((close(vec![3]), vec![1002]));
    for (bytes, codes) in cases {
        let mut speaker = Speaker::join(&server).await;
        speaker.raw.bytes(&bytes).await;
        // What comes after a close is not looked at.
        speaker.raw.whole(PING, b"too late").await;
        let code = speaker.raw.closed().await;
        assert!(codes.contains(&code), "{code} where {codes:?} answer {bytes:02x?}");
        assert_eq!(speaker.raw.next().await, None, "the connection ends");
        server.event();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_told_with_1009_before_anything_is_held() {
    let huge = |first: u8, length: u64| {
        let mut header = vec![first, 0xff];
        header.extend(length.to_be_bytes());
        header.extend([1, 2, 3, 4]);
        header
    };
    let mut parts = frame(TEXT, &vec![b'x'; 600 << 10]);
    parts.extend(frame(CONTINUATION, &vec![b'x'; 600 << 10]));
    closes(
        1009,
        &[
            ("a frame that announces a tebibyte", huge(0x81, 1 << 40)),
            ("one that announces all there is", huge(0x82, (1 << 63) - 1)),
            ("one byte too many", huge(0x81, (1 << 20) + 1)),
            ("fragments that add up", parts),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pixel_channels_keep_to_the_same_rules() {
    let server = Server::start(ServerConfig { max_sessions: 32, ..quick() });
    let client = server.join(&[]).await;
    for (what, bytes, code) in [
        ("reserved bits", frame(0xc2, b"x"), 1002),
        ("a reserved opcode", frame(0x83, b"x"), 1002),
        ("not UTF-8", frame(0x81, b"\xff"), 1007),
        ("too long", frame(0x82, &[0; 1025]), 1009),
        ("half a code", frame(0x80 | CLOSE, &[3]), 1002),
        ("goodbye", frame(0x80 | CLOSE, &1000_u16.to_be_bytes()), 1000),
    ] {
        let mut raw = Raw::open(server.addr, &format!("/pixels?session={}", client.name)).await;
        let _pictures = server.watch();
        raw.whole(PING, b"alive").await;
        assert_eq!(raw.next_of(PONG).await.payload, b"alive");
        raw.bytes(&bytes).await;
        assert_eq!(raw.closed().await, code, "{what}");
        server.event();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_is_held_to_them_too() {
    let server = Server::start(quick());
    for (bytes, code) in [
        (frame(0x81, b"\xff"), 1007),
        (frame(0xc1, b"x"), 1002),
        (frame(0x80 | CLOSE, &1001_u16.to_be_bytes()), 1001),
        (frame(0x81, &vec![b' '; (1 << 20) + 1]), 1009),
    ] {
        let mut raw = Raw::open(server.addr, "/state").await;
        raw.bytes(&bytes).await;
        let got = raw.closed().await;
        // What is too long is not read to its end, and may be cut off before the code arrives.
        assert!(got == code || (code == 1009 && got == 0), "{got} where {code} was meant");
    }
}
