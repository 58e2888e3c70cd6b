//! What the corpora begin with.

use crate::{
    bodies::{chunks, wire::SESSION},
    image::{multiscales, sharded, v2, v3},
};
use lucida::encode::{
    EncoderConfig, I420, VideoEncoder, avcc,
    bits::{BitWriter, escape},
    openh264::OpenH264,
};
use lucida_components::stream::Canvas;
use serde_json::{Value, json};
use std::{fs, sync::Arc};
use zarrs::{
    array::{Array, ArrayBytes},
    filesystem::FilesystemStore,
};

type Seeds = Vec<(String, Vec<u8>)>;

/// Seeds of a target, by name.
pub fn of(target: &str) -> Seeds {
    match target {
        "wire" => wire(),
        "sps" => sps(),
        "metadata" => metadata(),
        "chunks" => stored(),
        _ => panic!("no target {target}"),
    }
}

fn wire() -> Seeds {
    let frame = |kind: &str, payload: Value| {
        json!({"type": kind, "version": 2, "session": SESSION, "timestamp": 1.5, "frame_id": "f-1",
               "payload": payload})
    };
    let update = |scope: &str, target: &str, key: &str, value: Value| {
        let mut frame =
            frame("state.update", json!({"scope": scope, "target": target, "key": key, "value": value}));
        frame["intent_id"] = "i-1".into();
        frame
    };
    let hello = json!({
        "type": "session.hello", "version": 2, "frame_id": "hello-1", "timestamp": 1.0,
        "payload": {
            "protocols": [2], "client": {"name": "c", "version": "0", "platform": "p"},
            "features": {"notify.scene": true, "notify.layers": true, "notify.stream": true,
                         "notify.dims": false, "lucida.view": true, "lucida.frames": true},
            "resume_tokens": {"notify.scene": null, "notify.layers": "t"},
            "auth": {"type": "none", "token": null}
        }
    });
    let command = |name: &str, kwargs: Value| {
        frame("call.command", json!({"command": name, "args": ["/a"], "kwargs": kwargs}))
    };
    let mut seeds = vec![
        ("hello", hello),
        ("goodbye", frame("session.goodbye", json!({"code": "c", "message": "m", "reason": "r"}))),
        ("heartbeat", frame("session.heartbeat", json!({}))),
        ("ping", json!({"type": "ping"})),
        ("keyframe", command("napari.pixel.request_keyframe", json!({}))),
        ("load", command("napari.load_zarr", json!({"path": "/a.ome.zarr"}))),
        ("listdir", command("fs.listdir", json!({"path": null, "show_hidden": true, "only": [".zarr"]}))),
        ("view-create", command("lucida.view.create", json!({"name": "Side"}))),
        ("view-rename", command("lucida.view.rename", json!({"view": "view-1", "name": "Side"}))),
        ("view-watch", command("lucida.view.watch", json!({"view": "main"}))),
        ("session-follow", command("lucida.session.follow", json!({"session": "session-4"}))),
        ("session-role", command("lucida.session.role", json!({"session": null, "role": "viewer"}))),
        ("unknown-command", command("napari.unknown", json!(null))),
        ("ndisplay", update("view", "main", "ndisplay", json!(2))),
        ("index", update("dims", "z", "index", json!(7))),
        ("step", update("dims", "0", "step", json!(-3))),
        ("scene-index", update("dims", "z", "scene_index", json!(12))),
        ("margins", update("dims", "z", "margins", json!([1.5, 2.0]))),
        ("order", update("dims", "main", "order", json!([2, 0, 1]))),
        ("zoom", update("camera", "main", "zoom", json!({"factor": 1.1, "anchor_px": [10, 20.5]}))),
        ("pan", update("camera", "main", "pan", json!({"dx_px": 3, "dy_px": -4.5}))),
        ("orbit", update("camera", "main", "orbit", json!({"d_az_deg": 3, "d_el_deg": 4}))),
        ("reset", update("camera", "main", "reset", json!({}))),
        (
            "set",
            update(
                "camera",
                "main",
                "set",
                json!({"center": [1, 2, 3], "zoom": 2, "rect": [0, 0, 10, 5], "angles": [1, 2, 3],
                       "distance": 5, "fov": 60}),
            ),
        ),
        ("clip-range", update("clip", "z", "range", json!([10, 50.5]))),
        (
            "clip-planes",
            update("clip", "main", "planes", json!([{"position": [1, 2, 3], "normal": [0, 0, -1]}])),
        ),
        ("level", update("multiscale", "main", "level", json!(1))),
        ("policy", update("multiscale", "main", "policy", json!("locked"))),
        ("canvas", update("stream", "main", "canvas", json!([640, 360]))),
        ("unknown-scope", update("nothing", "main", "at_all", json!([{"deep": [1]}]))),
    ];
    for (key, value) in [
        ("visible", json!("on")),
        ("opacity", json!(0.5)),
        ("blending", json!("additive")),
        ("interpolation", json!("linear")),
        ("colormap", json!("#00ff7f")),
        ("gamma", json!(1.5)),
        ("contrast_limits", json!({"lo": 1, "hi": 900})),
        ("projection", json!("mean")),
        ("sample_step", json!(0.5)),
        ("iso_threshold", json!(0.25)),
        ("plane_position", json!([1, 2.5, -3])),
        ("plane_normal", json!([0, 1, 1])),
    ] {
        seeds.push((key, update("layer", "layer-1", key, value)));
    }
    seeds.push(("volume", update("volume", "main", "render_mode", json!("mip"))));
    seeds.push(("volume-limits", update("volume", "main", "contrast_limits", json!([0.25, 1.5]))));
    seeds.into_iter().map(|(name, value)| (name.to_owned(), value.to_string().into_bytes())).collect()
}

