//! Who listened to what: a log of lines of JSON, each with the hash of the one before.
//!
//! ```text
//!   {"n":2,"at":"2026-11-22T12:00:00Z","who":"ana","act":"export","recording":"1-3-42.c1.p1","why":"audit","prev":"5f…","hash":"c0…"}
//!
//!   hash = SHA-256 of the line as it stands up to and without `,"hash":…`; prev = the hash of the line before, 64 zeros at the first
//! ```
//! A line that is changed, taken out, put in or moved breaks the chain there. Lines cut off at the end leave a whole
//! chain: whoever keeps the last hash elsewhere asks for it by [`Checked::heads`].
//!
//! What is asked of recordings that there are is one line. It is written before anything of it is done; what is refused
//! (held, too young, erased before, without sound, no key opens it, this log in doubt) says so in `refused`, after `why`,
//! and nothing of it was done. There is no line of a question that is malformed or about a recording or hold that nobody
//! knows, nor of one that is still recorded, nor of an erasure that finds nothing to erase any more. What the node itself
//! failed at is told in its own log.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was done with a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Its sound was given out, as a file.
    Export,
    /// Its sound was given out, to be heard.
    Play,
    /// Its content was read and compared.
    Verify,
    /// It was erased.
    Erase,
    /// Its key was wrapped by another master key.
    Rekey,
    /// It may not be erased from here on, or may again.
    Hold,
    Release,
    /// Whoever answers for it takes what is there as what counts: a new log after one in doubt, or the clock.
    Accept,
}

impl Act {
    pub const ALL: [Act; 8] = [Act::Export, Act::Play, Act::Verify, Act::Erase, Act::Rekey, Act::Hold, Act::Release, Act::Accept];

    pub fn name(self) -> &'static str {
        match self {
            Act::Export => "export",
            Act::Play => "play",
            Act::Verify => "verify",
            Act::Erase => "erase",
            Act::Rekey => "rekey",
            Act::Hold => "hold",
            Act::Release => "release",
            Act::Accept => "accept",
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// RFC 3339, UTC.
    pub at: String,
    /// Who asked, as the node knows them.
    pub who: String,
    pub act: Act,
    /// The recording's id, or `all`.
    pub recording: String,
    /// As whoever asked has put it.
    pub why: String,
    /// Why it was not done; none, and not in the line, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Counts from 1.
    pub n: u64,
    #[serde(flatten)]
    pub access: Access,
    pub prev: String,
    pub hash: String,
}

/// The end of a chain, to which the next line is tied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Of the last line; 0 of none.
    pub n: u64,
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Head { n: 0, hash: "0".repeat(64) }
    }
}

impl Head {
    /// The next line, with its line feed; `self` is its head then.
    pub fn append(&mut self, access: &Access) -> String {
        let n = self.n + 1;
        let body = body(n, access, &self.hash);
        *self = Head { n, hash: hash(&body) };
        format!("{body},\"hash\":\"{}\"}}\n", self.hash)
    }
}

/// The first line at which a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("line {line}: {what}")]
pub struct Break {
    /// Counts from 1.
    pub line: u64,
    pub what: &'static str,
}

/// A chain that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub lines: Vec<Line>,
    pub head: Head,
}

impl Checked {
    /// The hashes at which the log once ended: one noted elsewhere must be among them.
    pub fn heads(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.hash.as_str())
    }
}

/// Reads a whole log.
pub fn check(text: &str) -> Result<Checked, Break> {
    let mut checked = Checked::default();
    for (line, text) in (1..).zip(text.split_inclusive('\n')) {
        let broken = |what| Break { line, what };
        let text = text.strip_suffix('\n').ok_or_else(|| broken("it has no end: writing it was interrupted, or it was cut"))?;
        let read: Line = serde_json::from_str(text).map_err(|_| broken("it is not a line of this log"))?;
        if read.n != checked.head.n + 1 {
            return Err(broken("its number is not the next one: a line is missing, or was put in"));
        }
        if read.prev != checked.head.hash {
            return Err(broken("it does not follow the line before: one of both was changed"));
        }
        // Written again, so that nothing between the fields is left unhashed.
        let mut head = checked.head.clone();
        if head.append(&read.access).strip_suffix('\n') != Some(text) {
            return Err(broken("its hash is not that of its words: it was changed"));
        }
        checked.head = head;
        checked.lines.push(read);
    }
    Ok(checked)
}

