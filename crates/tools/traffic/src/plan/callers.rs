//! Callers, and the people outside whom the centre calls.

use super::{Span, answers};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallerMix {
    /// Calls come at random, this many in a minute on average.
    pub per_minute: f64,
    /// No more calls than this in all.
    pub at_most: Option<u32>,
    /// New ones come only while fewer than this are on the line.
    pub live: Option<u32>,
    /// This many at once when the run begins.
    pub at_once: u32,
    pub languages: Vec<LanguageShare>,
    /// Keys of the menu after the language; one is drawn. Empty: none is pressed.
    pub services: Vec<char>,
    /// From the beginning of a prompt to the key.
    pub thinks: Span,
    /// Parts of 1: those who leave before they pressed everything, and those who leave while they wait.
    pub leaves_in_ivr: f64,
    pub leaves_in_queue: f64,
    /// How long those who lose patience wait, from the last key.
    pub patience: Span,
    /// Likewise those who then press keys instead: to be called back (and to confirm it), or to leave a message.
    pub asks_for_callback: f64,
    pub callback_keys: String,
    pub leaves_message: f64,
    pub message_keys: String,
    /// From the last of those keys to hanging up, speaking all the time.
    pub message: Span,
    /// From hearing an agent to hanging up, unless the agent does first.
    pub talk: Span,
    /// They speak from the 200 on, also to prompts and music: an open microphone. Else once an agent is heard.
    pub speaks_at_once: bool,
}

impl Default for CallerMix {
    fn default() -> Self {
        let share = |lang: &str, key, weight| LanguageShare { lang: lang.into(), key, weight };
        CallerMix {
            per_minute: 30.0,
            at_most: None,
            live: None,
            at_once: 0,
            languages: vec![share("es", '1', 4), share("en", '2', 3), share("pt", '3', 2), share("fr", '4', 1)],
            services: vec!['1', '2'],
            thinks: Span::ms(500, 1_500),
            leaves_in_ivr: 0.0,
            leaves_in_queue: 0.0,
            patience: Span::ms(2_000, 15_000),
            asks_for_callback: 0.0,
            callback_keys: "71".into(),
            leaves_message: 0.0,
            message_keys: "8".into(),
            message: Span::ms(6_000, 12_000),
            talk: Span::ms(4_000, 12_000),
            speaks_at_once: false,
        }
    }
}

/// A language, the key that chooses it, and how many of the callers speak it, by weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LanguageShare {
    pub lang: String,
    pub key: char,
    pub weight: u32,
}

/// Where the centre's own calls arrive, and what the people there do with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outside {
    /// The address that the site has for the trunk by which its calls leave.
    pub at: SocketAddr,
    #[serde(default = "answers")]
    pub answer_after: Span,
    /// From hearing an agent to hanging up, unless the agent does first.
    #[serde(default = "talks")]
    pub talk: Span,
    /// Parts of 1: calls that are left ringing, and calls that are refused with 486.
    #[serde(default)]
    pub never_answers: f64,
    #[serde(default)]
    pub refuses: f64,
}

impl Outside {
    pub fn at(at: SocketAddr) -> Outside {
        Outside { at, answer_after: answers(), talk: talks(), never_answers: 0.0, refuses: 0.0 }
    }
}

fn talks() -> Span {
    Span::ms(3_000, 8_000)
}