/// What an encoder emits, and what others' could look like.
fn sps() -> Seeds {
    let mut seeds = Seeds::new();
    for (width, height) in [(16, 16), (178, 100), (1280, 720)] {
        let canvas = Canvas { width, height };
        let config = EncoderConfig { canvas, fps: 30.0, bitrate: 2_000_000, threads: 1 };
        let pixels = vec![128; (width * height) as usize];
        let quarter = &pixels[..pixels.len() / 4];
        let picture = I420 { canvas, y: &pixels, u: quarter, v: quarter, stride: width as usize };
        let unit = OpenH264::new(config).unwrap().encode(picture, true).unwrap().avcc;
        for (n, nal) in avcc::nals(&unit).take(2).enumerate() {
            seeds.push((format!("emitted-{width}x{height}-{n}"), nal.unwrap().to_vec()));
        }
        if width == 16 {
            seeds.push(("unit".into(), unit.clone()));
            let mut stream = Vec::new();
            for nal in avcc::nals(&unit) {
                stream.extend([0, 0, 0, 1]);
                stream.extend(nal.unwrap());
            }
            seeds.push(("annex-b".into(), stream));
        }
    }
    for (name, poc_type, everything) in
        [("poc-0", 0, false), ("poc-1", 1, false), ("poc-2", 2, false), ("everything", 1, true)]
    {
        seeds.push((name.into(), foreign(poc_type, everything)));
    }
    seeds
}

