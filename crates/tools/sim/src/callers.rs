//! People who dial: they press keys, hold, and hang up anywhere.

use crate::dice::Dice;
use crate::line::Line;
use base::{Instant, Pii};
use sip::sdp::{self, Direction, Local};
use sip::{Dial, SessionId};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Callers of one trunk, and what each has said of itself.
pub struct Callers {
    pub line: Line,
    by_session: BTreeMap<SessionId, Caller>,
    dialled: u16,
}

pub struct Caller {
    local: Local,
    /// Where the centre sends its audio to: how the plane knows this caller.
    pub rtp: SocketAddr,
}

/// What a caller will do, and after how long.
pub enum Plan {
    HangUp,
    Key(char),
    Hold(bool),
}

impl Callers {
    pub fn new(address: SocketAddr) -> Self {
        Callers { line: Line::new(address), by_session: BTreeMap::new(), dialled: 0 }
    }

    /// A new caller's INVITE.
    pub fn dial(&mut self, dice: &mut Dice) -> (SessionId, sip::Input) {
        self.dialled = (self.dialled + 1) % 10_000;
        let rtp = SocketAddr::new(self.line.address.ip(), 30_000 + 2 * self.dialled);
        let local = Local::new(rtp.ip(), rtp.port(), dice.below(1 << 40));
        let session = self.line.endpoint.new_session();
        let number = dice.pick(&["100", "100", "100", "200", "200", "999"]).copied().unwrap_or("100");
        let from = if dice.percent(10) { "anonymous".to_string() } else { format!("+52555{}", dice.below(30)) };
        let dial = Dial {
            uri: format!("sip:{number}@10.0.0.1:5060").into(),
            flow: self.line.flow(),
            call_id: dice.token().into(),
            from_display: Pii::new("Caller".into()),
            from_user: Pii::new(from.into()),
            sdp: sdp::offer(&local),
            credential: None,
            provisional_within: Duration::from_secs(4),
            withheld: false,
            auto_answer: false,
            headers: Vec::new(),
        };
        self.by_session.insert(session, Caller { local, rtp });
        (session, sip::Input::Invite { session, dial: Box::new(dial) })
    }

    pub fn get(&self, session: SessionId) -> Option<&Caller> {
        self.by_session.get(&session)
    }

    pub fn forget(&mut self, session: SessionId) {
        self.by_session.remove(&session);
    }

    /// What this caller does from the answer on.
    pub fn plans(dice: &mut Dice) -> Vec<(Duration, Plan)> {
        let mut plans = Vec::new();
        let language = dice.pick(&['1', '2', '3', '4', '9']).copied();
        let service = dice.pick(&['1', '1', '2', '#', '0']).copied();
        if !dice.percent(15) {
            let first = dice.millis(300, 9_000);
            plans.extend(language.map(|key| (first, Plan::Key(key))));
            plans.extend(service.map(|key| (first + dice.millis(300, 7_000), Plan::Key(key))));
        }
        if dice.percent(10) {
            let hold = dice.seconds(5, 40);
            plans.push((hold, Plan::Hold(true)));
            plans.push((hold + dice.seconds(1, 10), Plan::Hold(false)));
        }
        plans
    }

    pub fn hold(&mut self, session: SessionId, held: bool) -> Option<sip::Input> {
        let local = &mut self.by_session.get_mut(&session)?.local;
        local.version += 1;
        local.direction = if held { Direction::SendOnly } else { Direction::SendRecv };
        Some(sip::Input::Reoffer { session, sdp: sdp::offer(local) })
    }

    /// The centre asks for another agreement; callers agree to everything.
    pub fn agree(&mut self, session: SessionId, offer: Option<&[u8]>) -> Option<sip::Input> {
        let local = &mut self.by_session.get_mut(&session)?.local;
        local.version += 1;
        let sdp = offer.map_or(Some(sdp::offer(local)), |offer| Some(sdp::answer(offer, local).ok()?.0))?;
        Some(sip::Input::AnswerReoffer { session, sdp })
    }
}

/// When a call that nobody ends is ended by its caller.
pub fn patience(dice: &mut Dice) -> Duration {
    if dice.percent(20) { dice.millis(0, 3_000) } else { dice.seconds(3, 100) }
}

/// Between two calls.
pub fn lull(dice: &mut Dice, busy: bool) -> Duration {
    if busy { dice.millis(50, 4_000) } else { dice.seconds(2, 25) }
}

/// The trunk's address.
pub fn trunk() -> SocketAddr {
    SocketAddr::from(([10, 0, 1, 1], 5060))
}

/// Nobody waits longer for anything: what is still there then is stuck.
pub fn forever(at: Instant) -> Instant {
    at + Duration::from_secs(400)
}
