//! Header field names: long, compact, and those we know nothing about.

/// One table makes the enum, the long names, the compact names and the look-up. The order is that of the
/// look-up, so what every message carries comes first.
macro_rules! header_table {
    ($($id:ident $name:literal $(($compact:literal))?),* $(,)?) => {
        /// A header field that is known by number. Names compare without case (RFC 3261 7.3.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HeaderId {
            $($id,)*
            /// Any other name; see [`crate::Message::headers_named`].
            Other,
        }

        const TABLE: &[(&str, HeaderId)] = &[$(($name, HeaderId::$id)),*];
        const COMPACT: &[(u8, HeaderId)] = &[$($(($compact, HeaderId::$id),)?)*];

        impl HeaderId {
            /// The long name; empty for `Other`.
            pub fn name(self) -> &'static str {
                match self {
                    $(HeaderId::$id => $name,)*
                    HeaderId::Other => "",
                }
            }
        }
    };
}

header_table! {
    Via "Via" (b'v'),
    From "From" (b'f'),
    To "To" (b't'),
    CallId "Call-ID" (b'i'),
    CSeq "CSeq",
    Contact "Contact" (b'm'),
    MaxForwards "Max-Forwards",
    ContentLength "Content-Length" (b'l'),
    ContentType "Content-Type" (b'c'),
    Allow "Allow",
    Supported "Supported" (b'k'),
    UserAgent "User-Agent",
    RecordRoute "Record-Route",
    Route "Route",
    Authorization "Authorization",
    ProxyAuthorization "Proxy-Authorization",
    WwwAuthenticate "WWW-Authenticate",
    ProxyAuthenticate "Proxy-Authenticate",
    AuthenticationInfo "Authentication-Info",
    Expires "Expires",
    MinExpires "Min-Expires",
    Require "Require",
    ProxyRequire "Proxy-Require",
    Unsupported "Unsupported",
    Accept "Accept",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    ContentEncoding "Content-Encoding" (b'e'),
    ContentDisposition "Content-Disposition",
    Reason "Reason",
    RetryAfter "Retry-After",
    Server "Server",
    Warning "Warning",
    Date "Date",
    Timestamp "Timestamp",
    Subject "Subject" (b's'),
    SessionExpires "Session-Expires" (b'x'),
    MinSe "Min-SE",
    Event "Event" (b'o'),
    AllowEvents "Allow-Events" (b'u'),
    SubscriptionState "Subscription-State",
    ReferTo "Refer-To" (b'r'),
    ReferSub "Refer-Sub",
    ReferredBy "Referred-By" (b'b'),
    Replaces "Replaces",
    RSeq "RSeq",
    RAck "RAck",
    PAssertedIdentity "P-Asserted-Identity",
    PPreferredIdentity "P-Preferred-Identity",
    Privacy "Privacy",
    Diversion "Diversion",
    HistoryInfo "History-Info",
    Path "Path",
    CallInfo "Call-Info",
    AlertInfo "Alert-Info",
    AnswerMode "Answer-Mode",
    MaxBreadth "Max-Breadth",
    UserToUser "User-to-User",
    Identity "Identity" (b'y'),
    RequestDisposition "Request-Disposition" (b'd'),
    AcceptContact "Accept-Contact" (b'a'),
    RejectContact "Reject-Contact" (b'j'),
}

impl HeaderId {
    /// The field of this name, long or compact, in any case.
    pub fn parse(name: &[u8]) -> HeaderId {
        let found = match name {
            [letter] => COMPACT.iter().find(|(compact, _)| compact.eq_ignore_ascii_case(letter)).map(|(_, id)| *id),
            _ => TABLE
                .iter()
                .find(|(long, _)| long.len() == name.len() && long.as_bytes().eq_ignore_ascii_case(name))
                .map(|(_, id)| *id),
        };
        found.unwrap_or(HeaderId::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_compact_names_are_one_field_in_any_case() {
        for (names, id) in [
            (["Via", "vIA", "v", "V"], HeaderId::Via),
            (["Call-ID", "call-id", "i", "I"], HeaderId::CallId),
            (["Content-Length", "CONTENT-LENGTH", "l", "L"], HeaderId::ContentLength),
            (["X-Int", "z", "", "Vi a"], HeaderId::Other),
        ] {
            for name in names {
                assert_eq!(HeaderId::parse(name.as_bytes()), id, "{name}");
            }
        }
        assert!(TABLE.iter().all(|(name, id)| id.name() == *name && HeaderId::parse(name.as_bytes()) == *id));
    }
}
