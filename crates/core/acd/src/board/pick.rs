//! Who is best: of the free agents for a visit, and of the open visits for an agent.

use super::{Board, Profile};
use crate::agent::AgentKey;
use crate::occupancy::{Entrant, compare_shares};
use crate::place::Place;
use crate::seats::{Order, Seat, Standing};
use crate::states::Census;
use crate::visit::VisitKey;
use crate::{SHOWN, Strategy};
use base::{Instant, Mutation, Random, VisitId, mutated};
use smallvec::SmallVec;
use std::cmp::{Ordering, Reverse};

/// The best few of many, best first, and how many there were.
#[derive(Clone, Debug)]
pub(crate) struct Few<T> {
    pub best: SmallVec<[T; SHOWN]>,
    pub of: usize,
}

impl<T: Ord> Few<T> {
    fn none() -> Self {
        Few { best: SmallVec::new(), of: 0 }
    }

    /// It would not be among the best.
    fn is_beyond(&self, item: &T) -> bool {
        self.best.len() == SHOWN && self.best[SHOWN - 1] <= *item
    }

    /// False if it, and whatever is worse, is not among the best.
    fn meet(&mut self, item: T) -> bool {
        let mut at = self.best.len();
        if at < SHOWN {
            self.best.push(item);
        } else {
            at -= 1;
            if self.best[at] <= item {
                return false;
            }
            self.best[at] = item;
        }
        while at > 0 && self.best[at] < self.best[at - 1] {
            self.best.swap(at, at - 1);
            at -= 1;
        }
        true
    }
}

impl<T: Ord + Copy> Few<T> {
    /// With one more among the many.
    pub fn and(mut self, item: T) -> Self {
        self.meet(item);
        self.of += 1;
        self
    }

    pub fn one(item: T) -> Self {
        Few { best: SmallVec::from_iter([item]), of: 1 }
    }

    /// The same with this one in front, chosen for another reason.
    pub fn with_first(&self, first: T) -> Self {
        let others = self.best.iter().copied().filter(|other| *other != first);
        Few { best: std::iter::once(first).chain(others).take(SHOWN).collect(), of: self.of }
    }
}

/// A free agent as a strategy sees it; the best is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rated {
    value: i64,
    /// Busy and all time since login, compared as a fraction.
    share: (u64, u64),
    then: usize,
    pub seat: Seat,
}

impl Rated {
    /// As idle time has it.
    pub fn idle(seat: Seat) -> Self {
        Rated::new(0, 0, seat)
    }

    /// As the key of its order has it.
    fn in_order(seat: Seat) -> Self {
        Rated::new(i64::try_from(seat.key).unwrap_or(i64::MAX), 0, seat)
    }

    /// By the share of its time.
    fn occupied(entrant: &Entrant, now: Instant) -> Self {
        Rated { value: 0, share: entrant.share(now), then: 0, seat: entrant.seat }
    }

    fn new(value: i64, then: usize, seat: Seat) -> Self {
        Rated { value, share: (0, 1), then, seat }
    }

    /// What the strategy compares: see [`crate::Candidate`].
    pub fn value(&self) -> i64 {
        let (busy, all) = self.share;
        let parts_per_million = u128::from(busy) * 1_000_000 / u128::from(all.max(1));
        self.value + i64::try_from(parts_per_million).unwrap_or(i64::MAX)
    }
}

impl Ord for Rated {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_value = self.value.cmp(&other.value).then_with(|| compare_shares(self.share, other.share));
        let idle = |seat: &Seat| (seat.idle_since, seat.lot, seat.agent);
        by_value.then(self.then.cmp(&other.then)).then_with(|| idle(&self.seat).cmp(&idle(&other.seat)))
    }
}

impl PartialOrd for Rated {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The first visit of a kind that an agent could take; the best is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Head {
    score: Reverse<i128>,
    pub id: VisitId,
    pub visit: VisitKey,
}

impl Head {
    pub fn new(place: &Place, weight: u32, now: Instant) -> Self {
        Head { score: Reverse(place.score(now, weight)), id: place.id, visit: place.visit }
    }

    /// In nanoseconds.
    pub fn score(&self) -> i128 {
        self.score.0
    }
}

/// The best of the firsts, by what is compared and where it is: nothing is moved that is not among them.
pub(super) struct Firsts<T> {
    best: [(T, usize); SHOWN],
    len: usize,
}

impl<T: Ord + Copy> Firsts<T> {
    /// Vacant places hold the last of all values.
    pub(super) fn none(last: T) -> Self {
        Firsts { best: [(last, 0); SHOWN], len: 0 }
    }

