//! Single values of the site file: what each expects, and how it is read.

use crate::model::{Algorithm, Compressed, Country, PacketIo};
use acd::{CallFirst, IdleEvent, ReasonMode, Strategy, WrapUpMode};
use base::{AgentState, Lang, Pii, Requirement, Skill, Tenant};
use ivr::text::duration;
use recording::{Hold, Rule};
use sip::sdp::AudioCodec;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use tickets::{Impact, Priority, When};
use toml::de::DeValue;

/// A value that can be read from one place.
pub(crate) trait Read: Sized {
    const EXPECTED: &'static str;
    /// The words it may be, if it is one of a few.
    const WORDS: &'static [&'static str] = &[];
    /// `None` if it is something else.
    fn from_value(value: &DeValue<'_>) -> Option<Self>;

    fn read(value: &DeValue<'_>) -> Result<Self, String> {
        Self::from_value(value).ok_or_else(|| format!("expected {}, found {}", Self::EXPECTED, shown(value)))
    }
}

/// What stands there, short, and never a string that could be a secret: the line itself is shown starred.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(_) => "this text".to_string(),
        DeValue::Integer(i) => i.as_str().to_string(),
        DeValue::Float(f) => f.as_str().to_string(),
        other => other.type_str().to_string(),
    }
}

fn text<T>(value: &DeValue<'_>, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    value.as_str().and_then(parse)
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// Types whose text form is their `FromStr`.
macro_rules! by_from_str {
    ($($t:ty: $expected:literal),* $(,)?) => {$(
        impl Read for $t {
            const EXPECTED: &'static str = $expected;
            fn from_value(value: &DeValue<'_>) -> Option<Self> {
                text(value, |s| s.parse().ok())
            }
        }
    )*};
}
by_from_str! {
    SocketAddr: "an IP address and a port such as \"192.0.2.1:5060\" (names are not looked up)",
    IpAddr: "an IP address such as \"192.0.2.1\" (names are not looked up)",
    Tenant: "a name of lower-case letters, digits, - _ .",
    Lang: "a language code such as \"es\"",
}

/// Types that are one of a few words.
macro_rules! by_word {
    ($($t:ty: $expected:literal { $($word:literal => $value:expr),* $(,)? })*) => {$(
        impl Read for $t {
            const EXPECTED: &'static str = $expected;
            const WORDS: &'static [&'static str] = &[$($word),*];
            fn from_value(value: &DeValue<'_>) -> Option<Self> {
                match value.as_str()? {
                    $($word => Some($value),)*
                    _ => None,
                }
            }
        }
    )*};
}
by_word! {
    PacketIo: "a way to read and write packets: \"epoll\" or \"io_uring\"" {
        "epoll" => PacketIo::Epoll,
        "io_uring" => PacketIo::IoUring,
    }
    AudioCodec: "a codec: \"pcma\", \"pcmu\", \"g722\" or \"opus\"" {
        "pcma" => AudioCodec::Pcma,
        "pcmu" => AudioCodec::Pcmu,
        "g722" => AudioCodec::G722,
        "opus" => AudioCodec::Opus,
    }
    Compressed: "\"flac\" or \"none\"" { "flac" => Compressed::Flac, "none" => Compressed::None }
    Algorithm: "\"md5\" or \"sha-256\"" { "md5" => Algorithm::Md5, "sha-256" => Algorithm::Sha256 }
    Strategy: "a strategy such as \"longest_idle\"" {
        "longest_idle" => Strategy::LongestIdle,
        "most_skilled" => Strategy::MostSkilled,
        "least_skilled" => Strategy::LeastSkilled,
        "fewest_calls" => Strategy::FewestCalls,
        "least_occupied" => Strategy::LeastOccupied,
        "round_robin" => Strategy::RoundRobin,
        "random" => Strategy::Random,
        "ring_all" => Strategy::RingAll,
        "top_down" => Strategy::TopDown,
    }
    WrapUpMode: "\"none\", \"optional\", \"timed\" or \"forced\"" {
        "none" => WrapUpMode::None, "optional" => WrapUpMode::Optional,
        "timed" => WrapUpMode::Timed, "forced" => WrapUpMode::Forced,
    }
    ReasonMode: "\"none\", \"optional\" or \"forced\"" {
        "none" => ReasonMode::None, "optional" => ReasonMode::Optional, "forced" => ReasonMode::Forced,
    }
    Hold: "\"silence\" or \"audio\"" { "silence" => Hold::Silence, "audio" => Hold::Audio }
    CallFirst: "\"agent\" or \"customer\"" { "agent" => CallFirst::Agent, "customer" => CallFirst::Customer }
    IdleEvent: "\"pause\", \"own_call\" or \"no_answer\"" {
        "pause" => IdleEvent::Pause, "own_call" => IdleEvent::OwnCall, "no_answer" => IdleEvent::NoAnswer,
    }
    // Without `available`: whoever is free makes a queue worth waiting in.
    AgentState: "a state of agents such as \"logged_out\" or \"paused\"" {
        "logged_out" => AgentState::LoggedOut,
        "reserved" => AgentState::Reserved,
        "ringing" => AgentState::Ringing,
        "talking" => AgentState::Talking,
        "holding" => AgentState::Holding,
        "wrap_up" => AgentState::WrapUp,
        "engaged" => AgentState::Engaged,
        "paused" => AgentState::Paused,
        "unreachable" => AgentState::Unreachable,
    }
    Country: "a country such as \"mexico\"" {
        "mexico" => Country::Mexico,
        "argentina" => Country::Argentina,
        "brazil" => Country::Brazil,
        "north_america" => Country::NorthAmerica,
        "spain" => Country::Spain,
        "portugal" => Country::Portugal,
        "france" => Country::France,
    }
    When: "\"answered\", \"abandoned\", \"ended\", \"voicemail\", \"callback_failed\", \"transferred\" or \"outgoing\"" {
        "answered" => When::Answered, "abandoned" => When::Abandoned, "ended" => When::Ended,
        "voicemail" => When::Voicemail, "callback_failed" => When::CallbackFailed,
        "transferred" => When::Transferred, "outgoing" => When::Outgoing,
    }
    Impact: "\"one\", \"several\" or \"everyone\"" { "one" => Impact::One, "several" => Impact::Several, "everyone" => Impact::Everyone }
    Priority: "\"low\", \"medium\", \"high\" or \"urgent\"" {
        "low" => Priority::Low, "medium" => Priority::Medium,
        "high" => Priority::High, "urgent" => Priority::Urgent,
    }
}

