//! Session timers: the call is a lease that somebody renews (RFC 4028, line 12 of calls.md).
//!
//! Who renews is said in the 2xx, in the words of that request: `uac` is whoever sent it.
//!
//! | the request | we answer | refresher |
//! |---|---|---|
//! | Session-Expires, refresher named | as asked, at most ours | as named |
//! | Session-Expires, none named | as asked, at most ours | who had it, else the peer |
//! | none, Supported: timer | what holds already, else ours | who had it, else we |
//! | no Supported: timer | what it or a proxy asked | we |

use crate::respond::supports;
use crate::transaction::timer::PATIENCE;
use crate::{Builder, Config, HeaderId, Message};
use std::time::Duration;

/// RFC 4028 5: no session interval is shorter, in seconds.
pub(crate) const SHORTEST: u32 = 90;

/// What holds until the next refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// The session interval, in seconds.
    interval: u32,
    /// We refresh; else the peer does.
    pub ours: bool,
}

/// What a request of ours asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    pub interval: Option<u32>,
    /// What a 422 taught us.
    pub least: Option<u32>,
}

impl Terms {
    /// After a 422: as long as the peer or its proxies want it. `None` if it does not say, or we asked for that much.
    pub fn longer(self, refused: &Message) -> Option<Terms> {
        let least = refused.seconds(HeaderId::MinSe).ok()??;
        let interval = self.interval.filter(|interval| *interval < least).map(|_| least)?;
        Some(Terms { interval: Some(interval), least: Some(least) })
    }

    /// Into an INVITE that begins a session: who refreshes is left to the peer (RFC 4028 7.1).
    pub fn write(self, builder: Builder) -> Builder {
        builder.maybe(HeaderId::SessionExpires, self.interval).maybe(HeaderId::MinSe, self.least)
    }
}

impl Lease {
    /// Ours to give, as the answering side of a request with a 2xx to come.
    pub fn accept(config: &Config, request: &Message, current: Option<Lease>) -> Option<Lease> {
        let knows = supports(request, "timer");
        let asked = seconds(request, HeaderId::SessionExpires);
        let floor = seconds(request, HeaderId::MinSe).unwrap_or(0).max(SHORTEST);
        let most = config.session_expires.unwrap_or(u32::MAX);
        let interval = match (asked, current) {
            (Some(asked), _) => asked.min(most.max(floor)).max(SHORTEST),
            (None, Some(current)) => current.interval,
            (None, None) if knows => config.session_expires?.max(floor),
            (None, None) => return None,
        };
        let ours = match refresher(request) {
            _ if !knows => true,
            Some(Refresher::Uac) => false,
            Some(Refresher::Uas) => true,
            None => current.map_or(asked.is_none(), |current| current.ours),
        };
        Some(Lease { interval, ours })
    }

    /// The peer's to give: what a 2xx to a request of ours says. Without the field there is no lease.
    pub fn granted(response: &Message) -> Option<Lease> {
        let interval = seconds(response, HeaderId::SessionExpires)?.max(SHORTEST);
        Some(Lease { interval, ours: refresher(response) != Some(Refresher::Uas) })
    }

    /// Into a 2xx of ours. RFC 4028 9: Require where the peer has to act.
    pub fn write_answer(self, builder: Builder) -> Builder {
        let Lease { interval, ours } = self;
        match ours {
            true => builder.write(HeaderId::SessionExpires, format_args!("{interval};refresher=uas")),
            false => builder
                .write(HeaderId::SessionExpires, format_args!("{interval};refresher=uac"))
                .header(HeaderId::Require, "timer"),
        }
    }

    /// Into a re-INVITE or UPDATE of ours: the roles stay (RFC 4028 7.4).
    pub fn write_request(self, builder: Builder) -> Builder {
        let Lease { interval, ours } = self;
        let refresher = if ours { "uac" } else { "uas" };
        builder.write(HeaderId::SessionExpires, format_args!("{interval};refresher={refresher}"))
    }

    /// The same, at least as long as a 422 wants it; `None` if it already is.
    pub fn longer(self, refused: &Message) -> Option<Lease> {
        let least = seconds(refused, HeaderId::MinSe).filter(|least| *least > self.interval)?;
        Some(Lease { interval: least, ..self })
    }

    /// RFC 4028 10: half of the interval, for the one that refreshes.
    pub fn refresh_after(self) -> Duration {
        Duration::from_secs(u64::from(self.interval) / 2)
    }

    /// RFC 4028 10: a BYE goes a little before the end, so that both sides agree on whose it is.
    pub fn over_after(self) -> Duration {
        let interval = Duration::from_secs(u64::from(self.interval));
        interval - PATIENCE.min(interval / 3)
    }
}

