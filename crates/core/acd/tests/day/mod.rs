//! A day: a seeded sequence of inputs, some of which make no sense, to a site of seeded settings.

pub mod site;

use crate::ledger::Ledger;
use acd::{Acd, Ask, CallFirst, Caller, Config, Input, OfferResult, Output, Sweep, Work};
use base::{AgentId, AgentState, CallId, Cause, Now, OfferId, Outcome, PartyId, Random, VisitId};
use site::{agent, queue, secs};
use std::sync::Arc;
use std::time::Duration;

pub struct Day {
    pub random: Random,
    pub acd: Acd,
    pub now: Now,
    pub calls: u32,
    pub config: Arc<Config>,
    pub ledger: Ledger,
    /// As in production: a share after each input, whatever changed since the one before.
    sweep: Sweep,
    text: String,
}

impl Day {
    pub fn new(seed: u64) -> Self {
        Day {
            random: Random::from_seed(seed),
            acd: Acd::new(seed),
            now: Now::default().plus(secs(1_000)),
            calls: 0,
            config: Arc::default(),
            ledger: Ledger::default(),
            sweep: Sweep::default(),
            text: String::new(),
        }
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.random.below(n) == 0
    }

    pub fn up_to(&mut self, n: u64) -> u64 {
        self.random.below(n + 1)
    }

