//! What the recorder says about the recordings that conversations owe.

use crate::centre::Centre;
use base::RecordingId;
use base::fact::{Kept, What};

impl Centre {
    pub(crate) fn on_recording_started(&mut self, recording: RecordingId) {
        self.tell_ledger(recording::Input::Started { recording });
        self.recording_fact(recording, What::RecordingStarted { recording });
    }

    pub(crate) fn on_recording_closed(
        &mut self,
        id: RecordingId,
        file: &str,
        duration_ms: u64,
        sha256: &str,
        complete: bool,
        reason: &str,
    ) {
        let kept = if complete { Kept::Complete } else { Kept::Partial };
        self.tell_ledger(recording::Input::Closed { recording: id, kept });
        let what = What::RecordingStored {
            recording: id,
            file: file.into(),
            duration_ms,
            sha256: sha256.into(),
            kept,
            reason: (!complete).then(|| reason.to_string()),
        };
        self.recording_fact(id, what);
        self.owed.remove(&id);
        self.closed_by.remove(&id);
    }

    pub(crate) fn on_recording_failed(&mut self, id: RecordingId, reason: &str) {
        self.tell_ledger(recording::Input::Failed { recording: id });
        self.recording_fact(id, What::RecordingFailed { recording: id, reason: reason.into() });
        self.owed.remove(&id);
        self.closed_by.remove(&id);
    }

    /// The recorder was told to close a part and has not said that it did: an alarm, and the debt is settled as failed.
    pub(crate) fn give_up_on_recordings(&mut self) {
        let now = self.now.mono;
        let late: Vec<RecordingId> = self.closed_by.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        for recording in late {
            self.on_recording_failed(recording, "the recorder did not close it");
        }
        self.settle();
    }

    fn recording_fact(&mut self, id: RecordingId, what: What) {
        let Some(about) = self.owed.get_mut(&id) else { return };
        // While its call lives the call counts; later facts count on from its last one.
        about.rev = self.calls.get_mut(&id.call()).map_or(about.rev + 1, |c| c.about().rev);
        let about = about.clone();
        self.count_on(id.call(), about.rev);
        self.fact(about, what);
    }

    /// The recordings of a call whose facts count so far share its count.
    pub(crate) fn count_on(&mut self, call: base::CallId, rev: u32) {
        self.owed.iter_mut().filter(|(id, _)| id.call() == call).for_each(|(_, about)| about.rev = rev);
    }
}
