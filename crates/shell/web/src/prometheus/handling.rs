//! What agents do with calls, and supervisors with both: transfers, consultations, codes, agents' own calls, messages.

use super::{of, seconds};
use crate::exposition::Page;
use metrics::{AgentFigures, Figures, QueueFigures};

pub fn handling(page: &mut Page, figures: &Figures) {
    calls(page, figures);
    queues(page, &figures.queues);
    agents(page, &figures.agents);
    supervision(page, figures);
}

fn calls(page: &mut Page, figures: &Figures) {
    let c = &figures.totals.calls;
    page.count("calls_forwarded_total", &of("calls.forwarded"), &[], [(vec![], c.forwarded)]);
    page.count("voicemails_left_total", &of("calls.voicemails_left"), &[], [(vec![], c.voicemails_left)]);
}

fn queues(page: &mut Page, queues: &[QueueFigures]) {
    let kinds = |q: &QueueFigures| {
        let t = &q.transfers;
        let all = [("blind", t.blind), ("attended", t.attended), ("to_queue", t.to_queue), ("external", t.external)];
        all.map(|(kind, n)| (vec![q.queue.to_string(), kind.to_string()], n))
    };
    let help =
        "Conversations of today that the agent passed on, by how: without asking, after a consultation, to a queue, outside.";
    page.count("queue_transfers_total", help, &["queue", "kind"], queues.iter().flat_map(kinds));
    let rate = queues.iter().filter_map(|q| Some((vec![q.queue.to_string()], q.transfers.rate?)));
    page.gauge("queue_transfer_ratio", &of("transfers.rate"), &["queue"], rate);
    let refused = |q: &QueueFigures| {
        let v = &q.visits;
        let other = v.refused.saturating_sub(v.refused_closed + v.refused_dissuaded);
        let all = [("closed", v.refused_closed), ("dissuaded", v.refused_dissuaded), ("other", other)];
        all.map(|(why, n)| (vec![q.queue.to_string(), why.to_string()], n))
    };
    page.count("queue_refused_by_total", &of("visits.refused"), &["queue", "why"], queues.iter().flat_map(refused));
    let row = |read: fn(&QueueFigures) -> u64| queues.iter().map(move |q| (vec![q.queue.to_string()], read(q)));
    page.count("queue_conferences_total", &of("visits.conferences"), &["queue"], row(|q| q.visits.conferences));
    page.count("queue_voicemails_left_total", &of("visits.voicemails_left"), &["queue"], row(|q| q.visits.voicemails_left));
    let consult = queues.iter().map(|q| (vec![q.queue.to_string()], seconds(q.visits.consult_ms)));
    page.gauge("queue_consult_seconds", &of("visits.consult_ms"), &["queue"], consult);
    let codes = queues.iter().flat_map(|q| q.dispositions.iter().map(|(code, n)| (vec![q.queue.to_string(), code.clone()], *n)));
    page.count("queue_dispositions_total", &of("queues.dispositions"), &["queue", "code"], codes);
    let mean = queues.iter().filter_map(|q| Some((vec![q.queue.to_string()], q.expected_wait.mean_error_ms? as f64 / 1000.0)));
    page.gauge("queue_expected_wait_mean_error_seconds", &of("expected_wait.mean_error_ms"), &["queue"], mean);
}

fn agents(page: &mut Page, agents: &[AgentFigures]) {
    let own = |a: &AgentFigures| {
        [("outgoing", a.outgoing), ("internal", a.internal)].map(|(way, n)| (vec![a.agent.to_string(), way.to_string()], n))
    };
    let help = "Calls of the agent's own of today: to a number outside, or to another agent.";
    page.count("agent_own_calls_total", help, &["agent", "direction"], agents.iter().flat_map(own));
    let talk = |a: &AgentFigures| {
        let all = [("outgoing", a.outgoing_talk_ms), ("internal", a.internal_talk_ms)];
        all.map(|(way, ms)| (vec![a.agent.to_string(), way.to_string()], seconds(ms)))
    };
    let help = "Talk in calls of the agent's own of today.";
    page.gauge("agent_own_talk_seconds", help, &["agent", "direction"], agents.iter().flat_map(talk));
    let engaged = agents.iter().map(|a| (vec![a.agent.to_string()], seconds(a.engaged_ms)));
    page.gauge("agent_engaged_seconds", &of("agents.engaged_ms"), &["agent"], engaged);
}

fn supervision(page: &mut Page, figures: &Figures) {
    let s = &figures.supervision;
    page.count("supervisor_acts_total", &of("supervision.acts"), &[], [(vec![], s.acts)]);
    page.count("supervisor_monitors_total", &of("supervision.monitors"), &[], [(vec![], s.monitors)]);
    page.gauge("supervisor_monitored_seconds", &of("supervision.monitored_ms"), &[], [(vec![], seconds(s.monitored_ms))]);
}