/// RFC 4028 9: a request that asks for less than ours is told how much it must be, if it knows about timers.
pub(crate) fn too_short(config: &Config, request: &Message) -> Option<u32> {
    let least = config.min_session_expires.max(SHORTEST);
    let short = seconds(request, HeaderId::SessionExpires).is_some_and(|asked| asked < least);
    (short && supports(request, "timer")).then_some(least)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresher {
    Uac,
    Uas,
}

/// What is malformed counts as not said: a call need not fail for it.
fn refresher(message: &Message) -> Option<Refresher> {
    let value = message.header(HeaderId::SessionExpires)?;
    let mut params = value.split(|byte| *byte == b';').skip(1).map(crate::message::text::trim);
    let named = params.find_map(|param| {
        let equals = param.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (param.get(..equals)?, param.get(equals + 1..)?);
        crate::message::text::trim(name).eq_ignore_ascii_case(b"refresher").then(|| crate::message::text::trim(value))
    })?;
    match named {
        _ if named.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
        _ if named.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
        _ => None,
    }
}

fn seconds(message: &Message, id: HeaderId) -> Option<u32> {
    message.seconds(id).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::parse;
    use proptest::prelude::*;

    fn request(fields: &str) -> Message {
        let lines: String = fields.split('|').filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
        parse(&format!("INVITE sip:a@b SIP/2.0\r\n{lines}Content-Length: 0\r\n\r\n"))
    }

    #[test]
    fn who_refreshes_and_how_often_follows_rfc_4028_table_2() {
        let ours = Lease { interval: 600, ours: true };
        #[rustfmt::skip]
        let table = [
            // request                                                      before      after
            ("",                                                            None,       None),
            ("Supported: timer",                                            None,       Some((1800, true))),
            ("Supported: 100rel, Timer|Min-SE: 3000",                       None,       Some((3000, true))),
            ("Supported: timer|Session-Expires: 300",                       None,       Some((300, false))),
            ("k: timer|x: 300; Refresher = UAS",                            None,       Some((300, true))),
            ("Supported: timer|Session-Expires: 300;refresher=uac",         Some(ours), Some((300, false))),
            ("Supported: timer|Session-Expires: 300",                       Some(ours), Some((300, true))),
            ("Require: timer|Session-Expires: 7200",                        None,       Some((1800, false))),
            ("Supported: timer|Session-Expires: 7200|Min-SE: 3600",         None,       Some((3600, false))),
            ("Session-Expires: 300;refresher=uac",                          None,       Some((300, true))),
            ("Session-Expires: 10",                                         None,       Some((90, true))),
            ("Session-Expires: often",                                      None,       None),
            ("",                                                            Some(ours), Some((600, true))),
        ];
        for (fields, before, after) in table {
            let after = after.map(|(interval, ours)| Lease { interval, ours });
            assert_eq!(Lease::accept(&Config::default(), &request(fields), before), after, "{fields}");
        }
        let none = Config { session_expires: None, ..Config::default() };
        assert_eq!(Lease::accept(&none, &request("Supported: timer"), None), None);
        assert_eq!(Lease::accept(&none, &request("Supported: timer|x: 7200"), None).map(|lease| lease.interval), Some(7200));
    }

    #[test]
    fn a_lease_is_refreshed_at_half_and_over_a_little_before_its_end() {
        for (interval, refresh, over) in [(90, 45, 60), (1800, 900, 1768), (96, 48, 64)] {
            let lease = Lease { interval, ours: true };
            assert_eq!((lease.refresh_after().as_secs(), lease.over_after().as_secs()), (refresh, over));
        }
    }

    #[test]
    fn too_short_is_said_only_to_who_knows_about_timers() {
        for (fields, expected) in [
            ("Supported: timer|Session-Expires: 89", Some(90)),
            ("Supported: timer|Session-Expires: 90", None),
            ("Session-Expires: 10", None),
            ("Supported: timer", None),
        ] {
            assert_eq!(too_short(&Config::default(), &request(fields)), expected, "{fields}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_session_expires_is_survived_and_never_too_short(
            value in "[ -~]{0,60}|[0-9]{1,12}( ?; ?[a-z]{1,9}(=[a-zA-Z\"]{0,5})?){0,3}",
            least in "[0-9]{0,12}", knows: bool, before: Option<bool>,
        ) {
            let supported = if knows { "Supported: timer|" } else { "" };
            let request = request(&format!("{supported}Session-Expires: {value}|Min-SE: {least}"));
            let before = before.map(|ours| Lease { interval: 90, ours });
            for lease in [Lease::accept(&Config::default(), &request, before), Lease::granted(&request)].into_iter().flatten() {
                prop_assert!(lease.interval >= SHORTEST && lease.over_after() > lease.refresh_after());
            }
            too_short(&Config::default(), &request);
        }
    }
}
