//! What frames of one connection have to do with each other, and what the client believes after them: layers,
//! dims, stream, tokens. One of these is fed every frame that is sent and received.

use super::{Rule, frame, stream};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};

/// Topics whose place is remembered.
const RESUMABLE: [&str; 3] = ["notify.scene", "notify.layers", "notify.stream"];

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Hello was sent: welcome or reject is next, and nothing else.
    Greeting,
    /// The scene is next.
    Scene,
    /// The dims are next.
    Dims,
    /// The layers of the scene, in its order: this many were told.
    Layers(usize),
    /// The baseline is over.
    Live,
    /// Refused.
    Over,
}

/// An intent that was not answered yet.
struct Asked {
    intent: String,
    frame: String,
}

/// One connection, as the client has it.
pub struct Conversation {
    pub stage: Stage,
    pub session: Option<String>,
    /// Layers in the scene's order: id and block, with all that was told since.
    pub layers: Vec<(String, Map<String, Value>)>,
    /// The last dims.
    pub dims: Value,
    /// The last pose.
    pub pose: Value,
    /// The last stream.
    pub stream: Value,
    /// What is offered in the next hello.
    pub tokens: BTreeMap<&'static str, Option<String>>,
    /// The layers' topic was resumed: what was missed comes, not all.
    resumed: bool,
    seq: BTreeMap<&'static str, u64>,
    asked: VecDeque<Asked>,
    commands: Vec<String>,
    goodbyes: u32,
}

impl Conversation {
    /// A client that offers these tokens.
    pub fn new(offered: BTreeMap<&'static str, Option<String>>) -> Self {
        Self {
            stage: Stage::Greeting,
            session: None,
            layers: Vec::new(),
            dims: Value::Null,
            pose: Value::Null,
            stream: Value::Null,
            tokens: offered,
            resumed: false,
            seq: BTreeMap::new(),
            asked: VecDeque::new(),
            commands: Vec::new(),
            goodbyes: 0,
        }
    }

    /// Carries over what an earlier connection had told, as the client does where it resumes.
    pub fn after(before: &Self) -> Self {
        let mut next = Self::new(before.tokens.clone());
        next.layers.clone_from(&before.layers);
        next.stream = before.stream.clone();
        next
    }

    /// An intent goes out.
    pub fn asks(&mut self, intent: &str, frame: &str) {
        self.asked.push_back(Asked { intent: intent.into(), frame: frame.into() });
    }

    /// A command goes out.
    pub fn commands(&mut self, frame: &str) {
        self.commands.push(frame.into());
    }

    /// Whether everything that was asked has its answer.
    pub fn is_answered(&self) -> bool {
        self.asked.is_empty() && self.commands.is_empty()
    }

    /// A frame comes in.
    pub fn hears(&mut self, heard: &Value) -> Rule {
        frame(heard)?;
        let kind = heard["type"].as_str().unwrap_or_default();
        let payload = &heard["payload"];
        must!(self.stage != Stage::Over, "{kind} after the end");
        if self.stage == Stage::Greeting {
            match kind {
                "session.welcome" => self.welcome(heard),
                "session.reject" => self.stage = Stage::Over,
                _ => return Err(format!("{kind} instead of welcome or reject")),
            }
            return Ok(());
        }
        must!(!matches!(kind, "session.welcome" | "session.reject"), "{kind} a second time");
        must!(heard["session"].as_str() == self.session.as_deref(), "{kind} of another session");
        if let Some(intent) = heard["intent_id"].as_str() {
            // An answer comes before what it causes. (Ids of other clients are made different by the tests.)
            must!(!self.asked.iter().any(|a| a.intent == intent), "{kind} of {intent} before its ack");
        }
        self.place(kind, heard)?;
        match kind {
            "notify.scene" => self.scene(payload),
            "notify.dims" => self.dims_come(payload)?,
            "notify.layers" => self.layer(payload)?,
            "notify.stream" => {
                stream::record(&payload["avcc"])?;
                self.stream = payload.clone();
            }
            "notify.camera" => {
                must!(
                    self.stage != Stage::Scene && self.stage != Stage::Dims,
                    "a camera before scene and dims"
                );
                if payload["mode"] == "pose" {
                    self.pose = payload["state"].clone();
                }
            }
            "ack.state" => self.answer(payload)?,
            "reply.command" | "error.command" => {
                let to = payload["in_reply_to"].as_str();
                let found = self.commands.iter().position(|c| Some(c.as_str()) == to);
                self.commands.remove(found.ok_or(format!("{kind} to {to:?}, which was not asked"))?);
            }
            "session.goodbye" => {
                self.goodbyes += 1;
                must!(self.goodbyes == 1, "goodbye twice");
            }
            _ => {}
        }
        Ok(())
    }

