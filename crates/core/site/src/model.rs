//! The values of a site. Times are spans, names are ids, secrets do not print.

use crate::places::Places;
use base::{AgentId, Diagnostic, Lang, Pii, QueueId, Tenant};
use sip::sdp::AudioCodec;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// One node's whole configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// First part of every call id.
    pub node: u16,
    pub name: String,
    pub sip: Sip,
    pub media: Media,
    pub web: Web,
    /// Where the log and the ticket book live.
    pub data: PathBuf,
    pub recordings: PathBuf,
    pub vault: Vault,
    /// How long recordings are kept; without a word of it for good.
    pub retention: recording::retention::Policy,
    pub compression: Compression,
    /// The folder of flows, `<flow>.yaml` each.
    pub flows: PathBuf,
    /// In the order of the file.
    pub tenants: Vec<Tenant>,
    pub accounts: BTreeMap<Tenant, Account>,
    pub trunks: Vec<Trunk>,
    pub numbers: Vec<Number>,
    pub queues: BTreeMap<QueueId, acd::Queue>,
    /// What agents dial to ask a queue about a call.
    pub queue_extensions: BTreeMap<QueueId, String>,
    pub agents: BTreeMap<AgentId, Agent>,
    /// Which conversations are recorded.
    pub recording: recording::Policies,
    pub feature_codes: FeatureCodes,
    pub emergency: Option<Emergency>,
    /// What restarts the idle clock of agents, beside login and the end of wrap-up.
    pub idle_restarts: BTreeSet<acd::IdleEvent>,
    /// Parties behind which many people call (a switchboard): nobody's place or agent is remembered by these numbers.
    pub shared_numbers: BTreeSet<String>,
    pub tickets: Vec<tickets::Rule>,
    pub webhook: Option<tickets::Webhook>,
    /// How long calls may go on after SIGTERM.
    pub shutdown: Duration,
    pub(crate) places: Places,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sip {
    pub listen: SocketAddr,
    /// What Via, Contact and SDP show instead of the address listened on.
    pub advertise: Option<IpAddr>,
    pub tcp: bool,
}

/// The kernel's way to read and write packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketIo {
    Epoll,
    /// Where the kernel or the container refuses it: as above.
    IoUring,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// RTP on the even ports, RTCP above each.
    pub ports: RangeInclusive<u16>,
    /// One port for all legs of the trunks that share it.
    pub shared_port: Option<u16>,
    pub advertise: Option<IpAddr>,
    /// How packets are read and written.
    pub io: PacketIo,
    /// A leg that should speak and sends nothing for this long is dead.
    pub silent_after: Duration,
    /// Where a leg is mixed its packets are held back for no longer than this.
    pub jitter_buffer: Duration,
    /// What is used where trunk, agent or tenant don't say; what comes first is offered first.
    pub codecs: Vec<AudioCodec>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    pub listen: SocketAddr,
    /// Without one the API answers on loopback only.
    pub token: Option<Pii<String>>,
    /// An agent's desk that shows no sign of life for this long is gone (calls.md line 18).
    pub desk_gone: Duration,
}

/// What recordings are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vault {
    /// Master keys. With any, recordings are sealed, and the first one wraps the keys of new ones.
    pub keys: Vec<MasterKey>,
}

/// A master key's name, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKey {
    pub id: String,
    pub from: KeyFrom,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFrom {
    /// That nobody but its owner may read.
    File(PathBuf),
    /// Of the environment.
    Variable(String),
}

/// Which recordings are made smaller once they are closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compression {
    pub all: Compressing,
    /// Where a tenant says otherwise.
    pub tenants: BTreeMap<Tenant, Compressing>,
}

impl Compression {
    /// How long after their end; none: never.
    pub fn of(&self, tenant: &Tenant) -> Option<Duration> {
        let Compressing { form, after } = self.tenants.get(tenant).copied().unwrap_or(self.all);
        (form == Compressed::Flac).then_some(after)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compressing {
    pub form: Compressed,
    /// After a recording's end.
    pub after: Duration,
}

/// What closed recordings become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compressed {
    /// They stay as they were recorded.
    #[default]
    None,
    Flac,
}

/// Who may send calls to our numbers: known by source address, or by digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    pub name: String,
    /// Network and length of its prefix.
    pub networks: Vec<(IpAddr, u8)>,
    /// Only packets from this source port.
    pub port: Option<u16>,
    pub credential: Option<Credential>,
    /// Where calls that leave by it are sent; without it none do. `login` answers the peer's challenge.
    pub address: Option<SocketAddr>,
    pub login: Option<Login>,
    /// What Via, Contact and SDP show to it instead of `[sip] advertise`, `[media] advertise` and our own address: between
    /// us and this trunk is a NAT, and this is its outside.
    pub advertise: Option<IpAddr>,
    /// For E.164: how numbers without a country code are read (calls.md line 14).
    pub country: Option<Country>,
    /// Calls at once, both ways.
    pub channels: Option<u32>,
    /// Of those, kept for whoever has a caller on the line already: a consultation, a transfer, a call that leaves its
    /// queue for a number outside (calls.md line 17).
    pub escalation: u32,
    /// Which codecs its calls may use, in the order in which they are offered. None: the tenant's.
    pub codecs: Option<Vec<AudioCodec>>,
    /// Its calls' sound goes through the one shared port.
    pub shares_port: bool,
}

