//! What is said to the person who wrote a flow that can't be right.

use ivr::Flow;

/// A flow in which every kind of step stands once, and everything is right.
const WHOLE: &str = "\
flow: desk
languages: [es, en]
zone: America/Mexico_City
start: hello
steps:
  hello:
    say: {prompts: [hello], then: told}
  told:
    notice: {then: agree}
  agree:
    consent: {mode: opt_out, then: choose}
  choose:
    language: {prompts: [choose], keys: {1: es, 2: en}, then: hours}
  hours:
    hours: {week: [mon-fri 08:00-20:00], holidays: [12-25], open: pin, closed: bye}
  pin:
    menu:
      prompts: [pin]
      keys: {1: support, \"#\": back}
      secret: true
      otherwise: bye
  back:
    goto: pin
  support:
    queue: {name: support, music: music, keys: {7: call-me, 8: message, 9: outside}, hints: [hint], otherwise: bye}
  call-me:
    callback: {timeout: 8s}
  message:
    voicemail: {limit: 90s, then: bye}
  outside:
    forward: {number: \"+525512345678\", music: ringing, otherwise: bye}
  bye:
    hang_up: {prompts: [bye]}
";

/// The one finding, with the text it points at.
fn finding(text: &str) -> (String, String, Option<String>) {
    let found = Flow::parse(text, "desk.yaml").expect_err("the flow is wrong");
    let first = &found[0];
    let at: String = first.source.chars().skip(first.column - 1).take(first.width).collect();
    (first.message.clone(), at, first.help.clone())
}

#[test]
fn the_whole_flow_is_right_and_names_its_prompts_in_each_language() {
    let flow = Flow::parse(WHOLE, "desk.yaml").unwrap_or_else(|found| panic!("{}", found[0]));
    let keys: Vec<String> = flow.prompts().iter().map(|prompt| prompt.key.to_string()).collect();
    for key in ["desk/es/hello", "desk/en/hello", "desk/zxx/music", "speech/en/position-10", "desk/en/bye", "desk/es/hint"] {
        assert!(keys.iter().any(|each| each == key), "{key} is missing in {keys:?}");
    }
    let queues = flow.queues();
    assert_eq!(queues.len(), 1);
    assert_eq!(queues[0].requires[1].1.to_string(), "lang:en >= 1");
    let callback = queues[0].callback.unwrap();
    assert_eq!(WHOLE.lines().nth(callback.line - 1), Some("  call-me:"));
    assert_eq!(flow.forwards().iter().map(|place| place.width).collect::<Vec<_>>(), ["\"+525512345678\"".len()]);
}

#[test]
fn each_mistake_is_pointed_at() {
    let cases = [
        // what is written, instead of what; what the finding says; what it points at; what it suggests
        ("then: choose}", "then: chose}", "there is no step `chose`", "chose", "did you mean `choose`?"),
        ("start: hello", "start: hallo", "there is no step `hallo`", "hallo", "did you mean `hello`?"),
        ("{1: es, 2: en}", "{1: es, 2: fr}", "expected one of the flow's languages: es, en", "fr", ""),
        ("{1: es, 2: en}", "{1: es, 12: en}", "expected one key of the phone: 0 to 9, \"*\" or \"#\"", "12", ""),
        (
            "mon-fri 08:00",
            "mon-fri 8",
            "expected days and times such as `mon-fri 08:00-20:00` or `sat,sun 00:00-24:00`",
            "mon-fri 8-20:00",
            "",
        ),
        (
            "[12-25]",
            "[31-12]",
            "expected a date such as `12-25` or `2026-11-16`, closed unless hours follow: `12-24 09:00-14:00`",
            "31-12",
            "",
        ),
        ("America/Mexico_City", "Mexico", "expected a time zone's name, such as `America/Mexico_City`", "Mexico", ""),
        ("zone: America/Mexico_City\n", "", "hours need a `zone` of the flow, such as `America/Mexico_City`", "hours", ""),
        ("[es, en]", "[es, es]", "`es` stands here twice", "es", ""),
        ("[es, en]", "[es, EN]", "expected a language code such as `es`", "EN", ""),
        (
            "prompts: [hello]",
            "prompts: [Hello World]",
            "expected a name of lower-case letters, digits, - and _",
            "Hello World",
            "",
        ),
        (
            "name: support,",
            "name: support, requires: skill > 3,",
            "expected `skill >= level`, found \"skill > 3\"",
            "skill > 3",
            "",
        ),
        ("name: support,", "name: support, language_level: 11,", "expected a level from 1 to 10, or 0 to ask for none", "11", ""),
        ("secret: true", "timeout: 2h", "expected a time from 1s to 60s, such as `5s`", "2h", ""),
        ("secret: true", "retries: 10", "expected 0 to 9", "10", ""),
        ("secret: true", "repeat: 1", "the key 1 has two meanings", "1", ""),
        ("\"#\": back", "\"#\": bye", "no step leads to `back`", "back", ""),
        ("7: call-me", "7: call-us", "there is no step `call-us`", "call-us", "did you mean `call-me`?"),
        ("8: message", "7: message", "this key stands here twice", "7", ""),
        ("8: message", "88: message", "expected one key of the phone: 0 to 9, \"*\" or \"#\"", "88", ""),
        (
            "hints: [hint],",
            "hints: [hint], announce: false,",
            "hints are said with the announcements: expected `announce: true`",
            "hint",
            "",
        ),
        (
            "goto: pin",
            "goto: call-me",
            "only a key of a queue can lead to `call-me`: the caller's place there is kept",
            "call-me",
            "put it in `keys` of a queue step, or lead to a `voicemail` step from here",
        ),
        (
            "timeout: 8s",
            "prompts: []",
            "a caller must hear what the keys do: expected at least one prompt, or no such list",
            "call-me",
            "",
        ),
        ("limit: 90s", "limit: 1h", "expected a time from 5s to 10m, such as `2m`", "1h", ""),
        ("limit: 90s", "limits: 90s", "`limits` is not known here", "limits", "did you mean `limit`?"),
        ("\"+525512345678\"", "sales", "expected a number to dial, in quotes, such as \"+525512345678\"", "sales", ""),
    ];
    for (right, wrong, message, at, help) in cases {
        assert!(WHOLE.contains(right), "{right}");
        let help = (!help.is_empty()).then(|| help.to_string());
        let found = finding(&WHOLE.replacen(right, wrong, 1));
        assert_eq!(found, (message.to_string(), at.to_string(), help), "for {wrong}");
    }
}

#[test]
fn a_language_whose_numbers_nobody_taught_us_asks_for_silence_about_positions() {
    let german = WHOLE.replace("[es, en]", "[es, en, de]");
    assert_eq!(finding(&german).0, "positions can't be said in `de`: expected `announce: false`");
    assert!(Flow::parse(&german.replace("hints: [hint]", "announce: false"), "desk.yaml").is_ok());
}

#[test]
fn what_all_flows_share_must_be_rendered_too() {
    let flow = Flow::parse(WHOLE, "desk.yaml").unwrap();
    let found = flow.check(&|key| !key.contains("/en/callback-") && key != "desk/zxx/ringing");
    let first = |text: &str| found.iter().find(|finding| finding.message.contains(text)).unwrap().to_string();
    assert!(first("`desk/zxx/ringing`").contains("expected desk/prompts/zxx/ringing.wav"));
    assert!(first("`speech/en/callback-offer`").contains("call-me"));
    assert!(first("`speech/en/callback-entered`").contains("expected speech/prompts/en/callback-entered.wav"));
}

#[test]
fn every_finding_is_told_at_once() {
    let wrong = WHOLE.replace("then: choose}", "then: chose}").replace("closed: bye", "closed: by");
    let found = Flow::parse(&wrong, "desk.yaml").unwrap_err();
    let lines: Vec<_> = found.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [11, 15]);
}

#[test]
fn a_round_that_nobody_breaks_is_found() {
    let silent = WHOLE.replace("otherwise: bye\n", "otherwise: hello\n");
    let (message, _, help) = finding(&silent);
    assert_eq!(message, "a caller who does nothing goes round for ever: hello → told → agree → choose → hours → pin → hello");
    assert!(help.is_some());
    // A round that goes through a key is the caller's own wish.
    assert!(Flow::parse(&WHOLE.replace("goto: pin", "goto: hello"), "desk.yaml").is_ok());
}

#[test]
fn what_is_no_flow_is_pointed_at_too() {
    let cases = [
        ("secret: true", "secrets: true", "`secrets` is not known here", "secrets", "did you mean `secret`?"),
        ("    menu:", "    mneu:", "`mneu` is not known here", "mneu", "did you mean `menu`?"),
        ("secret: true", "secret: maybe", "expected true or false", "maybe", ""),
        ("prompts: [pin]", "prompts: pin", "expected a list such as [first, second]", "pin", ""),
        ("{1: es, 2: en}", "{1: es, 1: en}", "this key stands here twice", "1", ""),
    ];
    for (right, wrong, message, at, help) in cases {
        let help = (!help.is_empty()).then(|| help.to_string());
        let found = finding(&WHOLE.replacen(right, wrong, 1));
        assert_eq!(found, (message.to_string(), at.to_string(), help), "for {wrong}");
    }
    assert_eq!(finding(&WHOLE.replace("[hint], otherwise: bye}", "[hint]}")).0, "`otherwise` is missing");
    assert_eq!(finding("").0, "the file ends too early");
    assert!(!finding("flow: [unfinished").0.contains('\n'));
}

#[test]
fn a_flow_that_calls_itself_other_than_its_file_is_found() {
    let flow = Flow::parse(WHOLE, "desk.yaml").unwrap();
    assert!(flow.misnamed("desk").is_none());
    let found = flow.misnamed("reception").unwrap();
    assert_eq!((found.line, found.column, found.width), (1, 7, 4));
}
