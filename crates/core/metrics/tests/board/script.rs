//! A log told in lines: at which second, by both clocks, what happened to which call or agent.

use base::fact::{About, CallbackEnd, Direction, Fact, Kept, Logged, Transfer, What};
use base::quality::{LegQuality, Rated, Received, Side};
use base::{AgentId, AgentState, CallId, Cause, ConversationId, Instant, Lang, Now, Outcome, QueueId, VisitId, Wall};
use metrics::{AgentFigures, Board, Figures, Folded, QueueFigures, View};
use std::collections::BTreeMap;

/// A quarter hour's beginning, and midnight in UTC.
pub const MIDNIGHT: i64 = 1_800_057_600_000_000;
pub const QUARTER: f64 = 900.0;

/// Seconds after [`MIDNIGHT`] on the wall; on the monotonic clock since the node's start.
pub struct Script {
    pub log: Vec<Logged>,
    pub board: Board,
    epoch: u32,
    seq: u64,
    at: f64,
    /// Where the monotonic clock began, and how far the wall was pushed since.
    boot: f64,
    pushed: f64,
    visits: BTreeMap<CallId, u16>,
    conversations: BTreeMap<CallId, u16>,
    agents: BTreeMap<AgentId, (AgentState, f64)>,
    entered: BTreeMap<CallId, f64>,
    ringing: Option<CallId>,
    offers: u16,
}

pub fn call(n: u32) -> CallId {
    CallId { node: 1, epoch: 1, n }
}

pub fn queue(name: &str) -> QueueId {
    format!("acme/{name}").parse().unwrap()
}

pub fn agent(name: &str) -> AgentId {
    format!("acme/{name}").parse().unwrap()
}

pub fn of_call(n: u32) -> About {
    About { tenant: Some("acme".parse().unwrap()), call: Some(call(n)), ..About::default() }
}

impl Script {
    pub fn new() -> Script {
        Script::starting(0.0)
    }

    pub fn starting(at: f64) -> Script {
        let mut script = Script {
            log: Vec::new(),
            board: Board::new(),
            epoch: 0,
            seq: 0,
            at: 0.0,
            boot: 0.0,
            pushed: 0.0,
            visits: BTreeMap::new(),
            conversations: BTreeMap::new(),
            agents: BTreeMap::new(),
            entered: BTreeMap::new(),
            ringing: None,
            offers: 0,
        };
        script.starts(at);
        script
    }

    /// From now on it is `at` seconds after midnight.
    pub fn at(&mut self, at: f64) -> &mut Script {
        self.at = at;
        self
    }

    /// The wall clock jumps, the monotonic one does not.
    pub fn wall_jumps(&mut self, seconds: f64) {
        self.pushed += seconds;
    }

    pub fn now(&self) -> Now {
        self.moment(self.at)
    }

    fn moment(&self, at: f64) -> Now {
        let mono = Instant(((at - self.boot).max(0.0) * 1e9).round() as u64);
        Now { mono, wall: Wall(MIDNIGHT + ((at + self.pushed) * 1e6).round() as i64) }
    }

    pub fn say(&mut self, about: About, what: What) -> &mut Script {
        self.say_at(self.now(), about, what)
    }

    pub fn say_at(&mut self, now: Now, about: About, what: What) -> &mut Script {
        self.seq += 1;
        let logged = Logged { epoch: self.epoch, seq: self.seq, fact: Fact { now, about, what } };
        assert_eq!(self.board.apply(&logged), Folded::Counted);
        self.log.push(logged);
        self
    }

    /// A new epoch whose monotonic clock begins at zero.
    pub fn starts(&mut self, at: f64) -> &mut Script {
        (self.epoch, self.seq, self.at, self.boot) = (self.epoch + 1, 0, at, at);
        let queues = vec![queue("soporte"), queue("ventas")];
        self.say(About::default(), What::NodeStarted { boot_id: "b".into(), version: 1, queues })
    }

    /// The next epoch closes what the dead one left, at the time of its last fact, then starts.
    pub fn dies_and_starts(&mut self, at: f64, close: impl FnOnce(&mut Script)) -> &mut Script {
        (self.epoch, self.seq) = (self.epoch + 1, 0);
        close(self);
        self.say(About { cause: Some(Cause::NodeLost), ..About::default() }, What::NodeStopped { clean: false });
        (self.at, self.boot) = (at, at);
        self.say(About::default(), What::NodeStarted { boot_id: "c".into(), version: 1, queues: vec![queue("soporte")] })
    }

    pub fn arrives(&mut self, n: u32) -> &mut Script {
        let what = What::CallArrived { direction: Direction::Incoming, trunk: "t".into(), number: "5000".into() };
        self.say(of_call(n), what)
    }

