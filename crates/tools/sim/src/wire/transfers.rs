//! What a phone needs to pass a call on (RFC 3515, RFC 5589), beside its endpoint, which does not ask for that.
//!
//! ```text
//!  refer ─▶ REFER (again until it is answered) ─ 202 ─▶ NOTIFY 100 … NOTIFY 200 ─▶ done
//!                └─ 3xx to 6xx, or nobody answers ────────────────────────────────▶ not done
//! ```
//! A REFER takes a number of its dialog: what the endpoint asks there later goes out one higher, and is answered so.

use super::Said;
use super::rewrite::renumbered;
use base::Instant;
use bytes::Bytes;
use sip::{Builder, HeaderId, Message, Method, response_to};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

/// Between two of the same REFER, and how many there are at most.
const AGAIN: Duration = Duration::from_millis(700);
const TRIES: u8 = 10;

#[derive(Default)]
pub struct Transfers {
    /// By Call-ID.
    dialogs: BTreeMap<String, Dialog>,
    asked: Vec<Asked>,
}

/// One dialog, as both sides name it.
#[derive(Default)]
struct Dialog {
    /// From and To of our requests, whom they are sent to, and the tags.
    local: Vec<u8>,
    remote: Vec<u8>,
    target: String,
    local_tag: String,
    remote_tag: String,
    /// The endpoint's numbers, and those on the wire.
    numbers: BTreeMap<u32, u32>,
    last: u32,
    /// Requests of ours that the endpoint knows nothing of.
    shift: u32,
}

struct Asked {
    call_id: String,
    branch: String,
    bytes: Bytes,
    tries: u8,
    due: Instant,
}

impl Transfers {
    pub fn refer(
        &mut self,
        at: Instant,
        (to, local, branch): (&str, SocketAddr, &str),
        call_id: &str,
        replaces: Option<&str>,
    ) -> Option<Bytes> {
        let replaced = match replaces {
            Some(other) => format!("?Replaces={}", self.dialogs.get(other)?.named(other)),
            None => String::new(),
        };
        let dialog = self.dialogs.get_mut(call_id).filter(|d| !d.local_tag.is_empty() && !d.remote_tag.is_empty())?;
        dialog.last += 1;
        dialog.shift += 1;
        let branch = format!("z9hG4bK{branch}");
        let bytes = Builder::request(Method::Refer, &dialog.target)
            .write(HeaderId::Via, format_args!("SIP/2.0/UDP {local};branch={branch};rport"))
            .write(HeaderId::MaxForwards, 70)
            .header(HeaderId::From, &dialog.local)
            .header(HeaderId::To, &dialog.remote)
            .header(HeaderId::CallId, call_id)
            .write(HeaderId::CSeq, format_args!("{} REFER", dialog.last))
            .write(HeaderId::Contact, format_args!("<sip:phone@{local}>"))
            .write(HeaderId::ReferTo, format_args!("<sip:{to}@10.0.0.1{replaced}>"))
            .finish();
        self.asked.push(Asked { call_id: call_id.into(), branch, bytes: bytes.clone(), tries: 1, due: at + AGAIN });
        Some(bytes)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.asked.iter().map(|asked| asked.due).min()
    }

    /// Unanswered REFERs are sent again; one that nobody answers has failed with 408.
    pub fn on_due(&mut self, at: Instant, said: &mut Vec<Said>) {
        self.asked.retain_mut(|asked| {
            if at < asked.due {
                return true;
            }
            asked.tries += 1;
            asked.due = at + AGAIN;
            said.push(match asked.tries > TRIES {
                true => Said::Transferred { call_id: asked.call_id.clone(), done: false },
                false => Said::Send(asked.bytes.clone()),
            });
            asked.tries <= TRIES
        });
    }

