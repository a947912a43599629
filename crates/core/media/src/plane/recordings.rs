//! What is recorded, and for how long.

use super::{Output, Plane, Tape, Timer};
use crate::placement::Placement;
use crate::{Input, Sidecar};
use base::{Instant, LegId, Now, RecordingId};
use std::sync::Arc;

impl Plane {
    /// `legs` are those of the left and of the right side.
    pub(super) fn on_record(
        &mut self,
        now: Now,
        id: RecordingId,
        legs: [&[LegId]; 2],
        (file, sidecar): (Arc<str>, Box<Sidecar>),
        out: &mut Vec<Output>,
    ) {
        if self.recordings.contains_key(&id) || !legs.concat().iter().any(|leg| self.legs.contains_key(leg)) {
            out.push(Output::Input(Input::RecordingFailed { recording: id, reason: "no_such_leg".into() }));
            return;
        }
        let placement = Placement::new(now.mono, legs[0], legs[1]);
        let channels = placement.channels();
        self.timers.set(Timer::Block(id), placement.due());
        self.recordings.insert(id, placement);
        self.note_recording(id, &[]);
        out.push(Output::Tape(Tape::Open { recording: id, file, sidecar, channels }));
    }

    pub(super) fn on_record_legs(&mut self, id: RecordingId, [left, right]: [&[LegId]; 2]) {
        if let Some(placement) = self.recordings.get_mut(&id) {
            let before: Vec<LegId> = placement.legs().collect();
            placement.set_legs(left, right);
            self.note_recording(id, &before);
        }
    }

    pub(super) fn on_record_waiting(&mut self, id: RecordingId) {
        if let Some(placement) = self.recordings.get_mut(&id) {
            placement.waiting = true;
            self.note_recording(id, &[]);
        }
    }

    pub(super) fn on_stop_recording(&mut self, now: Now, id: RecordingId, out: &mut Vec<Output>) {
        for leg in self.recordings.get(&id).map_or(vec![], |placement| placement.legs().collect()) {
            self.flush(leg, out);
        }
        let Some(mut placement) = self.recordings.remove(&id) else { return };
        self.timers.cancel(Timer::Block(id));
        self.note_recording(id, &placement.legs().collect::<Vec<_>>());
        while let Some(block) = placement.rest(now.mono) {
            out.push(Output::Tape(Tape::Block { recording: id, block }));
        }
        out.push(Output::Tape(Tape::Close { recording: id, frames: placement.committed(), proof: Some(placement.proof()) }));
    }

    pub(super) fn on_block(&mut self, now: Instant, id: RecordingId, out: &mut Vec<Output>) {
        let Some(placement) = self.recordings.get_mut(&id) else { return };
        while let Some(block) = placement.block(now) {
            out.push(Output::Tape(Tape::Block { recording: id, block }));
        }
        self.timers.set(Timer::Block(id), placement.due());
    }

    /// A leg has closed that was in these recordings. One of which nobody is left, or whose call has no leg any more,
    /// ends: the file must not stay open for ever.
    pub(super) fn end_recordings_of(&mut self, now: Now, closed: LegId, among: &[(RecordingId, usize)], out: &mut Vec<Output>) {
        let empty_call = self.legs.of_call(closed.call).next().is_none();
        let over = self.recordings.iter().filter(|(id, placement)| {
            let nobody = || !placement.legs().any(|leg| self.legs.contains_key(&leg));
            (among.iter().any(|(r, _)| r == *id) && nobody()) || (empty_call && id.call() == closed.call)
        });
        for id in over.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.on_stop_recording(now, id, out);
        }
    }

    /// Each leg knows the recordings that it is in, so that a packet need not look. `before`: who was in this one.
    fn note_recording(&mut self, id: RecordingId, before: &[LegId]) {
        for leg in before {
            if let Some(leg) = self.legs.get_mut(leg) {
                leg.recordings.retain(|(r, _)| *r != id);
            }
        }
        let (Some(placement), Some(place)) = (self.recordings.get(&id), self.recordings.place(&id)) else { return };
        for leg in placement.legs() {
            let Some(leg) = self.legs.get_mut(&leg) else { continue };
            if !leg.recordings.contains(&(id, place)) {
                leg.recordings.push((id, place));
            }
            leg.recorded_waiting = leg.recordings.iter().any(|(id, _)| self.recordings.get(id).is_some_and(|p| p.waiting));
        }
    }
}
