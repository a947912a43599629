//! People who dial a number of the site: they press keys, hold, hang up anywhere, and call again when they were cut off.

use super::{Leg, Mood};
use crate::dice::Dice;
use crate::script::ActId;
use base::Pii;
use sip::sdp::{self, Local};
use sip::{Dial, SessionId};
use std::net::SocketAddr;
use std::time::Duration;

/// Steps of a caller beside those of the plan.
pub const HANGS_UP: u8 = 100;
pub const CALLS_AGAIN: u8 = 101;

/// Somebody on the trunk, caller or called.
pub struct Person {
    /// The name of the act that began it.
    pub id: ActId,
    pub leg: Leg,
    pub call: Option<Call>,
}

/// What somebody dialled, and as whom.
#[derive(Clone, Debug)]
pub struct Call {
    pub number: &'static str,
    pub from: String,
    pub withheld: bool,
    pub late: bool,
    /// The keys of the language and of what it is about: the same when the caller calls again.
    pub wants: (char, char),
}

/// What a caller does from the answer on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Key(char),
    Hold(bool),
    Refresh,
}

impl Call {
    pub fn drawn(dice: &mut Dice, mood: Mood) -> Call {
        let number = match mood {
            // Of the lines where somebody is called back.
            Mood::Callbacks => dice.one_of(["100", "200"]),
            Mood::Usual => dice.one_of(["100", "100", "100", "100", "200", "200", "200", "300", "400", "999"]),
        };
        let (withheld, late) = (dice.percent(8), dice.percent(6));
        let wants = match mood {
            Mood::Callbacks => (dice.one_of(['1', '1', '2']), dice.one_of(['1', '1', '2'])),
            Mood::Usual => {
                let language = dice.one_of(['1', '1', '2', '3', '4', '9']);
                (language, dice.one_of(['1', '1', '2', '2', '3', '3', '4', '5', '6', '6', '#', '0']))
            }
        };
        Call { number, from: format!("+52555{}", dice.below(12)), withheld, late, wants }
    }

    pub fn invite(&self, line: &mut crate::wire::Line, rtp: u16, dice: &mut Dice) -> (SessionId, sip::Input, Leg) {
        let local = Local::new(line.address.ip(), rtp, dice.below(1 << 40));
        let session = line.endpoint.new_session();
        let call_id = dice.token();
        if self.late {
            line.offer_late(&call_id, local.clone());
        }
        let dial = Dial {
            uri: format!("sip:{}@10.0.0.1:5060", self.number).into(),
            flow: line.flow(),
            call_id: call_id.as_str().into(),
            from_display: Pii::new("Caller".into()),
            from_user: Pii::new(self.from.as_str().into()),
            sdp: sdp::offer(&local),
            credential: None,
            provisional_within: Duration::from_secs(4),
            withheld: self.withheld,
            auto_answer: false,
            headers: Vec::new(),
        };
        (session, sip::Input::Invite { session, dial: Box::new(dial) }, Leg::new(local, Vec::new(), &call_id))
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let from = if self.withheld { "somebody" } else { &self.from };
        let late = if self.late { ", without an offer" } else { "" };
        write!(f, "{from} calls {}{late}", self.number)
    }
}

impl Person {
    /// Where the centre sends the audio to: how the plane knows this person.
    pub fn rtp(&self, line: SocketAddr) -> SocketAddr {
        SocketAddr::new(line.ip(), self.leg.local.port)
    }
}

/// What a caller does from the answer on, each after how long.
pub fn plans(dice: &mut Dice, call: &Call, mood: Mood) -> Vec<(Duration, Plan)> {
    if mood == Mood::Callbacks && dice.percent(80) {
        return asks_at_once(dice, call);
    }
    let mut plans = Vec::new();
    let (language, service) = call.wants;
    if dice.percent(88) {
        let first = dice.millis(300, 5_000);
        let second = first + dice.millis(300, 5_000);
        plans.extend([(first, Plan::Key(language)), (second, Plan::Key(service))]);
        // Whether they may be recorded, those who are asked: some say nothing.
        let asked = second + dice.millis(300, 2_000);
        if service == '6' && dice.percent(75) {
            plans.push((asked, Plan::Key(dice.one_of(['1', '2', '2']))));
        }
        waits(&mut plans, asked, dice);
    }
    if dice.percent(10) {
        let hold = dice.seconds(5, 40);
        plans.extend([(hold, Plan::Hold(true)), (hold + dice.seconds(1, 10), Plan::Hold(false))]);
    }
    if dice.percent(6) {
        plans.push((dice.seconds(2, 60), Plan::Refresh));
    }
    plans
}

/// Does not wait: wants to be called back as soon as the line is reached.
fn asks_at_once(dice: &mut Dice, call: &Call) -> Vec<(Duration, Plan)> {
    let mut at = Duration::ZERO;
    let mut key = |(key, slowest): (char, u64)| {
        at += dice.millis(200, slowest);
        (at, Plan::Key(key))
    };
    [(call.wants.0, 800), (call.wants.1, 800), ('7', 1_500), ('1', 900)].map(&mut key).into()
}

/// Keys that mean something to who waits: to be called back, there or at another number, or to leave a message.
fn waits(plans: &mut Vec<(Duration, Plan)>, since: Duration, dice: &mut Dice) {
    let later = since + dice.millis(500, 25_000);
    let mut keys = |keys: &str, dice: &mut Dice| {
        let mut at = later;
        for key in keys.chars() {
            plans.push((at, Plan::Key(key)));
            at += dice.millis(200, 2_500);
        }
    };
    match dice.below(100) {
        0..14 => keys("71", dice),
        14..17 => keys("725557770#1", dice),
        17..23 => keys("8", dice),
        23..26 => keys("8#", dice),
        26..29 => keys("7", dice),
        29..31 => keys("7*0", dice),
        _ => {}
    }
}

/// When a call that nobody ends is ended by its caller.
pub fn patience(dice: &mut Dice) -> Duration {
    if dice.percent(18) { dice.millis(0, 3_000) } else { dice.seconds(3, 110) }
}

/// Between two calls.
pub fn lull(dice: &mut Dice, mood: Mood, busy: bool) -> Duration {
    match mood {
        // So few that the day is long enough for a second and a third try.
        Mood::Callbacks => dice.millis(500, 8_000),
        Mood::Usual if busy => dice.millis(50, 4_000),
        Mood::Usual => dice.seconds(2, 20),
    }
}
