//! Where the ACD tells the estimator what happens, and asks it.

use super::{Said, Spot, Standing, Stands, Ticket, predict};
use crate::queue::QueueKey;
use crate::visit::VisitKey;
use crate::{Acd, Expected};
use base::Instant;
use std::time::Duration;

impl Acd {
    /// Of a visit that has just come into line behind so many: what is said of it, and that it waits.
    pub(crate) fn expect_on_entry(&mut self, key: VisitKey, before: usize, now: Instant) -> Option<Expected> {
        self.seat_woken(now);
        let served_at_once = self.board.anyone_free(self.visits[key.0].kind);
        let said = if served_at_once { None } else { self.said_at(key, before) };
        self.visits[key.0].ticket.quote = said.map(|said| said.quote());
        self.spot(key, now, |spot, ticket| spot.waits(ticket));
        said.map(|said| said.expected)
    }

    /// Its offers are others now.
    pub(crate) fn expect_offers_changed(&mut self, key: VisitKey, now: Instant) {
        let rings = !self.visits[key.0].offers.is_empty();
        self.spot(key, now, |spot, ticket| if rings { spot.rings(ticket) } else { spot.waits(ticket) });
    }

    pub(crate) fn expect_leaves(&mut self, key: VisitKey, answered: bool, now: Instant) {
        let waited: Option<Duration> = answered.then(|| now.since(self.visits[key.0].entered));
        self.spot(key, now, |spot, ticket| spot.leaves(ticket, waited));
    }

    pub(crate) fn expect_waits_still(&mut self, key: VisitKey, now: Instant) {
        self.spot(key, now, |spot, ticket| spot.waits_still(ticket));
    }

    /// How long it will yet wait. None while a phone rings for it.
    pub(crate) fn expected(&self, key: VisitKey) -> Option<Expected> {
        let rings = matches!(self.visits[key.0].ticket.stands, Stands::Rings { .. });
        self.said_of(key).filter(|_| !rings).map(|said| said.expected)
    }

    /// How long a visit of this family would wait, were it the last of the line.
    pub(crate) fn expected_at_the_end(&self, queue: QueueKey, family: usize) -> Option<Expected> {
        let line = self.queues[queue.0].line.len();
        self.said(queue, family, Standing { before: line, others: line, counted: false }).map(|said| said.expected)
    }

    fn said_of(&self, key: VisitKey) -> Option<Said> {
        let v = &self.visits[key.0];
        self.said_at(key, self.queues[v.queue.0].line.rank(&v.place).unwrap_or(0))
    }

    fn said_at(&self, key: VisitKey, before: usize) -> Option<Said> {
        let v = &self.visits[key.0];
        let counted = matches!(v.ticket.stands, Stands::Waits(_));
        let standing = Standing { before, others: self.queues[v.queue.0].line.len().saturating_sub(1), counted };
        self.said(v.queue, self.board.kinds[v.kind].family, standing)
    }

    fn said(&self, queue: QueueKey, family: usize, standing: Standing) -> Option<Said> {
        let able = (self.board.able_in_line(queue), self.board.families[family].able);
        predict(&self.queues[queue.0].expect, &self.board.families[family].expect, able, standing)
    }

    fn spot(&mut self, key: VisitKey, now: Instant, tell: impl FnOnce(&mut Spot, &mut Ticket)) {
        let v = &mut self.visits[key.0];
        let able_in_line = self.board.able_in_line(v.queue);
        let family = &mut self.board.families[self.board.kinds[v.kind].family];
        let (line, able_in_family) = (&mut self.queues[v.queue.0].expect, family.able);
        let mut spot = Spot { line, family: &mut family.expect, able_in_line, able_in_family, now };
        tell(&mut spot, &mut v.ticket);
    }
}
