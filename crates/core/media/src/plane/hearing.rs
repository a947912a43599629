//! Who hears whom.

use super::Plane;
use base::LegId;

impl Plane {
    pub(super) fn on_hear(&mut self, id: LegId, mut others: Vec<LegId>) {
        others.retain(|other| *other != id && self.legs.contains_key(other));
        others.sort_unstable();
        others.dedup();
        if !others.is_empty() {
            self.stop(id);
        }
        self.set_hears(id, others);
    }

    /// A leg that closes hears nobody and is heard by nobody.
    pub(super) fn part(&mut self, id: LegId) {
        self.set_hears(id, vec![]);
        for listener in self.legs.get(&id).map_or(vec![], |leg| leg.heard_by.clone()) {
            let rest = self.legs.get(&listener).map_or(vec![], |l| l.hears.iter().copied().filter(|h| *h != id).collect());
            self.set_hears(listener, rest);
        }
    }

    /// A leg says nothing for a while: to those who hear it, what comes later is a splice.
    pub(super) fn pause(&mut self, id: LegId) {
        for listener in self.legs.get(&id).map_or(vec![], |leg| leg.heard_by.clone()) {
            self.interrupt(listener);
        }
    }

    fn set_hears(&mut self, id: LegId, others: Vec<LegId>) {
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.hears != others) else { return };
        leg.splice.interrupt();
        let before = std::mem::replace(&mut leg.hears, others.clone());
        for other in before {
            if let Some(other) = self.legs.get_mut(&other) {
                other.heard_by.retain(|listener| *listener != id);
            }
        }
        for other in others {
            if let Some(other) = self.legs.get_mut(&other) {
                other.heard_by.push(id);
            }
        }
    }

    /// What this leg was sent ends: what comes later, even from the same source, is a splice.
    fn interrupt(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.splice.interrupt();
        }
    }
}
