//! `cargo xtask test`: the parts, in order. A part that fails does not stop those after it, except a build that fails.

use crate::part::{Part, Report, Tally};
use crate::suite::{self, Executable};
use crate::{peers, process};
use std::path::Path;
use std::process::Command;

/// True if everything passed. The last line printed is `N passed, N failed`.
pub fn run(long: bool, only: &[Part]) -> Result<bool, String> {
    let root = crate::root();
    let wanted = |part: Part| only.is_empty() || only.contains(&part);
    let mut report = Report::default();
    if wanted(Part::Install) {
        report.time(Part::Install, peers::install);
    }
    if wanted(Part::Format) {
        report.time(Part::Format, || cargo(&root, "formatting", &["fmt", "--all", "--check"]));
    }
    if wanted(Part::Clippy) {
        let words = ["clippy", "--workspace", "--all-targets", "--release", "--quiet", "--", "-D", "warnings"];
        report.time(Part::Clippy, || cargo(&root, "clippy", &words));
    }
    let running = [Part::Unit, Part::Interop, Part::Browser, Part::Corpus];
    if running.into_iter().any(wanted) {
        run_suite(&root, &mut report, long, wanted);
    }
    println!("{report}");
    Ok(report.all_passed())
}

fn run_suite(root: &Path, report: &mut Report, long: bool, wanted: impl Fn(Part) -> bool) {
    let mut built = Vec::new();
    report.time(Part::Build, || match suite::build(root) {
        Ok(executables) => {
            built = executables;
            Tally::default()
        }
        Err(why) => Tally::one(&why, false),
    });
    let corpus = root.join("../shared/corpus");
    let environment = environment(&corpus, long);
    for part in [Part::Unit, Part::Interop, Part::Browser, Part::Corpus] {
        let ours: Vec<&Executable> = built.iter().filter(|e| e.part == part).collect();
        if !wanted(part) || ours.is_empty() {
            continue;
        }
        if part == Part::Corpus && !corpus.is_dir() {
            println!("{} is not on this machine: only our own messages for the RFCs' points are run", corpus.display());
        }
        report.time(part, || {
            let mut tally = Tally::default();
            ours.iter().for_each(|e| tally.add(suite::run(e, &environment, long)));
            if part == Part::Unit {
                tally.add(suite::documentation(root));
            }
            tally
        });
    }
}

/// What tests read: `CENTRALITA_CORPUS` is the folder of the RFCs' messages, `CENTRALITA_LONG` asks for the long runs.
fn environment(corpus: &Path, long: bool) -> Vec<(&'static str, String)> {
    let mut environment = Vec::new();
    if let Ok(corpus) = corpus.canonicalize() {
        environment.push(("CENTRALITA_CORPUS", corpus.to_string_lossy().into_owned()));
    }
    if long {
        environment.push(("CENTRALITA_LONG", "1".to_string()));
    }
    environment
}

fn cargo(root: &Path, name: &str, arguments: &[&str]) -> Tally {
    Tally::one(name, process::succeeds(Command::new(suite::cargo()).args(arguments).current_dir(root)))
}