    pub fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.random.below(all.len() as u64) as usize].clone()
    }

    /// Mostly one that waits.
    pub fn a_visit(&mut self) -> VisitId {
        let waiting: Vec<VisitId> = self.acd.visits().map(|v| v.visit).collect();
        match waiting.get(self.random.below(waiting.len() as u64 + 1) as usize) {
            Some(visit) => *visit,
            None => VisitId { call: CallId { node: 1, epoch: 1, n: self.random.below(50) as u32 }, n: 1 },
        }
    }

    fn an_offer(&mut self) -> Option<OfferId> {
        let known: Vec<_> = if self.one_in(8) { self.ledger.ended_offers() } else { self.ledger.live_offers() };
        known.get(self.random.below(known.len() as u64) as usize).copied()
    }

    pub fn input(&mut self) -> Input {
        let agent = agent(self.random.below(6));
        match self.random.below(56) {
            0..8 => self.enqueue(),
            8..10 => self.leave(),
            10..21 => self.offer_event(),
            21..27 => Input::Released { agent, cause: Cause::Requested },
            27 => Input::Held { agent, held: self.one_in(2) },
            28..37 => self.asked(agent),
            37..40 => Input::Reachable { agent, reachable: !self.one_in(6) },
            40..43 => Input::Engaged { agent, work: self.work() },
            43 => self.restore(agent),
            44..46 => self.supervisor(agent),
            46 => Input::Assign { agent, visit: self.a_visit(), queue: self.one_in(2).then(|| queue(self.random.below(5))) },
            47..49 => Input::CustomerAnswered { visit: self.ledger.dialled().first().copied().unwrap_or_else(|| self.a_visit()) },
            49 => self.call_back(),
            50 if self.one_in(6) => {
                self.config = self.site();
                Input::Configure(self.config.clone())
            }
            _ => Input::Due,
        }
    }

    pub fn enqueue(&mut self) -> Input {
        self.calls += 1;
        let call = CallId { node: 1, epoch: 1, n: self.calls };
        let caller = match self.random.below(8) {
            0 => self.caller(CallFirst::Agent),
            1 => self.caller(CallFirst::Customer),
            _ => Caller::OnTheLine,
        };
        Input::Enqueue {
            visit: VisitId { call, n: 1 },
            queue: queue(self.random.below(4)),
            requires: self.requirement(),
            priority_s: if self.one_in(3) { self.random.below(60) as i64 - 30 } else { 0 },
            waited: if self.one_in(5) { secs(self.random.below(2_000)) } else { Duration::ZERO },
            lang: None,
            party: (!self.one_in(3)).then(|| PartyId(self.random.below(8))),
            caller,
        }
    }

    fn caller(&mut self, first: CallFirst) -> Caller {
        let not_before = self.one_in(2).then(|| self.now.mono + secs(self.random.below(40)));
        Caller::Virtual { first, not_before }
    }

    fn leave(&mut self) -> Input {
        let outcome = self.one_of(&[Outcome::Abandoned, Outcome::Abandoned, Outcome::KeyExit, Outcome::System]);
        Input::Leave { visit: self.a_visit(), outcome, cut_off: self.one_in(3).then_some(Cause::NoMedia) }
    }

    /// Who waits hangs up to be called back.
    fn call_back(&mut self) -> Input {
        let visit = self.a_visit();
        let Some(view) = self.acd.visits().find(|v| v.visit == visit) else { return Input::Due };
        self.feed(Input::Leave { visit, outcome: Outcome::Callback, cut_off: None });
        let first = self.one_of(&[CallFirst::Agent, CallFirst::Customer]);
        let (queue, requires, priority_s) = (view.queue, view.requires, view.priority_s);
        let waited = view.credit + self.now.mono.since(view.entered);
        let (visit, party, caller) = (VisitId { n: visit.n + 1, ..visit }, Some(PartyId(3)), self.caller(first));
        Input::Enqueue { visit, queue, requires, priority_s, waited, lang: None, party, caller }
    }

    fn offer_event(&mut self) -> Input {
        let Some(offer) = self.an_offer() else { return Input::Due };
        let result = match self.random.below(14) {
            0..2 => return Input::OfferRinging { offer },
            2..9 => OfferResult::Accepted,
            9 => OfferResult::Unreachable,
            10..12 => OfferResult::Rejected(Cause::Busy),
            n => OfferResult::Rejected(if n == 12 { Cause::Diverted } else { Cause::Declined }),
        };
        Input::OfferResult { offer, result }
    }

    fn asked(&mut self, agent: AgentId) -> Input {
        let ask = match self.random.below(16) {
            0 if self.one_in(2) => Ask::LogOut,
            1 => Ask::Pause { reason: self.one_of(&["", "lunch", "coach", "nap"]).into() },
            2..6 => Ask::LogIn,
            6..8 => Ask::WrapUp,
            8..11 => Ask::Code { code: self.one_of(&["", "solved"]).into() },
            _ => Ask::Ready,
        };
        Input::AgentAsked { agent, ask, cause: Cause::Requested }
    }

    fn work(&mut self) -> Option<Work> {
        let all = [Work::FeatureCode, Work::Internal, Work::Outbound, Work::Monitoring];
        self.one_in(4).then(|| self.one_of(&all))
    }

    fn supervisor(&mut self, agent: AgentId) -> Input {
        match self.random.below(4) {
            0 => Input::Move { visit: self.a_visit(), queue: queue(self.random.below(5)) },
            1 => Input::Prioritise { visit: self.a_visit(), priority_s: self.random.below(200) as i64 - 100 },
            2 => Input::SetSkills { agent, skills: (!self.one_in(3)).then(|| self.skills()) },
            _ => Input::SetOpen {
                queue: queue(self.random.below(4)),
                open: self.one_of(&[None, None, Some(true), Some(true), Some(false)]),
            },
        }
    }

    fn restore(&mut self, agent: AgentId) -> Input {
        let states = [AgentState::LoggedOut, AgentState::Available, AgentState::Talking, AgentState::Paused];
        let state = self.one_of(&states);
        Input::Restore { agent, state, reason: (state == AgentState::Paused).then(|| "lunch".into()) }
    }

    /// Time passes, deadline by deadline.
    pub fn wait(&mut self, span: Duration) {
        let end = self.now.plus(span);
        while let Some(due) = self.acd.deadline().filter(|due| *due <= end.mono) {
            self.now = self.now.plus(due.since(self.now.mono));
            self.feed(Input::Due);
        }
        self.now = end;
    }

    pub fn feed(&mut self, input: Input) {
        let mut out: Vec<Output> = Vec::new();
        self.ledger.hear(&input);
        self.acd.handle(self.now, input.clone(), &mut out);
        self.ledger.read(self.now.mono, &out, &self.config);
        assert_eq!(self.acd.audit(self.now), [], "after {input:?} at {:?}: {out:?}", self.now.mono);
        assert_eq!(self.acd.audit_share(&mut self.sweep, self.now, 2 * Acd::VISIT).found, []);
        self.ledger.compare(&self.acd, &self.config);
        self.text += &format!("{:?}\n", (self.now, out));
    }

    /// Everybody can be asked what they wait for.
    fn ask_why(&self) {
        for v in self.acd.visits() {
            let waits = self.acd.waits(v.visit, self.now).expect("it waits");
            assert_eq!((Some(waits.position), waits.requires), (self.acd.position(v.visit), v.requires));
        }
    }

    /// What it decided, as text.
    pub fn run(mut self, inputs: usize) -> String {
        self.config = self.site();
        self.feed(Input::Configure(self.config.clone()));
        (0..5).for_each(|n| self.feed(Input::Reachable { agent: agent(n), reachable: true }));
        for _ in 0..inputs {
            let input = self.input();
            self.feed(input);
            self.ask_why();
            let millis = self.random.below(4_000);
            self.wait(Duration::from_millis(millis));
        }
        let end = self.now.mono;
        self.wait(secs(120));
        assert_eq!(self.ledger.dialled_before(end), [], "a customer is dialled for ever");
        // As long as calls wait, new offers begin.
        let waiting: Vec<VisitId> = self.acd.visits().map(|v| v.visit).collect();
        waiting.into_iter().for_each(|visit| self.feed(Input::Leave { visit, outcome: Outcome::System, cut_off: None }));
        self.wait(secs(120));
        let waits_alone = |state| matches!(state, AgentState::WrapUp | AgentState::Reserved | AgentState::Ringing);
        assert!(self.acd.agents().all(|a| a.offer.is_none() && !waits_alone(a.state)), "somebody is stuck");
        self.text
    }
}
