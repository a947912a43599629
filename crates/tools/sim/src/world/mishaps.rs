//! What befalls the centre: requests, phones that vanish, silence, reloads, crashes.

use super::{Event, World};
use crate::phones;
use crate::setup::VARIANTS;
use acd::Ask;
use base::CallId;
use engine::{Input, Request};

impl World {
    pub(super) fn on_phone_vanishes(&mut self) -> Result<(), String> {
        let n = self.dice.below(self.phones.len() as u64) as usize;
        self.phones[n].gone_until = self.at + self.dice.seconds(5, 90);
        let next = self.dice.seconds(20, 120);
        self.later(next, Event::PhoneVanishes);
        Ok(())
    }

    /// Through the API, or by a feature code from the agent's phone.
    pub(super) fn on_somebody_asks(&mut self) -> Result<(), String> {
        let next = self.dice.seconds(1, 12);
        self.later(next, Event::SomebodyAsks);
        let n = self.dice.below(self.phones.len() as u64) as usize;
        let (ask, code) = match self.dice.below(20) {
            0..11 => (Ask::Ready, "*14"),
            11..16 => (Ask::LogIn, "*11"),
            16..19 => (Ask::Pause { reason: "lunch".into() }, "*13"),
            _ => (Ask::LogOut, "*12"),
        };
        if self.dice.percent(25) {
            let Some((session, invite)) = self.phones[n].dial(code, &mut self.dice) else { return Ok(()) };
            if self.dice.percent(20) {
                let after = self.dice.millis(10, 3_000);
                self.later(after, Event::Phone { phone: n, session, plan: phones::Plan::HangUp });
            }
            return self.phone(n, invite);
        }
        let request = if self.dice.percent(4) {
            Request::HangUp { call: CallId { node: 1, epoch: self.node.epoch, n: self.dice.below(40) as u32 } }
        } else {
            Request::Agent { agent: self.phones[n].agent.clone(), ask }
        };
        self.asked += 1;
        self.feed(Input::Asked { number: self.asked, who: "desk".into(), request })
    }

    pub(super) fn on_leg_falls_silent(&mut self) -> Result<(), String> {
        let next = self.dice.seconds(20, 150);
        self.later(next, Event::LegFallsSilent);
        match self.dice.pick(&self.node.plane.legs()).copied() {
            Some(leg) => self.feed(Input::Media(media::Input::Silent { leg, millis: 30_000 })),
            None => Ok(()),
        }
    }

    pub(super) fn on_reload(&mut self) -> Result<(), String> {
        let next = self.dice.seconds(40, 300);
        self.later(next, Event::Reload);
        if !self.alive || self.closing {
            return Ok(());
        }
        self.summary.reloads += 1;
        let variant = self.dice.below(VARIANTS);
        let commands = self.node.reload(self.at, variant, &mut self.dice)?;
        self.carry_out(commands)
    }

    /// The process is gone between two inputs, and media with it.
    pub(super) fn on_crash(&mut self) -> Result<(), String> {
        if self.closing {
            return Ok(());
        }
        self.summary.crashes += 1;
        self.alive = false;
        self.node.replay()?;
        let down = self.dice.millis(500, 20_000);
        self.later(down, Event::Restart);
        Ok(())
    }

    pub(super) fn on_restart(&mut self) -> Result<(), String> {
        self.alive = true;
        let commands = self.node.start(self.at, &mut self.dice)?;
        self.carry_out(commands)?;
        let next = self.dice.seconds(60, 600);
        self.later(next, Event::Crash);
        Ok(())
    }
}
