//! `reply.command` and `error.command`.

use super::{Rule, count, flag, keys, list, number, object, text};
use serde_json::Value;

/// Codes that the commands can end with.
const CODES: &[&str] = &[
    "command.forbidden",
    "command.not_found",
    "command.invalid",
    "command.retryable",
    "fs.not_found",
    "fs.forbidden",
    "zarr.disambiguate",
    "zarr.invalid",
    "command.unavailable",
];

/// Entries of a listing at most.
const ENTRIES: usize = 1000;

pub fn reply(payload: &Value) -> Rule {
    keys(payload, "payload", &["in_reply_to", "status"], &["result", "idempotency_key"])?;
    text(&payload["in_reply_to"], "in_reply_to")?;
    must!(payload["status"] == "ok", "status is not ok");
    match payload.get("result") {
        Some(result) if result.get("entries").is_some() => listing(result),
        _ => Ok(()),
    }
}

pub fn error(payload: &Value) -> Rule {
    keys(payload, "payload", &["in_reply_to", "status", "code", "message"], &["details", "idempotency_key"])?;
    text(&payload["in_reply_to"], "in_reply_to")?;
    must!(payload["status"] == "error", "status is not error");
    let code = text(&payload["code"], "code")?;
    must!(CODES.contains(&code), "code {code} is unknown");
    text(&payload["message"], "message")?;
    if let Some(details) = payload.get("details") {
        object(details, "details")?;
    }
    if code == "zarr.disambiguate" {
        text(&payload["details"]["path"], "details.path")?;
        let options = list(&payload["details"]["options"], "details.options")?;
        must!(options.len() > 1, "nothing to choose from");
        for option in options {
            must!(!text(option, "an option")?.starts_with('/'), "option {option} is not relative");
        }
    }
    Ok(())
}

/// What `fs.listdir` answers: sorted by the name in lower case, zarr's metadata for folders only.
fn listing(result: &Value) -> Rule {
    keys(result, "result", &["path", "entries", "has_more"], &[])?;
    must!(result["path"].is_string(), "path is no text");
    flag(&result["has_more"], "has_more")?;
    let entries = list(&result["entries"], "entries")?;
    must!(entries.len() <= ENTRIES, "{} entries", entries.len());
    let mut before = String::new();
    for entry in entries {
        keys(entry, "an entry", &["name", "path", "is_dir", "size", "mtime", "zarr_metadata"], &[])?;
        let name = text(&entry["name"], "name")?.to_lowercase();
        must!(before <= name, "{name} stands behind {before}");
        before = name;
        text(&entry["path"], "path")?;
        count(&entry["size"], "size")?;
        number(&entry["mtime"], "mtime")?;
        let zarr = &entry["zarr_metadata"];
        if flag(&entry["is_dir"], "is_dir")? {
            keys(zarr, "zarr_metadata", &["is_dataset", "has_multiscales", "dataset_children"], &[])?;
            flag(&zarr["is_dataset"], "is_dataset")?;
            flag(&zarr["has_multiscales"], "has_multiscales")?;
            list(&zarr["dataset_children"], "dataset_children")?;
        } else {
            must!(zarr.is_null(), "a file with zarr_metadata");
        }
    }
    Ok(())
}
