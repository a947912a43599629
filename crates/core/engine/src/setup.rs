//! A site and its flows as the Centre uses them: parsed and checked by the shell, immutable here.

use base::{AgentId, Pii};
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

impl Setup {
    pub fn sha256_text(&self) -> String {
        self.sha256.iter().map(|b| format!("{b:02x}")).collect()
    }

    pub fn agent_of_user(&self, user: &str) -> Option<&AgentId> {
        self.site.agent_of_user(user).map(|(id, _)| id)
    }

    /// What an agent means by dialling `number`, if it is a feature code.
    pub fn feature(&self, number: &str) -> Option<acd::Ask> {
        let codes = &self.site.feature_codes;
        let asks = [
            (&codes.log_in, acd::Ask::LogIn),
            (&codes.log_out, acd::Ask::LogOut),
            (&codes.ready, acd::Ask::Ready),
            (&codes.pause, acd::Ask::Pause { reason: "phone".into() }),
        ];
        asks.into_iter().find(|(code, _)| **code == number).map(|(_, ask)| ask)
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
