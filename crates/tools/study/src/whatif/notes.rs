//! What the reader of an answer has to know: what the change was taken to mean, and how what the log does not say is drawn.

use super::draw::{Deck, ENOUGH};
use super::{Arrival, Change, Epoch, Seen};
use base::{QueueId, Requirement, Skill};
use std::collections::{BTreeMap, BTreeSet};

pub fn notes(change: &Change, epochs: &[Epoch], deck: &Deck) -> Vec<String> {
    let mut notes = Vec::new();
    for note in epochs.iter().flat_map(|epoch| &epoch.would).flat_map(|(_, changed)| &changed.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes.extend(lost(epochs));
    notes.extend(idle_skills(change, epochs));
    notes.push(counted(epochs));
    for (queue, patience) in deck.patience() {
        let (waits, left) = patience.seen();
        notes.push(format!("patience in {queue}: {left} of {waits} left; the others' is censored"));
    }
    notes.extend(drawn(deck));
    if epochs.len() > 1 {
        notes.push(format!("{} epochs: whoever waited or talked at a restart is cut off there, on both sides", epochs.len()));
    }
    notes
}

/// Calls to queues that the changed site has not.
fn lost(epochs: &[Epoch]) -> Option<String> {
    let mut lost: BTreeMap<&QueueId, u64> = BTreeMap::new();
    for epoch in epochs {
        for arrival in &epoch.day.arrivals {
            let begun = epoch.would.iter().take_while(|(at, _)| *at <= arrival.at).last().or(epoch.would.first());
            if begun.is_some_and(|(_, changed)| !changed.config.queues.contains_key(&arrival.queue)) {
                *lost.entry(&arrival.queue).or_default() += 1;
            }
        }
    }
    let all: u64 = lost.values().sum();
    let each: Vec<String> = lost.iter().map(|(queue, calls)| format!("{calls} to {queue}")).collect();
    (all > 0).then(|| {
        format!(
            "{all} calls find no queue, since the changed site has none of that name, and are in none of its figures: {}",
            each.join(", ")
        )
    })
}

fn idle_skills(change: &Change, epochs: &[Epoch]) -> Vec<String> {
    let of = |requirement: &Requirement| requirement.needs().iter().map(|need| need.skill.clone()).collect::<Vec<_>>();
    let calls = epochs.iter().flat_map(|epoch| &epoch.day.arrivals).filter_map(|a: &Arrival| a.requires.as_ref());
    let queues = epochs.iter().flat_map(|epoch| &epoch.would).flat_map(|(_, changed)| changed.config.queues.values());
    let asked: BTreeSet<Skill> = calls.chain(queues.map(|queue| &queue.requires)).flat_map(of).collect();
    let idle = change.skills.iter().filter(|(_, skill, _)| !asked.contains(skill));
    idle.map(|(_, skill, _)| format!("no call of these days asked for the skill {skill}")).collect()
}

fn counted(epochs: &[Epoch]) -> String {
    let arrivals = || epochs.iter().flat_map(|epoch| &epoch.day.arrivals);
    let count = |seen: fn(&Seen) -> bool| arrivals().filter(|a| seen(&a.seen)).count();
    format!(
        "{} calls: {} answered, {} left on their own, {} were sent away by a rule, {} refused, {} still waited",
        arrivals().count(),
        count(|s| matches!(s, Seen::Answered(_))),
        count(|s| matches!(s, Seen::Left(_))),
        count(|s| matches!(s, Seen::SentAway(_))),
        count(|s| matches!(s, Seen::Refused)),
        count(|s| matches!(s, Seen::Waits)),
    )
}

fn drawn(deck: &Deck) -> [String; 4] {
    let (seldom, rung) = deck.seldom_rung();
    [
        "patience: who left on their own leaves at the same age again; of who was answered, sent away or still waiting the \
         patience is censored, and drawn by Kaplan and Meier's estimate of the queue, given that it is longer than the wait \
         seen; of who was refused it is drawn whole; beyond the last leaving seen, callers leave at the day's mean rate"
            .into(),
        format!(
            "conversations and wrap-up are as they were, whoever takes the call; of calls that had none they are drawn from \
             those of the same queue and language, where there are fewer than {ENOUGH} from those of the queue, and where \
             there are fewer than {ENOUGH} of these from all"
        ),
        format!(
            "phones ring as long, and are missed, declined or unreachable as often, as those of the same agent; whose phone \
             rang fewer than {ENOUGH} times ({seldom} of {rung} agents), or never, as those of all agents"
        ),
        "logins, logouts, pauses and work that no queue gave are as in the log; pauses and logouts for missed calls follow \
         from the calls missed in the run, and last as long as those of any agent in the log"
            .into(),
    ]
}