impl Trunk {
    /// Where the trunk sends from and is called at: address and prefix length.
    pub fn reached_at(&self) -> Vec<(IpAddr, u8)> {
        let whole = |address: &SocketAddr| (address.ip(), if address.is_ipv4() { 32 } else { 128 });
        self.networks.iter().copied().chain(self.address.iter().map(whole)).collect()
    }
}

/// Whose rules a national number follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Country {
    Mexico,
    Argentina,
    Brazil,
    NorthAmerica,
    Spain,
    Portugal,
    France,
}

/// What one tenant may and wants, beside its queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub pause_reasons: Option<acd::PauseReasons>,
    /// Calls at once: as many are always there for it, and no more than `burst` ever.
    pub guaranteed: u32,
    pub burst: Option<u32>,
    /// The trunk its calls leave by, and the number they show.
    pub trunk: Option<String>,
    pub caller_number: Option<Pii<String>>,
    /// Agent and caller hear a beep when a supervisor begins to take part.
    pub monitor_tone: bool,
    /// The prompt that says whose customer it is, whispered to agents (calls.md line 8).
    pub whisper: Option<String>,
    /// Which codecs its calls may use where trunk or agent don't say. None: those of the site.
    pub codecs: Option<Vec<AudioCodec>>,
}

/// Numbers that always go out (calls.md line 17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergency {
    pub numbers: Vec<String>,
    pub trunk: String,
    /// Channels of that trunk that nothing else takes.
    pub reserve: u32,
}

impl Trunk {
    /// True if a packet from here is this trunk's, by address alone.
    pub fn knows(&self, source: SocketAddr) -> bool {
        let inside = self.networks.iter().any(|(network, length)| crate::scalar::contains(*network, *length, source.ip()));
        inside && self.port.is_none_or(|port| port == source.port())
    }
}

/// What a peer must prove (RFC 8760): the algorithms are offered in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub user: String,
    pub password: Pii<String>,
    pub algorithms: Vec<Algorithm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Md5,
    Sha256,
}

/// What we prove to a peer that challenges us, in exactly this realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub realm: String,
    pub user: String,
    pub password: Pii<String>,
}

/// A number callers dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    pub number: String,
    pub tenant: Tenant,
    pub flow: String,
    /// The language the flow begins in, instead of its first one.
    pub lang: Option<Lang>,
    /// What the caller hears before an agent answers is early media: 183, and 200 only then (calls.md, Answering).
    pub unanswered: bool,
    /// Whispered instead of the account's.
    pub whisper: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    pub acd: acd::Agent,
    /// The name shown to colleagues.
    pub display: Pii<String>,
    /// The language in which the agent's own phone is spoken to.
    pub lang: Lang,
    pub phone: Phone,
    /// What colleagues dial.
    pub extension: Option<String>,
    /// May monitor, take over and act on others by feature code.
    pub supervisor: bool,
    /// The phone is asked to answer by itself; a zip tone says that somebody is there.
    pub auto_answer: bool,
    /// Before the bridge the agent hears account and language.
    pub whisper: bool,
    /// An outside phone's voicemail must not take calls: "press 1 to accept" (calls.md line 7).
    pub press_to_accept: bool,
    /// Which codecs its phone may use, in the order in which they are offered. None: the tenant's.
    pub codecs: Option<Vec<AudioCodec>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phone {
    /// It registers here with this credential.
    Registered(Credential),
    /// It is always at `addr`, perhaps behind another PBX.
    Address { uri: String, addr: SocketAddr, login: Option<Login> },
}

/// What agents dial from their phones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureCodes {
    pub log_in: String,
    pub log_out: String,
    /// Followed by nothing, or by a reason's code.
    pub pause: String,
    pub ready: String,
    pub wrap_up: String,
    /// Followed by a disposition.
    pub code: String,
    /// Followed by an extension: listen to that agent's call. During it 4 listens, 5 whispers, 6 barges in, 7 takes over.
    pub monitor: String,
    /// The conversation's recording: silence from here on, for two minutes at most; and on again.
    pub pause_recording: String,
    pub resume_recording: String,
}

