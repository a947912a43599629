//! Identities. Each prints as text that sorts and reads back, and nests: a leg, a visit or a
//! conversation carries the id of its call, an offer that of its visit.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;
use std::fmt;
use std::str::FromStr;

/// What came instead of an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found \"{found}\"")]
pub struct BadId {
    pub expected: &'static str,
    pub found: String,
}

/// Text ids serialise as text where the format is for people, and compactly elsewhere (the journal).
macro_rules! textual {
    ($name:ident, $expected:literal, $raw:ty, $to:expr, $from:expr) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { ($to)(self).serialize(s) }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
                } else {
                    <$raw>::deserialize(d).map($from)
                }
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl $name {
            fn bad(found: &str) -> BadId {
                BadId { expected: $expected, found: found.into() }
            }
        }
    };
}

/// One customer contact, from its INVITE to its end: node-epoch-counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    pub node: u16,
    pub epoch: u32,
    pub n: u32,
}
textual!(CallId, "a call id such as 1-3-42", (u16, u32, u32), |c: &CallId| (c.node, c.epoch, c.n), |(node, epoch, n)| CallId {
    node,
    epoch,
    n
});

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.node, self.epoch, self.n)
    }
}

impl FromStr for CallId {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        let mut parts = s.splitn(3, '-');
        let mut next = || parts.next().filter(|p| p.bytes().all(|b| b.is_ascii_digit()));
        let id = (|| Some(CallId { node: next()?.parse().ok()?, epoch: next()?.parse().ok()?, n: next()?.parse().ok()? }))();
        id.ok_or_else(|| Self::bad(s))
    }
}

/// Ids that are a counter inside a parent.
macro_rules! nested {
    ($(#[$doc:meta])* $name:ident, $parent:ident: $ptype:ty, $sep:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name { pub $parent: $ptype, pub n: u16 }
        textual!($name, $expected, ($ptype, u16), |x: &$name| (x.$parent, x.n), |($parent, n)| $name { $parent, n });
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}", $sep, "{}"), self.$parent, self.n)
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(s: &str) -> Result<Self, BadId> {
                let (parent, n) = s.rsplit_once($sep).ok_or_else(|| Self::bad(s))?;
                Ok($name { $parent: parent.parse().map_err(|_| Self::bad(s))?, n: n.parse().map_err(|_| Self::bad(s))? })
            }
        }
    };
}
nested!(
    /// One dialog attempt: the caller's, or one phone that was rung.
    LegId, call: CallId, ".l", "a leg id such as 1-3-42.l1");
nested!(
    /// One entry of a call into one queue.
    VisitId, call: CallId, ".v", "a visit id such as 1-3-42.v1");
nested!(
    /// One agent asked to take one visit, over as many legs as the agent has phones.
    OfferId, visit: VisitId, ".o", "an offer id such as 1-3-42.v1.o1");
nested!(
    /// One agent's connected span with a call.
    ConversationId, call: CallId, ".c", "a conversation id such as 1-3-42.c1");
nested!(
    /// One part of the recording that a conversation owes.
    RecordingId, conversation: ConversationId, ".p", "a recording id such as 1-3-42.c1.p1");

impl LegId {
    /// The caller's leg is the first of its call.
    pub fn caller(call: CallId) -> LegId {
        LegId { call, n: 1 }
    }

    pub fn is_caller(self) -> bool {
        self.n == 1
    }
}
impl OfferId {
    pub fn call(self) -> CallId {
        self.visit.call
    }
}
impl RecordingId {
    pub fn call(self) -> CallId {
        self.conversation.call
    }
}

