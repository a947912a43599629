//! URIs, as tables.

use super::*;

fn uri(text: &str) -> Uri {
    Uri::parse(text.as_bytes()).unwrap_or_else(|_| panic!("{text}"))
}

#[test]
fn each_part_is_found_and_written_again() {
    #[rustfmt::skip]
    let table = [
        // text                                              user            host               port        parameters           headers
        ("sip:centre.test",                                  None,           "centre.test",     None,       "",                  None),
        ("sips:ana:pw@192.0.2.7:5071;transport=tcp;lr",      Some("ana"),    "192.0.2.7",       Some(5071), ";transport=tcp;lr", None),
        ("sip:*21%23@centre.test",                           Some("*21#"),   "centre.test",     None,       "",                  None),
        ("sip:*21#@centre.test",                             Some("*21#"),   "centre.test",     None,       "",                  None),
        ("sip:a;x=1?y@h?Subject=hi&To=x",                    Some("a;x=1?y"), "h",              None,       "",                  Some("Subject=hi&To=x")),
        ("sip:+34911@[2001:db8::1]:5070;user=phone",         Some("+34911"), "[2001:db8::1]",   Some(5070), ";user=phone",       None),
        ("tel:+34-911-1;phone-context=+34",                  Some("+34-911-1"), "",             None,       ";phone-context=+34", None),
        ("urn:service:sos",                                  Some("service:sos"), "",           None,       "",                  None),
    ];
    for (text, user, host, port, params, headers) in table {
        let uri = uri(text);
        assert_eq!((uri.user().as_deref(), uri.host.to_string().as_str(), uri.port), (user, host, port), "{text}");
        assert_eq!((uri.params.to_string().as_str(), uri.headers.as_deref()), (params, headers), "{text}");
        assert_eq!(uri.to_string(), text);
    }
    assert_eq!(Uri::parse(b"sip:Jos\xe9@h").unwrap().to_string(), "sip:Jos%E9@h");
    assert_eq!(Uri::parse(b"sip:Jos\xe9@h").unwrap().user().as_deref(), Some("José"));
    assert_eq!(Uri::sip(Some("a b@c:\"é"), Host::new("h"), None).to_string(), "sip:a%20b%40c%3A%22%C3%A9@h");
}

#[test]
fn what_is_no_uri_is_refused() {
    for bad in [
        "",
        "sip",
        "sip:",
        ":x",
        "1sip:x",
        "sip:@h",
        "sip:a@",
        "sip:a@h:",
        "sip:a@h:x",
        "sip:a@h:70000",
        "sip:a@h:+5",
        "sip:a@h;",
        "sip:a@h;;lr",
        "sip:a@h;lr=",
        "sip:a b@h",
        "sip:a@h h",
        "sip:a%2@h",
        "sip:a%zz@h",
        "sip:<a>@h",
        "sip:a@h?x y",
        "sip:a@b@c",
        "sip:[::1",
        "sip:[::1]x",
        "sip:[1.2.3.4]",
        "sip:::1",
        "sip:h\u{e9}",
        "tel:",
        "tel:;x",
        "sip:a\r\nb@h",
        "sip:a\0@h",
    ] {
        assert_eq!(Uri::parse(bad.as_bytes()), Err(BadUri), "{bad:?}");
    }
}

#[test]
fn an_address_needs_no_look_up() {
    for (text, address) in [
        ("sip:a@192.0.2.7", Some("192.0.2.7:5060")),
        ("sips:192.0.2.7", Some("192.0.2.7:5061")),
        ("sip:[::ffff:192.0.2.7]:7", Some("192.0.2.7:7")),
        ("sip:[2001:db8::1]", Some("[2001:db8::1]:5060")),
        ("sip:192.0.2.700", None),
        ("tel:5", None),
    ] {
        assert_eq!(uri(text).is_ip(), address.map(|address| address.parse().unwrap()), "{text}");
    }
}

/// RFC 3261 19.1.4.
#[test]
fn two_uris_match_by_the_rules_of_the_rfc() {
    for (a, b, same) in [
        ("sip:%61lice@atlanta.test;transport=TCP", "sip:alice@AtLanTa.test;Transport=tcp", true),
        ("sip:carol@chicago.test", "sip:carol@chicago.test;newparam=5", true),
        ("sip:carol@chicago.test;security=on", "sip:carol@chicago.test;security=off", false),
        ("sip:ALICE@atlanta.test", "sip:alice@atlanta.test", false),
        ("sip:bob@biloxi.test", "sip:bob@biloxi.test:5060", false),
        ("sip:bob@biloxi.test", "sip:bob@biloxi.test;transport=udp", false),
        ("sip:bob@biloxi.test", "sips:bob@biloxi.test", false),
        ("sip:bob@[2001:db8::1]", "sip:bob@[2001:DB8:0::1]", true),
    ] {
        assert_eq!((uri(a).matches(&uri(b)), uri(b).matches(&uri(a))), (same, same), "{a} {b}");
    }
}
