//! `session.hello`: the first frame, and the ways to refuse it.

use super::{
    envelope::{EnvelopeError, Frame, MAX_NAME, Raw, Rule, VERSION},
    fields::{Fields, MAX_TEXT, clipped},
};
use lucida_components::session::Resume;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Topics without which a client is not served.
const REQUIRED: [&str; 3] = ["notify.scene", "notify.layers", "notify.stream"];

/// A greeting that is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Name and version of the client, for the log.
    pub client: String,
    /// Features asked for.
    pub features: BTreeSet<String>,
    /// Features named and not wanted.
    pub declined: BTreeSet<String>,
    /// What it was told last, in a connection before this.
    pub resume: Resume,
}

/// Why a greeting is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Reject {
    /// The protocol's word.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// What a program can use.
    pub details: Option<Value>,
}

impl Reject {
    /// A refusal without details.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None }
    }

    /// No greeting came in time.
    pub fn timeout() -> Self {
        Self::new("timeout", "no session.hello within the time allowed")
    }

    /// There are as many sessions as the server takes.
    pub fn server_full(sessions: usize) -> Self {
        Self::new("server_full", format!("all {sessions} sessions are taken; try again later"))
    }

    fn invalid(error: String) -> Self {
        let mut reject = Self::new("invalid_payload", "session.hello is malformed");
        reject.details = Some(json!({ "error": error }));
        reject
    }

    /// The frame that tells it.
    pub fn frame(&self) -> Frame {
        let mut payload = json!({ "code": self.code, "message": self.message });
        if let Some(details) = &self.details {
            payload["details"] = details.clone();
        }
        Frame::new("session.reject", "reject-1".into(), payload)
    }
}

/// Reads a greeting sent as bytes.
pub fn parse_bytes(bytes: &[u8]) -> Result<Hello, Reject> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(_) => Err(Reject::invalid("the first message is not UTF-8".into())),
    }
}

/// Reads a greeting, in the order of checks that the protocol names.
pub fn parse(text: &str) -> Result<Hello, Reject> {
    let raw = match Raw::parse(text) {
        Ok(raw) => raw,
        Err(EnvelopeError::NotJson(e)) => {
            return Err(Reject::new("invalid_json", format!("the first message is not JSON: {e}")));
        }
        Err(EnvelopeError::NoType) => return Err(unexpected(Value::Null)),
        Err(e) => return Err(Reject::invalid(e.to_string())),
    };
    if !raw.kind.eq_ignore_ascii_case("session.hello") {
        return Err(unexpected(clipped(&raw.kind).into()));
    }
    let frame = raw.check(Rule::HELLO).map_err(|e| Reject::invalid(e.to_string()))?;
    let payload = Payload::read(Fields::new("payload", &frame.payload)).map_err(Reject::invalid)?;
    if !payload.protocols.contains(&VERSION) {
        let mut reject = Reject::new("protocol_mismatch", format!("this server speaks protocol {VERSION}"));
        reject.details = Some(json!({ "client_protocols": payload.protocols }));
        return Err(reject);
    }
    let missing: Vec<&str> = REQUIRED.into_iter().filter(|t| !payload.hello.features.contains(*t)).collect();
    if !missing.is_empty() {
        let mut reject = Reject::new("unsupported_client", format!("ask for {} too", missing.join(", ")));
        reject.details = Some(json!({ "missing": missing }));
        return Err(reject);
    }
    Ok(payload.hello)
}

fn unexpected(received: Value) -> Reject {
    let mut reject = Reject::new("unexpected_message", "the first message must be session.hello");
    reject.details = Some(json!({ "received": received }));
    reject
}

struct Payload {
    protocols: Vec<i64>,
    hello: Hello,
}

impl Payload {
    fn read(payload: Fields<'_>) -> Result<Self, String> {
        let payload = payload.only(&["protocols", "client", "features", "resume_tokens", "auth"])?;
        let protocols = payload
            .optional_list("protocols")?
            .ok_or("payload: protocols is missing")?
            .iter()
            .map(|v| v.as_i64().ok_or_else(|| "payload: protocols must be whole numbers".to_owned()))
            .collect::<Result<_, _>>()?;
        let client = payload.object("client")?.only(&["name", "version", "platform"])?;
        let name = format!("{} {}", clipped(client.text("name")?), clipped(client.text("version")?));
        client.text("platform")?;
        let (mut features, mut declined) = (BTreeSet::new(), BTreeSet::new());
        for (topic, asked) in payload.object("features")?.entries() {
            match asked {
                Value::Bool(true) => drop(features.insert(topic.clone())),
                Value::Bool(false) => drop(declined.insert(topic.clone())),
                Value::Null => {}
                _ => return Err(format!("features: {} must be true or false", clipped(topic))),
            }
        }
        let resume = match payload.optional_object("resume_tokens")? {
            Some(tokens) => resume(tokens)?,
            None => Resume::default(),
        };
        if let Some(auth) = payload.optional_object("auth")? {
            let auth = auth.only(&["type", "token"])?;
            auth.text("type")?;
            auth.optional_text("token")?;
        }
        Ok(Self { protocols, hello: Hello { client: name, features, declined, resume } })
    }
}

/// Tokens by topic. One that is none of ours is kept no longer than ours are: it is known to nobody.
fn resume(tokens: Fields<'_>) -> Result<Resume, String> {
    let mut resume = Resume::default();
    for (topic, token) in tokens.entries() {
        let token = match token {
            Value::Null => continue,
            Value::String(t) if t.len() <= MAX_TEXT => t,
            _ => return Err(format!("resume_tokens: {} must be a text or null", clipped(topic))),
        };
        let slot = match topic.as_str() {
            "notify.scene" => &mut resume.scene,
            "notify.layers" => &mut resume.layers,
            "notify.stream" => &mut resume.stream,
            _ => continue,
        };
        *slot = Some(token.clone()).filter(|t| t.len() <= MAX_NAME);
    }
    Ok(resume)
}
