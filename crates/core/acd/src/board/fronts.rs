//! The first of each kind's open visits and of each profile's free agents, side by side in memory.
//!
//! A decision compares the firsts of all that are compatible: here it reads one line of the cache for each of them. It
//! goes into a kind or a profile only for those behind a first that is among the best, and only if what is said here of
//! the next one does not rule it out.

use super::Board;
use crate::agent::AgentKey;
use crate::line::Line;
use crate::place::Place;
use crate::seats::{ORDERS, Order, Seat};
use base::Instant;

/// A kind's first open visit.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct VisitFront {
    pub place: Place,
    pub weight: u32,
    pub open: u32,
    /// The next one's key is higher by as much at least, in units of [`GAP`] nanoseconds.
    gap: u32,
    pub dials: bool,
}

/// What is compared of it, in a quarter of the room, if it fits: nearly always.
#[derive(Clone, Copy, Debug)]
pub(super) struct VisitRow {
    /// [`WIDE`] if it does not fit.
    key: i64,
    weight: u32,
    pub open: u32,
}

/// A profile's first free agent in one order.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct SeatFront {
    pub seat: Seat,
    /// Key and idle time of the next one.
    pub next: (u64, Instant),
    pub free: u32,
    /// How many skills the profile has.
    pub skills: u32,
}

/// What is compared of it first.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeatRow {
    key: u64,
    pub idle_since: Instant,
    pub free: u32,
    pub skills: u32,
}

const GAP: i128 = 1_024;
const WIDE: i64 = i64::MIN;
/// Half of what there is room for, so that a difference fits.
const NARROW: i64 = i64::MAX / 2;
const NOBODY: (u64, Instant) = (u64::MAX, Instant(u64::MAX));

#[derive(Clone, Debug, Default)]
pub(super) struct Fronts {
    kinds: Vec<VisitFront>,
    /// Of the same.
    rows: Vec<VisitRow>,
    /// The highest weight there ever was.
    heaviest: u32,
    profiles: [Vec<SeatFront>; ORDERS],
    seat_rows: [Vec<SeatRow>; ORDERS],
}

impl Fronts {
    /// Of a kind with an open visit.
    pub fn of_kind(&self, kind: usize) -> &VisitFront {
        &self.kinds[kind]
    }

    /// By kind, and the moment as they reckon with it; none so late that a score might not fit.
    pub fn rows(&self, now: Instant) -> Option<(&[VisitRow], i64)> {
        let latest = i64::try_from(now.0).ok()?.checked_mul(i64::from(self.heaviest))?;
        (latest < NARROW).then_some((&self.rows, now.0 as i64))
    }

    /// By profile.
    pub fn seat_rows(&self, order: Order) -> &[SeatRow] {
        &self.seat_rows[order as usize]
    }

    /// Of a profile with a free agent, in an order that some queue asks for.
    pub fn of_profile(&self, profile: usize, order: Order) -> &SeatFront {
        &self.profiles[order as usize][profile]
    }
}

impl VisitRow {
    fn of(front: &VisitFront) -> Self {
        let key = i64::try_from(front.place.key()).ok().filter(|key| (-NARROW..NARROW).contains(key)).unwrap_or(WIDE);
        VisitRow { key, weight: front.weight, open: front.open }
    }

    /// If not, its score is none.
    pub fn fits(&self) -> bool {
        self.key != WIDE
    }

    /// As [`Place::score`] has it, at a moment that [`Fronts::rows`] let through.
    pub fn score(&self, now: i64) -> i64 {
        now.wrapping_mul(i64::from(self.weight)).wrapping_sub(self.key)
    }
}

impl SeatRow {
    fn of(front: &SeatFront) -> Self {
        SeatRow { key: front.seat.key, idle_since: front.seat.idle_since, free: front.free, skills: front.skills }
    }

    /// The seat, but for the lot and the agent.
    pub fn seat(&self) -> Seat {
        Seat { key: self.key, idle_since: self.idle_since, lot: 0, agent: AgentKey(0) }
    }
}

impl VisitFront {
    fn of(open: &Line<Place>, weight: u32, dials: bool) -> Option<Self> {
        let (place, next) = open.first_two();
        let place = *place?;
        let gap = next.map_or(i128::MAX, |next| next.behind(&place) / GAP);
        let open = u32::try_from(open.len()).unwrap_or(u32::MAX);
        Some(VisitFront { place, weight, open, gap: u32::try_from(gap).unwrap_or(u32::MAX), dials })
    }

    /// By as much at least the next one's score is lower than the first's.
    pub fn lead(&self) -> i128 {
        i128::from(self.gap) * GAP
    }
}

impl Board {
    /// The kind's open visits are others now.
    pub(super) fn show_front_of_kind(&mut self, kind: usize) {
        let k = &self.kinds[kind];
        if let Some(front) = VisitFront::of(&k.open, k.weight, k.dials) {
            self.fronts.heaviest = self.fronts.heaviest.max(front.weight);
            put(&mut self.fronts.rows, kind, VisitRow::of(&front));
            put(&mut self.fronts.kinds, kind, front);
        }
    }

    /// The profile's free agents are others now.
    pub(super) fn show_front_of_profile(&mut self, profile: usize) {
        let p = &self.profiles[profile];
        let (free, skills) = (p.seats.free(), p.traits.skills.len());
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        for order in self.orders.kept().iter().copied() {
            let (first, next) = p.seats.in_order(order).first_two();
            let Some(seat) = first.copied() else { return };
            let next = next.map_or(NOBODY, |next| (next.key, next.idle_since));
            let front = SeatFront { seat, next, free: count(free), skills: count(skills) };
            put(&mut self.fronts.seat_rows[order as usize], profile, SeatRow::of(&front));
            put(&mut self.fronts.profiles[order as usize], profile, front);
        }
    }

    /// What is shown of a kind with an open visit is so.
    pub(super) fn front_of_kind_agrees(&self, kind: usize) -> bool {
        let (k, front) = (&self.kinds[kind], self.fronts.of_kind(kind));
        let is = VisitFront::of(&k.open, k.weight, k.dials);
        let row = &self.fronts.rows[kind];
        let row_agrees = row.open == front.open && (!row.fits() || i128::from(row.key) == front.place.key());
        let same = |is: VisitFront| (is.place, is.open, is.gap, is.dials) == (front.place, front.open, front.gap, front.dials);
        is.is_some_and(same) && row_agrees
    }

    /// What is shown of a profile with a free agent is so.
    pub(super) fn front_of_profile_agrees(&self, profile: usize) -> bool {
        let seats = &self.profiles[profile].seats;
        let same = |order: &Order| {
            let (front, row) = (self.fronts.of_profile(profile, *order), self.fronts.seat_rows(*order)[profile]);
            let row_agrees = Seat { lot: front.seat.lot, agent: front.seat.agent, ..row.seat() } == front.seat;
            row_agrees && row.free == front.free && seats.in_order(*order).first() == Some(&front.seat)
        };
        self.orders.kept().iter().all(same)
    }
}

fn put<T: Copy>(table: &mut Vec<T>, number: usize, item: T) {
    if number >= table.len() {
        table.resize(number + 1, item);
    }
    table[number] = item;
}
