//! The real binary, as a person at a terminal meets it: what it prints, what it draws, how it exits.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "cli/formats.rs"]
mod formats;
#[path = "cli/image.rs"]
mod image;
#[path = "cli/ports.rs"]
mod ports;
#[path = "cli/serving.rs"]
mod serving;

use image::{LAYER, small_image};
use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

/// The binary, with nothing of this machine's own settings.
fn lucida() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucida"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LUCIDA_") {
            command.env_remove(name);
        }
    }
    // Mesa otherwise complains on stderr where there is no display.
    command.env("NODEVICE_SELECT", "1").stdin(Stdio::null());
    command
}

/// What a command left behind.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    ran(lucida().args(args).output().unwrap())
}

/// Whether anything can be drawn here; says so where not.
fn can_draw() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    let can = *CAN.get_or_init(|| !lucida::gpu::device::adapters().is_empty());
    if !can {
        eprintln!("SKIPPED: no Vulkan driver here; apt-get install mesa-vulkan-drivers");
    }
    can
}

/// Runs `lucida` with these arguments and expects this exit code, nothing on stdout and these words on stderr.
#[track_caller]
fn refused(code: i32, args: &[&str], words: &[&str]) {
    let ran = run(args);
    assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.err);
    assert_eq!(ran.out, "", "{args:?}");
    for word in words {
        assert!(ran.err.contains(word), "{args:?}: {word:?} is not said in {:?}", ran.err);
    }
    assert!(!ran.err.contains("panicked"), "{args:?}: {}", ran.err);
}

#[test]
fn help_and_version() {
    let help = run(["--help"]);
    assert_eq!(help.code, Some(0), "{}", help.err);
    for command in ["serve", "demo", "info", "validate", "render", "doctor"] {
        assert!(help.out.contains(command), "{command} is listed in\n{}", help.out);
        let own = run([command, "--help"]);
        assert_eq!(own.code, Some(0), "{}", own.err);
        assert!(own.out.contains("[env: LUCIDA_"), "{command} names environment variables:\n{}", own.out);
    }
    let version = run(["--version"]);
    assert_eq!((version.code, version.out.trim()), (Some(0), concat!("lucida ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn what_is_asked_wrongly_exits_with_2() {
    refused(2, &[], &["Usage"]);
    refused(2, &["look"], &["look"]);
    refused(2, &["serve"], &["DATA"]);
    refused(2, &["serve", "x", "--port", "65536"], &["--port", "65536"]);
    refused(2, &["serve", "x", "--host", "everywhere"], &["--host", "everywhere"]);
    refused(2, &["serve", "x", "--token", "short"], &["--token", "16"]);
    refused(2, &["serve", "x", "--tls-cert", "cert.pem"], &["--tls-key"]);
    refused(2, &["serve", "x", "--levels", "blurred"], &["sharp", "napari-cuda"]);
    refused(2, &["info", "x", "--verbose"], &["--verbose"]);
    refused(2, &["render", "x"], &["--output"]);
    refused(2, &["render", "x", "-o", "y", "--ndisplay", "4"], &["--ndisplay", "2..=3"]);
    refused(2, &["--log", "lucida=loud", "doctor"], &["--log", "lucida=loud"]);
}

#[test]
fn what_is_not_an_image_exits_with_1_and_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(path("empty")).unwrap();
    fs::write(path("file.txt"), "not an image").unwrap();
    fs::create_dir(path("torn.ome.zarr")).unwrap();
    fs::write(path("torn.ome.zarr/.zattrs"), "{\"multiscales\": [").unwrap();

    for (name, words) in [
        ("missing", &["no such file"][..]),
        ("file.txt", &["it is a file"]),
        ("empty", &["not a Zarr group"]),
        ("torn.ome.zarr", &[".zattrs", "malformed JSON"]),
    ] {
        let path = path(name);
        let words: Vec<&str> = words.iter().copied().chain([path.as_str()]).collect();
        refused(1, &["info", &path], &words);
        refused(1, &["info", &path, "--json"], &words);
        refused(1, &["render", &path, "-o", "never.png"], &words);
        if can_draw() {
            refused(1, &["serve", &path, "--port", "0"], &words);
        }
    }
    assert!(!Path::new("never.png").exists());
}

#[test]
fn info_for_people_and_for_programs() {
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    let text = run([OsStr::new("info"), image.as_os_str()]);
    assert_eq!(text.code, Some(0), "{}", text.err);
    for word in ["small", "ome-zarr 0.4", "uint8", "micrometer", LAYER, "#ff0000"] {
        assert!(text.out.contains(word), "{word} is told in\n{}", text.out);
    }

    let json = run([OsStr::new("info"), image.as_os_str(), OsStr::new("--json")]);
    assert_eq!(json.code, Some(0), "{}", json.err);
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&told["dtype"], &told["drawn_as"]), (&"uint8".into(), &"uint8".into()));
    assert_eq!(told["dimensions"], serde_json::json!(["z", "y", "x"]));
    assert_eq!(told["levels"][0]["shape"], serde_json::json!([4, 30, 40]));
    assert_eq!(told["levels"][1]["shape"], serde_json::json!([4, 15, 20]));
    assert_eq!(told["channels"][0]["name"], LAYER);
    assert_eq!(told["channels"][0]["window"], serde_json::json!([0.0, 200.0]));

    // The same through the environment.
    let by_env =
        ran(lucida().arg("info").env("LUCIDA_DATA", &image).env("LUCIDA_JSON", "true").output().unwrap());
    assert_eq!((by_env.code, by_env.out), (Some(0), json.out));
}

