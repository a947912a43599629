//! The flow file as it is written, before names are resolved.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;
use std::marker::PhantomData;

pub(crate) type Word = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flow {
    pub flow: Word,
    pub languages: Vec<Word>,
    /// For hours; an IANA name.
    pub zone: Option<Word>,
    pub start: Word,
    pub steps: Entries<Step>,
}

/// Each step is a map of one key, which says its kind.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Say(Say),
    Menu(Menu),
    Language(Language),
    Hours(Hours),
    Notice(Notice),
    Consent(Consent),
    Queue(Box<Queue>),
    Callback(Callback),
    Voicemail(Voicemail),
    Forward(Forward),
    HangUp(HangUp),
    Goto(Word),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Say {
    pub prompts: Vec<Word>,
    pub then: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Menu {
    pub prompts: Vec<Word>,
    pub keys: Entries<Word>,
    /// The key that says the menu again.
    pub repeat: Option<Word>,
    #[serde(default = "yes")]
    pub barge_in: bool,
    pub timeout: Option<Word>,
    pub retries: Option<Spanned<u8>>,
    #[serde(default)]
    pub invalid: Vec<Word>,
    #[serde(default)]
    pub no_input: Vec<Word>,
    pub otherwise: Word,
    #[serde(default)]
    pub secret: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    /// Said in each of the flow's languages, one after the other.
    pub prompts: Vec<Word>,
    pub keys: Entries<Word>,
    pub timeout: Option<Word>,
    pub retries: Option<Spanned<u8>>,
    pub then: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hours {
    pub week: Vec<Word>,
    #[serde(default)]
    pub holidays: Vec<Word>,
    pub open: Word,
    pub closed: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notice {
    pub prompts: Option<Vec<Word>>,
    pub then: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consent {
    #[serde(default)]
    pub mode: Mode,
    pub prompts: Option<Vec<Word>>,
    pub yes: Option<Word>,
    pub no: Option<Word>,
    pub timeout: Option<Word>,
    pub retries: Option<Spanned<u8>>,
    #[serde(default)]
    pub invalid: Vec<Word>,
    pub then: Word,
    /// For those who are not recorded; `then` without it.
    pub refused: Option<Word>,
}

/// What silence says.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// No: only who agrees is recorded.
    #[default]
    OptIn,
    /// Yes: only who objects is not.
    OptOut,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queue {
    pub name: Word,
    /// Level asked for in the caller's language; 0 asks for none.
    pub language_level: Option<Spanned<u8>>,
    pub requires: Option<Word>,
    /// Seconds of head start over others.
    #[serde(default)]
    pub priority: i32,
    #[serde(default)]
    pub prompts: Vec<Word>,
    pub music: Word,
    /// Usable while the caller waits.
    pub keys: Option<Entries<Word>>,
    /// Said after each announcement.
    #[serde(default)]
    pub hints: Vec<Word>,
    /// Say the position when the queue's announcement is due.
    #[serde(default = "yes")]
    pub announce: bool,
    /// Said when the agent's phone died, before the caller waits again.
    #[serde(default)]
    pub apology: Vec<Word>,
    pub timeout: Option<Word>,
    pub no_agents: Option<Word>,
    pub full: Option<Word>,
    pub closed: Option<Word>,
    pub otherwise: Word,
}

/// What is not there is said in the words that all flows share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Callback {
    pub prompts: Option<Vec<Word>>,
    pub number: Option<Vec<Word>>,
    pub invalid: Option<Vec<Word>>,
    pub taken: Option<Vec<Word>>,
    pub impossible: Option<Vec<Word>>,
    pub timeout: Option<Word>,
    pub retries: Option<Spanned<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Voicemail {
    pub prompts: Option<Vec<Word>>,
    /// The longest message.
    pub limit: Option<Word>,
    pub thanks: Option<Vec<Word>>,
    pub then: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forward {
    pub number: Word,
    #[serde(default)]
    pub prompts: Vec<Word>,
    pub music: Option<Word>,
    pub otherwise: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HangUp {
    #[serde(default)]
    pub prompts: Vec<Word>,
    #[serde(default)]
    pub cause: End,
}

/// What the figures say of a call that the flow ended.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    #[default]
    FlowEnded,
    Closed,
    Timeout,
    NoAgents,
    QueueFull,
}

fn yes() -> bool {
    true
}

/// A map in the order of the file, its keys with their places.
pub(crate) struct Entries<T>(pub Vec<(Word, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Entries<T>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("names, each with what belongs to it")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        d.deserialize_map(InOrder(PhantomData))
    }
}
