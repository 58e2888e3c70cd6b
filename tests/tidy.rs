//! House rules that neither the compiler nor clippy knows: who may depend on whom, where `unsafe` may stand,
//! what never appears in the tree. Each rule names the file and line that breaks it.
#![expect(clippy::unwrap_used, reason = "tests")]

use clap::CommandFactory;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Most lines of code in a file.
const MOST_LINES: usize = 400;
/// Most lines of a file of tests, or of a file with its tests.
const MOST_LINES_WITH_TESTS: usize = 800;

/// What holds the project; anything else beside it (build outputs, images, data) is not looked at.
const FOLDERS: [&str; 10] =
    [".ci", "assets", "benches", "components", "docs", "fuzz", "scripts", "src", "systems", "tests"];

/// What `lucida-components` may use: plain data needs little.
const COMPONENTS_MAY_USE: [&str; 5] = ["bevy_ecs", "bytes", "glam", "serde", "thiserror"];

/// What `lucida-systems` may use: no runtime, no socket, no store, no codec.
const SYSTEMS_MAY_USE: [&str; 9] =
    ["bevy_app", "bevy_ecs", "bytemuck", "glam", "lru", "lucida-components", "thiserror", "tracing", "wgpu"];

/// What neither may use even in its tests.
const OUTSIDE: [&str; 9] = [
    "axum",
    "crossbeam-channel",
    "lucida",
    "object_store",
    "openh264-sys2",
    "tokio",
    "tokio-tungstenite",
    "wgpu-hal",
    "zarrs",
];

/// Where JSON may be known besides `src/wire`, and why.
const JSON_OUTSIDE_THE_WIRE: [(&str, &str); 4] = [
    ("src/cli/doctor.rs", "prints a report for programs"),
    ("src/cli/info.rs", "prints a description for programs"),
    (
        "src/cli/render.rs",
        "gives a control's value the form it has in a client's update, for the wire to read",
    ),
    ("src/data/", "the metadata of Zarr and OME is JSON"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One text file of the project.
struct File {
    /// From the root, with `/`.
    path: String,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|e| e == "rs")
    }

    /// A file of tests only.
    fn is_test(&self) -> bool {
        self.path.contains("tests/") || self.path.ends_with("/tests.rs")
    }

    /// Numbered lines before the file's own tests, without line comments. (A `//` in a text ends the line
    /// here too, which hides what stands behind it and accuses nobody.)
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let following = self.text.lines().skip(1).chain([""]);
        let own_tests =
            |(line, next): &(&str, &str)| line.trim() == "#[cfg(test)]" && next.starts_with("mod ");
        let lines = self.text.lines().zip(following).take_while(move |pair| !own_tests(pair));
        lines.zip(1..).map(|((line, _), n)| (n, line.split("//").next().unwrap_or_default()))
    }
}

/// Every text file of the project.
fn files() -> Vec<File> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, out) } else { out.push(path) }
        }
    }
    let root = root();
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    FOLDERS.iter().map(|f| root.join(f)).filter(|f| f.is_dir()).for_each(|f| walk(&f, &mut paths));
    paths.sort();
    let text = |path: &PathBuf| {
        let text = String::from_utf8(fs::read(path).unwrap()).ok()?;
        Some(File { path: path.strip_prefix(&root).unwrap().to_str()?.to_owned(), text })
    };
    let files: Vec<File> = paths.iter().filter_map(text).collect();
    assert!(files.iter().filter(|f| f.is_rust()).count() > 100, "the tree was not found");
    files
}

/// Rust that is the product: no tests, no benches.
fn product() -> Vec<File> {
    let is_product = |f: &File| f.is_rust() && !f.is_test() && !f.path.starts_with("benches/");
    files().into_iter().filter(is_product).collect()
}

#[track_caller]
fn none(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// Lines of code in which `wrong` finds something.
fn lines(files: &[File], wrong: impl Fn(&File, &str) -> bool) -> Vec<String> {
    files
        .iter()
        .flat_map(|f| f.code().map(move |(n, line)| (f, n, line)))
        .filter(|(f, _, line)| wrong(f, line))
        .map(|(f, n, line)| format!("{}:{n}: {}", f.path, line.trim()))
        .collect()
}

/// Whether `word` stands in `line` by itself.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|w| w == word)
}