/// The line up to its hash.
fn body(n: u64, access: &Access, prev: &str) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        n: u64,
        #[serde(flatten)]
        access: &'a Access,
        prev: &'a str,
    }
    let mut body = serde_json::to_string(&Body { n, access, prev }).expect("numbers and texts are JSON");
    body.pop();
    body
}

fn hash(body: &str) -> String {
    base::hex::encode(digest(&SHA256, body.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(n: u64) -> Access {
        let why = format!("reason {n}, \"quoted\"\nand more");
        let (at, who, recording) = ("2026-11-22T12:00:00Z".into(), "ana".into(), "1-3-42.c1.p1".into());
        Access { at, who, act: Act::Export, recording, why, refused: None }
    }

    fn log(lines: u64) -> String {
        let mut head = Head::default();
        (0..lines).map(|n| head.append(&access(n))).collect()
    }

    #[test]
    fn a_chain_that_was_only_appended_to_holds() {
        assert_eq!(check(""), Ok(Checked::default()));
        let text = log(5);
        let checked = check(&text).unwrap();
        assert_eq!((checked.lines.len(), checked.head.n, &checked.lines[3].access), (5, 5, &access(3)));
        let mut head = checked.head.clone();
        let text = text + &head.append(&access(5));
        assert_eq!(check(&text).map(|c| c.head), Ok(head));
        assert!(check(&text).unwrap().heads().any(|hash| hash == checked.head.hash), "the head of yesterday is in it");
        assert!(!check(&log(4)).unwrap().heads().any(|hash| hash == checked.head.hash), "lines were cut off");
    }

    #[test]
    fn whatever_is_changed_breaks_it_at_its_line() {
        let text = log(5);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let table: [(&str, String, u64); 7] = [
            ("a word", text.replace("reason 2", "reason 9"), 3),
            ("a line taken out", [lines[0], lines[1], lines[3], lines[4]].concat(), 3),
            ("two lines swapped", [lines[0], lines[2], lines[1], lines[3]].concat(), 2),
            ("one put in", [lines[0], lines[0], lines[1]].concat(), 2),
            ("a blank between the fields", text.replacen("\"n\":4,", "\"n\":4, ", 1), 4),
            ("half a line", text[..text.len() - 9].to_string(), 5),
            ("the beginning taken off", lines[1..].concat(), 1),
        ];
        for (what, text, line) in table {
            assert_eq!(check(&text).unwrap_err().line, line, "{what}");
        }
    }

    #[test]
    fn a_line_written_anew_with_its_hash_breaks_at_the_next_one() {
        let mut head = Head::default();
        let first = head.append(&Access { who: "somebody else".into(), ..access(0) });
        let text = log(3);
        let rest = &text[text.find('\n').unwrap() + 1..];
        assert_eq!(check(&format!("{first}{rest}")).unwrap_err().line, 2);
    }

    #[test]
    fn a_line_says_what_was_refused_and_those_from_before_that_was_written_still_hold() {
        let before = concat!(
            r#"{"n":1,"at":"2026-11-22T12:00:00Z","who":"ana","act":"erase","recording":"1-3-42.c1.p1","why":"asked for","#,
            r#""prev":"0000000000000000000000000000000000000000000000000000000000000000","#,
            r#""hash":"a23b8fe7cd4be847385b675e66f3f553a619c328523de7da80c2607254b89a81"}"#,
            "\n"
        );
        let mut head = check(before).unwrap().head;
        let refused = Some("hold 7 keeps it".to_string());
        let text = before.to_string() + &head.append(&Access { refused: refused.clone(), ..access(1) });
        assert!(text.contains(r#","refused":"hold 7 keeps it","prev":"#), "{text}");
        let lines = check(&text).unwrap().lines;
        assert_eq!((&lines[0].access.refused, &lines[1].access.refused), (&None, &refused));
        assert_eq!(check(&text.replace(",\"refused\":\"hold 7 keeps it\"", "")).unwrap_err().line, 2, "nobody takes it out");
    }
}
