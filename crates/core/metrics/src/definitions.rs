//! What each figure means, once: read by the API, the wallboard and the reference page `metrics.md`.

/// To which interval something counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The moment of asking.
    Now,
    /// The interval in which the call arrived, the visit entered, or the conversation began.
    Arrival,
    /// The interval in which it happened; time is cut at the boundaries.
    Event,
    /// The interval in which the conversation ended.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Definition {
    /// The path in the figures' JSON: `calls`, `visits` (also of each queue), `queues`, `agents` and so on, then the name.
    pub name: &'static str,
    pub basis: Basis,
    pub text: &'static str,
}

/// The definition of a figure, such as `visits.asa_ms`.
pub fn definition(name: &str) -> Option<&'static Definition> {
    TABLE.iter().find(|d| d.name == name)
}

/// All of them, in the order of the figures.
pub fn definitions() -> &'static [Definition] {
    TABLE
}

const fn d(name: &'static str, basis: Basis, text: &'static str) -> Definition {
    Definition { name, basis, text }
}

use Basis::{Arrival, End, Event, Now};

#[rustfmt::skip]
const TABLE: &[Definition] = &[
    d("at", Now, "When these figures were read."),
    d("from", Now, "The window's beginning, a whole quarter hour in UTC; within the window."),
    d("to", Now, "The window's end, a whole quarter hour in UTC; outside the window."),
    d("epoch", Now, "Epoch of the last fact that is counted."),
    d("seq", Now, "Sequence number of the last fact that is counted."),
    d("events", Now, "All facts ever folded, whatever the window."),
    d("invariant_breaches", Now, "Broken invariants that the audit reported, ever."),
    d("languages", Arrival, "Incoming calls by the language chosen last; a call that chose none is in no language."),

    d("totals.waiting_now", Now, "Visits waiting at this moment in all queues, whenever they entered; the places of callbacks among them."),
    d("totals.callbacks_now", Now, "Callbacks that are still to come, of all queues, whenever they were requested."),
    d("totals.longest_wait_ms", Now, "The longest wait of those on the line at this moment."),
    d("totals.agents_by_state", Now, "Agents by state, each once."),
    d("totals.dispositions", End, "Conversations of all queues by the code that the agent gave last; one without a code is in none."),

    d("calls.incoming", Arrival, "Calls from a trunk, each once over all its transfers. Feature codes are none."),
    d("calls.rejected", Arrival, "Incoming calls refused before they were answered and before a queue."),
    d("calls.ivr_abandoned", Arrival, "Incoming calls whose caller hung up before a queue."),
    d("calls.ivr_ended", Arrival, "Incoming calls that ended before a queue by anything but the caller."),
    d("calls.queued", Arrival, "Incoming calls that entered at least one queue."),
    d("calls.in_ivr", Arrival, "Incoming calls in progress that have not entered a queue."),
    d("calls.reached_agent", Arrival, "Incoming calls that were answered by an agent at least once."),
    d("calls.lost", Arrival, "Incoming calls, ended, that asked for an agent and got none: abandoned, timed out, overflowed to nowhere, no agents, a full or closed queue, dissuaded, no capacity, a callback that failed or was cancelled. Who chose a key, voicemail or a callback that came, or was passed to somebody outside, is not lost."),
    d("calls.forwarded", Arrival, "Incoming calls that came to somebody outside the centre, through the flow or an agent."),
    d("calls.voicemails_left", Event, "Messages left, of any queue or none."),
    d("calls.live_now", Now, "Incoming calls in progress, whenever they arrived."),
    d("calls.abandonment_rate_incoming", Arrival, "Calls whose caller hung up in the IVR or in a queue before any agent / incoming."),

    d("visits.offered", Arrival, "Entries into the queue by callers on the line = answered + abandoned + other_exits + waiting. The place that a callback keeps is none."),
    d("visits.answered", Arrival, "Visits that ended with an agent's 200 applied."),
    d("visits.abandoned", Arrival, "Visits whose caller disconnected in the queue, also while an agent's phone rang."),
    d("visits.other_exits", Arrival, "Visits with any other outcome: the seven below."),
    d("visits.waiting", Arrival, "Visits that entered in the window and still wait on the line."),
    d("visits.short_abandons", Arrival, "Abandoned with a wait <= S, the queue's short abandon time (S = 0: none)."),
    d("visits.abandoned_ringing", Arrival, "Abandoned while an agent's phone rang."),
    d("visits.overflowed", Arrival, "Exits into another queue by the queue's own time."),
    d("visits.timeout", Arrival, "Exits at the queue's longest wait, with no queue to overflow to."),
    d("visits.no_agents", Arrival, "Exits because no agent was left who could answer."),
    d("visits.key_exit", Arrival, "Exits by a key that the caller pressed."),
    d("visits.callback", Arrival, "Exits by asking for a callback. Such a caller has not abandoned."),
    d("visits.voicemail", Arrival, "Exits into voicemail."),
    d("visits.system", Arrival, "Exits by a failure or the end of the node."),
    d("visits.refused", Event, "Calls that the queue did not take, full, closed, dissuaded or without agents: no visit, not in offered."),
    d("visits.refused_closed", Event, "Of those refused: the queue was closed."),
    d("visits.refused_dissuaded", Event, "Of those refused: dissuaded at the door, since too many waited."),
    d("visits.service_level", Arrival, "The share of service_level_formula, from 0 to 1; no value when its denominator is empty."),
    d("visits.service_level_formula", Arrival, "answered: a<=T / a. offered: a<=T / (a + b). abandoned_ok: (a<=T + b<=T) / (a + b). short_excluded: a<=T / (a + b with wait > S + exits that count as missed: overflowed, timeout, no_agents, system). A +name or -name adds an exit to those or takes it out."),
    d("visits.answered_in_time", Arrival, "a<=T: answered with a wait <= T, the queue's threshold at that moment."),
    d("visits.abandoned_in_time", Arrival, "b<=T: abandoned with a wait <= T."),
    d("visits.asa_ms", Arrival, "Average speed of answer: sum of waits of answered visits / answered, zeros included. The wait runs from entering the queue to the agent's 200 applied, ringing included."),
    d("visits.time_to_abandon_ms", Arrival, "Sum of waits of abandoned visits / abandoned."),
    d("visits.wait_p50_ms", Arrival, "Half of the answered visits waited no longer (nearest rank, known to 1.6 %)."),
    d("visits.wait_p90_ms", Arrival, "90 % of the answered visits waited no longer."),
    d("visits.wait_p99_ms", Arrival, "99 % of the answered visits waited no longer."),
    d("visits.longest_waited_ms", Arrival, "The longest wait of any visit that entered in the window, those still waiting included."),
    d("visits.waiting_ms", Event, "The integral of the queue's length: all waits, those of callbacks too, cut at the window's boundaries."),
    d("visits.abandonment_rate", Arrival, "abandoned / offered."),
    d("visits.abandonment_rate_without_short", Arrival, "(abandoned - short_abandons) / (offered - short_abandons)."),
    d("visits.handled", End, "Conversations that ended."),
    d("visits.aht_ms", End, "Average handling time: (talk + hold + wrap-up) / handled."),
    d("visits.talk_ms", End, "Talk of ended conversations, without holds; in a conference once for each agent's conversation, however many are in it."),
    d("visits.hold_ms", End, "Hold of ended conversations."),
    d("visits.wrap_ms", End, "Wrap-up of ended conversations, in the interval in which the conversation ended, also after a logout."),
    d("visits.consult_ms", End, "Of talk_ms: the agent spoke with somebody else about the call while the caller waited."),
    d("visits.conferences", End, "Ended conversations that a third party joined, each once."),
    d("visits.voicemails_left", Event, "Messages left by callers of the queue."),
    d("visits.offers", Event, "Offers sent to agents."),
    d("visits.rona", Event, "Offers that rang out because the agent did not answer. A caller who leaves while it rings is none."),

    d("callbacks.requested", Arrival, "Callbacks asked for = waiting + connected + failed + joined + cancelled, all counted where they were asked for."),
    d("callbacks.waiting", Arrival, "Asked for in the window and still to come."),
    d("callbacks.connected", Arrival, "Customer and agent talked."),
    d("callbacks.failed", Arrival, "The customer was not reached in as many attempts as there may be. A lost call."),
    d("callbacks.joined", Arrival, "The customer called again, and that call got the place."),
    d("callbacks.cancelled", Arrival, "Given up by a supervisor or a reload. A lost call."),
    d("callbacks.attempts", Event, "Times that a customer was dialled."),
    d("callbacks.places", Event, "Entries into the queue that keep the place of a callback; each attempt in vain makes another. With offered they are all entries."),
    d("callbacks.mean_wait_ms", Arrival, "Sum of the waits of callbacks that connected, since the call's first queue / connected."),

    d("transfers.blind", End, "Conversations passed on to an agent without asking there."),
    d("transfers.attended", End, "Conversations passed on to an agent after a consultation."),
    d("transfers.to_queue", End, "Conversations passed on to a queue, cold or after a consultation."),
    d("transfers.external", End, "Conversations passed on to a number outside."),
    d("transfers.rate", End, "(blind + attended + to_queue + external) / handled."),

    d("expected_wait.visits", Arrival, "Answered visits for which an expected wait was known when they entered."),
    d("expected_wait.p50_coverage", Arrival, "The share of those whose wait was <= the P50 that was expected."),
    d("expected_wait.p90_coverage", Arrival, "The share of those whose wait was <= the P90 that was expected."),
    d("expected_wait.mean_error_ms", Arrival, "Mean of wait - expected P50; negative when less was waited than expected."),
    d("expected_wait.rms_error_ms", Arrival, "Root of the mean square of wait - expected P50."),

    d("queues.queue", Now, "The queue, tenant/name."),
    d("queues.waiting_now", Now, "Visits waiting in the queue at this moment, whenever they entered; the places of callbacks among them."),
    d("queues.callbacks_now", Now, "Callbacks of the queue that are still to come, whenever they were requested."),
    d("queues.longest_wait_ms", Now, "The longest wait of those on the line at this moment."),
    d("queues.agents_by_state", Now, "Logged-in agents that serve the queue, by state; who serves two queues is in both."),
    d("queues.dispositions", End, "Conversations of the queue by the code that the agent gave last; one without a code is in none."),

    d("agents.agent", Now, "The agent, tenant/name."),
    d("agents.state", Now, "The agent's state."),
    d("agents.since", Now, "Since when."),
    d("agents.in_state_ms", Now, "For how long."),
    d("agents.cause", Now, "Why the state changed."),
    d("agents.reason", Now, "The reason of a pause."),
    d("agents.queues", Now, "The queues that the agent serves."),
    d("agents.queue", Now, "The queue of the offer, the conversation or its wrap-up."),
    d("agents.call", Now, "The call of the offer, the conversation or its wrap-up."),
    d("agents.calls", Event, "Conversations with callers that began; those of the agent's own calls are none."),
    d("agents.handled", End, "Conversations with callers that ended."),
    d("agents.offers", Event, "Offers sent to the agent."),
    d("agents.rona", Event, "Offers that rang out because the agent did not answer."),
    d("agents.aht_ms", End, "(talk + hold + wrap-up of ended conversations) / handled."),
    d("agents.dispositions", End, "The agent's conversations by the code given last; one without a code is in none."),
    d("agents.outgoing", Event, "Calls of the agent's own to a number outside."),
    d("agents.internal", Event, "Calls of the agent's own to another agent."),
    d("agents.outgoing_talk_ms", End, "Talk in outgoing calls of the agent's own."),
    d("agents.internal_talk_ms", End, "Talk in internal calls, of either side."),
    d("agents.available_ms", Event, "Time available, idle."),
    d("agents.reserved_ms", Event, "Time chosen for an offer whose phone did not ring yet."),
    d("agents.ringing_ms", Event, "Time ringing: neither busy nor available in occupancy."),
    d("agents.talk_ms", Event, "Time talking; once, however many are in the call."),
    d("agents.hold_ms", Event, "Time with the caller on hold."),
    d("agents.wrap_ms", Event, "Time in wrap-up while logged in."),
    d("agents.engaged_ms", Event, "Time in calls of the agent's own: outgoing, internal, feature codes, monitoring. Neither busy nor available in occupancy."),
    d("agents.paused_ms", Event, "Time paused."),
    d("agents.unreachable_ms", Event, "Time logged in with no phone that could be reached."),
    d("agents.logged_in_ms", Event, "Time logged in: the sum of the states, exactly."),
    d("agents.occupancy", Event, "(talk + hold + wrap-up) / (the same + available)."),
    d("agents.utilisation", Event, "(talk + hold + wrap-up) / logged in."),

    d("recordings.expected", Arrival, "Conversations that owe a recording, by the policy of their account, queue or agent = open + complete + partial + failed."),
    d("recordings.complete", Arrival, "Ended conversations with each part stored complete."),
    d("recordings.partial", Arrival, "Ended conversations with parts stored, not all of them complete."),
    d("recordings.failed", Arrival, "Ended conversations with no part that can be played."),
    d("recordings.open", Arrival, "Conversations that last, or whose recording is not closed yet."),
    d("recordings.missing", Arrival, "Of those open: conversations that ended over 90 s ago, whose recording nothing was heard of since. Must be 0."),
    d("recordings.excluded", Arrival, "Conversations that owe no recording, by reason; in no other figure here but by_policy. policy: such calls are not recorded; share: a share of them is, and the draw did not fall on this one; consent_refused: the caller said no; no_consent: the caller had to say yes, and said nothing."),
    d("recordings.by_policy", Arrival, "expected, complete, partial, failed, open, excluded and coverage of the conversations that each policy decided about, such as queue acme/soporte: 25 %."),
    d("recordings.accounted", Arrival, "(expected + all excluded - missing) / (expected + all excluded). Must be 1."),
    d("recordings.coverage", Arrival, "complete / (complete + partial + failed)."),
    d("recordings.alarms", Event, "Times that a recording did not begin within 4 s, or that nothing of it was committed for as long."),
    d("recordings.alarms_now", Now, "Recordings of which one of these is true at this moment."),

    d("supervision.acts", Event, "Things that somebody did to a call, an agent or a queue from outside."),
    d("supervision.monitors", Event, "Times that a supervisor began to listen, whisper or barge in; a change between them is another."),
    d("supervision.monitored_ms", Event, "Time that supervisors took part, counted when it ended."),

    d("quality.legs", Event, "Legs that closed and had carried audio, of callers, agents and others, each once."),
    d("quality.reporting", Event, "Of those, legs whose peer reported what it heard of us (RTCP)."),
    d("quality.mos_received", Event, "Legs by MOS of what the peer sent us: 1 + 0.035 R + 7e-6 R (R - 60)(100 - R), R = 93.2 - Id - Ie,eff by the E-model (ITU-T G.107). Ie,eff from loss and bursts with concealment at the listener, Id from half the round trip and a jitter buffer of twice the mean jitter, at least 40 ms. An estimate of the network, not of phones and rooms."),
    d("quality.mos_sent", Event, "The same of what we sent, by the peer's reports; losses taken as random."),
    d("quality.loss_received", Event, "Legs by the share of packets, 0 to 1, that never came: lost / (received + lost)."),
    d("quality.loss_sent", Event, "The same of what we sent, as the peer reported it last."),
    d("quality.jitter_received", Event, "Legs by their mean interarrival jitter (RFC 3550 6.4.1) in seconds."),
    d("quality.jitter_sent", Event, "The same of what we sent: the mean of the peer's reports."),
    d("quality.round_trip", Event, "Legs by their mean round trip in seconds, of the network, from our sender reports and the peer's answers. A leg never measured is in none."),
];