/// An SPS in high profile, with each optional part or none (Rec. ITU-T H.264, 7.3.2.1.1 and E.1).
fn foreign(poc_type: u32, everything: bool) -> Vec<u8> {
    let mut w = BitWriter::default();
    w.bits(8, 0x67);
    w.bits(24, 0x64_00_28); // high profile, level 4.0
    for value in [0, 1, 0, 0] {
        w.ue(value); // id, chroma format, bit depths
    }
    w.bit(false);
    w.bit(everything);
    if everything {
        for list in 0..8 {
            w.bit(list % 2 == 0);
            if list % 2 == 0 {
                w.ue(16); // delta -8: the rest of the list follows from it
            }
        }
    }
    w.ue(4);
    w.ue(poc_type);
    match poc_type {
        0 => w.ue(4),
        1 => {
            w.bit(false);
            for value in [2, 3, 2, 4, 5] {
                w.ue(value); // two offsets, two frames of a cycle
            }
        }
        _ => {}
    }
    w.ue(2);
    w.bit(false);
    w.ue(19);
    w.ue(14);
    w.bit(!everything);
    if everything {
        w.bit(true);
    }
    w.bit(true);
    w.bit(everything);
    if everything {
        for cut in [1, 2, 0, 3] {
            w.ue(cut);
        }
    }
    w.bit(everything);
    if everything {
        w.bit(true); // aspect ratio, given
        w.bits(8, 255);
        w.bits(32, 0x0001_0001);
        w.bits(2, 0b11); // overscan
        w.bits(5, 0b1_1010);
        w.bit(true);
        w.bits(24, 0x06_06_06);
        w.bit(true);
        w.ue(1);
        w.ue(1);
        w.bit(true); // timing
        w.bits(32, 1001);
        w.bits(32, 60000);
        w.bit(true);
        for _ in 0..2 {
            w.bit(true); // HRD
            w.ue(1);
            w.bits(8, 0x12);
            for _ in 0..2 {
                w.ue(1000);
                w.ue(2000);
                w.bit(false);
            }
            w.bits(20, 0x5_55_55);
        }
        w.bits(2, 0b01);
        w.bit(true); // restriction
        w.bit(true);
        for value in [2, 1, 10, 10, 2, 3] {
            w.ue(value);
        }
    }
    escape(&w.finish())
}

