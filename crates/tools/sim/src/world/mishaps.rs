//! What befalls the centre: requests, silence, reloads, crashes.

use super::{Event, Fate, World};
use crate::checks::Checked;
use crate::dice::Dice;
use crate::people::desk;
use crate::script::{ActId, Actor};
use crate::setup::VARIANTS;
use base::LegId;
use engine::{Input, Place};
use std::time::Duration;

impl World {
    /// At a desk: perhaps two people ask for the opposite in one moment.
    pub(super) fn on_somebody_asks(&mut self, n: u32) -> Checked {
        let id = ActId::new(Actor::Desk, n, 0);
        let mut dice = Dice::of(self.plan.seed, id);
        let lull = desk::lull(&mut dice);
        self.later(lull, Event::SomebodyAsks { n: n + 1 });
        if self.node.drained {
            return Ok(());
        }
        let requests = desk::requests(&mut dice, self.node.shown());
        for (step, request) in requests.into_iter().enumerate() {
            let who = ["rosa", "hugo"][step % 2];
            if self.alive && self.script.may(id.step(step), self.at, || format!("{who} {}", desk::words(&request))) {
                self.asked += 1;
                self.feed(Input::Asked { number: self.asked, who: who.into(), request })?;
            }
        }
        Ok(())
    }

    pub(super) fn fate_later(&mut self, n: u32, fate: Fate, after: Duration) {
        self.later(after, Event::Fate { n: n + 1, fate });
    }

    pub(super) fn on_fate(&mut self, n: u32, fate: Fate) -> Checked {
        let id = ActId::new(Actor::Fate, n, 0);
        let mut dice = Dice::of(self.plan.seed, id);
        let (from, to) = match fate {
            Fate::Silence => (10, 80),
            Fate::Reload => (20, 300),
            Fate::Crash => (60, 600),
        };
        let next = dice.seconds(from, to);
        self.fate_later(n, fate, next);
        if !self.alive || (self.closing && !matches!(fate, Fate::Silence)) {
            return Ok(());
        }
        match fate {
            Fate::Silence => self.on_silence(id, dice),
            Fate::Reload => self.on_reload(id, dice),
            Fate::Crash => self.on_crash(id, dice),
        }
    }

    fn on_silence(&mut self, id: ActId, mut dice: Dice) -> Checked {
        let Some(leg) = self.a_leg(&mut dice) else { return Ok(()) };
        if !self.script.may(id, self.at, || format!("nothing has been heard of {leg} for 30 s")) {
            return Ok(());
        }
        self.feed(Input::Media(media::Input::Silent { leg, millis: 30_000 }))
    }

    /// Mostly of somebody who waits, if anybody does: whom that cuts off may come back.
    fn a_leg(&self, dice: &mut Dice) -> Option<LegId> {
        let legs = self.node.plane.legs();
        let waits = |leg: &LegId| self.node.shown().calls.iter().any(|c| c.call == leg.call && c.place == Place::Queue);
        let waiting: Vec<LegId> = legs.iter().copied().filter(waits).collect();
        let waiting = if dice.percent(60) { dice.pick(&waiting) } else { None };
        waiting.or_else(|| dice.pick(&legs))
    }

    fn on_reload(&mut self, id: ActId, mut dice: Dice) -> Checked {
        let variant = dice.below(VARIANTS);
        if !self.script.may(id, self.at, || format!("the site is loaded as variant {variant}")) {
            return Ok(());
        }
        self.summary.reloads += 1;
        let commands = self.node.reload(self.at, variant)?;
        self.carry_out(commands)
    }

    /// The process is gone between two inputs, and media with it.
    fn on_crash(&mut self, id: ActId, mut dice: Dice) -> Checked {
        let down = dice.millis(500, 20_000);
        if !self.script.may(id, self.at, || format!("the centre dies, for {:.1} s", down.as_secs_f64())) {
            return Ok(());
        }
        self.summary.crashes += 1;
        self.alive = false;
        self.later(down, Event::Restart);
        self.node.replay()
    }

    pub(super) fn on_restart(&mut self) -> Checked {
        self.alive = true;
        let commands = self.node.start(self.at)?;
        self.carry_out(commands)
    }
}
