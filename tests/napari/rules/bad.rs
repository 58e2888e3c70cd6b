//! Every rule is seen to fail: a good frame of each type passes, and each change to it that the client would not
//! take is found, for the reason it should be.

use super::{
    conversation::Conversation,
    frame,
    pixels::{Backlog, Header, Order, message},
    stream,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn envelope(kind: &str, more: Value, payload: Value) -> Value {
    let mut frame = json!({
        "type": kind, "version": 2, "timestamp": 1.5, "session": "s1", "frame_id": "f1", "payload": payload
    });
    for (key, value) in more.as_object().unwrap() {
        frame[key] = value.clone();
    }
    frame
}

fn resumable(kind: &str, seq: u64, payload: Value) -> Value {
    envelope(kind, json!({"seq": seq, "delta_token": format!("t{seq}")}), payload)
}

fn welcome() -> Value {
    let topic = |resume: bool| json!({"enabled": true, "version": 1, "resume": resume});
    let mut features = json!({
        "notify.scene": topic(true), "notify.layers": topic(true), "notify.stream": topic(true),
        "notify.dims": topic(false), "notify.camera": topic(false), "notify.telemetry": {"enabled": false},
        "call.command": topic(false)
    });
    features["call.command"]["commands"] = json!(super::session::COMMANDS);
    features["notify.scene"]["resume_state"] = json!({"seq": 0, "delta_token": "a"});
    let session = json!({"id": "s1", "heartbeat_s": 15.0, "ack_timeout_ms": 250});
    let payload = json!({"protocol_version": 2, "session": session, "features": features});
    envelope("session.welcome", json!({}), payload)
}

fn reject() -> Value {
    let payload =
        json!({"code": "protocol_mismatch", "message": "need 2", "details": {"client_protocols": [1]}});
    let mut frame = envelope("session.reject", json!({}), payload);
    frame.as_object_mut().unwrap().remove("session");
    frame
}

fn scene() -> Value {
    let pixel = json!([0.1, 0.5, 1.0, 1.0]);
    let levels = json!([
        {"shape": [4, 8, 8], "downsample": [1.0, 1.0, 1.0], "path": "0"},
        {"shape": [4, 4, 4], "downsample": [1.0, 2.0, 2.0], "path": "1"}
    ]);
    let layer = |id: &str| {
        json!({
            "layer_id": id, "layer_type": "image", "name": id, "ndim": 3, "shape": [4, 8, 8],
            "axis_labels": ["z", "y", "x"], "volume": false, "scale": [1.0, 0.5, 0.5],
            "translate": [0.0, 0.0, 0.0],
            "controls": {"visible": true, "opacity": 1.0, "blending": "additive", "interpolation": "linear",
                         "colormap": "gray", "gamma": 1.0, "contrast_limits": [0.0, 1.0]},
            "level_shapes": [[4, 8, 8], [4, 4, 4]], "metadata": {"thumbnail": [[pixel, pixel], [pixel, pixel]]},
            "multiscale": {"levels": levels, "current_level": 0}, "contrast_limits": [0.0, 1.0],
            "source": {"kind": "ome-zarr"}, "render": {"mode": "mip"}
        })
    };
    let dims = json!({
        "ndim": 3, "axis_labels": ["z", "y", "x"], "order": [0, 1, 2], "level_shapes": [[4, 8, 8], [4, 4, 4]],
        "current_level": 0, "current_step": [1, 0, 0], "displayed": [1, 2], "ndisplay": 2
    });
    let camera = json!({"ndisplay": 2, "center": [2.0, 2.0], "zoom": 1.0, "rect": [0.0, 0.0, 4.0, 4.0]});
    let payload = json!({
        "viewer": {"dims": dims, "camera": camera, "settings": {}},
        "layers": [layer("layer-0"), layer("layer-1")],
        "metadata": {"status": "ready"}, "policies": {}
    });
    resumable("notify.scene", 0, payload)
}

fn dims() -> Value {
    let levels = json!([{"index": 0, "shape": [4, 8, 8]}, {"index": 1, "shape": [4, 4, 4]}]);
    let payload = json!({
        "step": [1, 0, 0], "current_step": [1, 0, 0], "levels": levels, "current_level": 1,
        "level_shapes": [[4, 8, 8], [4, 4, 4]], "downgraded": false, "mode": "plane", "ndisplay": 2,
        "axis_labels": ["z", "y", "x"], "order": [0, 1, 2], "displayed": [1, 2]
    });
    envelope("notify.dims", json!({}), payload)
}

fn layers(seq: u64, id: &str, controls: Value) -> Value {
    resumable("notify.layers", seq, json!({"layer_id": id, "controls": controls}))
}

fn thumbnail() -> Value {
    let array = json!([[[0.0, 0.5, 1.0]]]);
    let section = json!({"array": array, "shape": [1, 1, 3], "dtype": "float32", "generated_at": 1.0});
    resumable("notify.layers", 3, json!({"layer_id": "layer-0", "thumbnail": section}))
}

fn echo() -> Value {
    let delta = json!({"factor": 1.1, "anchor_px": [960.0, 540.0]});
    let payload = json!({"mode": "zoom", "origin": "state.update", "delta": delta});
    let mut frame = envelope("notify.camera", json!({"intent_id": "i1"}), payload);
    frame.as_object_mut().unwrap().remove("frame_id");
    frame
}

fn pose() -> Value {
    let state = json!({"center": [2.0, 2.0], "zoom": 1.0, "rect": [0.0, 0.0, 4.0, 4.0]});
    envelope(
        "notify.camera",
        json!({}),
        json!({"mode": "pose", "origin": "worker.state.camera", "state": state}),
    )
}

fn volume_pose() -> Value {
    let state = json!({"center": [2.0, 2.0, 1.0], "angles": [30.0, 30.0, 0.0], "distance": 5.0, "fov": 60.0});
    envelope(
        "notify.camera",
        json!({}),
        json!({"mode": "pose", "origin": "worker.state.camera", "state": state}),
    )
}

/// The contract's own example, with the size that its SPS really says.
fn stream_frame() -> Value {
    let avcc = json!("AULADf/hABVnQsAN2gUH6EAAAAMAQAAADyPFCqgBAARozg/I");
    let sps = lucida::encode::sps::Sps::parse(&stream::record(&avcc).unwrap().sps).unwrap();
    let payload = json!({
        "codec": "h264", "format": "avcc", "fps": 60.0, "frame_size": [sps.width, sps.height],
        "nal_length_size": 4, "avcc": avcc,
        "latency_policy": {"max_buffer_ms": 120.0, "grace_keyframe_ms": 2000.0}
    });
    resumable("notify.stream", 0, payload)
}

fn accepted() -> Value {
    let payload = json!({
        "intent_id": "i1", "in_reply_to": "u1", "status": "accepted", "applied_value": 0.7, "version": 3
    });
    envelope("ack.state", json!({}), payload)
}

fn rejected() -> Value {
    let error = json!({"code": "state.invalid", "message": "no", "details": {"key": "foo"}});
    let payload = json!({"intent_id": "i1", "in_reply_to": "u1", "status": "rejected", "error": error});
    envelope("ack.state", json!({}), payload)
}

fn listing() -> Value {
    let entry = |name: &str, zarr: Value| {
        json!({"name": name, "path": format!("/d/{name}"), "is_dir": !zarr.is_null(), "size": 1, "mtime": 1.0,
               "zarr_metadata": zarr})
    };
    let zarr = json!({"is_dataset": true, "has_multiscales": true, "dataset_children": []});
    let entries = json!([entry("B.zarr", zarr), entry("c.txt", Value::Null)]);
    let result = json!({"path": "/d", "entries": entries, "has_more": false});
    envelope("reply.command", json!({}), json!({"in_reply_to": "c1", "status": "ok", "result": result}))
}

fn failed() -> Value {
    let details = json!({"path": "/d", "options": ["a", "b"]});
    let payload = json!({
        "in_reply_to": "c1", "status": "error", "code": "zarr.disambiguate", "message": "which", "details": details
    });
    envelope("error.command", json!({}), payload)
}

#[test]
fn good_frames_pass() {
    let all = [
        welcome(),
        reject(),
        scene(),
        dims(),
        layers(1, "layer-0", json!({"opacity": 0.5})),
        thumbnail(),
        echo(),
        pose(),
        volume_pose(),
        stream_frame(),
        accepted(),
        rejected(),
        listing(),
        failed(),
        envelope("session.heartbeat", json!({}), json!({})),
        envelope("session.goodbye", json!({}), json!({"code": "goodbye", "reason": "client_goodbye"})),
    ];
    for good in all {
        frame(&good).unwrap_or_else(|why| panic!("{why}: {good}"));
    }
}

#[test]
fn a_record_is_read() {
    let sets = stream::record(&stream_frame()["payload"]["avcc"]).unwrap();
    assert_eq!((sets.sps.len(), sets.sps[0], sets.pps[0]), (21, 0x67, 0x68));
}

/// `good` with one thing changed is refused, for a reason that has `reason` in it. `null` removes.
#[track_caller]
fn breaks(good: &Value, changes: &[(&str, Value, &str)]) {
    for (pointer, value, reason) in changes {
        let mut bad = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match bad.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")) {
            Value::Object(object) if value.is_null() => {
                object.remove(key).unwrap_or_else(|| panic!("no {pointer}"));
            }
            Value::Object(object) => {
                object.insert(key.into(), value.clone());
            }
            other => other[key.parse::<usize>().unwrap()] = value.clone(),
        }
        match frame(&bad) {
            Ok(()) => panic!("{pointer} = {value} is taken"),
            Err(why) => assert!(why.contains(reason), "{pointer} = {value}: {why:?}, not about {reason:?}"),
        }
    }
}

