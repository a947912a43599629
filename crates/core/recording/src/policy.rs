//! Which conversations are recorded, and whose word that is.
//!
//! | first that applies                                                      | recorded                          |
//! |-------------------------------------------------------------------------|-----------------------------------|
//! | the caller refused, or had to agree and did not                         | no: `consent_refused`, `no_consent` |
//! | the agent says "none", or a queue that answered this call, now or before | no: `policy`                      |
//! | who speaks with the agent is an agent too, and says "none"              | no: `policy`                      |
//! | the agent says something else                                           | all, or that share of calls       |
//! | a queue answered this call: the smallest share of them all              | all, or that share of calls       |
//! | the account                                                             | all, none, or that share of calls |
//!
//! So the stricter queue holds for a call that is passed on. A queue without a word of its own has its account's. An
//! agent's own calls know no queue: they follow the agent, or what the account says of such calls.
//!
//! Who comes to a recorded conversation later:
//!
//! | the agent, or the queue that found them, says | consulted                                 | joined by conference       |
//! |-----------------------------------------------|-------------------------------------------|----------------------------|
//! | "none"                                        | nothing of it                             | the others, not this voice |
//! | anything else, or it is a number outside      | a part of its own, if `consults` takes it | all of them                |
//!
//! A share is drawn by the call, not by the conversation: all of a call's conversations draw the same number, each time
//! anew, and a call that 10 % would record is recorded by 25 % as well.

use base::fact::{Consent, ConsentBy, Excluded};
use base::{AgentId, CallId, QueueId, Tenant};
use ring::hmac;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Ten-thousandths: what a draw is out of.
const WHOLE: u16 = 10_000;

/// How many of such calls are recorded, in ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule(u16);

impl Rule {
    pub const ALL: Rule = Rule(WHOLE);
    pub const NONE: Rule = Rule(0);

    /// A share from 0 to 1, to a hundredth of a percent; `None` if it is none.
    pub fn share(share: f64) -> Option<Rule> {
        // In range, and so a number that a u16 holds.
        (0.0..=1.0).contains(&share).then(|| Rule((share * f64::from(WHOLE)).round() as u16))
    }

    fn takes(self, draw: u16) -> bool {
        draw < self.0
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Rule::ALL => f.write_str("all"),
            Rule::NONE => f.write_str("none"),
            Rule(share) => write!(f, "{} %", f64::from(share) / 100.0),
        }
    }
}

/// What is recorded of the side that waits while the other one holds, or speaks with somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    #[default]
    Silence,
    /// What they say; never the music.
    Audio,
}

/// What an account says of its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub callers: Rule,
    /// Agents' calls to numbers outside, and to each other.
    pub outbound: Rule,
    pub internal: Rule,
    /// Consultations of conversations that are recorded, as parts of their own.
    pub consults: Rule,
    pub hold: Hold,
}

impl Default for Account {
    fn default() -> Self {
        Account { callers: Rule::ALL, outbound: Rule::NONE, internal: Rule::NONE, consults: Rule::NONE, hold: Hold::Silence }
    }
}

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Caller,
    Outbound,
    Internal,
}

/// A site's policies. Queues and agents that say nothing are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    pub accounts: BTreeMap<Tenant, Account>,
    pub queues: BTreeMap<QueueId, Rule>,
    pub agents: BTreeMap<AgentId, Rule>,
}

/// A conversation that begins.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub kind: Kind,
    pub tenant: &'a Tenant,
    pub agent: &'a AgentId,
    /// Who is on the customer's side, if that is an agent as well.
    pub with: Option<&'a AgentId>,
    /// Whose agent answered, and the queues that answered the call before.
    pub queue: Option<&'a QueueId>,
    pub before: &'a BTreeSet<QueueId>,
    pub consent: Option<Consent>,
    /// The call's number, as [`draw`] gives it.
    pub draw: u16,
}

/// Whether it is recorded, and whose word decided, such as `queue acme/soporte: 25 %`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub excluded: Option<Excluded>,
    pub policy: String,
}

impl Policies {
    pub fn account(&self, tenant: &Tenant) -> Account {
        self.accounts.get(tenant).copied().unwrap_or_default()
    }

    /// Whether a conversation is recorded.
    pub fn decide(&self, asked: &Asked<'_>) -> Decision {
        let (rule, policy) = self.rule(asked);
        let excluded = match asked.consent {
            Some(Consent { given: false, by: ConsentBy::Key }) => Some(Excluded::ConsentRefused),
            Some(Consent { given: false, by: ConsentBy::Silence }) => Some(Excluded::NoConsent),
            _ if rule == Rule::NONE => Some(Excluded::Policy),
            _ => (!rule.takes(asked.draw)).then_some(Excluded::Share),
        };
        Decision { excluded, policy }
    }