impl Read for String {
    const EXPECTED: &'static str = "a text that is not empty";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        text(value, |s| (!s.trim().is_empty() && s.len() <= 4096).then(|| s.to_string()))
    }
}

impl Read for Pii<String> {
    const EXPECTED: &'static str = "a text that is not empty";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        String::from_value(value).map(Pii::new)
    }
}

impl Read for PathBuf {
    const EXPECTED: &'static str = "the path of a folder";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        String::from_value(value).map(PathBuf::from)
    }
}

impl Read for bool {
    const EXPECTED: &'static str = "true or false";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

macro_rules! by_integer {
    ($($t:ty: $expected:literal),*) => {$(
        impl Read for $t {
            const EXPECTED: &'static str = $expected;
            fn from_value(value: &DeValue<'_>) -> Option<Self> {
                integer(value)?.try_into().ok()
            }
        }
    )*};
}
by_integer!(u16: "a number from 0 to 65535", u32: "a number, 0 or more", usize: "a number, 0 or more");

impl Read for Duration {
    const EXPECTED: &'static str = "a time such as \"20s\", \"500ms\", \"2m\" or \"1h30m\", at most a day";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        text(value, duration)
    }
}

/// How old something may become.
pub(crate) struct Age(pub Duration);

impl Read for Age {
    // No minutes and no months: a letter that can be taken for the other deletes by it.
    const EXPECTED: &'static str =
        "an age in hours, days or years of 365 days, such as \"12h\", \"90d\" or \"2y\" (six months are \"180d\")";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        text(value, |s| {
            let (number, unit) = amount(s)?;
            let seconds = match unit {
                "h" => 3_600,
                "d" => 86_400,
                "y" => 365 * 86_400,
                _ => return None,
            };
            let seconds = number.checked_mul(seconds).filter(|seconds| *seconds <= 100 * 365 * 86_400)?;
            Some(Age(Duration::from_secs(seconds)))
        })
    }
}

/// So much of a disk; units are powers of ten.
pub(crate) struct Bytes(pub u64);

impl Read for Bytes {
    const EXPECTED: &'static str = "a size such as \"500GB\" or \"2TB\"";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        text(value, |s| {
            let (number, unit) = amount(s)?;
            let bytes: u64 = match unit {
                "MB" => 1_000_000,
                "GB" => 1_000_000_000,
                "TB" => 1_000_000_000_000,
                _ => return None,
            };
            number.checked_mul(bytes).map(Bytes)
        })
    }
}

/// A number and its unit, with or without a blank between them.
fn amount(s: &str) -> Option<(u64, &str)> {
    let (number, unit) = s.split_at(s.find(|c: char| !c.is_ascii_digit())?);
    Some((number.parse().ok()?, unit.trim_start()))
}

/// A time that can be switched off.
pub(crate) struct Sometimes(pub Option<Duration>);

