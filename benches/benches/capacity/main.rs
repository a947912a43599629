//! How much this machine carries: 400 queued, recorded calls with their load on the same two cores, and how much more.
//!
//! `cargo bench -p benches --bench capacity` runs all parts; `-- calls storm` runs those. Server and load are processes
//! of their own, one core each; the clocks are the load's.
//!
//! ```text
//! packets    CPU for a relayed packet, without and with a recording (the bench `relay`)
//! calls      400 conversations at once, 13 new ones a second, and 40 calls that wait with music all the time, between two
//!            rounds of a bare relay of the same packets
//! memory     what 20,000 calls leave behind
//! storm      400 calls within a second, then 50 complete ones a second
//! setup      how many plain calls a second are set up before somebody has to say something twice
//! recording  streams that one writer keeps up with, beside the disk's own rate
//! up         as `calls`, with more each time, until something gives
//! ```
//! All of it takes about a quarter of an hour; `--whole` holds the calls for three minutes, lets the storm go on for ten
//! and goes up by smaller steps. `--calls N --hold SECONDS` is another size of `calls`. A part in which the load was late
//! by more than 2 ms in one packet of a hundred is void, and each of its rows says so. On a machine that does something else
//! as well, `chrt -r 1 cargo bench …` puts all of it before the rest.
//!
//! It ends with 0 when every target was reached, with 1 when one was missed, with 2 when a part is void.

mod bare;
mod calls;
mod desk;
mod memory;
mod packets;
mod recording;
mod recordings;
mod setup;
mod storm;
mod table;

use benches::{pin, server, words};
use std::process::ExitCode;
use table::Table;

/// What was asked for.
pub struct Asked {
    /// Without `--bench` (as in `cargo test --benches`) it only shows that it works.
    pub measured: bool,
    args: Vec<String>,
}

impl Asked {
    /// The number behind this word, or the usual one, or the little one that only shows that it works.
    pub fn number(&self, name: &str, usual: u32, little: u32) -> u32 {
        let at = self.args.iter().position(|arg| arg == name);
        let number = at.and_then(|at| self.args.get(at + 1)?.parse().ok());
        number.unwrap_or(if self.measured { usual } else { little })
    }

    /// As [`Asked::number`], with another usual one for a whole run.
    pub fn length(&self, name: &str, usual: u32, whole: u32, little: u32) -> u32 {
        self.number(name, if self.flag("--whole") { whole } else { usual }, little)
    }

    pub fn flag(&self, name: &str) -> bool {
        self.args.iter().any(|arg| arg == name)
    }

    fn parts(&self) -> Vec<Part> {
        let asked: Vec<Part> = PARTS.into_iter().filter(|(name, _)| self.flag(name)).map(|(_, part)| part).collect();
        if asked.is_empty() { PARTS.into_iter().map(|(_, part)| part).collect() } else { asked }
    }
}

type Part = fn(&Asked, &mut Table);

const PARTS: [(&str, Part); 7] = [
    ("packets", packets::run),
    ("calls", calls::run),
    ("memory", memory::run),
    ("storm", storm::run),
    ("setup", setup::run),
    ("recording", recording::run),
    ("up", calls::run_up),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if bare::is_child(&args) {
        return ExitCode::SUCCESS;
    }
    let known = PARTS.map(|(name, _)| name);
    if let Some(unknown) = words::unknown(args.get(1..).unwrap_or_default(), &known) {
        eprintln!("there is no part \"{unknown}\": expected {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    let asked = Asked { measured: args.iter().any(|arg| arg == "--bench"), args };
    server::build();
    let mut table = Table::default();
    pin::to(pin::cores().1);
    asked.parts().into_iter().for_each(|part| table.of(|table| part(&asked, table)));
    table.print();
    table.write();
    table.verdict()
}
