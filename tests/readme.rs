//! What the documents name exists: commands and their options, variables, targets, links. (Metrics are
//! compared with a running server's in `cli`.)
#![expect(clippy::unwrap_used, reason = "tests")]

use clap::{CommandFactory, Parser};
use lucida::cli::Cli;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Variables that are the tests' own, and the file that reads them.
const OF_TESTS: [(&str, &str); 8] = [
    ("LUCIDA_BLESS", "tests/picture/golden.rs"),
    ("LUCIDA_CHROMIUM", "tests/browser/cdp.rs"),
    ("LUCIDA_FUZZ_RUNS", "tests/fuzz.rs"),
    ("LUCIDA_FUZZ_SEED", "tests/fuzz.rs"),
    ("LUCIDA_SCREENSHOTS", "tests/browser.rs"),
    ("LUCIDA_SHARED", "tests/common/mod.rs"),
    ("LUCIDA_SOAK_MINUTES", "benches/table/soak.rs"),
    ("LUCIDA_WSTEST", "tests/autobahn.rs"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Path from the root and text of every document.
fn documents() -> Vec<(String, String)> {
    let mut paths = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    paths.extend(fs::read_dir(root().join("docs")).unwrap().map(|e| e.unwrap().path()));
    paths.retain(|p| p.extension().is_some_and(|e| e == "md"));
    paths.sort();
    let name = |p: &Path| p.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|p| (name(p), fs::read_to_string(p).unwrap())).collect()
}

/// Lines of a document's `sh` blocks, without what follows ` #`.
fn shell_lines(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            lines.push(line.split(" #").next().unwrap().trim().to_owned());
        }
    }
    lines
}

/// Words of a line, as a shell would make them of plain words, `"…"` and `'…'`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, c) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The command of a line, without the variables set before it.
fn command(line: &str) -> Vec<String> {
    let is_variable =
        |w: &String| w.split('=').next().is_some_and(|n| n == n.to_uppercase() && w.contains('='));
    words(line).into_iter().skip_while(is_variable).collect()
}

/// Words of a text made of these characters that begin with `prefix`.
fn names<'t>(text: &'t str, prefix: &'t str, of: fn(char) -> bool) -> impl Iterator<Item = &'t str> {
    text.split(move |c| !of(c)).filter(move |w| w.len() > prefix.len() && w.starts_with(prefix))
}

#[test]
fn every_command_is_understood() {
    let mut seen = BTreeSet::new();
    for (document, text) in documents() {
        for line in shell_lines(&text) {
            let command = command(&line);
            if command.first().is_some_and(|c| c == "lucida") {
                seen.insert(command.get(1).cloned().unwrap_or_default());
                if let Err(error) = Cli::try_parse_from(&command) {
                    panic!("{document}: {line}\n{error}");
                }
            }
        }
    }
    let there: BTreeSet<String> = Cli::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    assert_eq!(seen, there, "the documents show every command once");
}

#[test]
fn every_make_target_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|l| !l.starts_with(['\t', '#', '.', ' ']) && !l.contains(":=") && !l.contains("?="))
        .filter_map(|l| l.split_once(':').map(|(target, _)| target))
        .collect();
    assert!(targets.contains("test"), "{targets:?}");
    let mut named = 0;
    for (document, text) in documents() {
        let inline = text.split('`').filter(|t| !t.contains('\n')).map(str::to_owned);
        for line in shell_lines(&text).into_iter().chain(inline) {
            if let Some(target) = line.strip_prefix("make ").and_then(|l| l.split_whitespace().next()) {
                named += 1;
                assert!(targets.contains(target), "{document}: make {target}");
            }
        }
    }
    assert!(named > 5, "{named} targets are named");
}

#[test]
fn every_variable_and_option_exists_and_those_of_serve_are_told() {
    let mut cli = Cli::command();
    cli.build();
    let arguments =
        || std::iter::once(&cli).chain(cli.get_subcommands()).flat_map(clap::Command::get_arguments);
    let variables: BTreeSet<&str> = arguments().filter_map(|a| a.get_env()?.to_str()).collect();
    let options: BTreeSet<String> =
        arguments().filter_map(|a| a.get_long()).map(|long| format!("--{long}")).collect();
    for (name, file) in OF_TESTS {
        assert!(fs::read_to_string(root().join(file)).unwrap().contains(name), "{file} reads {name}");
    }
    for (document, text) in documents() {
        for name in names(&text, "LUCIDA_", |c| c.is_ascii_uppercase() || c == '_') {
            let of_tests = OF_TESTS.iter().any(|(n, _)| *n == name);
            assert!(of_tests || variables.contains(name), "{document}: {name}");
        }
        let inline = text.split('`').filter(|t| !t.contains('\n'));
        for option in inline.filter(|t| t.starts_with("--")).filter_map(|t| t.split([' ', '=']).next()) {
            assert!(options.contains(option), "{document}: {option}");
        }
    }
    let told = fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let serve = cli.find_subcommand("serve").unwrap();
    for argument in serve.get_arguments().filter(|a| a.get_env().is_some()) {
        let variable = argument.get_env().unwrap().to_str().unwrap();
        assert!(told.contains(&format!("`{variable}`")), "docs/operating.md tells of {variable}");
        for default in argument.get_default_values().iter().filter_map(|d| d.to_str()) {
            let row = told.lines().find(|l| l.starts_with('|') && l.contains(variable)).unwrap();
            assert!(
                row.contains(&format!("`{default}`")),
                "docs/operating.md: {row} has the default {default}"
            );
        }
    }
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut followed = 0;
    for (document, text) in documents() {
        let folder = root().join(&document).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.starts_with('#') {
                continue;
            }
            followed += 1;
            let path = folder.join(target.split('#').next().unwrap());
            assert!(path.exists(), "{document}: {target}");
        }
    }
    assert!(followed > 8, "{followed} links");
}

#[test]
fn every_file_that_is_named_exists() {
    for (document, text) in documents() {
        let inline = text.split('`').filter(|t| !t.contains(['\n', ' ', '*', '…']));
        let is_file = |t: &&str| {
            ["src/", "tests/", "docs/", "assets/", "scripts/", "benches/"].iter().any(|f| t.starts_with(f))
        };
        for path in inline.filter(is_file) {
            assert!(root().join(path).exists(), "{document}: {path}");
        }
    }
}

#[test]
fn lines_become_words_as_in_a_shell() {
    assert_eq!(
        command("A=1 lucida  render x --layer \"0:a=b c\" 'd e'"),
        ["lucida", "render", "x", "--layer", "0:a=b c", "d e"]
    );
    assert_eq!(shell_lines("x\n```sh\nlucida a # b\n```\n```\nlucida c\n```"), ["lucida a"]);
}