/// `(section, line)` of a Cargo.toml, comments and empty lines left out.
fn manifest(path: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let mut section = String::new();
    let mut out = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            Some(name) => name.clone_into(&mut section),
            None => out.push((section.clone(), line.to_owned())),
        }
    }
    out
}

/// Names of the dependencies in sections that `of` picks.
fn dependencies(path: &str, of: impl Fn(&str) -> bool) -> Vec<String> {
    let name = |line: String| line.split(['.', ' ', '=']).next().unwrap().to_owned();
    manifest(path).into_iter().filter(|(s, _)| of(s)).map(|(_, line)| name(line)).collect()
}

#[test]
fn dependencies_run_one_way() {
    for (path, allowed) in
        [("components/Cargo.toml", &COMPONENTS_MAY_USE[..]), ("systems/Cargo.toml", &SYSTEMS_MAY_USE[..])]
    {
        let used = dependencies(path, |s| s == "dependencies");
        assert!(!used.is_empty(), "{path} was not understood");
        let strangers = used.into_iter().filter(|d| !allowed.contains(&d.as_str())).collect();
        none(&format!("{path} may use {allowed:?} only"), strangers);
        let all = dependencies(path, |s| s.ends_with("dependencies"));
        let upward = |d: &str| path.starts_with("components") && d == "lucida-systems";
        let outside = all.into_iter().filter(|d| OUTSIDE.contains(&d.as_str()) || upward(d)).collect();
        none(&format!("{path} may not use these, not even in tests"), outside);
    }
}

#[test]
fn versions_stand_in_one_table() {
    for path in ["Cargo.toml", "components/Cargo.toml", "systems/Cargo.toml"] {
        let is_used = |s: &str| s.ends_with("dependencies") && s != "workspace.dependencies";
        let own = manifest(path).into_iter().filter(|(s, _)| is_used(s)).map(|(_, line)| line);
        let versions = own.filter(|line| !line.contains("workspace = true")).collect();
        none(&format!("{path}: versions belong into [workspace.dependencies]"), versions);
    }
}

#[test]
fn unsafe_only_where_foreign_code_is_touched() {
    let may = |f: &File| {
        f.path == "src/gpu/interop.rs"
            || (f.path.ends_with("_sys.rs")
                && (f.path.starts_with("src/gpu/") || f.path.starts_with("src/encode/")))
    };
    let everywhere: Vec<File> = files().into_iter().filter(File::is_rust).collect();
    let broken =
        lines(&everywhere, |f, line| !may(f) && f.path != "tests/tidy.rs" && has_word(line, "unsafe"));
    none("unsafe belongs into src/gpu/interop.rs, src/gpu/*_sys.rs and src/encode/*_sys.rs", broken);
    for library in ["components/src/lib.rs", "systems/src/lib.rs"] {
        let text = fs::read_to_string(root().join(library)).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{library} forbids unsafe code");
    }
}

#[test]
fn every_file_says_what_it_is() {
    let silent = files().into_iter().filter(|f| f.is_rust() && !f.text.starts_with("//! "));
    none("a Rust file begins with `//! ` and what it is", silent.map(|f| f.path).collect());
}

#[test]
fn files_stay_readable() {
    let mut long = Vec::new();
    for file in files().into_iter().filter(File::is_rust) {
        let (code, all) = (file.code().count(), file.text.lines().count());
        let most = if file.is_test() { MOST_LINES_WITH_TESTS } else { MOST_LINES };
        if code > most || all > MOST_LINES_WITH_TESTS {
            long.push(format!("{}: {code} lines, {all} with tests", file.path));
        }
    }
    none(&format!("a file has at most {MOST_LINES} lines, {MOST_LINES_WITH_TESTS} with tests"), long);
}

#[test]
fn nothing_is_left_for_later() {
    // Put together, so that this file does not find itself.
    let marks = ["todo!", "unimplemented!", "#[ignore", "TODO", "FIXME", "XXX"];
    let own = |f: &File| f.path == "tests/tidy.rs" || f.path == "Cargo.lock";
    let mut found = Vec::new();
    for file in files().into_iter().filter(|f| !own(f)) {
        for (line, n) in file.text.lines().zip(1..) {
            if marks.iter().any(|m| line.contains(m)) {
                found.push(format!("{}:{n}: {}", file.path, line.trim()));
            }
        }
    }
    none("what is not finished is absent", found);
}