    /// A call of the agent's own.
    pub fn dials(&mut self, n: u32, who: &str, direction: Direction) -> &mut Script {
        let about = About { agent: Some(agent(who)), ..of_call(n) };
        let what = What::CallArrived { direction, trunk: String::new(), number: "outside".into() };
        self.becomes(who, AgentState::Engaged).say(about, what)
    }

    /// Somebody answers the agent's own call.
    pub fn reaches(&mut self, n: u32, who: &str) -> &mut Script {
        *self.conversations.entry(call(n)).or_insert(0) += 1;
        self.say(self.talk(n, who), What::AgentLegConnected { wait_ms: 0 })
    }

    pub fn is_done(&mut self, n: u32, who: &str, talk_ms: u64) -> &mut Script {
        let ended = What::AgentLegEnded { talk_ms, hold_ms: 0, consult_ms: 0 };
        self.say(self.talk(n, who), ended).ends(n, Cause::AgentHungUp).becomes(who, AgentState::Available)
    }

    pub fn is_done_unreached(&mut self, n: u32, who: &str) -> &mut Script {
        self.ends(n, Cause::NoAnswer).becomes(who, AgentState::Available)
    }

    /// The last conversation of a call, in no queue's name.
    pub fn talk(&self, n: u32, who: &str) -> About {
        let conversation = ConversationId { call: call(n), n: self.conversations[&call(n)] };
        About { conversation: Some(conversation), agent: Some(agent(who)), ..of_call(n) }
    }

    pub fn selects(&mut self, n: u32, lang: Lang) -> &mut Script {
        self.say(About { lang: Some(lang), ..of_call(n) }, What::IvrLanguageSelected {})
    }

    pub fn enters(&mut self, n: u32, name: &str) -> &mut Script {
        self.enters_expecting(n, name, None)
    }

    /// With the P50 and P90 in milliseconds that the estimator says.
    pub fn enters_expecting(&mut self, n: u32, name: &str, expected: Option<(u64, u64)>) -> &mut Script {
        *self.visits.entry(call(n)).or_insert(0) += 1;
        self.entered.insert(call(n), self.at);
        let about = self.visit(n, name);
        self.say(
            about,
            What::QueueEntered {
                requires: Default::default(),
                priority_s: 0,
                position: 1,
                expected_p50_ms: expected.map(|e| e.0),
                expected_p90_ms: expected.map(|e| e.1),
                credit_ms: 0,
            },
        )
    }

    pub fn visit(&self, n: u32, name: &str) -> About {
        let visit = VisitId { call: call(n), n: self.visits.get(&call(n)).copied().unwrap_or(1) };
        About { visit: Some(visit), queue: Some(queue(name)), ..of_call(n) }
    }

    /// T 20 s, S 5 s. The wait is the time since it entered.
    pub fn leaves(&mut self, n: u32, name: &str, outcome: Outcome) -> &mut Script {
        let wait_ms = ((self.at - self.entered[&call(n)]) * 1000.0).round() as u64;
        let ringing = self.ringing == Some(call(n));
        let what = What::QueueLeft { outcome, wait_ms, ringing, threshold_ms: 20_000, short_ms: 5_000, to: None };
        self.say(self.visit(n, name), what)
    }

    pub fn rings(&mut self, n: u32, name: &str, who: &str) -> &mut Script {
        self.offers += 1;
        self.ringing = Some(call(n));
        let about = About { agent: Some(agent(who)), ..self.visit(n, name) };
        self.becomes(who, AgentState::Ringing).say(about, What::OfferSent { legs: 1, why: Default::default() })
    }

    pub fn rings_out(&mut self, n: u32, name: &str, who: &str) -> &mut Script {
        self.ringing = None;
        let about = About { agent: Some(agent(who)), ..self.visit(n, name) };
        self.say(about, What::OfferTimedOut { ring_ms: 15_000 }).becomes(who, AgentState::Paused)
    }

    pub fn stops_ringing(&mut self, n: u32, name: &str, who: &str) -> &mut Script {
        self.ringing = None;
        let about = About { agent: Some(agent(who)), ..self.visit(n, name) };
        self.say(about, What::OfferCancelled { ring_ms: 3_000 }).becomes(who, AgentState::Available)
    }

    pub fn conversation(&self, n: u32, name: &str, who: &str) -> About {
        let conversation = ConversationId { call: call(n), n: self.conversations[&call(n)] };
        About { conversation: Some(conversation), agent: Some(agent(who)), ..self.visit(n, name) }
    }