    fn welcome(&mut self, heard: &Value) {
        self.session = heard["session"].as_str().map(str::to_owned);
        self.stage = Stage::Scene;
        let features = &heard["payload"]["features"];
        self.resumed = features["notify.layers"].get("resume_state").is_some()
            || self.tokens.get("notify.layers").is_some_and(Option::is_some);
        // It forgets what it offered, and takes what it is told.
        for topic in RESUMABLE {
            let token = features[topic]["resume_state"]["delta_token"].as_str().map(str::to_owned);
            self.tokens.insert(topic, token);
        }
    }

    /// Numbers of a resumable topic never fall, until a new scene begins anew.
    fn place(&mut self, kind: &str, heard: &Value) -> Rule {
        let Some(topic) = RESUMABLE.into_iter().find(|t| *t == kind) else { return Ok(()) };
        let seq = heard["seq"].as_u64().unwrap_or_default();
        if topic == "notify.scene" {
            self.seq.clear();
        }
        let before = self.seq.insert(topic, seq).unwrap_or(0);
        must!(seq >= before, "{kind}: seq falls from {before} to {seq}");
        self.tokens.insert(topic, heard["delta_token"].as_str().map(str::to_owned));
        Ok(())
    }

    fn scene(&mut self, payload: &Value) {
        let blocks = payload["layers"].as_array().into_iter().flatten();
        self.layers = blocks
            .map(|b| {
                (
                    b["layer_id"].as_str().unwrap_or_default().into(),
                    b.as_object().cloned().unwrap_or_default(),
                )
            })
            .collect();
        self.stage = Stage::Dims;
    }

    fn dims_come(&mut self, payload: &Value) -> Rule {
        must!(self.stage != Stage::Scene, "dims before the scene");
        // Sliders of another image would be those of no image at all.
        if let Some((id, layer)) = self.layers.first() {
            let axes = |v: &Value| v.as_array().map_or(0, Vec::len);
            let (here, there) = (axes(&payload["step"]), axes(&layer["shape"]));
            must!(here == there, "dims of {here} axes, {id} has {there}");
        }
        if self.stage == Stage::Dims {
            self.stage = Stage::Layers(0);
            self.end_of_layers();
        } else {
            must!(self.dims != *payload, "notify.dims says the same again");
        }
        self.dims = payload.clone();
        Ok(())
    }

    /// After the last layer, or where there is none, the baseline is over. What is resumed may end anywhere.
    fn end_of_layers(&mut self) {
        if self.stage == Stage::Layers(self.layers.len()) || self.resumed {
            self.stage = Stage::Live;
        }
    }

    fn layer(&mut self, payload: &Value) -> Rule {
        let id = payload["layer_id"].as_str().unwrap_or_default();
        must!(
            !matches!(self.stage, Stage::Scene | Stage::Dims),
            "layers before scene and dims: dropped silently"
        );
        let place = self.layers.iter().position(|l| l.0 == id);
        let place = place.ok_or(format!("{id} is in no scene: dropped silently"))?;
        let layer = &mut self.layers[place].1;
        if let Stage::Layers(next) = self.stage {
            // Each layer in its turn, with all that its block has. (Thumbnails may come in between.)
            if let Some(controls) = payload.get("controls") {
                must!(place == next, "the baseline tells of {id}, not of layer {next}");
                must!(
                    *controls == layer["controls"],
                    "{id}: {controls} and in the scene {}",
                    layer["controls"]
                );
                self.stage = Stage::Layers(next + 1);
            }
        }
        if payload["removed"] == true {
            self.layers.remove(place);
            return Ok(());
        }
        for (key, value) in payload["controls"].as_object().into_iter().flatten() {
            layer["controls"][key.as_str()] = value.clone();
        }
        if let Some(metadata) = payload.get("metadata") {
            layer["metadata"] = metadata.clone();
        }
        if let Some(thumbnail) = payload.get("thumbnail") {
            layer["metadata"]["thumbnail"] = thumbnail["array"].clone();
        }
        self.end_of_layers();
        Ok(())
    }

    /// Answers are to what this client asked, one each, in the order of asking.
    fn answer(&mut self, payload: &Value) -> Rule {
        let to = (payload["intent_id"].as_str(), payload["in_reply_to"].as_str());
        let Some(next) = self.asked.pop_front() else {
            return Err(format!("an ack of {to:?}, which this client did not ask"));
        };
        must!(
            to == (Some(&next.intent), Some(&next.frame)),
            "an ack of {to:?}; {} and {} are next",
            next.intent,
            next.frame
        );
        Ok(())
    }

    /// What a client sees after all that was told; two that look at the same must have the same.
    pub fn believes(&self) -> Value {
        let layers: Map<String, Value> =
            self.layers.iter().map(|(id, l)| (id.clone(), l["controls"].clone())).collect();
        json!({"dims": self.dims, "layers": layers, "stream": self.stream})
    }

    /// Controls of a layer.
    pub fn controls(&self, layer: usize) -> &Value {
        &self.layers[layer].1["controls"]
    }
}
