//! Accounts, and the people of each: their agents, phones and what these dial.

use super::lines::{Dialled, credential, login, whisper};
use super::queues::wrap_up;
use super::{codecs, id, queue_in, section};
use crate::model::*;
use crate::reader::Node;
use crate::scalar::{Level, skill};
use acd::PauseReasons;
use base::{AgentId, Lang, Pii, Skills, Tenant};
use recording::Rule;

pub fn account(n: &mut Node) -> Option<(Tenant, Account, recording::Account)> {
    let tenant = n.need("name");
    let pause_reasons = n.table("pause_reasons", |n| {
        let codes = n.each::<String>("codes").into_iter().map(Into::into).collect();
        Some(PauseReasons { mode: n.or("mode", Default::default()), codes })
    });
    let channels = n.table("channels", |n| Some((n.or("guaranteed", 0), n.opt("burst"))));
    let (guaranteed, burst) = channels.unwrap_or_default();
    if burst.is_some_and(|burst| burst < guaranteed) {
        n.report(n.at("channels.burst", format!("expected at least the {guaranteed} that are guaranteed")));
    }
    let account = Account {
        pause_reasons,
        guaranteed,
        burst,
        trunk: n.opt("trunk"),
        caller_number: n.opt::<Dialled>("caller_number").map(|number| Pii::new(number.0)),
        monitor_tone: n.or("monitor_tone", false),
        whisper: whisper(n),
        codecs: codecs(n),
    };
    Some((tenant?, account, recorded(n)))
}

/// Which of the account's conversations are recorded.
fn recorded(n: &mut Node) -> recording::Account {
    let unset = recording::Account::default();
    recording::Account {
        callers: n.or("record", unset.callers),
        outbound: n.or("record_outbound", unset.outbound),
        internal: n.or("record_internal", unset.internal),
        consults: n.or("record_consults", unset.consults),
        hold: n.or("record_hold", unset.hold),
    }
}

/// With what is recorded of the agent, if it is not what account and queue say.
pub fn agent(name: &str, n: &mut Node) -> Option<(AgentId, Agent, Option<Rule>)> {
    let id: Option<AgentId> = id(name, "agents", n);
    let display = n.opt("display").unwrap_or_else(|| Pii::new(name.rsplit('/').next().unwrap_or(name).to_string()));
    let lang = n.or("lang", Lang::ES);
    let names: Vec<String> = n.or("queues", Vec::new());
    let tenant = id.as_ref().map(AgentId::tenant);
    let queues = tenant.iter().flat_map(|t| names.iter().enumerate().map(move |(i, name)| (t, i, name)));
    let queues = queues.filter_map(|(t, i, name)| queue_in(t, name, &format!("queues.{i}"), n)).collect();
    let acd = acd::Agent {
        skills: skills(n),
        queues,
        groups: n.each::<String>("groups").into_iter().map(Into::into).collect(),
        rank: n.or("rank", 0),
        wrap_up: wrap_up(n),
        starts_logged_in: n.or("logged_in", false),
        max_misses: n.or("max_misses", 3),
    };
    let phone = section(n, "phone", phone);
    let agent = Agent {
        acd,
        display,
        lang,
        phone: phone?,
        extension: extension(n),
        supervisor: n.or("supervisor", false),
        auto_answer: n.or("auto_answer", false),
        whisper: n.or("whisper", false),
        press_to_accept: n.or("press_to_accept", false),
        codecs: codecs(n),
    };
    Some((id?, agent, n.opt("record")))
}

/// A name that is none, and a level that is none, each at its own place.
fn skills(n: &mut Node) -> Skills {
    let mut skills = Skills::new();
    for (name, Level(level)) in n.values("skills") {
        match skill(&name) {
            Some(skill) => _ = skills.insert(skill, level),
            None => n.report(n.at(&format!("skills.{name}"), "expected a skill such as \"lang:es\"")),
        }
    }
    skills
}

pub fn extension(n: &mut Node) -> Option<String> {
    let extension: String = n.opt("extension")?;
    if extension.len() > 10 || !extension.bytes().all(|b| b.is_ascii_digit()) {
        n.report(n.at("extension", "expected up to 10 digits such as \"1001\""));
        return None;
    }
    Some(extension)
}

fn phone(n: &mut Node) -> Option<Phone> {
    if !n.has("uri") && !n.has("address") {
        return credential(n).map(Phone::Registered);
    }
    let (uri, addr) = (n.need::<String>("uri"), n.need("address"));
    let login = n.table("login", login);
    if uri.as_ref().is_some_and(|uri| !uri.starts_with("sip:") || uri.contains(char::is_whitespace)) {
        n.report(n.at("uri", "expected a SIP URI such as \"sip:ana@192.0.2.10\""));
    }
    Some(Phone::Address { uri: uri?, addr: addr?, login })
}

pub fn feature_codes(n: &mut Node) -> Option<FeatureCodes> {
    let codes = FeatureCodes::default();
    let mut code = |key, default| n.opt::<Dialled>(key).map_or(default, |code| code.0);
    Some(FeatureCodes {
        log_in: code("log_in", codes.log_in),
        log_out: code("log_out", codes.log_out),
        pause: code("pause", codes.pause),
        ready: code("ready", codes.ready),
        wrap_up: code("wrap_up", codes.wrap_up),
        code: code("code", codes.code),
        monitor: code("monitor", codes.monitor),
        pause_recording: code("pause_recording", codes.pause_recording),
        resume_recording: code("resume_recording", codes.resume_recording),
    })
}
