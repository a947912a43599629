//! What a phone needs to pass a call on (RFC 3515, RFC 5589), beside its endpoint, which does not ask for that:
//! the names of its dialogs, REFER out, NOTIFY in.
//!
//! ```text
//!  refer ─▶ REFER ─ 202 ─▶ NOTIFY 100 … NOTIFY 200 ─▶ told: 200        the endpoint's own requests in that dialog
//!              └─ 3xx to 6xx, or no answer ─────────▶ told: that       go on one number higher: a REFER took theirs
//! ```

use super::{News, Told};
use base::Random;
use bytes::{Bytes, BytesMut};
use sip::{Builder, HeaderId, Message, Method, response_to};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Between two of the same REFER, and how many there are at most (RFC 3261 17.1.2.2: T1 doubled up to T2).
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const TRIES: u8 = 11;

/// The dialogs of one line by their Call-ID, and the REFERs that are not answered yet.
#[derive(Default)]
pub(super) struct Transfers {
    dialogs: BTreeMap<String, Dialog>,
    asked: Vec<Asked>,
}

/// One dialog, as both sides' messages name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Dialog {
    /// From and To of our requests, tags included, and whom they are sent to.
    local: Vec<u8>,
    remote: Vec<u8>,
    target: String,
    local_tag: String,
    remote_tag: String,
    /// The highest number of a request of ours, and how many of them the endpoint knows nothing of.
    sequence: u32,
    shift: u32,
    /// A REFER whose last NOTIFY is still to come; it comes also when the call is over (RFC 5057 4.2).
    referred: bool,
    over: bool,
}

struct Asked {
    call_id: String,
    branch: String,
    bytes: Bytes,
    tries: u8,
    due: Instant,
}

impl Transfers {
    /// The REFER that asks for `call_id` to be passed to the user `to`, or to whoever is in the dialog `replaces`.
    pub fn refer(
        &mut self,
        to: &str,
        calls: (&str, Option<&str>),
        peers: (SocketAddr, SocketAddr),
        random: &mut Random,
    ) -> Option<Bytes> {
        let ((call_id, replaces), (local, server)) = (calls, peers);
        let replaced = match replaces {
            Some(other) => format!("?Replaces={}", self.dialogs.get(other)?.named(other)),
            None => String::new(),
        };
        let dialog = self.dialogs.get_mut(call_id)?;
        dialog.sequence += 1;
        dialog.shift += 1;
        dialog.referred = true;
        let branch = format!("z9hG4bK{}", random.token());
        let bytes = Builder::request(Method::Refer, &dialog.target)
            .write(HeaderId::Via, format_args!("SIP/2.0/UDP {local};branch={branch};rport"))
            .write(HeaderId::MaxForwards, 70)
            .header(HeaderId::From, &dialog.local)
            .header(HeaderId::To, &dialog.remote)
            .header(HeaderId::CallId, call_id)
            .write(HeaderId::CSeq, format_args!("{} REFER", dialog.sequence))
            .write(HeaderId::Contact, format_args!("<sip:traffic@{local}>"))
            .write(HeaderId::ReferTo, format_args!("<sip:{to}@{server}{replaced}>"))
            .header(HeaderId::UserAgent, "traffic")
            .finish();
        let due = Instant::now() + T1;
        self.asked.push(Asked { call_id: call_id.into(), branch, bytes: bytes.clone(), tries: 1, due });
        Some(bytes)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.asked.iter().map(|asked| asked.due).min()
    }

    /// The REFERs to send again; one that nobody answers has failed with 408.
    pub fn on_due(&mut self, now: Instant, news: &mut News) -> Vec<Bytes> {
        let (mut again, mut given_up) = (Vec::new(), Vec::new());
        self.asked.retain_mut(|asked| {
            if now < asked.due {
                return true;
            }
            asked.tries += 1;
            if asked.tries > TRIES {
                given_up.push(asked.call_id.clone());
                return false;
            }
            asked.due = now + (T1 * (1 << asked.tries.min(4))).min(T2);
            again.push(asked.bytes.clone());
            true
        });
        for call_id in given_up {
            self.settle(&call_id);
            news.told.push(Told { call_id, status: 408 });
        }
        again
    }

