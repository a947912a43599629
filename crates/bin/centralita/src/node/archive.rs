//! The store behind the web shell's doors.

use arc_swap::ArcSwap;
use base::fact::{Kept, Logged};
use base::{AgentId, CallId, PartyId, Pii, QueueId, RecordingId, Tenant};
use shell_media::{Found, Shelf, SoundError};
use shell_store::{ERASING, Filter, Next, RecordingFilter, RecordingState, Store, TicketFilter};
use shell_web::{Archive, Audio, Configured, FactsAsk, Fault, Named, Party, RecordingRow, RecordingsAsk, TicketsAsk};
use site::{Known, Name, Site};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tickets::{Number, Ticket};
use tokio::sync::broadcast;

/// Batches of facts that a slow reader may be behind; then it reads the log instead.
const BEHIND: usize = 1_024;

pub struct StoreArchive {
    store: Arc<Store>,
    shelf: Shelf,
    followers: broadcast::Sender<Arc<[Logged]>>,
    names: ArcSwap<Names>,
}

/// What the site says of agents and queues that screens want to know.
pub struct Names {
    agents: BTreeMap<AgentId, Configured>,
    queues: Vec<QueueId>,
    known: Known,
}

impl Names {
    pub fn of(site: &Site) -> Names {
        let configured = |agent: &site::Agent| Configured {
            name: agent.display.reveal().as_str().into(),
            queues: agent.acd.queues.clone().into(),
        };
        let agents = site.agents.iter().map(|(id, agent)| (id.clone(), configured(agent))).collect();
        Names { agents, queues: site.queues.keys().cloned().collect(), known: Known::of(site) }
    }
}

impl StoreArchive {
    /// Begins to hand each committed batch to whoever follows.
    pub fn start(store: Arc<Store>, log: &shell_store::Handle, shelf: Shelf, names: Names) -> std::io::Result<Arc<Self>> {
        let (followers, _) = broadcast::channel(BEHIND);
        let mut feed = log.subscribe(store.clone(), log.health().newest);
        let sender = followers.clone();
        let forward = move || {
            loop {
                match feed.next(Duration::from_secs(1)) {
                    // Nobody follows: that is no error.
                    Ok(Next::Facts(facts)) => drop(sender.send(facts)),
                    Ok(Next::Nothing) => (),
                    Ok(Next::Closed) => return,
                    Err(error) => tracing::error!(%error, "cannot read the log for those who follow it"),
                }
            }
        };
        std::thread::Builder::new().name("follow".into()).spawn(forward)?;
        Ok(Arc::new(StoreArchive { store, shelf, followers, names: ArcSwap::from_pointee(names) }))
    }