impl Read for Sometimes {
    const EXPECTED: &'static str = "a time such as \"20s\" or \"2m\", or \"never\"";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        text(value, |s| if s == "never" { Some(Sometimes(None)) } else { duration(s).map(|d| Sometimes(Some(d))) })
    }
}

impl Read for RangeInclusive<u16> {
    const EXPECTED: &'static str = "a range of at least 4 ports from 1024 on, such as \"20000-20999\"";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        text(value, |s| {
            let (first, last) = s.split_once('-')?;
            let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (first >= 1024 && last.checked_sub(first)? >= 3).then_some(first..=last)
        })
    }
}

impl Read for Requirement {
    const EXPECTED: &'static str = "needed skills such as \"lang:es >= 3 and app:sap >= 5\", levels 1 to 10";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        text(value, |s| s.parse().ok())
    }
}

impl Read for Skill {
    const EXPECTED: &'static str = "a skill such as \"lang:es\"";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        text(value, skill)
    }
}

/// A skill is written as in a requirement, so that each can be asked for.
pub(crate) fn skill(name: &str) -> Option<Skill> {
    let asked: Requirement = name.parse().ok()?;
    (asked.needs().len() == 1 && !name.contains(['>', ' '])).then(|| Skill::new(name))
}

/// How well a skill is mastered.
pub(crate) struct Level(pub u8);

impl Read for Level {
    const EXPECTED: &'static str = "a level from 1 to 10";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        integer(value).filter(|level| (1..=10).contains(level)).and_then(|level| u8::try_from(level).ok()).map(Level)
    }
}

/// A ratio such as 2.5, in hundredths.
pub(crate) struct Hundredths(pub u32);

impl Read for Hundredths {
    const EXPECTED: &'static str = "a number such as 2.5, more than 0 and at most 1000";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let number: f64 = match value {
            DeValue::Float(float) => float.as_str().parse().ok()?,
            other => integer(other)? as f64,
        };
        (0.01..=1000.0).contains(&number).then(|| Hundredths((number * 100.0).round() as u32))
    }
}

impl Read for Rule {
    const EXPECTED: &'static str = "\"all\", \"none\", or a share: from 0.0 to 1.0 such as 0.25, or from \"0%\" to \"100%\"";
    const WORDS: &'static [&'static str] = &["all", "none"];
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Boolean(all) => Some(if *all { Rule::ALL } else { Rule::NONE }),
            // A whole number could mean either form of the share.
            DeValue::Float(share) => Rule::share(share.as_str().parse().ok()?),
            other => match other.as_str()? {
                "all" => Some(Rule::ALL),
                "none" => Some(Rule::NONE),
                share => Rule::share(share.strip_suffix('%')?.trim().parse::<f64>().ok()? / 100.0),
            },
        }
    }
}

/// A network in CIDR form; a single address is a network of one.
pub(crate) struct Network(pub IpAddr, pub u8);

impl Read for Network {
    const EXPECTED: &'static str = "a network such as \"192.0.2.0/24\" or an IP address (names are not looked up)";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        text(value, |s| {
            let (address, length) = s.split_once('/').map_or((s, None), |(a, l)| (a, Some(l)));
            let address: IpAddr = address.parse().ok()?;
            let widest = if address.is_ipv4() { 32 } else { 128 };
            let length = length.map_or(Some(widest), |l| l.parse().ok())?;
            (length <= widest).then_some(Network(address, length))
        })
    }
}

/// True if the address is in the network; IPv4 mapped into IPv6 counts as IPv4.
pub(crate) fn contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
    let bits = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, true),
        IpAddr::V6(v6) => (v6.to_bits(), false),
    };
    let ((network, v4), (address, also_v4)) = (bits(network), bits(address));
    v4 == also_v4
        && (length == 0 || (network ^ address).checked_shr(128 - u32::from(length.min(128))).is_none_or(|rest| rest == 0))
}

/// Lists of single values; a single value is a list of one.
impl<T: Read> Read for Vec<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Array(items) => items.iter().map(|item| T::from_value(item.get_ref())).collect(),
            one => T::from_value(one).map(|one| vec![one]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let holds = |network: &str, length, address: &str| contains(network.parse().unwrap(), length, address.parse().unwrap());
        assert!(holds("127.0.0.0", 8, "127.9.9.9"));
        assert!(holds("127.0.0.0", 8, "::ffff:127.0.0.1"));
        assert!(!holds("127.0.0.0", 8, "128.0.0.1"));
        assert!(holds("192.0.2.7", 32, "192.0.2.7"));
        assert!(!holds("192.0.2.7", 32, "192.0.2.6"));
        assert!(holds("0.0.0.0", 0, "8.8.8.8"));
        assert!(!holds("0.0.0.0", 0, "2001:db8::1"));
        assert!(holds("2001:db8::", 32, "2001:db8:1::1"));
    }
}