    pub(super) fn best(&self) -> &[(T, usize)] {
        &self.best[..self.len]
    }

    fn map<U>(self, into: impl Fn(T) -> U) -> Firsts<U> {
        Firsts { best: self.best.map(|(value, of)| (into(value), of)), len: self.len }
    }

    /// `earlier`: of equals it comes before that one.
    #[inline]
    pub(super) fn meet(&mut self, value: T, of: usize, earlier: impl Fn(usize) -> bool) {
        // Most are beyond, and that is all there is to do in line.
        if value <= self.best[SHOWN - 1].0 {
            self.put(value, of, earlier);
        }
    }

    #[inline(never)]
    fn put(&mut self, value: T, of: usize, earlier: impl Fn(usize) -> bool) {
        let before = |other: &(T, usize)| value < other.0 || (value == other.0 && earlier(other.1));
        if self.len == SHOWN && !before(&self.best[SHOWN - 1]) {
            return;
        }
        let mut at = self.len.min(SHOWN - 1);
        while at > 0 && before(&self.best[at - 1]) {
            self.best[at] = self.best[at - 1];
            at -= 1;
        }
        self.best[at] = (value, of);
        self.len = (self.len + 1).min(SHOWN);
    }
}

/// Free agents of a kind who are passed over, with their profile.
pub(crate) type Barred = SmallVec<[(usize, Seat); 2]>;

impl Board {
    /// Of all open visits that this profile can take, those with the best score; of equals the earlier.
    pub fn best_visits(&self, profile: usize, may_dial: bool, now: Instant) -> Few<Head> {
        let narrow = may_dial.then(|| self.narrow_firsts(profile, now)).flatten();
        let (firsts, of) = narrow.unwrap_or_else(|| self.wide_firsts(profile, may_dial, now));
        let head = |(score, kind): &(Reverse<i128>, usize)| {
            let Place { id, visit, .. } = self.fronts.of_kind(*kind).place;
            Head { score: *score, id, visit }
        };
        let mut few = Few { best: firsts.best().iter().map(head).collect(), of };
        // Those behind the first of the best kind may be second and third, of the next kind third.
        for (rank, (score, kind)) in firsts.best().iter().enumerate() {
            let front = self.fronts.of_kind(*kind);
            let beyond = || few.best.len() == SHOWN && few.best[SHOWN - 1].score < Reverse(score.0 - front.lead());
            if front.open > 1 && !beyond() {
                let behind = self.kinds[*kind].open.iter().take(SHOWN - rank).skip(1);
                behind.map(|place| Head::new(place, front.weight, now)).take_while(|head| few.meet(*head)).for_each(drop);
            }
        }
        few
    }

    /// The best of the kinds' firsts, and how many visits are open in all of these kinds. None if a score does not fit.
    fn narrow_firsts(&self, profile: usize, now: Instant) -> Option<(Firsts<Reverse<i128>>, usize)> {
        let (rows, now) = self.fronts.rows(now)?;
        let (mut firsts, mut of, mut fit) = (Firsts::none(Reverse(i64::MIN)), 0, true);
        self.profiles[profile].kinds.for_common(&self.waiting, |kind| {
            let row = &rows[kind];
            of += row.open as usize;
            fit &= row.fits();
            firsts.meet(Reverse(row.score(now)), kind, |other| self.is_earlier(kind, other));
        });
        fit.then(|| (firsts.map(|score| Reverse(i128::from(score.0))), of))
    }

    /// The same of any scores, and of who may not dial.
    fn wide_firsts(&self, profile: usize, may_dial: bool, now: Instant) -> (Firsts<Reverse<i128>>, usize) {
        let (mut firsts, mut of) = (Firsts::none(Reverse(i128::MIN)), 0);
        self.profiles[profile].kinds.for_common(&self.waiting, |kind| {
            let front = self.fronts.of_kind(kind);
            if !front.dials || may_dial {
                of += front.open as usize;
                let score = front.place.score(now, front.weight);
                firsts.meet(Reverse(score), kind, |other| self.is_earlier(kind, other));
            }
        });
        (firsts, of)
    }

    /// By the ids of the firsts.
    fn is_earlier(&self, kind: usize, other: usize) -> bool {
        self.fronts.of_kind(kind).place.id < self.fronts.of_kind(other).place.id
    }

