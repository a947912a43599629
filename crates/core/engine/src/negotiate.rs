//! Offers and answers of a leg: its port, our SDP, what both agreed on, and what changes later.

use crate::centre::Centre;
use crate::leg::{Leg, Media, Purpose};
use base::{Cause, LegId};
use bytes::Bytes;
use sip::Refusal;
use sip::sdp::AudioCodec;

const PORT_TRIES: u8 = 8;

/// A negotiated codec, as the media plane calls it.
fn codec(agreed: AudioCodec) -> media::Codec {
    match agreed {
        AudioCodec::Pcmu => media::Codec::Pcmu,
        AudioCodec::Pcma => media::Codec::Pcma,
        AudioCodec::G722 => media::Codec::G722,
        AudioCodec::Opus => media::Codec::Opus,
    }
}

/// The codecs in which calls of this site may have to be spoken to.
pub fn codecs(site: &site::Site) -> Vec<media::Codec> {
    site.codecs().into_iter().map(codec).collect()
}

impl Centre {
    /// What we say of ourselves in SDP.
    pub(crate) fn local(&self, flow: sip::Flow, codecs: &[AudioCodec], port: u16, session_id: u64) -> sip::sdp::Local {
        let advertised = self.sip.advertised_to(flow.remote.ip()).or(self.setup.site.media.advertise);
        let address = advertised.unwrap_or(flow.local.ip());
        sip::sdp::Local { codecs: codecs.to_vec(), ..sip::sdp::Local::new(address, port, session_id) }
    }

    /// The port that all calls of this trunk share, if they do.
    pub(crate) fn shared_port(&self, trunk: &str) -> Option<u16> {
        self.setup.site.trunk(trunk).filter(|trunk| trunk.shares_port).and_then(|_| self.ports.shared())
    }

    /// Asks the media plane for a port for this leg.
    pub(crate) fn open(&mut self, leg: LegId, flow: sip::Flow, port: u16) {
        if let Some(state) = self.leg_mut(leg) {
            state.media = Media::Opening(port);
        }
        // An address that is only advertised is the NAT's, and cannot be bound.
        let address = match self.setup.site.sip.advertise {
            Some(_) => self.boot.sip.ip(),
            None => flow.local.ip(),
        };
        self.tell_media(media::Command::Open { leg, address, port });
    }

    pub(crate) fn leg_mut(&mut self, leg: LegId) -> Option<&mut Leg> {
        self.calls.get_mut(&leg.call)?.legs.get_mut(&leg)
    }

    pub(crate) fn on_opened(&mut self, leg: LegId, port: u16) {
        let session_id = self.random.bits() >> 2;
        let Some((flow, codecs)) = self.leg_mut(leg).map(|l| (l.flow, l.codecs.clone())) else { return };
        let local = self.local(flow, &codecs, port, session_id);
        let Some(state) = self.leg_mut(leg) else { return };
        state.media = Media::Open(port);
        state.local = Some(local);
        if state.dial.is_some() {
            return self.invite(leg);
        }
        match state.purpose.clone() {
            Purpose::Agent => self.on_own_opened(leg.call),
            Purpose::Second => self.on_second_opened(leg),
            Purpose::Monitor(supervisor) => self.on_monitor_opened(leg, supervisor),
            Purpose::Replacing => self.on_replacing_opened(leg),
            _ => self.on_caller_opened(leg.call),
        }
    }

    pub(crate) fn on_open_failed(&mut self, leg: LegId, port: u16) {
        // It rests at the end of the line: whoever has it may give it back.
        self.ports.give(port);
        let Some(state) = self.leg_mut(leg) else {
            self.closing.remove(&leg);
            return;
        };
        state.media = Media::Closed;
        state.tries += 1;
        let (tries, flow, dialled) = (state.tries, state.flow, state.dial.is_some());
        let next = if tries > PORT_TRIES { None } else { self.ports.take() };
        match next {
            Some(port) => self.open(leg, flow, port),
            None if dialled => self.on_dialled_failed(leg, 480),
            None => self.refuse_leg(leg, 480, Cause::NoPorts),
        }
    }

    /// 200 to a leg that came to us. True if media can flow at once; else the peer's answer comes in its ACK.
    ///
    /// # Errors
    /// The status to refuse with, where the peer's offer has nothing for us.
    pub(crate) fn answer_leg(&mut self, leg: LegId) -> Result<bool, u16> {
        let Some(state) = self.leg_mut(leg) else { return Err(480) };
        let (Some(session), Some(local)) = (state.session, state.local.clone()) else { return Err(480) };
        let (sdp, audio) = match (state.said.take(), state.offer.take()) {
            (Some(said), _) => (said, None),
            (None, Some(offer)) => {
                let (sdp, audio) = sip::sdp::answer(&offer, &local).map_err(|refused| refused.status())?;
                (sdp, Some(audio))
            }
            // Without an offer, ours goes out in the 200 and the answer comes in the ACK (RFC 3261 13.3.1).
            (None, None) => (sip::sdp::offer(&local), None),
        };
        state.up = true;
        self.tell_sip(sip::Input::Answer { session, sdp });
        if let Some(audio) = audio {
            self.configure_leg(leg, audio);
        }
        Ok(self.leg_mut(leg).is_some_and(|l| l.audio.is_some()))
    }