#[test]
fn demo_keeps_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("demo.ome.zarr");
    fs::write(&path, "mine").unwrap();
    let path = path.to_str().unwrap();
    refused(2, &["demo", path], &[path, "already there"]);
    let kept = run(["demo", path, "--if-missing"]);
    assert_eq!((kept.code, kept.out.as_str()), (Some(0), ""), "{}", kept.err);
    assert_eq!(fs::read_to_string(path).unwrap(), "mine");
}

/// Width, height and RGBA of a PNG.
fn decoded(path: &Path) -> (u32, u32, Vec<u8>) {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgba).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgba, png::BitDepth::Eight));
    (info.width, info.height, rgba)
}

/// The middle pixel of a picture of 160 × 120 that is drawn with these arguments.
#[track_caller]
fn middle_of(image: &Path, args: &[&str]) -> [u8; 3] {
    let out = image.with_file_name("picture.png");
    let target = out.to_str().unwrap();
    let all = ["render", image.to_str().unwrap(), "-o", target, "--size", "160x120"];
    let ran = run(all.iter().chain(args));
    assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.err);
    assert!(ran.out.contains(target) && ran.out.contains("160×120"), "{}", ran.out);
    let (width, height, rgba) = decoded(&out);
    assert_eq!((width, height), (160, 120));
    let at = (60 * 160 + 80) * 4;
    [rgba[at], rgba[at + 1], rgba[at + 2]]
}

#[test]
fn render_draws_a_volume_as_it_is_looked_at_and_cut() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    // World z of plane n is 2·n and its value 60·n; the window is 0..200, the colour red.
    let red = |args: &[&str], z: f64| {
        // Ends of rays are met to within a step.
        let fine = ["--ndisplay", "3", "--layer", "0:sample_step=0.1"];
        let [red, green, blue] = middle_of(&image, &[&fine[..], args].concat());
        let want = (30.0 * z / 200.0).min(1.0) * 255.0;
        assert!((f64::from(red) - want).abs() <= 8.0, "{args:?}: {red} is not {want}");
        assert_eq!((green, blue), (0, 0), "{args:?}");
    };
    let above = ["--angles", "0,90", "--fov", "0"];
    let with = |more: &[&'static str]| [&above[..], more].concat();
    red(&["--angles", "40,25,10"], 6.0);
    red(&above, 6.0);
    red(&with(&["--level", "1"]), 6.0);
    red(&with(&["--layer", "0:rendering=minip"]), 0.0);
    red(&with(&["--layer", "0:interpolation=nearest", "--crop", "z=:2.9"]), 2.0);
    red(&with(&["--crop", "z=-9:3"]), 3.0);
    red(&with(&["--crop", "z=1:5,x=2:18", "--layer", "0:rendering=minip"]), 1.0);
    red(&with(&["--clip-plane", "0,0,3,0,0,-1"]), 3.0);
    red(&with(&["--clip-plane", "0,0,3,0,0,-1", "--clip-plane", "0,0,2,0,0,-2"]), 2.0);
    red(&with(&["--crop", "x=0:2"]), 0.0);
    // From the side, planes above each other.
    red(&["--angles", "0,0", "--fov", "0"], 3.0);
    red(&["--angles", "0,0", "--center", "10,7,5"], 5.0);
    red(&["--angles", "0,0", "--center", "10,7,1", "--distance", "20", "--fov", "30"], 1.0);
    red(&["--angles", "0,0", "--center", "1000,7,5"], 0.0);
}

#[test]
fn render_draws_the_place_that_is_asked_for() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    // Plane z has the value 60·z everywhere, the window is 0..200, the colour red.
    let middle = |args: &[&str]| middle_of(&image, args);
    assert_eq!(middle(&["--index", "z=0"]), [0, 0, 0]);
    assert_eq!(middle(&["--index", "z=2"]), [153, 0, 0]);
    assert_eq!(middle(&["--index", "z=3"]), [230, 0, 0]);
    assert_eq!(middle(&["--index", "z=3", "--level", "1"]), [230, 0, 0]);
    assert_eq!(middle(&["--index", "z=2", "--layer", "0:contrast_limits=0,120"]), [255, 0, 0]);
    assert_eq!(middle(&["--index", "z=2", "--layer", &format!("{LAYER}:colormap=#0000ff")]), [0, 0, 153]);
    assert_eq!(middle(&["--index", "z=2", "--layer", "0:visible=false"]), [0, 0, 0]);
    assert_eq!(middle(&["--index", "z=2", "--rect", "1000,1000,10,10"]), [0, 0, 0], "beside the image");
}

