//! The words of the flow interpreter: what enters it and what leaves it.

use base::fact::Consent;
use base::{Cause, Lang, Outcome, Pii, Requirement};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// What enters the interpreter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The call was answered and media flows: begin. `open` by the number's hours is computed by the flow itself from `now`.
    Start,
    /// A key of the caller.
    Key(char),
    /// The `Play` of this number was heard to its end. Others are ignored.
    Played(u32),
    /// The visit that `Enqueue` asked for ended other than by an agent or the caller's leaving: the flow goes on.
    QueueLeft(Outcome),
    /// The queue did not take the call: `QueueFull`, `NoAgents`, `Closed` or another. The flow goes on.
    QueueRefused(Cause),
    /// An agent answered: nothing more is said, until `AgentLost`.
    Connected,
    /// The queue's announcement is due (position counts from 1); the flow says it over the music.
    /// `position` and `wait` are said if they are there.
    Announce {
        position: Option<u32>,
        wait: Option<Duration>,
    },
    /// The recording that `Record` asked for has ended.
    Recorded,
    /// The callback that `Callback` asked for was taken down, or cannot be (no number, the queue has none).
    CallbackTaken(bool),
    /// The agent's leg died in a conversation: apologise; `Enqueue` goes out again by itself with `again: true`.
    AgentLost,
    /// The agent passed the call on to a queue, or the place in line is taken up again: music and the keys of the flow's own
    /// queue, which is not asked for again.
    Transferred,
    /// The customer was called back and waits for an agent: said, then as `Transferred`.
    CalledBack,
    Due,
}

/// What leaves the interpreter. Prompts are full keys `flow/lang/id`; music has the language [`NO_LANGUAGE`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// Say these, one after the other, instead of what plays. Answered by `Played(play)`.
    Play {
        play: u32,
        prompts: Vec<Arc<str>>,
    },
    /// Music in a loop, until the next `Play` or until an agent answers.
    Music {
        prompt: Arc<str>,
    },
    /// Barge-in: silence at once.
    Stop,
    /// For the facts.
    LanguageSelected(Lang),
    /// The caller heard to the end that calls are recorded.
    NoticePlayed {
        step: Arc<str>,
    },
    /// Whether the call may be recorded, from here on.
    Consent {
        step: Arc<str>,
        consent: Consent,
    },
    KeyTaken {
        step: Arc<str>,
        key: Option<char>,
        understood: bool,
    },
    /// The flow is suspended: the call waits in a queue (music was started by a `Music` before).
    Enqueue {
        step: Arc<str>,
        queue: Arc<str>,
        requires: Requirement,
        priority_s: i64,
        lang: Lang,
        again: bool,
    },
    /// A key in the queue led out of it: the visit ends with this outcome, and the flow has the call again.
    LeaveQueue {
        outcome: Outcome,
    },
    /// Keep the caller's place and call back: the number that called (`None`) or the one keyed in. Answered by
    /// `CallbackTaken`. The visit goes on until the caller's leg is over: by the `HangUp` that follows, or before.
    Callback {
        number: Option<Pii<Arc<str>>>,
    },
    /// Record the caller, at most so long; a key ends it. Answered by `Recorded`.
    Record {
        step: Arc<str>,
        limit: Duration,
    },
    /// The call leaves the centre, to a number outside: the flow is over unless `QueueRefused` says that it did not work.
    /// `music` is heard while it is dialled; without it, ringing.
    Forward {
        step: Arc<str>,
        number: Arc<str>,
        music: Option<Arc<str>>,
    },
    /// The flow is over: hang up.
    HangUp {
        step: Arc<str>,
        cause: Cause,
    },
}

/// The language of sounds that speak none (ISO 639-2).
pub const NO_LANGUAGE: &str = "zxx";
