//! What the keeper tells: its alarms and gauges.

use super::super::shelf::Planned;
use shell_web::Gauge;
use std::time::Duration;

/// A disk that is full sooner is an alarm.
const SOON: Duration = Duration::from_secs(3 * 86_400);

/// What the keeper knows, for whoever looks at the node.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub planned: Planned,
    pub deleted: u64,
    pub deleted_bytes: u64,
    pub compressed: u64,
    pub saved_bytes: u64,
    /// Recordings that stay as they are.
    pub failed: u64,
    /// Recordings that should go, and are still recorded by what their sidecar says.
    pub open: u64,
    pub trouble: Option<String>,
}

impl Kept {
    /// What a person should look at now.
    pub fn alarms(&self) -> Vec<String> {
        let Planned { now, plan, disk_full, stopped, .. } = &self.planned;
        let mut alarms = Vec::new();
        for short in &plan.short {
            let whose = short.tenant.as_ref().map(|tenant| format!(" of {tenant}")).unwrap_or_default();
            let next = short.next.map_or_else(|| "all of them are held".into(), |next| format!("the next may go at {next}"));
            alarms.push(format!("recordings take {} bytes more than the budget{whose}: {next}", short.missing_bytes));
        }
        alarms.extend(stopped.as_ref().map(|why| format!("no recording is deleted: {why}")));
        alarms.extend(self.trouble.as_ref().map(|why| format!("recordings are not kept as they should be: {why}")));
        let soon = disk_full.filter(|at| *at <= now.plus(SOON));
        alarms.extend(soon.map(|at| format!("at the present rate recordings fill the disk by {at}")));
        if self.open > 0 {
            let why = "their sidecars say that they are still recorded, which the next start puts right";
            alarms.push(format!("recordings that should go, and may not: {}; {why}", self.open));
        }
        if self.failed > 0 {
            alarms.push(format!("recordings that can't be compressed: {}", self.failed));
        }
        alarms
    }

    pub fn gauges(&self) -> Vec<Gauge> {
        let gauge = |name, help, value| Gauge { name, help, value };
        let Planned { plan, .. } = &self.planned;
        let missing = plan.short.iter().map(|short| short.missing_bytes).max().unwrap_or(0);
        vec![
            gauge(
                "recording_bytes",
                "Bytes of audio of closed recordings on the disk, as of the last plan, made each 10 minutes.",
                plan.forecasts.first().map_or(0, |all| all.bytes) as f64,
            ),
            gauge(
                "recordings_held",
                "Closed recordings that a legal hold keeps, as of the last plan.",
                plan.held.recordings as f64,
            ),
            gauge(
                "recording_bytes_missing",
                "Bytes by which a budget of recordings is passed and minimum or holds keep them, the worst of all budgets: an alarm.",
                missing as f64,
            ),
            gauge("recordings_deleted", "Recordings that retention deleted since the start.", self.deleted as f64),
            gauge("recording_bytes_deleted", "Bytes of audio that retention deleted since the start.", self.deleted_bytes as f64),
            gauge("recordings_compressed", "Recordings that became FLAC since the start.", self.compressed as f64),
            gauge("recording_bytes_saved", "Bytes of audio that compression saved since the start.", self.saved_bytes as f64),
        ]
    }
}