impl Default for FeatureCodes {
    fn default() -> Self {
        FeatureCodes {
            log_in: "*11".into(),
            log_out: "*12".into(),
            pause: "*13".into(),
            ready: "*14".into(),
            wrap_up: "*15".into(),
            code: "*16".into(),
            monitor: "*17".into(),
            pause_recording: "*18".into(),
            resume_recording: "*19".into(),
        }
    }
}

/// The key of a whispered prompt: in `whisper/prompts/LANG` of the folder of flows.
pub(crate) fn whispered(prompt: &str, lang: Lang) -> String {
    format!("whisper/{lang}/{prompt}")
}

impl Site {
    /// A finding of whoever reads the master keys: at what says where this one is.
    pub fn at_master_key(&self, key: usize, message: impl Into<String>) -> Diagnostic {
        let from = match self.vault.keys.get(key).map(|key| &key.from) {
            Some(KeyFrom::Variable(_)) => "env",
            Some(KeyFrom::File(_)) | None => "file",
        };
        self.places.at(&format!("vault.keys.{key}.{from}"), message)
    }

    /// What the ACD needs of it.
    pub fn acd(&self) -> acd::Config {
        let agents = self.agents.iter().map(|(id, agent)| (id.clone(), agent.acd.clone())).collect();
        let reasons = |(tenant, account): (&Tenant, &Account)| Some((tenant.clone(), account.pause_reasons.clone()?));
        let pause_reasons = self.accounts.iter().filter_map(reasons).collect();
        acd::Config { queues: self.queues.clone(), agents, pause_reasons, idle_restarts: self.idle_restarts.clone() }
    }

    /// What an agent in this language is whispered about a caller of this number: a prompt's key.
    pub fn whisper(&self, tenant: &Tenant, number: &str, lang: Lang) -> Option<String> {
        let of_account = || self.accounts.get(tenant)?.whisper.as_ref();
        let prompt = self.number(number).and_then(|number| number.whisper.as_ref()).or_else(of_account)?;
        Some(whispered(prompt, lang))
    }

    /// The queue of this tenant that agents mean by dialling this: its extension, or its name.
    pub fn queue_dialled(&self, tenant: &Tenant, dialled: &str) -> Option<&QueueId> {
        let means = |queue: &&QueueId| {
            let extension = self.queue_extensions.get(queue).is_some_and(|extension| extension == dialled);
            queue.tenant() == *tenant && (extension || queue.name() == dialled)
        };
        self.queues.keys().find(means)
    }

    /// The number a caller dialled, if it is one of ours.
    pub fn number(&self, dialled: &str) -> Option<&Number> {
        self.numbers.iter().find(|n| n.number == dialled)
    }

    /// The trunk of this name.
    pub fn trunk(&self, name: &str) -> Option<&Trunk> {
        self.trunks.iter().find(|trunk| trunk.name == name)
    }

    /// The agent whose phone registers as this user.
    pub fn agent_of_user(&self, user: &str) -> Option<(&AgentId, &Agent)> {
        self.agents.iter().find(|(_, agent)| matches!(&agent.phone, Phone::Registered(c) if c.user == user))
    }

    /// What a call of this tenant by this trunk may use.
    pub fn codecs_of_trunk(&self, trunk: &str, tenant: Option<&Tenant>) -> &[AudioCodec] {
        let own = self.trunk(trunk).and_then(|t| t.codecs.as_deref());
        own.or_else(|| self.accounts.get(tenant?)?.codecs.as_deref()).unwrap_or(&self.media.codecs)
    }

    /// What this agent's phone may use.
    pub fn codecs_of_agent(&self, agent: &AgentId) -> &[AudioCodec] {
        let own = self.agents.get(agent).and_then(|a| a.codecs.as_deref());
        let accounts = || self.accounts.get(&agent.tenant())?.codecs.as_deref();
        own.or_else(accounts).unwrap_or(&self.media.codecs)
    }

    /// Every codec that somebody may use.
    pub fn codecs(&self) -> BTreeSet<AudioCodec> {
        let trunks = self.trunks.iter().filter_map(|trunk| trunk.codecs.as_ref());
        let agents = self.agents.values().filter_map(|agent| agent.codecs.as_ref());
        let accounts = self.accounts.values().filter_map(|account| account.codecs.as_ref());
        [&self.media.codecs].into_iter().chain(trunks).chain(agents).chain(accounts).flatten().copied().collect()
    }

    /// The trunk that a packet from here belongs to, by address alone.
    pub fn trunk_at(&self, source: SocketAddr) -> Option<&Trunk> {
        self.trunks.iter().find(|trunk| trunk.knows(source))
    }
}