    /// The same without those that are barred.
    pub fn best_visits_but(&self, profile: usize, may_dial: bool, barred: impl Fn(VisitKey) -> bool, now: Instant) -> Few<Head> {
        let mut few = Few::none();
        for kind in self.profiles[profile].kinds.common(&self.waiting) {
            let k = &self.kinds[kind];
            if k.dials && !may_dial {
                continue;
            }
            few.of += k.open.len();
            for place in k.open.iter().filter(|place| !barred(place.visit)) {
                if !few.meet(Head::new(place, k.weight, now)) {
                    break;
                }
            }
        }
        few
    }

    /// Of all free agents who can serve this kind, those whom the strategy puts first. `Random` and `RingAll` put nobody
    /// first: they are in the order of idle time.
    pub fn best_agents(&mut self, kind: usize, strategy: Strategy, barred: &Barred, now: Instant) -> Few<Rated> {
        if barred.is_empty() && strategy != Strategy::LeastOccupied {
            self.best_of_all_agents(kind, strategy)
        } else {
            self.best_agents_but(kind, strategy, barred, now)
        }
    }

    /// A free agent of this profile, seated or not, as the strategy sees it for this kind.
    pub fn rated(&self, kind: usize, profile: usize, strategy: Strategy, standing: &Standing, now: Instant) -> Rated {
        match strategy {
            Strategy::MostSkilled | Strategy::LeastSkilled => {
                let (family, skills) = (&self.families[self.kinds[kind].family], self.profiles[profile].traits.skills.len());
                by_level(strategy, family.level(profile), skills, standing.seat)
            }
            Strategy::LeastOccupied => Rated::occupied(&standing.entrant(), now),
            _ => Rated::in_order(standing.in_order(Order::of(strategy))),
        }
    }

    fn best_of_all_agents(&self, kind: usize, strategy: Strategy) -> Few<Rated> {
        let (k, order) = (&self.kinds[kind], Order::of(strategy));
        let family = &self.families[k.family];
        let rate = |profile: usize, skills: u32, seat: Seat| match strategy {
            Strategy::MostSkilled | Strategy::LeastSkilled => by_level(strategy, family.level(profile), skills as usize, seat),
            _ => Rated::in_order(seat),
        };
        let rows = self.fronts.seat_rows(order);
        let tie = |profile: usize| {
            let Seat { lot, agent, .. } = self.fronts.of_profile(profile, order).seat;
            (lot, agent)
        };
        let mut firsts = Firsts::none((i64::MAX, usize::MAX, Instant(u64::MAX)));
        let mut of = 0;
        k.profiles.for_common(&self.free, |profile| {
            let row = &rows[profile];
            of += row.free as usize;
            let rated = rate(profile, row.skills, row.seat());
            firsts.meet((rated.value, rated.then, row.idle_since), profile, |other| tie(profile) < tie(other));
        });
        let first = |(_, profile): &(_, usize)| {
            let front = self.fronts.of_profile(*profile, order);
            rate(*profile, front.skills, front.seat)
        };
        let mut few = Few { best: firsts.best().iter().map(first).collect(), of };
        for (rank, (_, profile)) in firsts.best().iter().enumerate() {
            let front = self.fronts.of_profile(*profile, order);
            if front.free == 1 {
                continue;
            }
            let bound = Seat { key: front.next.0, idle_since: front.next.1, lot: 0, agent: AgentKey(0) };
            if few.is_beyond(&rate(*profile, front.skills, bound)) {
                continue;
            }
            let behind = self.profiles[*profile].seats.in_order(order).iter().take(SHOWN - rank).skip(1);
            behind.map(|seat| rate(*profile, front.skills, *seat)).take_while(|rated| few.meet(*rated)).for_each(drop);
        }
        few
    }

    fn best_agents_but(&mut self, kind: usize, strategy: Strategy, barred: &Barred, now: Instant) -> Few<Rated> {
        let mut few = Few::none();
        let k = &self.kinds[kind];
        let family = &self.families[k.family];
        for profile in k.profiles.common(&self.free) {
            let p = &mut self.profiles[profile];
            few.of += p.seats.free();
            if strategy == Strategy::LeastOccupied {
                p.meet_least_occupied(&mut few, barred, now);
                continue;
            }
            let (level, skills) = (family.level(profile), p.traits.skills.len());
            for seat in p.seats.in_order(Order::of(strategy)).iter().filter(|seat| !is_among(barred, seat.agent)) {
                let rated = match strategy {
                    Strategy::MostSkilled | Strategy::LeastSkilled => by_level(strategy, level, skills, *seat),
                    _ => Rated::in_order(*seat),
                };
                if !few.meet(rated) {
                    break;
                }
            }
        }
        few.of -= barred.len();
        few
    }

