//! What a day was made of, so that a test can see that it was worth simulating.

use std::fmt;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub days: u64,
    pub inputs: u64,
    pub facts: u64,
    pub calls: u64,
    pub visits: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub overflowed: u64,
    pub conversations: u64,
    pub transfers: u64,
    pub conferences: u64,
    pub monitored: u64,
    pub callbacks: u64,
    pub called_back: u64,
    pub messages: u64,
    pub own_calls: u64,
    pub forwarded: u64,
    pub crashes: u64,
    pub reloads: u64,
}

impl Summary {
    /// Each number with its name.
    pub fn parts(&self) -> [(&'static str, u64); 19] {
        [
            ("days", self.days),
            ("inputs", self.inputs),
            ("facts", self.facts),
            ("calls", self.calls),
            ("visits", self.visits),
            ("answered", self.answered),
            ("abandoned", self.abandoned),
            ("overflowed", self.overflowed),
            ("conversations", self.conversations),
            ("transfers", self.transfers),
            ("conferences", self.conferences),
            ("monitored", self.monitored),
            ("callbacks", self.callbacks),
            ("called back", self.called_back),
            ("messages", self.messages),
            ("own calls", self.own_calls),
            ("forwarded", self.forwarded),
            ("crashes", self.crashes),
            ("reloads", self.reloads),
        ]
    }

    pub fn add(&mut self, other: &Summary) {
        self.days += other.days;
        self.inputs += other.inputs;
        self.facts += other.facts;
        self.calls += other.calls;
        self.visits += other.visits;
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.overflowed += other.overflowed;
        self.conversations += other.conversations;
        self.transfers += other.transfers;
        self.conferences += other.conferences;
        self.monitored += other.monitored;
        self.callbacks += other.callbacks;
        self.called_back += other.called_back;
        self.messages += other.messages;
        self.own_calls += other.own_calls;
        self.forwarded += other.forwarded;
        self.crashes += other.crashes;
        self.reloads += other.reloads;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.parts().iter().map(|(name, n)| format!("{n} {name}")).collect();
        f.write_str(&parts.join(", "))
    }
}
