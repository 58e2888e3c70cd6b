//! The examples of `docs/protocol.md` are what this module speaks.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{
    conventions::{Conventions, Dialect},
    fixture, notices, update,
};
use lucida_components::{ids::ViewId, notice::Residency, session::Features};
use serde_json::Value;
use std::collections::BTreeSet;

/// The values of the document's `json` blocks.
fn examples() -> Vec<Value> {
    let text = include_str!("../../docs/protocol.md");
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks
        .flat_map(|block| serde_json::Deserializer::from_str(block).into_iter::<Value>())
        .map(|value| value.unwrap())
        .collect()
}

fn keys(value: &Value) -> BTreeSet<&String> {
    value.as_object().unwrap().keys().collect()
}

#[test]
fn every_update_is_understood() {
    let house = Conventions::new(Dialect::House, Features::ALL);
    let mut seen = BTreeSet::new();
    for example in examples().iter().filter(|e| e.get("scope").is_some()) {
        let change = update::parse(example.as_object().unwrap(), &house);
        assert!(change.is_ok(), "{example}: {change:?}");
        seen.insert(example["scope"].as_str().unwrap().to_owned());
    }
    for scope in ["view", "camera", "layer", "clip", "multiscale"] {
        assert!(seen.contains(scope), "there is an example of {scope}");
    }
}

#[test]
fn notices_have_the_keys_that_are_told() {
    let examples = examples();
    let find = |key: &str| examples.iter().find(|e| e.get(key).is_some()).unwrap();
    let told = notices::view::payload(&fixture::applied(12), ViewId::MAIN);
    let view = find("revision");
    assert_eq!(keys(view), keys(&told));
    assert_eq!(keys(&view["camera"]["volume"]), keys(&told["camera"]["volume"]));
    assert_eq!(keys(&view["clip"]), keys(&told["clip"]));
    assert_eq!(keys(&view["axes"][0]), keys(&told["axes"][0]));
    let residency = Residency { levels: Some([0, 4]), ..Residency::default() };
    assert_eq!(keys(find("resident")), keys(&notices::residency::payload(residency)));
}
