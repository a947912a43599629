//! Relaxation: each step must come in its turn, change something, and leave somebody who could then take a call.

use super::staff::{Asked, groups, relaxed, staff, steps_until};
use super::suggest;
use crate::model::Site;
use acd::{Change, Queue, Relax};
use base::{Diagnostic, QueueId, Requirement, Skill};

pub fn steps(site: &Site, asked: &Asked, id: &QueueId, queue: &Queue, found: &mut Vec<Diagnostic>) {
    for (i, step) in queue.relax.iter().enumerate() {
        let visits = Visits { site, id, queue, asked: asked.at_first(id, queue), whole: asked.whole };
        let path = format!("queues.{id}.relax.{i}");
        let in_time = in_turn(queue, i, step).map(|message| site.places.at(&format!("{path}.after"), message));
        let finding = in_time.or_else(|| match &step.change {
            Change::Lower { skill, to } => visits.lowered(i, skill, *to, &path),
            Change::Drop { skill } => visits.dropped(i, skill, &path),
            Change::Widen { group } => visits.widened(step, group, &path),
            Change::Raise { .. } => None,
        });
        found.extend(finding);
    }
}

/// Steps stand in rising order of age, and none comes after the visit has moved on.
fn in_turn(queue: &Queue, i: usize, step: &Relax) -> Option<String> {
    let before = i.checked_sub(1).and_then(|before| queue.relax.get(before));
    if let Some(before) = before.filter(|before| before.after > step.after) {
        return Some(format!("expected at least {:?}, the age of the step before: steps stand in rising order", before.after));
    }
    let left = queue.overflow_after.filter(|left| *left <= step.after)?;
    Some(format!("this step never comes: visits leave at {left:?} (`overflow_after`)"))
}

/// The visits of one queue, as its steps find them.
struct Visits<'a> {
    site: &'a Site,
    id: &'a QueueId,
    queue: &'a Queue,
    asked: Vec<Requirement>,
    /// No other visit comes, as far as the flows tell.
    whole: bool,
}

impl Visits<'_> {
    fn lowered(&self, i: usize, skill: &Skill, to: u8, path: &str) -> Option<Diagnostic> {
        let levels = self.before(i).iter().filter_map(|asked| level(asked, skill)).max();
        match levels {
            None => self.unasked(i, skill, &format!("{path}.lower")),
            Some(level) if level <= to && self.whole => {
                let message = format!("this lowers nothing: at most `{skill} >= {level}` is asked at this age");
                Some(self.site.places.at(&format!("{path}.to"), message))
            }
            Some(_) => self.in_vain(i, skill, &format!("{path}.lower")),
        }
    }

    fn dropped(&self, i: usize, skill: &Skill, path: &str) -> Option<Diagnostic> {
        let asked = self.before(i).iter().any(|asked| level(asked, skill).is_some());
        let path = format!("{path}.drop");
        if asked { self.in_vain(i, skill, &path) } else { self.unasked(i, skill, &path) }
    }

    fn widened(&self, step: &Relax, group: &str, path: &str) -> Option<Diagnostic> {
        let (site, tenant) = (self.site, self.id.tenant());
        let path = format!("{path}.widen");
        if !groups(site, &tenant).any(|known| known == group) {
            let finding = site.places.at(&path, format!("no agent is in the group `{group}`"));
            return Some(suggest(finding, group, groups(site, &tenant)));
        }
        let steps = steps_until(self.queue, step.after);
        let asked: Vec<Requirement> = self.asked.iter().map(|asked| relaxed(asked, &steps)).collect();
        let of_group = site.agents.iter().filter(|(id, agent)| id.tenant() == tenant && agent.acd.groups.contains(group));
        let takes = of_group.flat_map(|(_, agent)| asked.iter().map(move |asked| asked.met_by(&agent.acd.skills))).any(|met| met);
        let message = || format!("nobody of `{group}` could take a call even so: asked is {}", shown(&asked));
        (!takes).then(|| site.places.at(&path, message()))
    }

    /// What visits ask when this step's turn comes.
    fn before(&self, i: usize) -> Vec<Requirement> {
        let steps: Vec<&Relax> = self.queue.relax.iter().take(i).collect();
        self.asked.iter().map(|asked| relaxed(asked, &steps)).collect()
    }

    fn unasked(&self, i: usize, skill: &Skill, path: &str) -> Option<Diagnostic> {
        let before = self.before(i);
        let known = before.iter().flat_map(|asked| asked.needs()).map(|need| &*need.skill.0);
        let finding =
            || self.site.places.at(path, format!("this changes nothing: no call of `{}` asks for `{skill}` then", self.id));
        self.whole.then(|| suggest(finding(), &skill.0, known))
    }

    /// A finding if, of the visits that this step makes easier, nobody could take a single one.
    fn in_vain(&self, i: usize, skill: &Skill, path: &str) -> Option<Diagnostic> {
        let steps = steps_until(self.queue, self.queue.relax.get(i)?.after);
        let staff = staff(self.site, self.id, &steps);
        let touched = self.asked.iter().filter(|asked| level(asked, skill).is_some());
        let easier: Vec<Requirement> = touched.map(|asked| relaxed(asked, &steps)).collect();
        let takes = easier.iter().any(|asked| staff.iter().any(|agent| asked.met_by(&agent.acd.skills)));
        let message = || format!("nobody of `{}` could take a call even so: asked is {}", self.id, shown(&easier));
        (!takes && !staff.is_empty()).then(|| self.site.places.at(path, message()))
    }
}

fn level(asked: &Requirement, skill: &Skill) -> Option<u8> {
    asked.needs().iter().find(|need| need.skill == *skill).map(|need| need.at_least)
}

fn shown(asked: &[Requirement]) -> String {
    let mut shown: Vec<String> = asked.iter().map(|asked| format!("`{asked}`")).collect();
    shown.dedup();
    match shown.len() {
        0..=2 => shown.join(" or "),
        _ => format!("{} or the like", shown[0]),
    }
}