#[test]
fn render_says_what_it_does_not_understand() {
    if !can_draw() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    let out = dir.path().join("never.png");
    let bad = |args: &[&str], words: &[&str]| {
        let all = ["render", image.to_str().unwrap(), "-o", out.to_str().unwrap()];
        let all: Vec<&str> = all.iter().chain(args).copied().collect();
        refused(2, &all, words);
    };
    bad(&["--size", "big"], &["--size", "16x16"]);
    bad(&["--size", "161x120"], &["--size", "even"]);
    bad(&["--size", "8x8"], &["--size", "16x16"]);
    bad(&["--size", "4000x4000"], &["--size", "3840x2160"]);
    bad(&["--index", "t=1"], &["--index", "z, y, x"]);
    bad(&["--index", "z"], &["AXIS=NUMBER"]);
    bad(&["--index", "z=4"], &["--index", "0 to 3"]);
    bad(&["--index", "z=-1"], &["--index", "0 to 3"]);
    bad(&["--rect", "1,2,3"], &["--rect", "left,top,width,height"]);
    bad(&["--rect", "1,2,0,4"], &["--rect", "> 0"]);
    bad(&["--layer", "missing:visible=false"], &["--layer", LAYER]);
    bad(&["--layer", "0:visible"], &["LAYER:KEY=VALUE"]);
    bad(&["--layer", "0:sharpness=1"], &["--layer", "sharpness"]);
    bad(&["--layer", "0:colormap=plaid"], &["--layer", "viridis"]);
    // What is for volumes.
    for (option, value) in [
        ("--angles", "30,30"),
        ("--distance", "5"),
        ("--fov", "0"),
        ("--center", "1,2,3"),
        ("--crop", "z=0:2"),
        ("--clip-plane", "0,0,0,0,0,1"),
    ] {
        bad(&[option, value], &[option, "--ndisplay 3"]);
    }
    let volume = |args: &[&str], words: &[&str]| bad(&[&["--ndisplay", "3"], args].concat(), words);
    volume(&["--rect", "0,0,1,1"], &["--rect", "--center"]);
    for angles in ["30", "1,2,3,4", "1,up", "NaN,0"] {
        volume(&["--angles", angles], &["--angles", "AZIMUTH,ELEVATION"]);
    }
    for distance in ["0", "-1", "inf", "far", "1,2"] {
        volume(&["--distance", distance], &["--distance", "> 0"]);
    }
    for fov in ["180", "-1", "NaN", "wide"] {
        volume(&["--fov", fov], &["--fov", "orthographic"]);
    }
    volume(&["--center", "1,2"], &["--center", "X,Y,Z"]);
    for crop in ["z", "z=1", "z=2:1", "z=1:1", "t=0:1", "z=a:b", "z=0:inf"] {
        volume(&["--crop", crop], &["--crop", "FROM < TO", "z, y, x"]);
    }
    for plane in ["0,0,0,0,0,0", "1,2,3", "1,2,3,4,5,x"] {
        volume(&["--clip-plane", plane], &["--clip-plane", "NX,NY,NZ"]);
    }
    volume(&["--clip-plane", &["0,0,0,0,0,1"; 7].join(";")], &["--clip-plane", "at most 6"]);
    assert!(!out.exists());
}

#[test]
fn doctor_says_what_will_be_used() {
    if !can_draw() {
        return;
    }
    let text = run(["doctor"]);
    assert_eq!(text.code, Some(0), "{}", text.err);
    for word in ["Vulkan", "OpenH264", "NVENC", "CUDA", "8080", "8081", "8082"] {
        assert!(text.out.contains(word), "{word} is told in\n{}", text.out);
    }
    let json = run(["doctor", "--json"]);
    assert_eq!(json.code, Some(0), "{}", json.err);
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told["adapters"][0]["used"], true, "{told}");
    assert!(told["adapters"][0]["wide_volumes"].is_boolean(), "{told}");
    assert!(told["ports"][1]["free"].is_boolean(), "{told}");
    let encoders = told["encoders"].as_array().unwrap();
    assert!(encoders.iter().any(|e| e["name"] == "OpenH264" && e["usable"] == true), "{told}");
}

#[test]
fn doctor_without_a_driver_says_what_to_install() {
    let mut doctor = lucida();
    // The Vulkan loader is shown no driver at all.
    doctor.arg("doctor").env("VK_DRIVER_FILES", "/nowhere.json").env("VK_ICD_FILENAMES", "/nowhere.json");
    let ran = ran(doctor.output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.out.contains("mesa-vulkan-drivers"), "{}", ran.out);
    assert!(ran.err.contains("no Vulkan adapter"), "{}", ran.err);
}