    /// Whether the account wants a consultation in a recorded conversation as a part of its recording.
    pub fn records_consult(&self, asked: &Asked<'_>) -> bool {
        self.account(asked.tenant).consults.takes(asked.draw)
    }

    /// Whether somebody who is consulted or joins must not be heard in a recording. `agent`: who it is, if it is one;
    /// `queue`: which found them.
    pub fn forbids(&self, agent: Option<&AgentId>, queue: Option<&QueueId>) -> bool {
        let of_agent = agent.and_then(|agent| self.agents.get(agent));
        let of_queue = queue.and_then(|queue| self.queues.get(queue));
        of_agent.into_iter().chain(of_queue).any(|rule| *rule == Rule::NONE)
    }

    fn rule(&self, asked: &Asked<'_>) -> (Rule, String) {
        let account = self.account(asked.tenant);
        let named = |kind: &str, name: &dyn fmt::Display, rule: Rule| (rule, format!("{kind} {name}: {rule}"));
        let of_agent = |agent| self.agents.get(agent).map(|rule| named("agent", agent, *rule));
        let (agent, with) = (of_agent(asked.agent), asked.with.and_then(of_agent));
        let of_account = match asked.kind {
            Kind::Caller => named("tenant", asked.tenant, account.callers),
            Kind::Outbound => named("outbound", asked.tenant, account.outbound),
            Kind::Internal => named("internal", asked.tenant, account.internal),
        };
        let own = |queue: &QueueId| self.queues.get(queue).map(|rule| named("queue", queue, *rule));
        let of_queue = |queue: &QueueId| own(queue).unwrap_or_else(|| of_account.clone());
        let queues = || asked.queue.into_iter().chain(asked.before);
        // Of equals the first: the conversation's own.
        let strictest = queues().map(of_queue).min_by_key(|(rule, _)| *rule);
        let none = |(rule, _): &(Rule, String)| *rule == Rule::NONE;
        let queue_forbids = queues().filter_map(own).find(none);
        agent.clone().filter(none).or(queue_forbids).or(with.filter(none)).or(agent).or(strictest).unwrap_or(of_account)
    }
}

