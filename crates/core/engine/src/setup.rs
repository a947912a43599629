//! A site and its flows as the Centre uses them: parsed and checked by the shell, immutable here.

use crate::party::Party;
use base::{AgentId, Pii, QueueId, Tenant};
use site::{Algorithm, Phone, Site};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One configuration. A reload makes a new one; calls in progress keep the flow they began with.
pub struct Setup {
    pub site: Site,
    pub flows: BTreeMap<String, Arc<ivr::Flow>>,
    /// Of the texts, so that a journal names the configuration without holding its secrets.
    pub sha256: [u8; 32],
}

/// What an agent's phone dialled.
pub(crate) enum Dialled {
    Ask(acd::Ask),
    /// Of the own conversation; or (false) go on with it.
    PauseRecording(bool),
    /// Listen to this agent's call.
    Monitor(AgentId),
    Colleague(AgentId),
    /// Whoever this queue finds.
    Queue(QueueId),
    Number(Pii<Arc<str>>),
}

impl Setup {
    pub fn sha256_text(&self) -> String {
        base::hex::encode(&self.sha256)
    }

    pub fn agent_of_user(&self, user: &str) -> Option<&AgentId> {
        self.site.agent_of_user(user).map(|(id, _)| id)
    }

    /// What an agent means by dialling `number`; `None` if that is nothing here.
    pub(crate) fn dialled(&self, agent: &AgentId, number: &str) -> Option<Dialled> {
        if let Some(ask) = self.feature(number) {
            return Some(Dialled::Ask(ask));
        }
        let codes = &self.site.feature_codes;
        if number == codes.pause_recording || number == codes.resume_recording {
            return Some(Dialled::PauseRecording(number == codes.pause_recording));
        }
        if let Some(extension) = number.strip_prefix(self.site.feature_codes.monitor.as_str()) {
            let may = self.site.agents.get(agent).is_some_and(|a| a.supervisor);
            return self.extension(agent, extension).filter(|_| may).map(Dialled::Monitor);
        }
        let queue = self.site.queue_dialled(&agent.tenant(), number).filter(|_| !self.is_emergency(number));
        if let Some(queue) = queue {
            return Some(Dialled::Queue(queue.clone()));
        }
        match self.party(agent, number)? {
            Party::Agent(colleague) if colleague == *agent => None,
            Party::Agent(colleague) => Some(Dialled::Colleague(colleague)),
            Party::Number(number) => Some(Dialled::Number(number)),
            Party::Queue(_) => None,
        }
    }

    /// A colleague's extension, or a number outside that calls of this tenant may go to.
    pub(crate) fn party(&self, agent: &AgentId, number: &str) -> Option<Party> {
        if let Some(colleague) = self.extension(agent, number) {
            return Some(Party::Agent(colleague));
        }
        let digits = number.strip_prefix('+').unwrap_or(number);
        let is_number = digits.len() >= 3 && digits.bytes().all(|b| b.is_ascii_digit());
        let goes_out = self.is_emergency(number) || (is_number && self.trunk_of(&agent.tenant()).is_some());
        goes_out.then(|| Party::Number(Pii::new(number.into())))
    }

    pub(crate) fn is_emergency(&self, number: &str) -> bool {
        self.site.emergency.as_ref().is_some_and(|e| e.numbers.iter().any(|n| n == number))
    }

    /// The trunk by which calls of this tenant leave.
    pub(crate) fn trunk_of(&self, tenant: &Tenant) -> Option<&str> {
        self.site.accounts.get(tenant)?.trunk.as_deref()
    }

    fn extension(&self, agent: &AgentId, extension: &str) -> Option<AgentId> {
        let mine = |(id, a): &(&AgentId, &site::Agent)| {
            id.tenant() == agent.tenant() && a.extension.as_deref().is_some_and(|e| e == extension)
        };
        self.site.agents.iter().find(mine).map(|(id, _)| id.clone())
    }

    /// What an agent asks for by dialling this, if it is a feature code; those of a pause and of a disposition go on
    /// with its reason or name.
    fn feature(&self, number: &str) -> Option<acd::Ask> {
        let codes = &self.site.feature_codes;
        let asks = [
            (&codes.log_in, acd::Ask::LogIn),
            (&codes.log_out, acd::Ask::LogOut),
            (&codes.ready, acd::Ask::Ready),
            (&codes.wrap_up, acd::Ask::WrapUp),
        ];
        if let Some((_, ask)) = asks.into_iter().find(|(code, _)| **code == number) {
            return Some(ask);
        }
        let code = number.strip_prefix(codes.code.as_str()).filter(|code| !code.is_empty());
        let pause = number.strip_prefix(codes.pause.as_str());
        let coded = code.map(|code| acd::Ask::Code { code: code.into() });
        coded.or(pause.map(|reason| acd::Ask::Pause { reason: reason.into() }))
    }

    pub fn sip_config(&self) -> sip::Config {
        let mut config = sip::Config { host: self.site.name.as_str().into(), ..sip::Config::default() };
        for agent in self.site.agents.values() {
            if let Phone::Registered(credential) = &agent.phone {
                config.users.insert(credential.user.as_str().into(), user_of(credential, sip::May::Phone));
            }
        }
        // A user name that is nobody's is asked for what most phones here are asked for (security row 31).
        let mut offered: BTreeMap<Vec<sip::digest::Algorithm>, usize> = BTreeMap::new();
        config.users.values().for_each(|user| *offered.entry(user.algorithms.clone()).or_default() += 1);
        if let Some((usual, _)) = offered.into_iter().max_by_key(|(_, phones)| *phones) {
            config.algorithms = usual;
        }
        for trunk in &self.site.trunks {
            let name: Arc<str> = trunk.name.as_str().into();
            if let Some(credential) = &trunk.credential {
                config.users.insert(credential.user.as_str().into(), user_of(credential, sip::May::Trunk(name.clone())));
            }
            if let Some(address) = trunk.advertise {
                config.advertised.push(sip::Advertised { towards: trunk.reached_at(), address });
            }
            let ports = trunk.port.map(|port| port..=port);
            config.trunks.push(sip::TrunkConfig { name, networks: trunk.networks.clone(), ports });
        }
        config
    }
}

fn user_of(credential: &site::Credential, may: sip::May) -> sip::UserCredential {
    let algorithm = |a: &Algorithm| match a {
        Algorithm::Md5 => sip::digest::Algorithm::Md5,
        Algorithm::Sha256 => sip::digest::Algorithm::Sha256,
    };
    sip::UserCredential {
        password: Pii::new(credential.password.reveal().as_str().into()),
        algorithms: credential.algorithms.iter().map(algorithm).collect(),
        may,
    }
}