    /// 180 or, with audio before the answer, 183 to a leg that came to us.
    pub(crate) fn ring_leg(&mut self, leg: LegId, with_audio: bool) {
        let Some(state) = self.leg_mut(leg) else { return };
        let (Some(session), Some(local), false) = (state.session, state.local.clone(), state.up) else { return };
        let answer = state.offer.as_ref().filter(|_| with_audio && state.said.is_none());
        match answer.and_then(|offer| sip::sdp::answer(offer, &local).ok()) {
            Some((sdp, audio)) => {
                state.said = Some(sdp.clone());
                state.offer = None;
                self.tell_sip(sip::Input::Ring { session, status: 183, sdp: Some(sdp) });
                self.configure_leg(leg, audio);
            }
            None => self.tell_sip(sip::Input::Ring { session, status: 180, sdp: None }),
        }
    }

    /// Tells the media plane what was negotiated.
    pub(crate) fn configure_leg(&mut self, leg: LegId, audio: sip::sdp::Audio) {
        let session = media::Session {
            remote: audio.remote,
            codec: codec(audio.codec),
            payload: audio.payload,
            offered: audio.offered,
            dtmf: audio.dtmf,
            dtmf_clock: audio.dtmf_clock,
            events: audio.events.clone(),
            limits: media::Limits::of(audio.asks.bitrate, audio.asks.rate),
            send: audio.send,
            receive: audio.receive,
        };
        self.tell_media(media::Command::Configure { leg, session });
        if let Some(leg) = self.leg_mut(leg) {
            if let Some(local) = leg.local.as_mut() {
                local.shape = audio.shape.clone();
            }
            leg.audio = Some(audio);
        }
    }

    /// The peer's answer to our offer in an INVITE. False if there is nothing in it for us.
    pub(crate) fn agreed(&mut self, leg: LegId, sdp: &[u8]) -> bool {
        let local = self.leg_mut(leg).and_then(|l| l.local.clone());
        let Some(Ok(audio)) = local.map(|local| sip::sdp::read_answer(sdp, &local)) else { return false };
        self.configure_leg(leg, audio);
        true
    }

    /// The peer's re-INVITE or its missing offer.
    pub(crate) fn on_reoffered(&mut self, leg: LegId, sdp: Option<&[u8]>) {
        let Some(state) = self.leg_mut(leg) else { return };
        let (Some(session), Some(local)) = (state.session, state.local.as_mut()) else { return };
        local.version += 1;
        // Asked for an offer in the middle of a call, we offer first what is spoken already.
        state.audio.iter().for_each(|audio| local.prefer(audio.codec));
        let local = local.clone();
        let Some(offer) = sdp else {
            return self.tell_sip(sip::Input::AnswerReoffer { session, sdp: sip::sdp::offer(&local) });
        };
        match sip::sdp::answer(offer, &local) {
            Ok((answer, audio)) => {
                self.tell_sip(sip::Input::AnswerReoffer { session, sdp: answer });
                self.configure_leg(leg, audio);
                self.relink(leg.call);
            }
            Err(refused) => {
                let refusal = Refusal { status: refused.status(), phrase: None, reason: None, retry_after: None };
                self.tell_sip(sip::Input::RefuseReoffer { session, refusal });
            }
        }
    }

    /// The ACK to our 200, perhaps with the answer to our offer.
    pub(crate) fn on_confirmed(&mut self, leg: LegId, sdp: Option<&Bytes>) {
        let Some(state) = self.leg_mut(leg) else { return };
        let (Some(local), first) = (state.local.clone(), state.audio.is_none()) else { return };
        let agreed = sdp.map(|sdp| sip::sdp::read_answer(sdp, &local));
        match agreed {
            // The 200 held our offer, and nothing answered it.
            None if first => self.leg_without_media(leg, Cause::ProtocolError),
            Some(Err(_)) if first => self.leg_without_media(leg, Cause::CodecMismatch),
            None | Some(Err(_)) => {}
            Some(Ok(audio)) => {
                self.configure_leg(leg, audio);
                if first { self.on_leg_up(leg) } else { self.relink(leg.call) }
            }
        }
    }

    /// A leg that came to us was answered, and media flows.
    pub(crate) fn on_leg_up(&mut self, leg: LegId) {
        match self.leg_mut(leg).map(|l| l.purpose.clone()) {
            Some(Purpose::Customer) => self.begin(leg.call),
            Some(_) => self.relink(leg.call),
            None => {}
        }
    }

    fn leg_without_media(&mut self, leg: LegId, cause: Cause) {
        match self.leg_mut(leg).map(|l| l.purpose.clone()) {
            Some(Purpose::Customer | Purpose::Agent) => self.end_call(leg.call, cause),
            Some(_) => {
                self.drop_leg(leg, None);
                self.on_leg_gone(leg, cause);
            }
            None => {}
        }
    }
}