/// The call's number, below ten thousand: the same whenever it is asked for with this key, foreseen by nobody without it.
pub fn draw(key: &[u8; 32], call: CallId) -> u16 {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), format!("recording share {call}").as_bytes());
    let bits = tag.as_ref().iter().take(8).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    // Multiplied and not divided: each number is as likely as any other to within 2^-50. It is below WHOLE.
    ((u128::from(bits) * u128::from(WHOLE)) >> 64) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    /// The agent, the queues, what the caller said; what is decided, and by whose word.
    type Row = (&'static str, &'static [&'static str], Option<Consent>, Option<Excluded>, &'static str);

    fn policies() -> Policies {
        let rule = |share| Rule::share(share).unwrap();
        let half =
            Account { callers: rule(0.5), outbound: Rule::ALL, internal: rule(0.1), consults: Rule::ALL, hold: Hold::Silence };
        Policies {
            accounts: [("acme".parse().unwrap(), half)].into(),
            queues: [("soporte", 0.25), ("ventas", 1.0), ("legal", 0.0)]
                .map(|(q, share)| (format!("acme/{q}").parse().unwrap(), rule(share)))
                .into(),
            agents: [("ana", 1.0), ("works-council", 0.0)]
                .map(|(a, share)| (format!("acme/{a}").parse().unwrap(), rule(share)))
                .into(),
        }
    }

    /// What is decided in the first of these queues after the others, for a caller unless `kind` says otherwise, of a call whose draw is just below half.
    fn decided(kind: Kind, agent: &str, queues: &[&str], consent: Option<Consent>) -> (Option<Excluded>, String) {
        let queues: Vec<QueueId> = queues.iter().map(|q| format!("acme/{q}").parse().unwrap()).collect();
        let before = queues.iter().skip(1).cloned().collect();
        let (tenant, agent) = ("acme".parse().unwrap(), format!("acme/{agent}").parse().unwrap());
        let (tenant, agent, queue) = (&tenant, &agent, queues.first());
        let asked = Asked { kind, tenant, agent, with: None, queue, before: &before, consent, draw: 4_999 };
        let Decision { excluded, policy } = policies().decide(&asked);
        (excluded, policy)
    }

    #[test]
    fn who_decides_is_as_in_the_table() {
        let (refused, silent) = (Consent { given: false, by: ConsentBy::Key }, Consent { given: false, by: ConsentBy::Silence });
        let agreed = Some(Consent { given: true, by: ConsentBy::Silence });
        let (policy, share) = (Some(Excluded::Policy), Some(Excluded::Share));
        let table: [Row; 14] = [
            ("bob", &[], None, None, "tenant acme: 50 %"),
            ("bob", &["billing"], None, None, "tenant acme: 50 %"),
            ("bob", &["soporte"], None, share, "queue acme/soporte: 25 %"),
            ("bob", &["ventas"], None, None, "queue acme/ventas: all"),
            ("bob", &["legal"], None, policy, "queue acme/legal: none"),
            // Passed on: the stricter queue holds, whichever was first.
            ("bob", &["ventas", "soporte"], None, share, "queue acme/soporte: 25 %"),
            ("bob", &["ventas", "billing"], None, None, "tenant acme: 50 %"),
            ("bob", &["billing", "hr"], None, None, "tenant acme: 50 %"),
            ("bob", &["ventas", "legal"], None, policy, "queue acme/legal: none"),
            // An agent's word goes before a queue's, but not before its "none".
            ("ana", &["soporte"], None, None, "agent acme/ana: all"),
            ("ana", &["legal"], None, policy, "queue acme/legal: none"),
            ("works-council", &["ventas"], agreed, policy, "agent acme/works-council: none"),
            ("ana", &["ventas"], Some(refused), Some(Excluded::ConsentRefused), "agent acme/ana: all"),
            ("bob", &["ventas"], Some(silent), Some(Excluded::NoConsent), "queue acme/ventas: all"),
        ];
        for (agent, queues, consent, excluded, by) in table {
            assert_eq!(decided(Kind::Caller, agent, queues, consent), (excluded, by.into()), "{agent} {queues:?}");
        }
    }

    #[test]
    fn agents_own_calls_follow_the_agent_or_what_the_account_says_of_such_calls() {
        assert_eq!(decided(Kind::Outbound, "bob", &[], None), (None, "outbound acme: all".into()));
        assert_eq!(decided(Kind::Internal, "bob", &[], None), (Some(Excluded::Share), "internal acme: 10 %".into()));
        assert_eq!(decided(Kind::Internal, "ana", &[], None), (None, "agent acme/ana: all".into()));
        let never = (Some(Excluded::Policy), "agent acme/works-council: none".into());
        assert_eq!(decided(Kind::Outbound, "works-council", &[], None), never);
    }

    #[test]
    fn who_is_never_recorded_is_in_no_consultation_and_no_conference_either() {
        let (tenant, agent) = ("acme".parse().unwrap(), "acme/ana".parse().unwrap());
        let (kind, before) = (Kind::Caller, BTreeSet::new());
        let asked =
            Asked { kind, tenant: &tenant, agent: &agent, with: None, queue: None, before: &before, consent: None, draw: 0 };
        assert!(policies().records_consult(&asked));
        assert!(!Policies::default().records_consult(&asked), "an account that says nothing wants none");
        for (agent, queue, forbidden) in [
            (None, None, false),
            (Some("bob"), None, false),
            (Some("ana"), Some("soporte"), false),
            (Some("works-council"), None, true),
            (Some("works-council"), Some("ventas"), true),
            (Some("ana"), Some("legal"), true),
        ] {
            let queue = queue.map(|queue| format!("acme/{queue}").parse().unwrap());
            let agent = agent.map(|agent| format!("acme/{agent}").parse().unwrap());
            assert_eq!(policies().forbids(agent.as_ref(), queue.as_ref()), forbidden, "{agent:?} {queue:?}");
        }
    }

    #[test]
    fn over_many_calls_the_share_is_right() {
        let calls = 40_000u32;
        let draws: Vec<u16> = (0..calls).map(|n| draw(&KEY, CallId { node: 1, epoch: 3, n })).collect();
        for share in [0.01, 0.25, 0.5, 0.9] {
            let rule = Rule::share(share).unwrap();
            let taken = draws.iter().filter(|draw| rule.takes(**draw)).count() as f64;
            // Four standard deviations of the binomial: of a fair draw one in 16,000 is outside.
            let (n, four) = (f64::from(calls), 4.0 * (f64::from(calls) * share * (1.0 - share)).sqrt());
            assert!((taken - n * share).abs() < four, "{taken} of {calls} at {share}");
        }
        assert!(draws.iter().all(|draw| Rule::ALL.takes(*draw) && !Rule::NONE.takes(*draw)));
    }

    #[test]
    fn a_call_draws_the_same_each_time_and_another_key_draws_otherwise() {
        let calls = || (0..64).map(|n| CallId { node: 1, epoch: 1, n });
        let draws = |key: [u8; 32]| calls().map(|call| draw(&key, call)).collect::<Vec<_>>();
        assert_eq!(draws(KEY), draws(KEY));
        assert_ne!(draws(KEY), draws([8; 32]));
    }

    #[test]
    fn a_rule_says_what_it_is() {
        let said = |share| Rule::share(share).map(|rule| rule.to_string());
        let all = [said(0.0), said(0.25), said(0.0005), said(0.125), said(1.0)].map(Option::unwrap);
        assert_eq!(all, ["none", "25 %", "0.05 %", "12.5 %", "all"]);
        assert_eq!((said(1.01), said(-0.1), said(f64::NAN)), (None, None, None));
    }
}