    /// Looks at what came in. `None`: it was meant for here; the answer to a NOTIFY goes out by `reply`.
    pub fn received(&mut self, bytes: Bytes, from: SocketAddr, news: &mut News, reply: &mut Option<Bytes>) -> Option<Bytes> {
        let Ok(message) = Message::parse(bytes.clone()) else { return Some(bytes) };
        let (Ok(call_id), Ok((sequence, method))) = (message.call_id().map(str::to_string), message.cseq()) else {
            return Some(bytes);
        };
        match (message.status(), &method) {
            (None, Method::Invite) => self.begins(&call_id, &message),
            (None, Method::Notify) if self.dialogs.contains_key(&call_id) => {
                *reply = Some(response_to(&message, 200, "OK", None, from).finish());
                if let Some(status) = final_status(&message.body()) {
                    self.settle(&call_id);
                    news.told.push(Told { call_id, status });
                }
                return None;
            }
            (Some(status), Method::Refer) => {
                self.answered(&message, status, news);
                return None;
            }
            (Some(200..300), Method::Invite) => self.confirms(&call_id, &message),
            _ => {}
        }
        let shift = self.dialogs.get(&call_id).filter(|_| message.status().is_some()).map_or(0, |dialog| dialog.shift);
        // Of an answer to what was asked before the REFER, the number is the endpoint's own.
        Some(if shift > 0 && sequence > shift { renumbered(&bytes, sequence - shift) } else { bytes })
    }

    /// Looks at what the endpoint sends, and gives its requests the numbers that come next.
    pub fn sent(&mut self, bytes: Bytes) -> Bytes {
        let Ok(message) = Message::parse(bytes.clone()) else { return bytes };
        let (Ok(call_id), Ok((sequence, method))) = (message.call_id(), message.cseq()) else { return bytes };
        let Some(dialog) = self.dialogs.get_mut(call_id) else { return bytes };
        match message.status() {
            Some(200..300) if method == Method::Invite => {
                dialog.local = message.header(HeaderId::To).unwrap_or_default().into_owned();
                dialog.local_tag = tag_of(message.to());
                bytes
            }
            Some(_) => bytes,
            None => {
                dialog.sequence = dialog.sequence.max(sequence + dialog.shift);
                if dialog.shift > 0 { renumbered(&bytes, sequence + dialog.shift) } else { bytes }
            }
        }
    }

    /// The call is over.
    pub fn forget(&mut self, call_id: &str) {
        match self.dialogs.get_mut(call_id) {
            Some(dialog) if dialog.referred => dialog.over = true,
            _ => drop(self.dialogs.remove(call_id)),
        }
    }

    /// Nothing more will be said about a transfer.
    fn settle(&mut self, call_id: &str) {
        match self.dialogs.get_mut(call_id) {
            Some(dialog) if dialog.over => drop(self.dialogs.remove(call_id)),
            Some(dialog) => dialog.referred = false,
            None => {}
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

    /// The 200 to our INVITE.
    fn confirms(&mut self, call_id: &str, answer: &Message) {
        let sequence = answer.cseq().map_or(0, |(sequence, _)| sequence);
        self.dialogs.entry(call_id.into()).or_insert_with(|| Dialog {
            local: answer.header(HeaderId::From).unwrap_or_default().into_owned(),
            remote: answer.header(HeaderId::To).unwrap_or_default().into_owned(),
            local_tag: tag_of(answer.from()),
            remote_tag: tag_of(answer.to()),
            target: target_of(answer),
            sequence,
            ..Dialog::default()
        });
    }

    fn answered(&mut self, response: &Message, status: u16, news: &mut News) {
        let branch = response.via().ok().and_then(|via| via.branch.clone()).unwrap_or_default();
        let Some(at) = self.asked.iter().position(|asked| *asked.branch == *branch).filter(|_| status >= 200) else { return };
        let asked = self.asked.remove(at);
        if status >= 300 {
            self.settle(&asked.call_id);
            news.told.push(Told { call_id: asked.call_id, status });
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

/// The message with another number in its CSeq.
fn renumbered(bytes: &Bytes, sequence: u32) -> Bytes {
    let name = b"\r\nCSeq:";
    let Some(at) = bytes.windows(name.len()).position(|window| window.eq_ignore_ascii_case(name)) else { return bytes.clone() };
    let (head, rest) = bytes.split_at(at + name.len());
    let digits = rest.iter().position(|byte| byte.is_ascii_alphabetic()).unwrap_or(0);
    let mut out = BytesMut::with_capacity(bytes.len() + 4);
    out.extend_from_slice(head);
    out.extend_from_slice(format!(" {sequence} ").as_bytes());
    out.extend_from_slice(rest.get(digits..).unwrap_or_default());
    out.freeze()
}

#[cfg(test)]
mod tests;