    pub fn rename(&self, names: Names) {
        self.names.store(Arc::new(names));
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

impl Archive for StoreArchive {
    fn facts(&self, ask: &FactsAsk) -> Result<Vec<Logged>, String> {
        let filter = Filter { after: ask.after, limit: ask.limit, newest: ask.newest, kind: ask.kind.clone(), call: ask.call };
        self.store.read_facts(&filter).map_err(text)
    }

    fn newest(&self) -> Result<(u32, u64), String> {
        self.store.newest().map_err(text)
    }

    fn follow(&self) -> broadcast::Receiver<Arc<[Logged]>> {
        self.followers.subscribe()
    }

    fn tickets(&self, ask: &TicketsAsk) -> Result<Vec<Ticket>, String> {
        let filter = TicketFilter { tenant: ask.tenant.clone(), call: ask.call, limit: ask.limit, ..TicketFilter::default() };
        self.store.tickets(&filter).map_err(text)
    }

    fn ticket(&self, number: Number) -> Result<Vec<Ticket>, String> {
        let filter = TicketFilter { number: Some(number), limit: usize::MAX, ..TicketFilter::default() };
        self.store.tickets(&filter).map_err(text)
    }

    fn recordings(&self, ask: &RecordingsAsk) -> Result<Vec<RecordingRow>, String> {
        let rows = self.store.recordings(&filter(ask)).map_err(text)?;
        Ok(rows.into_iter().map(row).collect())
    }

    fn recording(&self, id: RecordingId) -> Result<Option<RecordingRow>, String> {
        Ok(self.store.recording(id).map_err(text)?.map(row))
    }

    fn strangers(&self, named: &Named) -> Result<Vec<String>, String> {
        strangers(&self.names.load().known, &self.store, named).map_err(text)
    }

    fn audio(&self, id: RecordingId) -> Result<Option<Box<dyn Audio>>, Fault> {
        let Some(row) = self.store.recording(id).map_err(text)? else { return Ok(None) };
        if row.kept.is_none() {
            return Err(Fault::Running(id));
        }
        let Some(file) = row.file else { return Ok(None) };
        if row.form.as_deref() == Some(ERASING) {
            return Err(Fault::Gone { error: format!("{id} is being erased") });
        }
        match self.shelf.sound(&file, id) {
            Ok(sound) => Ok(Some(Box::new(sound))),
            Err(SoundError::NoAudio) => match self.shelf.find(&file).map_err(text)? {
                Found::Erased { why } => Err(Fault::Gone { error: format!("{id} was erased: {why}") }),
                Found::Audio { .. } | Found::Missing => Ok(None),
            },
            Err(SoundError::NoKey) => Err(Fault::Gone { error: format!("{id}: its key was destroyed") }),
            Err(SoundError::Io(error)) => Err(Fault::Failed(format!("{id}: {error}"))),
            Err(error @ (SoundError::NoMaster | SoundError::Key(_))) => {
                let expected = "the master key that wraps its key, among [[vault.keys]]".into();
                Err(Fault::Unreadable { error: format!("{id}: {error}"), expected })
            }
            Err(error @ (SoundError::Seal(_) | SoundError::Wav | SoundError::Flac(_))) => {
                let expected = "a file as it was closed: `recording verify` says what is wrong with it".into();
                Err(Fault::Unreadable { error: format!("{id}: {error}"), expected })
            }
        }
    }

    fn party(&self, tenant: &Tenant, party: PartyId) -> Result<Option<Party>, String> {
        let party = self.store.party(tenant, party).map_err(text)?;
        Ok(party.map(|p| Party { number: p.number, name: p.name }))
    }

    fn user_to_user(&self, call: CallId) -> Result<Option<Pii<Arc<str>>>, String> {
        self.store.user_to_user(call).map_err(text)
    }

    fn agent(&self, agent: &AgentId) -> Option<Configured> {
        self.names.load().agents.get(agent).cloned()
    }

    fn queues(&self) -> Vec<QueueId> {
        self.names.load().queues.clone()
    }
}

/// Whoever left has recordings, and is no stranger.
fn strangers(known: &Known, store: &Store, named: &Named) -> shell_store::Result<Vec<String>> {
    let Named { tenant, queue, agent, lang } = named.clone();
    let names = [tenant.map(Name::Tenant), queue.map(Name::Queue), agent.map(Name::Agent)];
    let mut told = Vec::new();
    for stranger in names.into_iter().flatten().filter_map(|name| known.stranger(name)) {
        let mut of = RecordingFilter { limit: 1, ..RecordingFilter::default() };
        match stranger.name.clone() {
            Name::Tenant(tenant) => of.tenant = Some(tenant),
            Name::Queue(queue) => of.queue = Some(queue),
            Name::Agent(agent) => of.agent = Some(agent),
        }
        if store.recordings(&of)?.is_empty() {
            told.push(stranger.to_string());
        }
    }
    let spoken = |lang| store.recordings(&RecordingFilter { lang: Some(lang), limit: 1, ..RecordingFilter::default() });
    if let Some(lang) = lang
        && spoken(lang)?.is_empty()
    {
        told.push(format!("no recording at all is in the language {lang}"));
    }
    Ok(told)
}

fn filter(ask: &RecordingsAsk) -> RecordingFilter {
    let state = ask.state.map(|state| match state {
        shell_web::RecordingState::Running => RecordingState::Running,
        shell_web::RecordingState::Complete => RecordingState::Ended(Kept::Complete),
        shell_web::RecordingState::Partial => RecordingState::Ended(Kept::Partial),
        shell_web::RecordingState::Failed => RecordingState::Ended(Kept::Failed),
    });
    let RecordingsAsk { call, from, to, shortest_ms, longest_ms, after, limit, lang, .. } = *ask;
    let (caller, tenant) = (ask.caller.clone(), ask.tenant.clone());
    let (queue, agent) = (ask.queue.clone(), ask.agent.clone());
    RecordingFilter { call, caller, tenant, queue, agent, lang, state, from, to, shortest_ms, longest_ms, after, limit }
}

fn row(r: shell_store::Recording) -> RecordingRow {
    RecordingRow {
        recording: r.recording,
        message: recording::is_message(r.agent.as_ref()),
        call: r.call,
        tenant: r.tenant,
        queue: r.queue,
        agent: r.agent,
        lang: r.lang,
        started: r.started,
        duration_ms: r.duration_ms,
        kept: r.kept,
        sha256: r.sha256.map(Into::into),
        reason: r.reason.map(Into::into),
        form: r.form.map(Into::into),
        bytes: r.bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::shelf::tests::filled;
    use base::Lang;

    #[test]
    fn a_name_is_known_by_the_site_or_by_what_was_recorded_under_it() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = filled(folder.path(), "", &[1]);
        let known = Known::of(&shelf.setup.load().site);
        let told = |tenant: &str, queue: Option<&str>, lang: Option<Lang>| {
            let queue = queue.map(|queue| queue.parse().unwrap());
            let named = Named { tenant: Some(tenant.parse().unwrap()), queue, agent: None, lang };
            strangers(&known, &shelf.store, &named).unwrap()
        };
        assert_eq!(told("globex", None, None), [""; 0], "of the site, with nothing recorded yet");
        assert_eq!(told("acme", Some("acme/support"), None), [""; 0], "not of the site, and recorded");
        let both = ["no account is called acmee (did you mean acme?)", "no queue is called acme/suport"];
        assert_eq!(told("acmee", Some("acme/suport"), None), both);
        assert_eq!(told("globex", None, Some(Lang::ES)), [""; 0], "of another account");
        assert_eq!(told("globex", None, Some(Lang::FR)), ["no recording at all is in the language fr"]);
    }
}
