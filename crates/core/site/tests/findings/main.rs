//! What an operator is told about a site that can't work, and where.

mod acd;
mod lines;
mod people;
mod recording;
mod retention;
mod vault;

use base::Diagnostic;
use ivr::Flow;
use site::Site;
use std::collections::BTreeMap;

const FLOW: &str = "\
flow: desk
languages: [es, en]
start: line
steps:
  line:
    queue: {name: support, language_level: 3, music: music, announce: false, otherwise: bye}
  bye:
    hang_up: {prompts: [bye]}
";

const SITE: &str = r#"name = "acme"

[sip]
listen = "127.0.0.1:5060"

[media]
ports = "20000-20999"

[web]
listen = "127.0.0.1:8080"

[[tenants]]
name = "acme"

[[tenants]]
name = "globex"

[[trunks]]
name = "carrier"
networks = ["192.0.2.0/24"]

[[numbers]]
number = "100"
tenant = "acme"
flow = "desk"

[queues."acme/support"]
requires = "skill:support >= 1"
overflow_after = "1m"
overflow_to = "second"

[queues."acme/second"]

[agents."acme/ana"]
queues = ["support", "second"]
skills = { "lang:es" = 9, "lang:en" = 4, "skill:support" = 5 }
phone = { user = "ana", password = "one-two-three" }

[agents."acme/bea"]
queues = ["second"]
phone = { uri = "sip:bea@192.0.2.9", address = "192.0.2.9:5060" }

[[tickets]]
tenant = "acme"
when = "answered"
subject = "Call {call}"
"#;

fn found(site: &str) -> Vec<Diagnostic> {
    let flows = BTreeMap::from([("desk".to_string(), Flow::parse(FLOW, "desk.yaml").unwrap())]);
    match Site::parse(site, "site.toml") {
        Ok(site) => site::check(&site, &flows, &|_| true),
        Err(found) => found,
    }
}

/// Asserts that a change of the site makes a first finding that says this and points at this, with this severity.
fn assert_found(site: &str, (right, wrong): (&str, &str), (message, at, help): (&str, &str, &str), is_error: bool) {
    assert!(site.contains(right), "{right}");
    assert_eq!(found(site), [], "before the change");
    let found = found(&site.replacen(right, wrong, 1));
    let first = found.first().unwrap_or_else(|| panic!("nothing was found with {wrong}"));
    assert_eq!((first.message.as_str(), pointed(first).as_str()), (message, at), "for {wrong}");
    assert_eq!(first.is_error(), is_error, "{first}");
    assert!(help.is_empty() || first.help.as_deref() == Some(help), "{first}");
}

/// What a finding points at.
fn pointed(finding: &Diagnostic) -> String {
    finding.source.chars().skip(finding.column - 1).take(finding.width).collect()
}

#[test]
fn the_site_is_whole() {
    assert_eq!(found(SITE), []);
}

#[test]
fn each_value_that_cannot_be_is_pointed_at() {
    let ip = "expected an IP address and a port such as \"192.0.2.1:5060\" (names are not looked up), found this text";
    let cases = [
        // what is written instead of what; what the finding says; what it points at
        ("127.0.0.1:5060", "localhost:5060", ip, "\"localhost:5060\""),
        ("192.0.2.9:5060", "pbx.example.com", ip, "\"pbx.example.com\""),
        (
            "[\"192.0.2.0/24\"]",
            "[\"trunk.example.com\"]",
            "expected a network such as \"192.0.2.0/24\" or an IP address (names are not looked up), found array",
            "[\"trunk.example.com\"]",
        ),
        (
            "20000-20999",
            "20999-20000",
            "expected a range of at least 4 ports from 1024 on, such as \"20000-20999\", found this text",
            "\"20999-20000\"",
        ),
        ("\"1m\"", "60", "expected a time such as \"20s\", \"500ms\", \"2m\" or \"1h30m\", at most a day, found 60", "60"),
        (
            "skill:support >= 1",
            "skill:support >= 11",
            "expected needed skills such as \"lang:es >= 3 and app:sap >= 5\", levels 1 to 10, found this text",
            "\"skill:support >= 11\"",
        ),
        ("\"lang:en\" = 4", "\"lang:en\" = 0", "expected a level from 1 to 10, found 0", "0"),
        (
            "when = \"answered\"",
            "when = \"always\"",
            "expected \"answered\", \"abandoned\", \"ended\", \"voicemail\", \"callback_failed\", \"transferred\" or \"outgoing\", found this text",
            "\"always\"",
        ),
        ("Call {call}", "Call {number}", "`{number}` stands for nothing", "\"Call {number}\""),
        ("queues.\"acme/second\"", "queues.acme.second", "expected a queue such as acme/support, found \"acme\"", "acme"),
        ("overflow_after = \"1m\"\n", "", "expected `overflow_after` beside it: when does a call move on?", "\"second\""),
        (
            "queues = [\"second\"]",
            "queues = [\"globex/second\"]",
            "expected a queue of the tenant `acme`, found `globex/second`",
            "\"globex/second\"",
        ),
        ("sip:bea@192.0.2.9", "bea", "expected a SIP URI such as \"sip:ana@192.0.2.10\"", "\"bea\""),
        (
            "networks = [\"192.0.2.0/24\"]",
            "port = 5060",
            "expected `networks` or `credential` for calls that come, `address` for calls that leave, or both",
            "\"carrier\"",
        ),
        ("name = \"acme\"\n\n[sip]", "[sip]", "`name` is missing: expected a text that is not empty", ""),
        ("[web]\n", "[wbe]\n", "the table [web] is missing", ""),
        ("name = \"acme\"\n\n[sip]", "name = \"acme\n\n[sip]", "invalid basic string, expected `\"`", ""),
    ];
    for (right, wrong, message, at) in cases {
        assert!(SITE.contains(right), "{right}");
        let found = found(&SITE.replacen(right, wrong, 1));
        let first = found.first().unwrap_or_else(|| panic!("nothing was found with {wrong}"));
        assert_eq!(first.message, message, "for {wrong}");
        assert!(at.is_empty() || pointed(first) == at, "{first}");
    }
}

