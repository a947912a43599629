//! What comes in from the network: accepted, counted, read for keys, recorded, relayed. Nothing is allocated here
//! for a packet that is relayed to one listener.

use super::{Output, Plane, Timer};
use crate::leg::Content;
use crate::rtp::{self, Header};
use crate::said::{Origin, Said};
use crate::voice::Voice;
use crate::{Input, dtmf, rtcp, transcode};
use base::{Instant, LegId, Now};
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
        let body = packet.get(header.body()).unwrap_or(&[]);
        let Some(content) = leg.hear(now.mono, from, &header, body) else { return };
        if std::mem::take(&mut leg.silent) {
            out.push(Output::Input(Input::Heard { leg: id }));
            if leg.receives() {
                self.timers.set(Timer::Silence(id), now.mono + self.config.silent_after);
            }
        }
        if !leg.receives() {
            return;
        }
        let came = Came { from: id, content, header: &header, on_hold: !leg.sends() };
        let settled = leg.settles(content);
        // Only looked at here: a packet that is passed on and no more costs no second look-up.
        let (alone, nobody) = (leg.heard_by.first().copied().filter(|_| leg.heard_by.len() == 1), leg.heard_by.is_empty());
        let listened_to = leg.is_listened_to();
        if !listened_to && leg.voice.is_some() {
            leg.voice = None;
        }
        // What has been heard is heard once.
        let listened_to = listened_to && !leg.reception.is_again();
        match content {
            Content::Event(clock) => {
                let key = leg.digits.hear(now.mono, &header, clock, body);
                out.extend(key.map(|key| Output::Input(Input::Digit { leg: id, key })));
                if listened_to {
                    self.decode(now, &came, None, out);
                }
            }
            Content::Audio(codec) if leg.speaks != codec && !leg.reception.is_again() => {
                self.on_other_codec(now, id, codec, out);
                self.decode(now, &came, Some(body), out);
            }
            Content::Audio(_) if listened_to => self.decode(now, &came, Some(body), out),
            Content::Other if listened_to => self.decode(now, &came, None, out),
            Content::Audio(_) | Content::Other => {}
        }
        if settled {
            self.retune(now.mono, id, out);
        }
        match alone {
            Some(listener) => out.extend(self.pass_on(now, listener, &came, packet)),
            None if nobody => {}
            None => self.spread(now, &came, packet, out),
        }
    }

    /// Says a packet's sound to those who do not only pass it on; a packet without sound takes a number, and may end a wait.
    fn decode(&mut self, now: Now, came: &Came, payload: Option<&[u8]>, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&came.from).filter(|leg| leg.is_listened_to()) else { return };
        let codec = leg.speaks;
        if let Some(law) = codec.law() {
            return self.listen(now.mono, came.from, &Said::by_law(came.header, payload.unwrap_or(&[]), law), out);
        }
        let mut voice = leg.voice.take().unwrap_or_else(|| Box::new(Voice::new(codec)));
        if voice.codec() != codec {
            voice.restart(codec);
        }
        voice.hear(now.mono, came.header, payload, |at, said| self.listen(at, came.from, &said, out));
        self.keep(came.from, voice);
    }

    /// What is held of this leg's voice waits no longer, up to the next gap.
    pub(super) fn give_up(&mut self, id: LegId, out: &mut Vec<Output>) {
        let Some(mut voice) = self.legs.get_mut(&id).and_then(|leg| leg.voice.take()) else { return };
        voice.give_up(|at, said| self.listen(at, id, &said, out));
        self.keep(id, voice);
    }

    /// Something has waited for long enough.
    pub(super) fn on_held(&mut self, now: Instant, id: LegId, out: &mut Vec<Output>) {
        self.timers.cancel(Timer::Held(id));
        let waits_until = |plane: &Plane| plane.legs.get(&id).and_then(|leg| leg.voice.as_ref()?.waits_until());
        while waits_until(self).is_some_and(|until| until <= now) {
            self.give_up(id, out);
        }
    }

    fn keep(&mut self, id: LegId, voice: Box<Voice>) {
        match voice.waits_until() {
            Some(until) => self.timers.set(Timer::Held(id), until),
            None => self.timers.cancel(Timer::Held(id)),
        }
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.voice = Some(voice);
        }
    }

    /// What is held of this leg's voice, because something before it is missing, is said now: something else begins.
    pub(super) fn flush(&mut self, id: LegId, out: &mut Vec<Output>) {
        let Some(mut voice) = self.legs.get_mut(&id).and_then(|leg| leg.voice.take()) else { return };
        voice.flush(|at, said| self.listen(at, id, &said, out));
        self.keep(id, voice);
    }

    /// What was said, for keys in it, for recordings, and for those who hear it mixed. Its packet came `at` this time.
    fn listen(&mut self, at: Instant, id: LegId, said: &Said<'_>, out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if let Some(ear) = &mut leg.ear {
            ear.hear(at, said, |key| out.push(Output::Input(Input::Digit { leg: id, key })));
        }
        if leg.takes_part() {
            for (recording, place) in &leg.recordings {
                if let Some(placement) = self.recordings.at(*place, recording) {
                    placement.place(at, id, said);
                }
            }
        }
        // A phone on hold may send its own music.
        if !leg.mixed || !leg.sends() {
            return;
        }
        let listeners = std::mem::take(&mut leg.heard_by);
        let mut in_time = true;
        for listener in &listeners {
            if let Some(mix) = self.legs.get_mut(listener).and_then(|leg| leg.mix.as_mut()) {
                in_time &= mix.hear(at, id, said);
            }
        }
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.heard_by = listeners;
            leg.discarded += u64::from(!in_time && said.origin != Origin::MadeUp);
        }
    }

    /// Hands the packet to all who hear the leg. The last one to whom it is relayed gets the packet itself, others a copy.
    fn spread(&mut self, now: Now, came: &Came, packet: &mut [u8], out: &mut Vec<Output>) {
        let Some(leg) = self.legs.get_mut(&came.from) else { return };
        let listeners = std::mem::take(&mut leg.heard_by);
        let mut relayed_to: Option<LegId> = None;
        for listener in &listeners {
            if self.legs.get(listener).is_some_and(|leg| leg.mix.is_some()) {
                out.extend(self.pass_on(now, *listener, came, packet));
            } else if let Some(before) = relayed_to.replace(*listener) {
                let mut copy: Box<[u8]> = (&*packet).into();
                if let Some(Output::Forward { leg, to }) = self.pass_on(now, before, came, &mut copy) {
                    out.push(Output::SendCopy { leg, to, packet: copy });
                }
            }
        }
        out.extend(relayed_to.and_then(|last| self.pass_on(now, last, came, packet)));
        if let Some(leg) = self.legs.get_mut(&came.from) {
            leg.heard_by = listeners;
        }
    }

    /// A packet on the leg's RTCP port (or on its RTP port, RFC 5761).
    pub fn on_rtcp(&mut self, now: Now, id: LegId, from: SocketAddr, packet: &[u8]) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.hear_rtcp(now.mono, from, packet);
        }
    }

    /// What one listener gets of a packet: itself, as one of the listener's own stream; to a mix only its keys are handed
    /// here.
    fn pass_on(&mut self, now: Now, id: LegId, came: &Came, packet: &mut [u8]) -> Option<Output> {
        let leg = self.legs.get_mut(&id)?;
        if leg.mix.is_some() {
            return self.key_beside(now, id, came, packet);
        }
        let &Came { content, header, .. } = came;
        if leg.player.is_some() {
            return None;
        }
        let session = leg.session.as_ref().filter(|s| s.send)?;
        let body = packet.get(header.body()).unwrap_or(&[]);
        let length = body.len();
        let (payload, samples) = match content {
            Content::Audio(codec) if codec.relays_to(session.codec) => (Some(session.payload), Some(codec.ticks(body))),
            Content::Event(_) => (session.dtmf, None),
            Content::Audio(_) | Content::Other => (None, None),
        };
        let (law, clock) = (session.codec.law(), session.dtmf_clock);
        let Some(payload) = payload else {
            leg.splice.skip(header);
            return None;
        };
        let line = leg.splice.relay(now.mono, header, samples)?;
        let address = leg.sending(now.mono, length)?;
        if let (Content::Audio(from), Some(to), Some(body)) = (content, law, packet.get_mut(header.body())) {
            from.law().into_iter().for_each(|from| transcode(from, to, body));
        }
        if let (Content::Event(theirs), Some(body)) = (content, packet.get_mut(header.body())) {
            dtmf::Event::change_clock(body, theirs, clock);
        }
        rtp::rewrite(packet, payload, line);
        Some(Output::Forward { leg: id, to: address })
    }

    /// Keys are not audio: they go out beside what is mixed (RFC 4733 section 2.3), to those whom the one who pressed hears;
    /// somebody who listens in gets none.
    fn key_beside(&mut self, now: Now, id: LegId, came: &Came, packet: &[u8]) -> Option<Output> {
        let together = self.legs.get(&came.from)?.hears.contains(&id);
        let Content::Event(clock) = came.content else { return None };
        if !together || came.on_hold {
            return None;
        }
        let leg = self.legs.get_mut(&id)?;
        let mut event = packet.get(came.header.body())?.first_chunk::<4>().copied()?;
        dtmf::Event::change_clock(&mut event, clock, leg.session.as_ref()?.dtmf_clock);
        let (to, packet) = leg.key(now.mono, came.header, &event)?;
        Some(Output::Send { leg: id, to, packet })
    }
}

/// An accepted packet.
struct Came<'a> {
    from: LegId,
    content: Content,
    header: &'a Header,
    /// Its leg is on hold.
    on_hold: bool,
}
