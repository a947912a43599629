//! Peers that nobody here wrote: installed from the distribution when missing, and never skipped in silence.

use crate::part::Tally;
use crate::process;
use std::path::Path;
use std::process::Command;

/// A package of the distribution and the program by which it is known to be there.
const PEERS: [(&str, &str); 4] =
    [("sip-tester", "sipp"), ("baresip", "baresip"), ("chromium", "chromium"), ("chromium-driver", "chromedriver")];

/// One count per peer; one that can't be installed fails with its name.
pub fn install() -> Tally {
    let missing: Vec<&str> = PEERS.iter().filter(|(_, program)| !on_path(program)).map(|(package, _)| *package).collect();
    if !missing.is_empty() {
        // A list that is out of date may still hold what is needed, so this alone fails nothing.
        process::succeeds(&mut apt(&["update", "-qq"]));
        for package in missing {
            process::succeeds(&mut apt(&["install", "-y", "-qq", "--no-install-recommends", package]));
        }
    }
    let mut tally = Tally::default();
    for (package, program) in PEERS {
        tally.add(Tally::one(&format!("{package} could not be installed ({program} is not on the path)"), on_path(program)));
    }
    tally
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = if root() { Command::new("apt-get") } else { Command::new("sudo") };
    if !root() {
        command.args(["-n", "apt-get"]);
    }
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| is_file(&folder.join(program)))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_on_the_path() {
        assert!(on_path("sh"));
        assert!(!on_path("no-such-program-anywhere"));
    }
}