fn metadata() -> Seeds {
    let one = |axes: &str| multiscales(axes, &[("0", vec![1.0; axes.len()])]);
    let two = multiscales("zyx", &[("0", vec![1.0, 0.5, 0.5]), ("1", vec![1.0, 1.0, 1.0])]);
    let omero = json!({"name": "n", "channels": [
        {"color": "00FF00", "label": "a", "active": true, "family": "linear", "coefficient": 1, "inverted": false,
         "window": {"start": 0, "end": 100, "min": 0, "max": 65535}},
        {"color": "FF0000", "window": {"start": 5.5, "end": 9}}], "rdefs": {"defaultZ": 1, "model": "color"}});
    let old = |multiscales: Value, omero: &Value| {
        let mut attributes = json!({"multiscales": multiscales});
        attributes["multiscales"][0]["version"] = "0.4".into();
        if !omero.is_null() {
            attributes["omero"] = omero.clone();
        }
        attributes
    };
    let group = |attributes: Value| json!({"zarr_format": 3, "node_type": "group", "attributes": attributes});
    let v2_group = (".zgroup", json!({"zarr_format": 2}));
    let none = Value::Null;
    let folder = |files: &[(&str, Value)]| {
        let text: Vec<String> = files.iter().map(|(name, value)| format!("== {name}\n{value}")).collect();
        text.join("\n").into_bytes()
    };
    let labels = json!({"multiscales": one("zyx"), "image-label": {"version": "0.4", "colors": [
        {"label-value": 1, "rgba": [255, 0, 0, 255]}], "properties": [{"label-value": 1, "name": "cell"}],
        "source": {"image": "../../"}}});
    let plain = [
        (".zattrs", old(one("zyx"), &none)),
        v2_group.clone(),
        ("0/.zarray", v2(&[4, 8, 8], &[2, 4, 4], "<u2")),
    ];
    let mut with_labels = plain.to_vec();
    with_labels.extend([
        ("labels/.zattrs", json!({"labels": ["a"]})),
        ("labels/a/.zattrs", labels),
        ("labels/a/0/.zarray", v2(&[4, 8, 8], &[2, 4, 4], "<u4")),
    ]);
    let mut transformed = one("tczyx");
    transformed[0]["datasets"][0]["coordinateTransformations"] = json!([{"type": "scale", "scale": [1, 1, 2, 0.5, 0.5]}, {"type": "translation", "translation": [0, 0, 1, 2, 3]}]);
    transformed[0]["coordinateTransformations"] = json!([{"type": "scale", "scale": [0.1, 1, 1, 1, 1]}]);
    let seeds = [
        ("v2", folder(&plain)),
        ("v2-labels", folder(&with_labels)),
        (
            "v2-two-levels",
            folder(&[
                (".zattrs", old(two, &omero)),
                v2_group.clone(),
                ("0/.zarray", v2(&[4, 8, 8], &[2, 4, 4], ">i2")),
                ("1/.zarray", v2(&[4, 4, 4], &[2, 4, 4], ">i2")),
            ]),
        ),
        (
            "v2-channels",
            folder(&[
                (".zattrs", old(transformed, &omero)),
                v2_group.clone(),
                ("0/.zarray", v2(&[2, 2, 4, 8, 8], &[1, 1, 2, 4, 4], "<f4")),
            ]),
        ),
        (
            "v3",
            folder(&[
                ("zarr.json", group(json!({"ome": {"version": "0.5", "multiscales": one("yx")}}))),
                ("0/zarr.json", v3(&[8, 8], &[4, 4], "uint8")),
            ]),
        ),
        (
            "v3-sharded",
            folder(&[
                (
                    "zarr.json",
                    group(json!({"ome": {"version": "0.5", "multiscales": one("cyx"), "omero": omero}})),
                ),
                ("0/zarr.json", sharded(&[2, 16, 16], &[1, 8, 8], &[1, 4, 4], "uint16")),
            ]),
        ),
        (
            "plate",
            folder(&[
                (
                    ".zattrs",
                    json!({"plate": {"version": "0.4", "name": "p", "field_count": 1,
                        "columns": [{"name": "1"}], "rows": [{"name": "A"}],
                        "wells": [{"path": "A/1", "rowIndex": 0, "columnIndex": 0}]}}),
                ),
                v2_group.clone(),
                (
                    "A/1/.zattrs",
                    json!({"well": {"version": "0.4", "images": [{"path": "0", "acquisition": 1}]}}),
                ),
            ]),
        ),
        (
            "collection",
            folder(&[
                (".zattrs", json!({"bioformats2raw.layout": 3})),
                v2_group.clone(),
                ("OME/.zattrs", json!({"series": ["0"]})),
                ("0/.zattrs", old(one("yx"), &none)),
                ("0/0/.zarray", v2(&[8, 8], &[4, 4], "|u1")),
            ]),
        ),
        ("bare-array-v2", folder(&[(".zarray", v2(&[8, 8], &[4, 4], "<f8"))])),
        ("bare-array-v3", folder(&[("zarr.json", v3(&[8, 8], &[4, 4], "float16"))])),
        ("nan", b"== .zattrs\n{\"multiscales\": NaN, \"omero\": [-Infinity]}\n== .zgroup\n{}".to_vec()),
        ("empty", Vec::new()),
    ];
    seeds.map(|(name, bytes)| (name.to_owned(), bytes)).to_vec()
}

/// A chunk stored in this way, sound.
pub fn chunk(way: usize) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    chunks::write(way, &[], dir.path());
    let array = Array::open(Arc::new(FilesystemStore::new(dir.path()).unwrap()), "/0").unwrap();
    let values: Vec<u8> =
        (0..chunks::SHAPE.iter().product::<u64>() as u16).flat_map(u16::to_ne_bytes).collect();
    array.store_chunk(&[0, 0, 0], ArrayBytes::new_flen(values)).unwrap();
    let path = dir.path().join(array.chunk_key(&[0, 0, 0]).as_str());
    fs::read(path).unwrap()
}

fn stored() -> Seeds {
    let mut seeds = Seeds::new();
    for way in 0..chunks::WAYS {
        let mut input = vec![way as u8];
        input.extend(chunk(way));
        seeds.push((format!("way-{way}"), input));
    }
    // A zstd frame of 16 bytes that claims 2^40: magic, descriptor with an 8-byte size, an empty last block.
    let claim = [&[1, 0x28, 0xb5, 0x2f, 0xfd, 0xe0][..], &(1_u64 << 40).to_le_bytes(), &[1, 0, 0]].concat();
    seeds.push(("claims-a-tebibyte".into(), claim));
    seeds.push(("empty".into(), vec![0]));
    seeds
}