/// A name from the site file: lower-case letters, digits, `-`, `_` and `.`, at most 64 bytes.
fn named(s: &str) -> bool {
    !s.is_empty() && s.len() <= 64 && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

/// An account of the service desk; every queue and agent id is within one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(SmolStr);
textual!(Tenant, "a name of lower-case letters, digits, - _ .", String, |t: &Tenant| t.0.to_string(), |s: String| Tenant(
    s.into()
));

impl Tenant {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl FromStr for Tenant {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        if named(s) { Ok(Tenant(s.into())) } else { Err(Self::bad(s)) }
    }
}

/// Ids of the form `tenant/name`.
macro_rules! scoped {
    ($(#[$doc:meta])* $name:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);
        textual!($name, $expected, String, |x: &$name| x.0.to_string(), |s: String| $name(s.into()));
        impl $name {
            /// Both parts must be names as [`Tenant`] takes them.
            pub fn new(tenant: &Tenant, name: &str) -> Result<Self, BadId> {
                if named(name) { Ok($name(format!("{tenant}/{name}").into())) } else { Err(Self::bad(name)) }
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
            pub fn tenant(&self) -> Tenant {
                Tenant(self.0.split_once('/').map_or("", |p| p.0).into())
            }
            /// The name within its tenant.
            pub fn name(&self) -> &str {
                self.0.split_once('/').map_or("", |p| p.1)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(s: &str) -> Result<Self, BadId> {
                let (tenant, name) = s.split_once('/').ok_or_else(|| Self::bad(s))?;
                $name::new(&tenant.parse().map_err(|_| Self::bad(s))?, name).map_err(|_| Self::bad(s))
            }
        }
    };
}
scoped!(
    /// A queue, `tenant/name`.
    QueueId, "a queue such as acme/support");
scoped!(
    /// An agent, `tenant/name`.
    AgentId, "an agent such as acme/ana");

/// A language by its code: two or three lower-case letters (ISO 639).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lang([u8; 3]);
textual!(Lang, "a language code such as es", [u8; 3], |l: &Lang| l.0, Lang);

impl Lang {
    pub const ES: Lang = Lang(*b"es\0");
    pub const EN: Lang = Lang(*b"en\0");
    pub const PT: Lang = Lang(*b"pt\0");
    pub const FR: Lang = Lang(*b"fr\0");

    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|b| *b == 0).unwrap_or(3);
        std::str::from_utf8(&self.0[..len]).unwrap_or("")
    }
}
impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Lang {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        let b = s.as_bytes();
        if !(2..=3).contains(&b.len()) || !b.iter().all(u8::is_ascii_lowercase) {
            return Err(Self::bad(s));
        }
        Ok(Lang([b[0], b[1], b.get(2).copied().unwrap_or(0)]))
    }
}

/// The same caller of one tenant, whoever that is: a keyed hash, so that the log holds no number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(pub u64);
textual!(PartyId, "16 hexadecimal digits", u64, |p: &PartyId| p.0, PartyId);

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
impl FromStr for PartyId {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        if s.len() != 16 {
            return Err(Self::bad(s));
        }
        u64::from_str_radix(s, 16).map(PartyId).map_err(|_| Self::bad(s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn both_ways<T: Serialize + for<'a> Deserialize<'a> + FromStr + fmt::Display + PartialEq + Debug>(text: &str)
    where
        T::Err: Debug,
    {
        let id: T = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), id);
        assert_eq!(postcard::from_bytes::<T>(&postcard::to_stdvec(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn every_id_reads_back_from_text_json_and_postcard() {
        both_ways::<CallId>("1-3-42");
        both_ways::<LegId>("1-3-42.l7");
        both_ways::<VisitId>("1-3-42.v2");
        both_ways::<OfferId>("1-3-42.v2.o9");
        both_ways::<ConversationId>("1-3-42.c1");
        both_ways::<RecordingId>("1-3-42.c1.p2");
        both_ways::<Tenant>("acme");
        both_ways::<QueueId>("acme/soporte");
        both_ways::<AgentId>("acme/ana.maria");
        both_ways::<Lang>("es");
        both_ways::<Lang>("gsw");
        both_ways::<PartyId>("00ff00ff00ff00ff");
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for bad in ["", "1-2", "1-2-x", "1-2--3", "1-2-+3", "70000-1-1"] {
            assert!(bad.parse::<CallId>().is_err(), "{bad}");
        }
        assert!("acme".parse::<QueueId>().is_err());
        assert!("acme/So porte".parse::<QueueId>().is_err());
        assert!("ES".parse::<Lang>().is_err());
    }
}
