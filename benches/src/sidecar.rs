//! What a recording of a bench says of itself.

use base::RecordingId;
use media::Sidecar;

pub fn sidecar(recording: RecordingId) -> Box<Sidecar> {
    Box::new(Sidecar {
        call: recording.call(),
        recording,
        tenant: "bench".into(),
        queue: None,
        agent: "bench/agent".into(),
        lang: None,
        start: "2026-11-01T00:00:00Z".into(),
        sip_call_id_caller: "".into(),
        sip_call_id_agent: "".into(),
    })
}