#[test]
fn what_does_not_fit_together_is_pointed_at() {
    let cases = [
        ("flow = \"desk\"", "flow = \"dsek\"", "there is no flow `dsek` that can be read", "\"dsek\"", "did you mean `desk`?"),
        ("tenant = \"acme\"\nflow", "tenant = \"amce\"\nflow", "there is no tenant `amce`", "\"amce\"", "did you mean `acme`?"),
        (
            "overflow_to = \"second\"",
            "overflow_to = \"secnd\"",
            "there is no queue `acme/secnd`",
            "\"secnd\"",
            "did you mean `second`?",
        ),
        (
            "[\"support\", \"second\"]",
            "[\"support\", \"secomd\"]",
            "there is no queue `acme/secomd`",
            "\"secomd\"",
            "did you mean `second`?",
        ),
        (
            "overflow_to = \"second\"",
            "overflow_to = \"support\"",
            "calls overflow in a circle: `acme/support` to `acme/support`",
            "\"support\"",
            "",
        ),
        (
            "\"skill:support\" = 5",
            "\"skill:suport\" = 5",
            "no agent of `acme` has the skill `skill:support`",
            "skill:support",
            "did you mean `skill:suport`?",
        ),
        (
            "queues = [\"support\", \"second\"]",
            "queues = [\"second\"]",
            "no agent serves the queue `acme/support`",
            "\"acme/support\"",
            "calls come here by its flow and would wait in vain",
        ),
        ("queues = [\"second\"]", "", "the agent `acme/bea` serves no queue", "\"acme/bea\"", ""),
        ("flow = \"desk\"", "flow = \"desk\"\nlang = \"pt\"", "the flow `desk` does not speak `pt`", "\"pt\"", ""),
        (
            "flow = \"desk\"",
            "flow = \"desk\"\n[[numbers]]\nnumber = \"100\"\ntenant = \"acme\"\nflow = \"desk\"",
            "the number `100` stands here twice",
            "\"100\"",
            "",
        ),
        (
            "{ uri = \"sip:bea@192.0.2.9\", address = \"192.0.2.9:5060\" }",
            "{ user = \"ana\", password = \"x\" }",
            "the user `ana` stands here twice",
            "\"ana\"",
            "",
        ),
        (
            "127.0.0.1:8080",
            "0.0.0.0:8080",
            "the API is open to others only with a `token`",
            "\"0.0.0.0:8080\"",
            "set `token`, or listen on 127.0.0.1",
        ),
        ("127.0.0.1:5060", "127.0.0.1:20060", "port 20060 lies within the media ports", "\"127.0.0.1:20060\"", ""),
        (
            "[queues.\"acme/second\"]",
            "[feature_codes]\npause = \"*11\"\n[queues.\"acme/second\"]",
            "the code `*11` stands here twice",
            "\"*11\"",
            "",
        ),
    ];
    for (right, wrong, message, at, help) in cases {
        assert!(SITE.contains(right), "{right}");
        let found = found(&SITE.replacen(right, wrong, 1));
        let first = found.first().unwrap_or_else(|| panic!("nothing was found with {wrong}"));
        let help = (!help.is_empty()).then_some(help);
        assert_eq!((first.message.as_str(), pointed(first).as_str()), (message, at), "for {wrong}");
        assert!(help.is_none() || first.help.as_deref() == help, "{first}");
    }
}

#[test]
fn a_language_that_nobody_speaks_well_enough_is_found_in_the_flow() {
    let found = found(&SITE.replace("\"lang:en\" = 4", "\"lang:en\" = 2"));
    assert_eq!(found.len(), 1);
    assert!(!found[0].is_error(), "the others can be served");
    let asked = "no agent of `acme/support` can take a caller in `en`: asked is `lang:en >= 3 and skill:support >= 1`";
    assert_eq!((found[0].file.as_str(), found[0].message.as_str(), pointed(&found[0]).as_str()), ("desk.yaml", asked, "support"));
}

#[test]
fn every_finding_is_told_at_once_in_the_order_of_the_file() {
    let broken = SITE.replace("127.0.0.1:5060", "here").replace("\"1m\"", "\"soon\"").replace("when =", "whne =");
    let lines: Vec<_> = found(&broken).iter().map(|finding| finding.line).collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines.is_sorted());
}

#[test]
fn no_finding_shows_a_secret() {
    let cases = [
        ("password =", "passwrod ="),
        ("\"one-two-three\"", "\"one-two-three\", x = 1"),
        ("\"one-two-three\"", "\"a\\\"one-two-three\", x = 1"),
        ("user = \"ana\"", "user = \"pass\", x = 1"),
        ("user = \"ana\", password = \"one-two-three\"", "'password' = 'one-two-three'"),
        ("\"one-two-three\" }", "\"one-two-three }"),
    ];
    for (right, wrong) in cases {
        assert!(SITE.contains(right), "{right}");
        let found = found(&SITE.replacen(right, wrong, 1));
        assert!(!found.is_empty(), "{wrong}");
        for finding in found {
            assert!(!finding.to_string().contains("two-three"), "{finding}");
        }
    }
}