    /// Looks at what came in. `None`: it was meant for here.
    pub fn received(&mut self, bytes: Bytes, from: SocketAddr, said: &mut Vec<Said>) -> Option<Bytes> {
        let Ok(message) = Message::parse(bytes.clone()) else { return Some(bytes) };
        let (Ok(call_id), Ok((sequence, method))) = (message.call_id().map(str::to_string), message.cseq()) else {
            return Some(bytes);
        };
        match (message.status(), &method) {
            (None, Method::Invite) => self.begins(&call_id, &message),
            (None, Method::Notify) if self.dialogs.contains_key(&call_id) => {
                said.push(Said::Send(response_to(&message, 200, "OK", None, from).finish()));
                let status = final_status(&message.body());
                said.extend(status.map(|status| Said::Transferred { call_id, done: status < 300 }));
                return None;
            }
            (Some(status), Method::Refer) => {
                self.answered(&message, status, said);
                return None;
            }
            (Some(101..300), Method::Invite) => self.confirms(&call_id, &message),
            _ => {}
        }
        let theirs = self.dialogs.get(&call_id).filter(|_| message.status().is_some());
        let ours = theirs.and_then(|d| d.numbers.iter().find(|(_, wire)| **wire == sequence)).map(|(number, _)| *number);
        Some(ours.filter(|number| *number != sequence).map_or(bytes.clone(), |number| renumbered(&bytes, number)))
    }

    /// Looks at what the endpoint sends, and gives its requests the numbers that come next.
    pub fn sent(&mut self, bytes: Bytes) -> Bytes {
        let Ok(message) = Message::parse(bytes.clone()) else { return bytes };
        let (Ok(call_id), Ok((sequence, method))) = (message.call_id(), message.cseq()) else { return bytes };
        let Some(dialog) = self.dialogs.get_mut(call_id) else { return bytes };
        match message.status() {
            Some(101..300) if method == Method::Invite => {
                dialog.local = message.header(HeaderId::To).unwrap_or_default().into_owned();
                dialog.local_tag = tag_of(message.to());
                bytes
            }
            Some(_) => bytes,
            None => {
                let number = *dialog.numbers.entry(sequence).or_insert(sequence + dialog.shift);
                dialog.last = dialog.last.max(number);
                if number == sequence { bytes } else { renumbered(&bytes, number) }
            }
        }
    }

    /// An INVITE that came in; one within the dialog changes nothing.
    fn begins(&mut self, call_id: &str, invite: &Message) {
        self.dialogs.entry(call_id.into()).or_insert_with(|| Dialog {
            remote: invite.header(HeaderId::From).unwrap_or_default().into_owned(),
            remote_tag: tag_of(invite.from()),
            target: target_of(invite),
            ..Dialog::default()
        });
    }

    /// An answer to our INVITE that made a dialog.
    fn confirms(&mut self, call_id: &str, answer: &Message) {
        let sequence = answer.cseq().map_or(0, |(sequence, _)| sequence);
        if tag_of(answer.to()).is_empty() {
            return;
        }
        self.dialogs.entry(call_id.into()).or_insert_with(|| Dialog {
            local: answer.header(HeaderId::From).unwrap_or_default().into_owned(),
            remote: answer.header(HeaderId::To).unwrap_or_default().into_owned(),
            local_tag: tag_of(answer.from()),
            remote_tag: tag_of(answer.to()),
            target: target_of(answer),
            numbers: [(sequence, sequence)].into(),
            last: sequence,
            shift: 0,
        });
    }

    fn answered(&mut self, response: &Message, status: u16, said: &mut Vec<Said>) {
        let branch = response.via().ok().and_then(|via| via.branch.clone()).unwrap_or_default();
        let Some(at) = self.asked.iter().position(|asked| *asked.branch == *branch).filter(|_| status >= 200) else { return };
        let asked = self.asked.remove(at);
        if status >= 300 {
            said.push(Said::Transferred { call_id: asked.call_id, done: false });
        }
    }
}

impl Dialog {
    /// As a Replaces names it to the other side (RFC 3891 3), escaped for a URI: the tag of theirs is `to-tag`.
    fn named(&self, call_id: &str) -> String {
        let plain = format!("{call_id};to-tag={};from-tag={}", self.remote_tag, self.local_tag);
        plain.bytes().fold(String::new(), |mut out, byte| {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
                // Writing to a String never fails.
                _ => drop(write!(out, "%{byte:02X}")),
            }
            out
        })
    }
}

fn tag_of(address: Result<sip::NameAddr, sip::BadHeader>) -> String {
    address.ok().and_then(|address| address.tag).unwrap_or_default()
}

fn target_of(message: &Message) -> String {
    message.contact().map(|contact| contact.uri.to_string()).unwrap_or_default()
}

/// The status line in the body of a NOTIFY, if it is the last word (RFC 3515 2.4.5).
fn final_status(body: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(body).ok()?;
    text.strip_prefix("SIP/2.0 ")?.split(' ').next()?.trim().parse().ok().filter(|status| *status >= 200)
}