#[test]
fn every_channel_is_bounded() {
    let unbounded = |_: &File, line: &str| {
        let line = line.replace("LruCache::unbounded()", "");
        has_word(&line, "unbounded") || has_word(&line, "unbounded_channel") || line.contains("channel()")
    };
    none("a channel has a bound, and its drop policy beside it", lines(&product(), unbounded));
}

#[test]
fn every_thread_has_a_name() {
    let mut broken = lines(&product(), |_, line| line.contains("thread::spawn("));
    // `.name(…)` stands on the builder's line or on the next.
    for file in product() {
        let code: Vec<&str> = file.code().map(|(_, line)| line).collect();
        for (n, pair) in code.windows(2).enumerate() {
            let names = |line: &str| line.contains(".name(");
            if pair[0].contains("thread::Builder::new()") && !names(pair[0]) && !names(pair[1]) {
                broken.push(format!("{}:{}: {}", file.path, n + 1, pair[0].trim()));
            }
        }
    }
    none("threads are named", broken);
}

#[test]
fn json_is_known_to_the_wire_alone() {
    let may = |f: &File| {
        !f.path.starts_with("src/")
            || f.path.starts_with("src/wire/")
            || JSON_OUTSIDE_THE_WIRE.iter().any(|(place, _)| f.path.starts_with(place))
    };
    none(
        "serde_json belongs into src/wire (see JSON_OUTSIDE_THE_WIRE)",
        lines(&product(), |f, line| !may(f) && has_word(line, "serde_json")),
    );
    for (place, why) in JSON_OUTSIDE_THE_WIRE {
        let used = product().iter().any(|f| f.path.starts_with(place) && f.text.contains("serde_json"));
        assert!(used, "{place} ({why}) needs its exception no more");
    }
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    // Put together, so that this file does not find itself. Not a path: what follows `localhost` or a dot.
    let machine: Vec<String> =
        ["home", "root", "work", "Users", "mnt"].iter().map(|folder| format!("/{folder}/")).collect();
    let hosts: Vec<String> =
        [["index.", "crates.io"], ["static.", "crates.io"], ["pypi", ".org"], ["registry.", "npmjs"]]
            .iter()
            .map(|parts| parts.concat())
            .collect();
    let begins = |line: &str, at: usize| {
        !line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "._-})/".contains(c))
    };
    let mut found = Vec::new();
    for file in files() {
        for (line, n) in file.text.lines().zip(1..) {
            let path = machine.iter().any(|m| line.match_indices(m.as_str()).any(|(at, _)| begins(line, at)));
            if path || hosts.iter().any(|h| line.contains(h.as_str())) {
                found.push(format!("{}:{n}: {}", file.path, line.trim()));
            }
            let source = line.strip_prefix("source = ");
            if file.path == "Cargo.lock"
                && source.is_some_and(|s| s != "\"registry+https://github.com/rust-lang/crates.io-index\"")
            {
                found.push(format!("{}:{n}: {}", file.path, line.trim()));
            }
        }
    }
    none("no path of a machine, no host of a registry", found);
}

#[test]
fn every_option_has_an_environment_variable() {
    let mut broken = Vec::new();
    let mut command = lucida::cli::Cli::command();
    command.build();
    let all = std::iter::once(&command).chain(command.get_subcommands().filter(|c| c.get_name() != "help"));
    let mut options = 0;
    for command in all {
        let help = command.clone().render_long_help().to_string();
        for arg in command.get_arguments().filter(|a| !["help", "version"].contains(&a.get_id().as_str())) {
            options += 1;
            let named =
                arg.get_env().and_then(|e| e.to_str()).map(|e| (e, help.contains(&format!("[env: {e}"))));
            match named {
                Some((name, true)) if name.starts_with("LUCIDA_") => {}
                _ => broken.push(format!("{} {}: {named:?}", command.get_name(), arg.get_id())),
            }
        }
    }
    assert!(options > 20, "{options} options: the commands were not found");
    none("an option has an environment variable LUCIDA_…, named in --help", broken);
}

#[test]
fn the_licences_are_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("license = \"MIT OR Apache-2.0\""));
    for (file, words) in [("LICENSE-MIT", "MIT License"), ("LICENSE-APACHE", "Apache License")] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains(words), "{file}");
    }
}