    /// The agent's 200: the visit is answered, the conversation and its recording begin.
    pub fn answers(&mut self, n: u32, name: &str, who: &str) -> &mut Script {
        self.leaves(n, name, Outcome::Answered);
        self.ringing = None;
        *self.conversations.entry(call(n)).or_insert(0) += 1;
        let about = self.conversation(n, name, who);
        let recording = base::RecordingId { conversation: about.conversation.unwrap(), n: 1 };
        self.becomes(who, AgentState::Talking)
            .say(about.clone(), What::AgentLegConnected { wait_ms: 0 })
            .say(about, What::RecordingStarted { recording })
    }

    /// The caller leaves the line and keeps the place, as a second visit.
    pub fn asks_for_a_callback(&mut self, n: u32, name: &str) -> &mut Script {
        self.leaves(n, name, Outcome::Callback);
        self.say(self.visit(n, name), What::CallbackRequested {}).enters(n, name)
    }

    pub fn is_called_back(&mut self, n: u32, name: &str, end: CallbackEnd) -> &mut Script {
        self.say(self.visit(n, name), What::CallbackDone { end, attempts: 1, wait_ms: 60_000 })
    }

    pub fn transfers(&mut self, n: u32, name: &str, who: &str, kind: Transfer) -> &mut Script {
        self.say(self.conversation(n, name, who), What::AgentLegTransferred { kind, to: "queue/soporte".into() })
    }

    pub fn codes(&mut self, n: u32, name: &str, who: &str, code: &str) -> &mut Script {
        self.say(self.conversation(n, name, who), What::WrapUpCoded { code: code.into() })
    }

    pub fn hangs_up(&mut self, n: u32, name: &str, who: &str, talk_ms: u64) -> &mut Script {
        let about = self.conversation(n, name, who);
        let recording = base::RecordingId { conversation: about.conversation.unwrap(), n: 1 };
        let stored = What::RecordingStored {
            recording,
            file: "f".into(),
            duration_ms: talk_ms,
            sha256: "s".into(),
            kept: Kept::Complete,
            reason: None,
        };
        self.say(about.clone(), What::AgentLegEnded { talk_ms, hold_ms: 0, consult_ms: 0 })
            .becomes(who, AgentState::WrapUp)
            .say(about, stored)
    }

    pub fn wraps_up(&mut self, who: &str, wrapup_ms: u64) -> &mut Script {
        self.say(About { agent: Some(agent(who)), ..About::default() }, What::WrapUpEnded { wrapup_ms })
    }

    pub fn ends(&mut self, n: u32, cause: Cause) -> &mut Script {
        let visits = self.visits.get(&call(n)).copied().unwrap_or(0);
        self.say(About { cause: Some(cause), ..of_call(n) }, What::CallEnded { duration_ms: 1, visits })
    }

    /// A leg of the call closes, rated so in what came; its peer never reported.
    pub fn sounds(&mut self, n: u32, mos: f64, loss: f64, jitter_us: u64) -> &mut Script {
        let rated = Rated { loss: Some(loss), r: None, mos: Some(mos) };
        let received = Received { packets: 100, jitter_us, rated, ..Received::default() };
        let quality = Box::new(LegQuality { received, ..LegQuality::default() });
        self.say(of_call(n), What::LegClosed { side: Side::Customer, quality })
    }

    pub fn logs_in(&mut self, who: &str) -> &mut Script {
        let about = About { agent: Some(agent(who)), ..About::default() };
        self.say(about, What::AgentLoggedIn { queues: vec![queue("soporte")] }).becomes(who, AgentState::Available)
    }

    pub fn becomes(&mut self, who: &str, state: AgentState) -> &mut Script {
        let (previous, since) = self.agents.get(&agent(who)).copied().unwrap_or((AgentState::LoggedOut, self.at));
        self.agents.insert(agent(who), (state, self.at));
        let previous_ms = ((self.at - since) * 1000.0).round() as u64;
        let about = About { agent: Some(agent(who)), ..About::default() };
        self.say(about, What::AgentStateChanged { state, previous, previous_ms, reason: None })
    }

    /// Over the quarter hours from `from` to before `to`, in seconds after midnight.
    pub fn figures(&self, from: f64, to: f64) -> Figures {
        let wall = |s: f64| Wall(MIDNIGHT + (s * 1e6) as i64);
        let figures = self.board.figures(&View::new(self.now(), wall(from), wall(to)));
        assert!(figures.sums_hold(), "{figures:#?}");
        figures
    }

    pub fn hour(&self) -> Figures {
        self.figures(0.0, 4.0 * QUARTER)
    }
}

pub fn of<'a>(figures: &'a Figures, name: &str) -> &'a QueueFigures {
    figures.queues.iter().find(|q| q.queue == queue(name)).unwrap()
}

pub fn who<'a>(figures: &'a Figures, name: &str) -> &'a AgentFigures {
    figures.agents.iter().find(|a| a.agent == agent(name)).unwrap()
}