    /// One of those who are free for this kind and not barred, each as likely; `of` is how many they are.
    pub fn any_agent(&self, kind: usize, barred: &Barred, of: usize, random: &mut Random) -> Option<Seat> {
        let mut number = usize::try_from(random.below(of as u64)).unwrap_or(0);
        for profile in self.kinds[kind].profiles.common(&self.free) {
            let idle = self.profiles[profile].seats.idle();
            let mut passed: SmallVec<[usize; 2]> =
                barred.iter().filter(|b| b.0 == profile).filter_map(|b| idle.rank(&b.1)).collect();
            if number < idle.len() - passed.len() {
                passed.sort_unstable();
                let rank = passed.iter().fold(number, |rank, passed| rank + usize::from(*passed <= rank));
                return idle.nth(rank).copied();
            }
            number -= idle.len() - passed.len();
        }
        None
    }

    /// All free agents who can serve this kind, longest idle first, into a list that is empty.
    pub fn all_agents(&self, kind: usize, barred: &Barred, all: &mut Vec<Rated>) {
        let free = self.kinds[kind].profiles.common(&self.free).flat_map(|p| self.profiles[p].seats.idle().iter());
        all.extend(free.filter(|seat| !is_among(barred, seat.agent)).map(|seat| Rated::idle(*seat)));
        all.sort_unstable();
    }

    /// Of all free agents who can serve this kind and on whose account no customer is dialled, the one idle longest.
    pub fn dialler(&self, kind: usize) -> Option<AgentKey> {
        let profiles = self.kinds[kind].profiles.common(&self.may_dial);
        let heads = profiles.filter_map(|p| self.profiles[p].seats.first_to_dial());
        heads.min().map(|seat| seat.agent)
    }

    /// Agents who could take a visit of this kind now, profile by profile.
    pub fn censuses(&self, kind: usize) -> impl Iterator<Item = &Census> {
        self.kinds[kind].profiles.iter().map(|p| &self.profiles[p].census)
    }

    /// Free agents who could, were it not for the delay of their group.
    pub fn delayed(&self, kind: usize) -> impl Iterator<Item = &Seat> {
        let k = &self.kinds[kind];
        let stage = &self.families[k.family].stages[k.stage];
        let others = stage.profiles.common(&self.free).filter(|p| !k.profiles.has(*p));
        others.flat_map(|p| self.profiles[p].seats.idle().iter())
    }
}

impl Profile {
    fn meet_least_occupied(&mut self, few: &mut Few<Rated>, barred: &Barred, now: Instant) {
        let mut met: SmallVec<[AgentKey; SHOWN]> = SmallVec::new();
        while met.len() < SHOWN {
            let passed_over = |seat: &Seat| is_among(barred, seat.agent) || met.contains(&seat.agent);
            let Some(entrant) = self.seats.occupancy.first(now, passed_over) else { return };
            let rated = Rated::occupied(&entrant, now);
            if !few.meet(rated) {
                return;
            }
            met.push(rated.seat.agent);
        }
    }
}

/// By the levels in the skills asked for; of equals, experts stay free.
fn by_level(strategy: Strategy, level: u32, skills: usize, seat: Seat) -> Rated {
    let level = i64::from(level);
    match strategy {
        Strategy::MostSkilled if mutated(Mutation::StrategyReversed) => Rated::new(level, 0, seat),
        Strategy::MostSkilled => Rated::new(-level, 0, seat),
        _ => Rated::new(level, skills, seat),
    }
}

fn is_among(barred: &Barred, agent: AgentKey) -> bool {
    barred.iter().any(|(_, seat)| seat.agent == agent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_few_are_the_best_of_all(items in prop::collection::vec(0u8..40, 0..30)) {
            let mut few = Few::none();
            items.iter().for_each(|item| { few.meet(*item); });
            let mut all = items.clone();
            all.sort_unstable();
            all.truncate(SHOWN);
            prop_assert_eq!(few.best.to_vec(), all);
        }
    }
}
