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
        match content {
            Content::Event => {
                let key = leg.digits.hear(now.mono, &header, payload);
                out.extend(key.map(|key| Output::Input(Input::Digit { leg: id, key })));
            }
            Content::Audio(law) if leg.takes_part() => {
                for recording in &leg.recordings {
                    if let Some(placement) = self.recordings.get_mut(recording) {
                        placement.place(now.mono, id, (header.ssrc, header.timestamp), payload, law.decoder());
                    }
                }
            }
            Content::Audio(_) | Content::Other => {}
        }
        match leg.heard_by[..] {
            [] => {}
            [listener] => out.extend(self.relay(now, listener, content, &header, packet)),
            _ => self.spread(now, id, content, &header, packet, out),
        }
    }

    /// Hands the packet to all who hear the leg; the last one gets the packet itself, the others a copy.
    fn spread(&mut self, now: Now, id: LegId, content: Content, header: &Header, packet: &mut [u8], out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let listeners = std::mem::take(&mut leg.heard_by);
        if let Some((last, others)) = listeners.split_last() {
            for listener in others {
                let mut copy: Box<[u8]> = (&*packet).into();
                if let Some(Output::Forward { leg, to }) = self.relay(now, *listener, content, header, &mut copy) {
                    out.push(Output::SendCopy { leg, to, packet: copy });
                }
            }
            out.extend(self.relay(now, *last, content, header, packet));
        }
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.heard_by = listeners;
        }
    }

    /// A packet on the leg's RTCP port (or on its RTP port, RFC 5761).
    pub fn on_rtcp(&mut self, now: Now, id: LegId, from: SocketAddr, packet: &[u8]) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.hear_rtcp(now.mono, from, packet);
        }
    }

    /// Makes the packet one of the other leg's stream.
    fn relay(&mut self, now: Now, to: LegId, content: Content, header: &Header, packet: &mut [u8]) -> Option<Output> {
        let leg = self.legs.get_mut(&to)?;
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
        Some(Output::Forward { leg: to, to: address })
    }
}