#[test]
fn envelopes() {
    let none = Value::Null;
    breaks(
        &dims(),
        &[
            ("/version", json!(1), "version"),
            ("/version", json!("2"), "version"),
            ("/type", json!("notify.view"), "never sent"),
            ("/type", json!("Notify.Dims"), "never sent"),
            ("/timestamp", none.clone(), "timestamp"),
            ("/payload", json!([]), "payload is no object"),
            ("/session", none.clone(), "no session"),
            ("/frame_id", none.clone(), "no frame_id"),
            ("/frame_id", json!(7), "frame_id is no text"),
            ("/intent_id", json!("i1"), "has intent_id"),
            ("/seq", json!(1), "has seq"),
            ("/delta_token", json!("t"), "has delta_token"),
            ("/more", json!(1), "the envelope has more"),
        ],
    );
    let mut null = dims();
    null["intent_id"] = Value::Null;
    assert!(frame(&null).unwrap_err().contains("null"));
    breaks(
        &scene(),
        &[
            ("/seq", json!(1), "must always be 0"),
            ("/seq", none.clone(), "no seq"),
            ("/seq", json!(-1), "seq"),
            ("/delta_token", none.clone(), "no delta_token"),
            ("/session", none.clone(), "no session"),
        ],
    );
    breaks(&accepted(), &[("/intent_id", json!("i1"), "has intent_id"), ("/seq", json!(0), "has seq")]);
    breaks(&reject(), &[("/session", json!("s1"), "has session"), ("/frame_id", none, "no frame_id")]);
    assert!(frame(&json!([1])).is_err());
}

