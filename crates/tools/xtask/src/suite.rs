//! The compiled tests: where each executable is, to which part it belongs, and what it counted.

use crate::part::{Part, Tally};
use crate::process::{self, End};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longer than any part may take: what hangs is stopped and named.
const LIMIT: Duration = Duration::from_secs(20 * 60);
const LONG_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);

/// A compiled set of tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executable {
    /// Package and target, such as `sip` or `centralita::peers`.
    pub name: String,
    /// The package's folder: its tests run there, as under `cargo test`.
    pub folder: PathBuf,
    pub path: PathBuf,
    pub part: Part,
    /// What of it is run: tests in a module `browser` wait for the browser's turn.
    pub words: &'static [&'static str],
}

const BROWSER: &str = "browser::";

/// Integration tests say by their name which part they belong to; everything else is `unit`.
fn part_of(target: &str) -> Part {
    match target {
        "peers" => Part::Interop,
        "torture" => Part::Corpus,
        _ => Part::Unit,
    }
}

/// Compiles all tests of the workspace and lists them.
pub fn build(root: &Path) -> Result<Vec<Executable>, String> {
    let mut cargo = Command::new(cargo());
    cargo.args(["test", "--workspace", "--release", "--no-run", "--message-format=json-render-diagnostics"]).current_dir(root);
    Ok(process::output(&mut cargo)?.lines().filter_map(executable).flat_map(split).collect())
}

/// One that drives a browser is run twice: without those tests, and with them alone.
fn split(whole: Executable) -> Vec<Executable> {
    let listed = process::output(Command::new(&whole.path).arg("--list").current_dir(&whole.folder));
    if !listed.is_ok_and(|tests| tests.lines().any(|test| test.starts_with(BROWSER))) {
        return vec![whole];
    }
    let alone = Executable { part: Part::Browser, words: &[BROWSER], ..whole.clone() };
    vec![Executable { words: &["--skip", BROWSER], ..whole }, alone]
}

/// Runs one; the tests that failed, by name, or one failure if it ended by itself.
pub fn run(executable: &Executable, environment: &[(&str, String)], long: bool) -> Tally {
    println!("-- {}", executable.name);
    let mut command = Command::new(&executable.path);
    command.args(executable.words).current_dir(&executable.folder).env("CARGO_MANIFEST_DIR", &executable.folder);
    command.envs(environment.iter().map(|(k, v)| (*k, v)));
    if matches!(executable.part, Part::Interop | Part::Browser) {
        // They mostly wait for audio in real time, so there may be more of them than cores.
        command.arg("--test-threads=4");
    }
    tally(&executable.name, process::watched(&mut command, if long { LONG_LIMIT } else { LIMIT }))
}

/// The examples in the documentation. They are few, and cargo alone knows how to run them.
pub fn documentation(root: &Path) -> Tally {
    let mut command = Command::new(cargo());
    command.args(["test", "--workspace", "--release", "--doc", "--quiet"]).current_dir(root);
    tally("documentation", process::watched(&mut command, LIMIT))
}

pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

fn tally(name: &str, ran: Result<(End, String), String>) -> Tally {
    let (end, text) = match ran {
        Ok(ran) => ran,
        Err(why) => return Tally::one(&format!("{name}: {why}"), false),
    };
    let mut tally = counted(name, &text);
    let unexplained = tally.failures.is_empty();
    match end {
        End::Exit(true) => {}
        End::Exit(false) if !unexplained => {}
        End::Exit(false) => tally.failures.push(format!("{name} failed before it could count")),
        End::Signal => tally.failures.push(format!("{name} was killed by a signal")),
        End::TimedOut => tally.failures.push(format!("{name} did not end in time")),
    }
    tally
}

/// Reads what the test harness printed: `test a::b ... FAILED` and `test result: ok. 5 passed; 1 failed; …`.
fn counted(name: &str, text: &str) -> Tally {
    let mut tally = Tally::default();
    let mut failed = 0;
    for line in text.lines() {
        if let Some(result) = line.strip_prefix("test result: ") {
            tally.passed += number_before(result, " passed");
            failed += number_before(result, " failed");
            if number_before(result, " ignored") > 0 {
                tally.failures.push(format!("{name} has ignored tests: run them or delete them"));
            }
        } else if let Some(test) = line.strip_prefix("test ").and_then(|l| l.strip_suffix(" ... FAILED")) {
            tally.failures.push(format!("{name}::{test}"));
        }
    }
    // Output of the test itself may stand between its name and its FAILED: the number is right, the name is lost.
    while (tally.failures.len() as u64) < failed {
        tally.failures.push(format!("{name}: a test whose name was not printed on its line"));
    }
    tally
}

fn number_before(text: &str, word: &str) -> u64 {
    let digits = text.split(word).next().and_then(|head| head.rsplit(' ').next());
    if text.contains(word) { digits.and_then(|d| d.parse().ok()).unwrap_or(0) } else { 0 }
}

fn executable(line: &str) -> Option<Executable> {
    let artifact: Artifact = serde_json::from_str(line).ok()?;
    let (path, true) = (artifact.executable?, artifact.profile.test) else { return None };
    let folder = artifact.manifest_path.parent()?.to_path_buf();
    let package = folder.file_name()?.to_string_lossy().into_owned();
    let target = artifact.target.name;
    let name = if target == package { package } else { format!("{package}::{target}") };
    Some(Executable { name, folder, path, part: part_of(&target), words: &[] })
}

#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    target: Target,
    profile: Profile,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_named_and_ignored_tests_are_failures() {
        let text = "running 3 tests\ntest a::b ... ok\ntest a::c ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out\n";
        let tally = counted("sip", text);
        assert_eq!(tally.passed, 1);
        assert_eq!(tally.failures, ["sip::a::c", "sip has ignored tests: run them or delete them"]);
    }

    #[test]
    fn a_run_that_ends_without_counting_is_a_failure() {
        let text = "running 1 test\n".to_string();
        assert_eq!(tally("sip", Ok((End::Signal, text.clone()))).failures, ["sip was killed by a signal"]);
        assert_eq!(tally("sip", Ok((End::Exit(false), text))).failures.len(), 1);
    }

    #[test]
    fn executables_are_read_from_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/r/crates/bin/centralita/Cargo.toml","target":{"name":"peers"},"profile":{"test":true},"executable":"/r/target/x"}"#;
        let found = executable(line).unwrap();
        assert_eq!((found.name.as_str(), found.part), ("centralita::peers", Part::Interop));
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
