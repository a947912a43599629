//! What comes in from the network: accepted, counted, read for keys, recorded, relayed. Nothing is allocated here
//! for a packet that is relayed.

use super::{Output, Plane, Timer};
use crate::leg::Content;
use crate::rtp::{self, Header};
use crate::{Input, rtcp, transcode};
use base::{LegId, Now};
use std::net::SocketAddr;

impl Plane {
    /// A packet on the leg's RTP port. If [`Output::Forward`] follows, `packet` has been rewritten to be sent on.
    pub fn on_packet(&mut self, now: Now, id: LegId, from: SocketAddr, packet: &mut [u8], out: &mut Vec<Output>) {
        if rtcp::is_rtcp(packet) {
            return self.on_rtcp(now, id, from, packet);
        }
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(header) = Header::read(packet) else {
            leg.strangers += 1;
            return;
        };
        let Some(content) = leg.hear(now.mono, from, &header) else { return };
        if std::mem::take(&mut leg.silent) {
            out.push(Output::Input(Input::Heard { leg: id }));
            if leg.receives() {
                self.timers.set(Timer::Silence(id), now.mono + self.config.silent_after);
            }
        }
        if !leg.receives() {
            return;
        }
        let payload = packet.get(header.body()).unwrap_or(&[]);
        if let (Content::Audio(law), Some(ear)) = (content, &mut leg.ear) {
            let report = |key| out.push(Output::Input(Input::Digit { leg: id, key }));
            ear.hear(now.mono, &header, payload, law.decoder(), report);
        }
        match content {
            Content::Event => {
                let key = leg.digits.hear(now.mono, &header, payload);
                out.extend(key.map(|key| Output::Input(Input::Digit { leg: id, key })));
            }
            Content::Audio(law) if !leg.recordings.is_empty() && leg.takes_part() => {
                for recording in &leg.recordings {
                    if let Some(placement) = self.recordings.get_mut(recording) {
                        placement.place(now.mono, id, (header.ssrc, header.timestamp), payload, law.decoder());
                    }
                }
            }
            Content::Audio(_) | Content::Other => {}
        }
        let said = Said { from: id, content, header: &header, on_hold: !leg.sends() };
        match leg.heard_by[..] {
            [] => {}
            [listener] => out.extend(self.pass_on(now, listener, &said, packet)),
            _ => self.spread(now, &said, packet, out),
        }
    }

    /// Hands the packet to all who hear the leg. The last one to whom it is relayed gets the packet itself, others a copy.
    fn spread(&mut self, now: Now, said: &Said, packet: &mut [u8], out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&said.from) else { return };
        let listeners = std::mem::take(&mut leg.heard_by);
        let mut relayed_to: Option<LegId> = None;
        for listener in &listeners {
            if self.legs.get(listener).is_some_and(|leg| leg.mix.is_some()) {
                out.extend(self.pass_on(now, *listener, said, packet));
            } else if let Some(before) = relayed_to.replace(*listener) {
                let mut copy: Box<[u8]> = (&*packet).into();
                if let Some(Output::Forward { leg, to }) = self.pass_on(now, before, said, &mut copy) {
                    out.push(Output::SendCopy { leg, to, packet: copy });
                }
            }
        }
        out.extend(relayed_to.and_then(|last| self.pass_on(now, last, said, packet)));
        if let Some(leg) = self.legs.get_mut(&said.from) {
            leg.heard_by = listeners;
        }
    }

    /// A packet on the leg's RTCP port (or on its RTP port, RFC 5761).
    pub fn on_rtcp(&mut self, now: Now, id: LegId, from: SocketAddr, packet: &[u8]) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.hear_rtcp(now.mono, from, packet);
        }
    }

    /// What one listener gets of a packet: its part in a mix, or the packet as one of the listener's own stream.
    fn pass_on(&mut self, now: Now, id: LegId, said: &Said, packet: &mut [u8]) -> Option<Output> {
        if self.legs.get(&id)?.mix.is_some() {
            return self.mix_in(now, id, said, packet);
        }
        let leg = self.legs.get_mut(&id)?;
        let &Said { content, header, .. } = said;
        if leg.player.is_some() {
            return None;
        }
        let session = leg.session.as_ref().filter(|s| s.send)?;
        let length = header.body().len();
        let (payload, samples) = match content {
            Content::Audio(_) => (Some(session.payload), u32::try_from(length).ok()),
            Content::Event => (session.dtmf, None),
            Content::Other => (None, None),
        };
        let law = session.codec;
        let Some(payload) = payload else {
            leg.splice.skip(header);
            return None;
        };
        let line = leg.splice.relay(now.mono, header, samples)?;
        let address = leg.sending(now.mono, length)?;
        if let (Content::Audio(from), Some(body)) = (content, packet.get_mut(header.body())) {
            transcode(from, law, body);
        }
        rtp::rewrite(packet, payload, line);
        Some(Output::Forward { leg: id, to: address })
    }

    /// A part of what a listener hears of several. Keys are not audio: they go out beside it (RFC 4733 section 2.3), to
    /// those whom the one who pressed hears; somebody who listens in gets none.
    fn mix_in(&mut self, now: Now, id: LegId, said: &Said, packet: &[u8]) -> Option<Output> {
        let &Said { from, content, header, on_hold } = said;
        let payload = packet.get(header.body()).unwrap_or(&[]);
        let together = self.legs.get(&from)?.hears.contains(&id);
        let leg = self.legs.get_mut(&id)?;
        match content {
            // A phone on hold may send its own music.
            _ if on_hold => None,
            Content::Audio(law) => {
                leg.mix.as_mut()?.hear(now.mono, from, (header.ssrc, header.timestamp), payload, law.decoder());
                None
            }
            Content::Event if together => {
                let (to, packet) = leg.key(now.mono, header, payload)?;
                Some(Output::Send { leg: id, to, packet })
            }
            Content::Event | Content::Other => None,
        }
    }
}

/// An accepted packet.
struct Said<'a> {
    from: LegId,
    content: Content,
    header: &'a Header,
    /// Its leg is on hold.
    on_hold: bool,
}