#[test]
fn sessions() {
    let none = Value::Null;
    breaks(
        &welcome(),
        &[
            ("/payload/protocol_version", json!(1), "protocol_version"),
            ("/payload/extra", json!(1), "the welcome has extra"),
            ("/payload/session/id", json!("s2"), "envelope's session"),
            ("/payload/session/ack_timeout_ms", none.clone(), "no ack_timeout_ms"),
            ("/payload/session/name", json!("x"), "session has name"),
            ("/payload/features/notify.dims/enabled", json!(false), "notify.dims is not on"),
            ("/payload/features/notify.dims/enabled", none.clone(), "no enabled"),
            ("/payload/features/notify.dims/resume", json!(true), "not resumable"),
            ("/payload/features/notify.layers/resume", json!(false), "cannot be resumed"),
            ("/payload/features/notify.dims/unknown", json!(1), "has unknown"),
            ("/payload/features/notify.telemetry/enabled", json!(true), "telemetry"),
            ("/payload/features/lucida.view", json!({"enabled": true}), "not asked for"),
            ("/payload/features/notify.scene/resume_state/seq", none.clone(), "no seq"),
            ("/payload/features/notify.scene/resume_state/age", json!(1), "has age"),
            ("/payload/features/call.command/commands", json!(["fs.listdir"]), "not in the catalogue"),
            (
                "/payload/features/call.command/commands/0",
                json!("lucida.view.create"),
                "not in the catalogue",
            ),
        ],
    );
    breaks(
        &reject(),
        &[
            ("/payload/code", json!("no"), "unknown"),
            ("/payload/message", none.clone(), "message"),
            ("/payload/details", json!(1), "details"),
        ],
    );
    let beat = envelope("session.heartbeat", json!({}), json!({}));
    breaks(&beat, &[("/payload/at", json!(1), "has at")]);
    let bye = envelope("session.goodbye", json!({}), json!({}));
    breaks(&bye, &[("/payload/code", json!(1), "no text"), ("/payload/why", json!("x"), "has why")]);
}

#[test]
fn scenes() {
    let none = Value::Null;
    breaks(
        &scene(),
        &[
            ("/payload/extra", json!({}), "has extra"),
            ("/payload/viewer", none.clone(), "no viewer"),
            ("/payload/viewer/camera/rect", none.clone(), "no rect"),
            ("/payload/viewer/camera/center", json!([1.0, 2.0, 3.0]), "3 entries"),
            ("/payload/viewer/dims/current_level", json!(2), "current_level 2"),
            ("/payload/viewer/dims/displayed", json!([0, 1]), "displayed"),
            ("/payload/metadata/status", json!("idle"), "overlay"),
            ("/payload/policies", json!([]), "policies"),
            ("/payload/layers/1/layer_id", json!("layer-0"), "two layers"),
            ("/payload/layers/0/layer_type", json!("labels"), "image or volume"),
            ("/payload/layers/0/controls", none.clone(), "mandatory"),
            ("/payload/layers/0/ndim", json!(2), "axes"),
            ("/payload/layers/0/shape", json!([4, 8]), "axes"),
            ("/payload/layers/0/shape", json!([4, 8, 0]), "empty"),
            ("/payload/layers/0/axis_labels", json!(["y", "x"]), "axis_labels"),
            ("/payload/layers/0/scale", json!([1.0]), "scale"),
            ("/payload/layers/0/translate", json!([1.0, 2.0]), "translate"),
            ("/payload/layers/0/multiscale/levels/1/shape", json!([4, 16, 4]), "grows"),
            ("/payload/layers/0/multiscale/levels/1/shape", json!([4, 4]), "different numbers"),
            ("/payload/layers/0/multiscale/current_level", json!(2), "level 2"),
            ("/payload/layers/0/level_shapes", json!([[4, 8, 8]]), "not those of the levels"),
            ("/payload/layers/0/contrast_limits", json!([1.0, 1.0]), "contrast_limits"),
            ("/payload/layers/0/render/depth", json!(1), "has depth"),
            ("/payload/layers/0/source/cache_version", json!("1"), "cache_version"),
            ("/payload/layers/0/metadata/thumbnail", none.clone(), "no thumbnail"),
            ("/payload/layers/0/metadata/thumbnail", json!([[0.5, 0.5]]), "grey"),
            ("/payload/layers/0/metadata/thumbnail", json!([[[0.5]]]), "of 1 parts"),
            ("/payload/layers/0/metadata/thumbnail", json!([[[0, 0, 255]]]), "255"),
            ("/payload/layers/0/metadata/thumbnail", json!([]), "0 rows"),
            ("/payload/layers/0/metadata/thumbnail", json!(vec![[[0, 0, 0]]; 33]), "33 rows"),
            ("/payload/layers/0/metadata/thumbnail", json!([vec![[0, 0, 0]; 33]]), "33 columns"),
            ("/payload/layers/0/metadata/thumbnail", json!([[[0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]), "lengths"),
            ("/payload/layers/0/metadata/thumbnail", json!([[[0, 0, 0], [0, 0, 0, 1]]]), "depths"),
        ],
    );
}

#[test]
fn controls_and_layers() {
    let good = layers(1, "layer-0", json!({"opacity": 0.5}));
    let none = Value::Null;
    for (key, value, reason) in [
        ("depiction", json!("plane"), "asserts"),
        ("projection", json!("none"), "asserts"),
        ("visible", json!(1), "neither"),
        ("opacity", json!(1.5), "0 to 1"),
        ("opacity", json!("1"), "no number"),
        ("gamma", json!(0), "above 0"),
        ("attenuation", json!(-1), "below 0"),
        ("iso_threshold", json!(null), "no number"),
        ("blending", json!("maximum"), "not one of napari's"),
        ("blending", json!("average"), "not one of napari's"),
        ("interpolation", json!("sharp"), "not one of napari's"),
        ("rendering", json!("best"), "not one of napari's"),
        ("colormap", json!("#ff0000"), "not one of napari's"),
        ("colormap", json!("labels"), "not one of napari's"),
        ("contrast_limits", json!([0.0, 0.5, 1.0]), "3 entries"),
        ("contrast_limits", json!([0.5, 0.5]), "not below"),
    ] {
        let bad = layers(1, "layer-0", json!({key: value}));
        let why = frame(&bad).unwrap_err();
        assert!(why.contains(reason), "{key}: {why}");
    }
    breaks(
        &good,
        &[
            ("/payload/controls", none.clone(), "nothing but"),
            ("/payload/controls", json!({}), "empty"),
            ("/payload/changes", json!({}), "has changes"),
            ("/payload/layer_id", none.clone(), "no layer_id"),
            ("/payload/metadata", json!({}), "without a thumbnail"),
            ("/payload/data", json!({"volume.mode": "mip"}), "has volume.mode"),
            ("/payload/removed", json!(false), "removed"),
            ("/seq", none, "no seq"),
        ],
    );
    breaks(
        &thumbnail(),
        &[
            ("/payload/thumbnail/array", json!([[0.5]]), "grey"),
            ("/payload/thumbnail/shape", json!([1, 1, 4]), "shape"),
            ("/payload/thumbnail/dtype", json!("uint8"), "dtype"),
            ("/payload/thumbnail/size", json!(1), "has size"),
        ],
    );
}

#[test]
fn dims_and_cameras() {
    let none = Value::Null;
    breaks(
        &dims(),
        &[
            ("/payload/source", json!("x"), "has source"),
            ("/payload/step", none.clone(), "no step"),
            ("/payload/step", json!([2, 0, 0]), "differ"),
            ("/payload/step", json!([1.5, 0, 0]), "whole number"),
            ("/payload/step", json!([1, 4, 0]), "outside"),
            ("/payload/current_step", json!([1, 0]), "for 3 axes"),
            ("/payload/current_level", json!(2), "asserts"),
            ("/payload/level_shapes", json!([]), "no level"),
            ("/payload/level_shapes", json!([[4, 4, 4], [4, 8, 8]]), "grows"),
            ("/payload/levels", json!([{"index": 0, "shape": [4, 8, 8]}]), "1 levels"),
            ("/payload/levels/1/index", json!(0), "another index"),
            ("/payload/levels/1/shape", json!([4, 4, 3]), "two shapes"),
            ("/payload/mode", json!("volume"), "mode volume"),
            ("/payload/mode", json!("PLANE"), "mode PLANE"),
            ("/payload/ndisplay", json!(1), "ndisplay"),
            ("/payload/ndisplay", json!(3), "displayed"),
            ("/payload/axis_labels", json!(["y", "x"]), "of 3 axes"),
            ("/payload/order", json!([0, 1, 1]), "permutation"),
            ("/payload/order", json!([1, 0, 2]), "displayed"),
            ("/payload/displayed", json!([2, 1]), "displayed"),
            ("/payload/downgraded", json!(0), "downgraded"),
        ],
    );
    breaks(
        &echo(),
        &[
            ("/frame_id", json!("f1"), "one of them"),
            ("/intent_id", none.clone(), "one of them"),
            ("/payload/origin", json!("worker"), "from worker"),
            ("/payload/origin", none.clone(), "no origin"),
            ("/payload/mode", json!("tilt"), "mode tilt"),
            ("/payload/mode", json!("pan"), "delta has"),
            ("/payload/state", json!({}), "ignored"),
            ("/payload/view", json!("main"), "has view"),
            ("/payload/delta", none.clone(), "delta"),
            ("/payload/delta/factor", json!(2), "not a float"),
            ("/payload/delta/factor", json!(-1.0), "above 0"),
            ("/payload/delta/anchor_px", json!([1.0]), "1 entries"),
        ],
    );
    breaks(
        &pose(),
        &[
            ("/payload/origin", json!("state.update"), "from state.update"),
            ("/payload/delta", json!({}), "with a delta"),
            ("/payload/state/zoom", json!("1"), "no number"),
            ("/payload/state/rect", json!([0.0, 0.0, 4.0, -4.0]), "empty"),
            ("/payload/state/rect", json!([1.0, 0.0, 4.0, 4.0]), "is not about"),
            ("/payload/state/angles", json!([0.0, 0.0, 0.0]), "volume"),
            ("/intent_id", json!("i1"), "one of them"),
        ],
    );
    breaks(
        &volume_pose(),
        &[
            ("/payload/state/distance", json!(0.0), "above 0"),
            ("/payload/state/fov", none, "no fov"),
            ("/payload/state/center", json!([1.0, 2.0]), "2 entries"),
            ("/payload/state/zoom", json!(1.0), "has zoom"),
        ],
    );
}

#[test]
fn streams() {
    let none = Value::Null;
    breaks(
        &stream_frame(),
        &[
            ("/payload/codec", json!("hevc"), "codec"),
            ("/payload/format", json!("annexb"), "format"),
            ("/payload/fps", json!(0), "fps"),
            ("/payload/nal_length_size", json!(2), "4 bytes"),
            ("/payload/latency_policy", none.clone(), "no latency_policy"),
            ("/payload/frame_size", json!([1921, 1080]), "frame_size"),
            ("/payload/frame_size", json!([1920, 1080]), "the SPS says"),
            ("/payload/avcc", json!(""), "empty"),
            ("/payload/avcc", json!("!"), "base64"),
            ("/payload/avcc", json!("AULADf/hABU="), "early"),
            ("/payload/avcc", json!("AkLADf/hABU="), "version 1"),
            ("/payload/avcc", json!("AULADf/hABVnQsAN2gUH6EAAAAMAQAAADyPFCqgBAARozg/IAA=="), "behind"),
            ("/payload/avcc", json!("AUDADf/hABVnQsAN2gUH6EAAAAMAQAAADyPFCqgBAARozg/I"), "profile"),
            ("/payload/view", json!("main"), "has view"),
            ("/seq", none, "no seq"),
        ],
    );
}

#[test]
fn answers() {
    let none = Value::Null;
    breaks(
        &accepted(),
        &[
            ("/payload/version", none.clone(), "without a version"),
            ("/payload/version", json!("3"), "version"),
            ("/payload/error", json!({}), "with an error"),
            ("/payload/in_reply_to", none.clone(), "no in_reply_to"),
            ("/payload/intent_id", none.clone(), "no intent_id"),
            ("/payload/status", json!("ok"), "status ok"),
        ],
    );
    breaks(
        &rejected(),
        &[
            ("/payload/error", none.clone(), "error is no object"),
            ("/payload/error/code", json!("state.forbidden"), "unknown"),
            ("/payload/error/message", none.clone(), "no message"),
            ("/payload/error/details", json!([]), "details"),
        ],
    );
    breaks(
        &listing(),
        &[
            ("/payload/status", json!("error"), "not ok"),
            ("/payload/in_reply_to", none.clone(), "no in_reply_to"),
            ("/payload/result/cursor", json!(1), "has cursor"),
            ("/payload/result/has_more", none.clone(), "no has_more"),
            ("/payload/result/entries/0/name", json!("d.zarr"), "stands behind"),
            ("/payload/result/entries/0/size_bytes", json!(1), "has size_bytes"),
            ("/payload/result/entries/0/zarr_metadata/is_dataset", none.clone(), "no is_dataset"),
            ("/payload/result/entries/1/zarr_metadata", json!({}), "a file"),
        ],
    );
    breaks(
        &failed(),
        &[
            ("/payload/code", json!("oops"), "unknown"),
            ("/payload/status", json!("ok"), "not error"),
            ("/payload/details/options", json!(["a"]), "choose"),
            ("/payload/details/options", json!(["/d/a", "/d/b"]), "relative"),
            ("/payload/message", none, "no message"),
        ],
    );
}

/// A conversation in which every frame but the last is taken.
#[track_caller]
fn ends_with(frames: &[Value], reason: &str) {
    let mut talk = Conversation::new(BTreeMap::new());
    talk.asks("i1", "u1");
    let (last, before) = frames.split_last().unwrap();
    for frame in before {
        talk.hears(frame).unwrap_or_else(|why| panic!("{why}: {frame}"));
    }
    match talk.hears(last) {
        Ok(()) => panic!("{last} is taken"),
        Err(why) => assert!(why.contains(reason), "{why:?}, not about {reason:?}"),
    }
}

#[test]
fn orders() {
    let controls = || scene()["payload"]["layers"][0]["controls"].clone();
    let told = |id: &str, seq| layers(seq, id, controls());
    let baseline = || {
        let mut dims = dims();
        dims["payload"]["current_level"] = json!(0);
        vec![welcome(), scene(), dims, told("layer-0", 4), told("layer-1", 4)]
    };
    let after = |last: Value| [baseline(), vec![last]].concat();
    ends_with(&[dims()], "instead of welcome");
    ends_with(&[welcome(), welcome()], "a second time");
    ends_with(&[reject(), welcome()], "after the end");
    ends_with(&[welcome(), dims()], "dims before the scene");
    ends_with(&[welcome(), told("layer-0", 0)], "before scene and dims");
    ends_with(&[welcome(), scene(), told("layer-0", 0)], "before scene and dims");
    ends_with(&[welcome(), pose()], "before scene and dims");
    ends_with(&[welcome(), scene(), dims(), told("layer-1", 0)], "not of layer 0");
    ends_with(&[welcome(), scene(), dims(), layers(0, "layer-0", json!({"opacity": 0.1}))], "in the scene");
    ends_with(&after(layers(5, "layer-7", json!({"opacity": 0.5}))), "in no scene");
    ends_with(&after(layers(3, "layer-0", json!({"opacity": 0.5}))), "seq falls from 4 to 3");
    ends_with(&after(baseline()[2].clone()), "the same again");
    let mut foreign = dims();
    foreign["session"] = json!("s2");
    ends_with(&after(foreign), "another session");
    let mut flat = dims();
    for (key, value) in
        [("step", json!([0, 0])), ("current_step", json!([0, 0])), ("current_level", json!(0))]
    {
        flat["payload"][key] = value;
    }
    flat["payload"]["levels"] = json!([{"index": 0, "shape": [8, 8]}]);
    flat["payload"]["level_shapes"] = json!([[8, 8]]);
    flat["payload"]["axis_labels"] = json!(["y", "x"]);
    flat["payload"]["order"] = json!([0, 1]);
    flat["payload"]["displayed"] = json!([0, 1]);
    ends_with(&after(flat), "dims of 2 axes");
    // The notice of an intent that was not answered yet, answers to others, and a second answer.
    let mut early = layers(5, "layer-0", json!({"opacity": 0.5}));
    early["intent_id"] = json!("i1");
    ends_with(&after(early), "before its ack");
    let mut other = accepted();
    other["payload"]["in_reply_to"] = json!("u9");
    ends_with(&after(other), "are next");
    ends_with(&[baseline(), vec![accepted(), accepted()]].concat(), "did not ask");
    ends_with(&after(listing()), "was not asked");
    let bye = envelope("session.goodbye", json!({}), json!({}));
    ends_with(&[baseline(), vec![bye.clone(), bye]].concat(), "goodbye twice");
}

/// A message: header, then NALs behind their lengths.
fn packet(keyframe: bool, nals: &[&[u8]]) -> Vec<u8> {
    let mut out = 7_u32.to_be_bytes().to_vec();
    out.extend(100.0_f64.to_be_bytes());
    out.extend([0, 0, 7, 128, 0, 0, 4, 56, 1, u8::from(keyframe), 0, 0]);
    for nal in nals {
        out.extend((nal.len() as u32).to_be_bytes());
        out.extend_from_slice(nal);
    }
    out
}

/// The bits 1, 00110: the first macroblock, an I or P slice (type 5).
const IDR: &[u8] = &[0x65, 0b1001_1010, 0];
const P: &[u8] = &[0x41, 0b1001_1010, 0];

#[test]
fn packets() {
    let good = packet(true, &[&[0x67, 1], &[0x68, 1], IDR]);
    let (header, unit) = message(&good, 101.0).unwrap();
    assert_eq!(header, Header { seq: 7, ts: 100.0, width: 1920, height: 1080, keyframe: true });
    assert_eq!(unit.len(), good.len() - 24);
    message(&packet(false, &[P]), 100.0).unwrap();
    let changed = |at: usize, to: u8| {
        let mut bytes = good.clone();
        bytes[at] = to;
        bytes
    };
    let b_slice: &[u8] = &[0x01, 0b1010_0000];
    let later: &[u8] = &[0x41, 0b0101_0110];
    for (bad, reason) in [
        (good[..23].to_vec(), "shorter than its header"),
        (changed(20, 2), "codec"),
        (changed(21, 3), "bit 0"),
        (changed(21, 0), "disagree"),
        (changed(23, 4), "reserved"),
        (changed(4, 0), "wall clock"),
        (changed(15, 129), "odd"),
        (changed(14, 0).into_iter().enumerate().map(|(n, b)| if n == 15 { 0 } else { b }).collect(), "empty"),
        (changed(27, 0), "an empty NAL"),
        (changed(27, 200), "of which"),
        ([&good[..24], &[0, 0, 0, 1, 0x67, 9]].concat(), "Annex B"),
        (good[..24].to_vec(), "no NAL"),
        ([&good[..], &[0, 0]].concat(), "half a length"),
        (packet(true, &[&[0x68, 1], IDR]), "without SPS"),
        (packet(true, &[&[0x67, 1], IDR]), "without PPS"),
        (packet(true, &[IDR, &[0x67, 1], &[0x68, 1]]), "without SPS"),
        (packet(false, &[&[0x67, 1]]), "no slice"),
        (packet(false, &[P, P]), "2 pictures"),
        (packet(false, &[later]), "0 pictures"),
        (packet(false, &[b_slice]), "B slice"),
        (packet(true, &[&[0x67, 1], &[0x68, 1], IDR, P]), "other slices"),
    ] {
        match message(&bad, 100.0) {
            Ok(_) => panic!("taken; {reason} was expected"),
            Err(why) => assert!(why.contains(reason), "{why:?}, not about {reason:?}"),
        }
    }
    let told = stream::Sets { sps: vec![0x67, 2], pps: vec![0x68, 1] };
    assert!(super::pixels::same_sets(unit, &told).unwrap_err().contains("SPS in band"));
}

#[test]
fn packets_in_their_order() {
    let at = |seq: u32, ts: f64, keyframe| Header { seq, ts, width: 2, height: 2, keyframe };
    assert!(Order::default().next(at(0, 1.0, false)).unwrap_err().contains("no keyframe"));
    let follows = |next: Header| {
        let mut order = Order::default();
        order.next(at(u32::MAX, 1.0, true)).unwrap();
        order.next(next)
    };
    follows(at(0, 1.5, false)).unwrap();
    assert!(follows(at(1, 1.5, false)).unwrap_err().contains("seq 1"));
    assert!(follows(at(u32::MAX, 1.5, true)).unwrap_err().contains("seq"));
    assert!(follows(at(0, 1.0, false)).unwrap_err().contains("ts 1"));
}

#[test]
fn a_backlog_waits_for_a_keyframe() {
    let mut backlog = Backlog::new();
    assert!(!backlog.take(false), "nothing before the first keyframe");
    assert!(backlog.take(true));
    for n in 1..14 {
        assert!(backlog.take(false), "{n}");
    }
    assert!(!backlog.take(false) && backlog.is_gated(), "the fifteenth is too many");
    assert!(!backlog.take(false));
    assert!(backlog.take(true));
    backlog.decoded();
    assert!(!backlog.is_gated());
}
