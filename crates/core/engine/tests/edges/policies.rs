//! Which conversations are recorded: by policy, by share, by what the caller said; and what a transfer makes of it.

use crate::callbacks::{ANA, CARRIER, site};
use crate::stage::{Stage, TRUNK};
use base::fact::{Excluded, Fact, Logged, ResumedBy, What};
use base::{Instant, Now, Random, Wall};
use engine::{Open, Promise, Repaired, Reply, Request, Resume, Stored, Target};
use media::Command;
use std::sync::Arc;

const BEA: &str = "10.0.3.2:5060";

/// A caller is asked, and waits for ana; a key leads to a callback.
const ASKED: &str = "
flow: desk
languages: [es]
start: told
steps:
  told:
    notice: {then: agree}
  agree:
    consent: {mode: opt_in, retries: 0, timeout: 3s, then: support}
  support:
    queue: {name: support, music: music, language_level: 0, keys: {7: call-me}, otherwise: bye}
  call-me:
    callback: {}
  bye:
    hang_up: {}
";

/// Two queues and an agent for each: ana answers `support`, bea `second`. Lines of the account, the queues, of ana.
fn stage(account: &str, [support, second]: [&str; 2], ana: &str) -> Stage {
    stage_after(account, [support, second], ana, Resume::default())
}

fn stage_after(account: &str, [support, second]: [&str; 2], ana: &str, resume: Resume) -> Stage {
    let terms = r#"callback = { first = "agent", attempts = 2, retry_after = "60s", ring = "20s" }"#;
    let bea = format!(
        "[queues.\"acme/second\"]\n{second}\n[agents.\"acme/bea\"]\nqueues = [\"second\"]\nextension = \"202\"\n\
         phone = {{ uri = \"sip:bea@{BEA}\", address = \"{BEA}\" }}\n[agents.\"acme/ana\"]\n{ana}\n"
    );
    let text = site(&format!("{terms}\n{support}"))
        .replace("[agents.\"acme/ana\"]\n", &bea)
        .replace("name = \"acme\"\n", &format!("name = \"acme\"\n{account}\n"));
    let mut stage = Stage::resumed(&text, ASKED, resume);
    for agent in ["acme/ana", "acme/bea"] {
        stage.ask(Request::Agent { agent: agent.parse().unwrap(), ask: acd::Ask::LogIn });
    }
    stage
}

/// A caller who answers the question with this key, or with silence, and is put through to ana.
fn talks(stage: &mut Stage, key: Option<char>) {
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.heard(1);
    match key {
        Some(key) => {
            stage.wait(1.0);
            stage.key(1, key);
        }
        None => {
            stage.heard(1);
            stage.wait(3.0);
        }
    }
    stage.answer(ANA);
}

/// What was decided of each conversation of the call: the reason, or "owed", and whose word that was.
fn decided(stage: &Stage) -> Vec<(String, String)> {
    let told = |fact: &Fact| match &fact.what {
        What::RecordingOwed { policy } => Some(("owed".to_string(), policy.clone())),
        What::RecordingExcluded { reason, policy } => Some((reason.name().to_string(), policy.clone())),
        _ => None,
    };
    stage.facts.iter().filter_map(told).collect()
}

fn recorded(stage: &Stage) -> usize {
    stage.commands.iter().filter(|c| matches!(c, Command::Record { .. })).count()
}

fn pair(excluded: &str, policy: &str) -> (String, String) {
    (excluded.into(), policy.into())
}

#[test]
fn a_conversation_owes_a_recording_by_the_policy_that_the_log_names() {
    let table = [
        ("", ["", ""], "", "owed", "tenant acme: all"),
        ("record = \"none\"", ["", ""], "", "policy", "tenant acme: none"),
        ("record = \"none\"", ["record = \"all\"", ""], "", "owed", "queue acme/support: all"),
        ("", ["record = \"all\"", ""], "record = \"none\"", "policy", "agent acme/ana: none"),
        ("", ["record = \"none\"", ""], "record = \"all\"", "policy", "queue acme/support: none"),
        ("", ["record = 0.0001", ""], "", "share", "queue acme/support: 0.01 %"),
    ];
    for (account, queues, ana, verdict, policy) in table {
        let mut stage = stage(account, queues, ana);
        talks(&mut stage, Some('1'));
        assert_eq!(decided(&stage), [pair(verdict, policy)]);
        assert_eq!(recorded(&stage), usize::from(verdict == "owed"));
        stage.bye(TRUNK, "a");
        assert!(stage.snapshot().breaches.is_empty());
    }
}

#[test]
fn who_is_told_and_agrees_is_recorded_and_who_refuses_or_says_nothing_is_not() {
    for (key, fact, verdict) in [
        (Some('1'), "consent.accepted", "owed"),
        (Some('2'), "consent.refused", "consent_refused"),
        (None, "consent.refused", "no_consent"),
    ] {
        let mut stage = stage("", ["", ""], "record = \"all\"");
        talks(&mut stage, key);
        assert_eq!(decided(&stage), [pair(verdict, "agent acme/ana: all")]);
        assert_eq!((stage.facts_of(1, "consent.played").len(), stage.facts_of(1, fact).len()), (1, 1));
        assert_eq!(stage.snapshot().calls[0].consent.map(|c| c.given), Some(key == Some('1')));
        let call = stage.id(1);
        if verdict != "owed" {
            let paused = stage.ask(Request::PauseRecording { call, cause: "card".into(), for_s: 9 });
            assert!(matches!(paused, Reply::Refused { .. }), "there is nothing to pause");
        }
    }
}

#[test]
fn who_waits_on_hold_is_recorded_only_where_the_account_wants_it() {
    for (account, told) in [("", 0), ("record_hold = \"audio\"", 1)] {
        let mut stage = stage(account, ["", ""], "");
        talks(&mut stage, Some('1'));
        assert_eq!(stage.commands.iter().filter(|c| matches!(c, Command::RecordWaiting { .. })).count(), told);
    }
}

#[test]
fn a_refusal_goes_with_the_call_through_a_transfer_and_a_callback() {
    let mut stage = stage("", ["", ""], "");
    talks(&mut stage, Some('2'));
    let (call, to) = (stage.id(1), Target::Queue("acme/second".parse().unwrap()));
    stage.ask(Request::Transfer { call, to });
    stage.answer(BEA);
    let refused = pair("consent_refused", "tenant acme: all");
    assert_eq!((decided(&stage), recorded(&stage)), (vec![refused.clone(), refused], 0));
}

#[test]
fn of_two_queues_the_stricter_holds_for_what_follows() {
    // Which calls a share takes is the same in both conversations, so a share that takes none shows who decides.
    for (queues, second) in [
        (["record = 0.0001", "record = \"all\""], pair("share", "queue acme/support: 0.01 %")),
        (["record = \"none\"", "record = \"all\""], pair("policy", "queue acme/support: none")),
        (["record = \"all\"", "record = \"none\""], pair("policy", "queue acme/second: none")),
        (["record = \"all\"", ""], pair("owed", "tenant acme: all")),
    ] {
        let mut stage = stage("", queues, "");
        talks(&mut stage, Some('1'));
        let (call, to) = (stage.id(1), Target::Queue("acme/second".parse().unwrap()));
        stage.ask(Request::Transfer { call, to });
        stage.answer(BEA);
        assert_eq!(decided(&stage)[1], second, "{queues:?}");
    }
}

#[test]
fn who_refused_and_is_called_back_after_a_crash_is_not_recorded_then() {
    let mut before = stage("", ["", ""], "");
    before.call(TRUNK, "a", "5512345678", "5550001000", "");
    before.heard(1);
    before.key(1, '2');
    before.wait(1.0);
    let ringing = before.rung(ANA).is_some();
    assert!(ringing, "ana is asked");
    before.refuse(ANA, 486);
    before.keys(1, "71");
    before.heard(1);
    let open = open(&before.facts);
    let promises: Vec<Promise> = before.promises.values().cloned().collect();
    assert_eq!(promises.len(), 1);
    let mut after = stage_after("", ["", ""], "", Resume { open, promises, ..Resume::default() });
    after.answer(ANA);
    after.heard_on(*after.plays().last().unwrap());
    after.answer(CARRIER);
    assert_eq!(decided(&after), [pair("consent_refused", "tenant acme: all")]);
}

fn open(facts: &[Fact]) -> Open {
    let logged = facts.iter().enumerate().map(|(i, fact)| Logged { epoch: 1, seq: i as u64 + 1, fact: fact.clone() });
    Open::fold(&logged.collect::<Vec<_>>())
}

#[test]
fn what_a_crash_left_undecided_is_decided_as_it_would_have_been() {
    for (support, key, verdict) in
        [("", '1', "owed"), ("record = \"none\"", '1', "policy"), ("record = 0.0001", '1', "share"), ("", '2', "consent_refused")]
    {
        let mut before = stage("", [support, ""], "");
        talks(&mut before, Some(key));
        let told = decided(&before);
        // The log ends between the conversation's first fact and what is owed of it.
        let connected = before.facts.iter().position(|f| f.what.name() == "agent_leg.connected").unwrap();
        let resume = || Resume { open: open(&before.facts[..=connected]), ..Resume::default() };
        let after = stage_after("", [support, ""], "", resume());
        assert_eq!((decided(&after), told[0].0.as_str()), (told.clone(), verdict));
        assert_eq!(after.facts_of(1, "recording.failed").len(), usize::from(verdict == "owed"));
        let revs: Vec<u32> = after.facts.iter().filter(|f| f.about.call.is_some()).map(|f| f.about.rev).collect();
        assert!(revs.windows(2).all(|two| two[0] + 1 == two[1]), "{revs:?}");
    }
}

/// Bea calls ana, and the log ends with the conversation's first fact. What was decided then, and what it left open.
fn bea_calls(ana: &str, logged_in: bool) -> (Vec<(String, String)>, Open) {
    let mut before = stage(INTERNAL, ["", ""], ana);
    if !logged_in {
        before.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask: acd::Ask::LogOut });
    }
    before.ask(Request::Dial { agent: "acme/bea".parse().unwrap(), to: Target::Agent("acme/ana".parse().unwrap()) });
    before.answer(BEA);
    before.answer(ANA);
    let connected = before.facts.iter().position(|f| f.what.name() == "agent_leg.connected").unwrap();
    (decided(&before), open(&before.facts[..=connected]))
}

const INTERNAL: &str = "record_internal = \"all\"";
const NEVER: &str = "record = \"none\"";

#[test]
fn of_who_is_called_and_never_recorded_a_crash_leaves_nothing_that_failed() {
    for (ana, logged_in, verdict) in [(NEVER, true, "policy"), (NEVER, false, "policy"), ("", true, "owed")] {
        let (told, open) = bea_calls(ana, logged_in);
        let after = stage_after(INTERNAL, ["", ""], ana, Resume { open, ..Resume::default() });
        assert_eq!((decided(&after), told[0].0.as_str()), (told.clone(), verdict));
        assert_eq!(after.facts_of(1, "recording.failed").len(), usize::from(verdict == "owed"));
    }
}

#[test]
fn of_which_a_crash_left_a_file_was_owed_whoever_is_never_recorded_now() {
    let (told, open) = bea_calls("", true);
    let recording = *open.recordings.keys().next().unwrap();
    let stored = Stored { file: "f".into(), duration_ms: 900, sha256: "".into(), reason: Some("node_lost".into()) };
    let repaired = vec![Repaired { recording, stored: Some(stored) }];
    let after = stage_after(INTERNAL, ["", ""], NEVER, Resume { open, repaired, ..Resume::default() });
    assert_eq!((decided(&after), after.facts_of(1, "recording.stored").len()), (told, 1));
}

/// A conversation that lasted a second, as the second form of the facts told it: nothing says whether it is owed.
fn of_form_two(direction: &str) -> Open {
    let told = [
        (r#""rev":0"#, r#""type":"node.started","data":{"boot_id":"00","version":2,"queues":[]}"#.to_string()),
        (
            r#""tenant":"acme","call_id":"1-1-1","agent_id":"acme/ana","rev":0"#,
            format!(r#""type":"call.arrived","data":{{"direction":"{direction}","trunk":"","number":""}}"#),
        ),
        (
            r#""tenant":"acme","call_id":"1-1-1","agent_id":"acme/ana","conversation_id":"1-1-1.c1","rev":1"#,
            r#""type":"agent_leg.connected","data":{"wait_ms":0}"#.into(),
        ),
        (
            r#""tenant":"acme","call_id":"1-1-1","agent_id":"acme/ana","conversation_id":"1-1-1.c1","rev":2"#,
            r#""type":"agent_leg.ended","data":{"talk_ms":1000,"hold_ms":0,"consult_ms":0}"#.into(),
        ),
        (
            r#""tenant":"acme","call_id":"1-1-1","cause":"agent_hung_up","rev":3"#,
            r#""type":"call.ended","data":{"duration_ms":1000,"visits":0}"#.into(),
        ),
    ];
    let line = |(seq, (about, what)): (usize, (&str, String))| {
        let text = format!(r#"{{"epoch":1,"seq":{},"now":{{"mono":5,"wall":0}},"about":{{{about}}},{what}}}"#, seq + 1);
        serde_json::from_str::<Logged>(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    };
    Open::fold(&told.into_iter().enumerate().map(line).collect::<Vec<_>>())
}

#[test]
fn of_an_old_log_only_what_was_owed_and_never_ended_has_failed() {
    let (outside, nothing) = ("record_outbound = \"all\"", "record = \"none\"");
    for (direction, account, ana, failed) in [
        ("internal", outside, "record = \"all\"", 0),
        ("feature_code", "", "", 0),
        ("incoming", nothing, nothing, 1),
        ("outgoing", "", "", 0),
        ("outgoing", outside, "", 1),
        ("outgoing", outside, nothing, 0),
    ] {
        let resume = Resume { open: of_form_two(direction), ..Resume::default() };
        let after = stage_after(account, ["", ""], ana, resume);
        let told: Vec<u32> = after.facts_of(1, "recording.failed").iter().map(|(about, _)| about.rev).collect();
        assert_eq!(told, vec![4; failed], "{direction} {account} {ana}");
    }
}

fn pauses(stage: &Stage) -> Vec<(String, u64)> {
    let told = |fact: &Fact| match &fact.what {
        What::RecordingPaused { recording, limit_ms, .. } => Some((format!("{recording} paused"), *limit_ms)),
        What::RecordingResumed { recording, by, paused_ms, .. } => {
            let by = if *by == ResumedBy::TimedOut { "timed out" } else { "left" };
            Some((format!("{recording} {by}"), *paused_ms))
        }
        _ => None,
    };
    stage.facts.iter().filter_map(told).collect()
}

#[test]
fn a_pause_goes_with_the_call_that_is_passed_on_and_ends_when_its_time_is_over() {
    let mut stage = stage("", ["", ""], "");
    talks(&mut stage, Some('1'));
    let (call, to) = (stage.id(1), Target::Queue("acme/second".parse().unwrap()));
    stage.ask(Request::PauseRecording { call, cause: "card".into(), for_s: 60 });
    let until = stage.snapshot().calls[0].paused.clone().unwrap().until;
    stage.wait(10.0);
    let heard = |stage: &Stage| {
        let told = |c: &Command| match c {
            Command::RecordLegs { recording, left, right } => Some((recording.conversation.n, left.len() + right.len())),
            Command::Record { .. } | Command::StopRecording { .. } => None,
            _ => None,
        };
        stage.commands.iter().filter_map(told).next_back()
    };
    stage.ask(Request::Transfer { call, to });
    assert_eq!(heard(&stage), Some((1, 0)), "no voice comes back at the end");
    stage.wait(5.0);
    stage.answer(BEA);
    assert_eq!(heard(&stage), Some((2, 0)), "the next one begins with nobody's voice");
    let paused = stage.snapshot().calls[0].paused.clone().unwrap();
    assert_eq!((&*paused.cause, paused.until), ("card", until));
    stage.wait(46.0);
    let part = |n: u8, what: &str| format!("{call}.c{n}.p1 {what}");
    let expected =
        [(part(1, "paused"), 60_000), (part(1, "left"), 10_000), (part(2, "paused"), 45_000), (part(2, "timed out"), 45_000)];
    assert_eq!(pauses(&stage), expected);
    assert_eq!(heard(&stage), Some((2, 2)));
    assert_eq!(stage.snapshot().calls[0].paused, None);
}

/// A recording's channels, and the Call-IDs of its sidecar.
type Begun = (u16, [String; 2]);

/// The recordings that a plane which is not on a stage begins when it is told this, and why it does not begin others.
fn in_a_real_plane(commands: &[Command]) -> (Vec<Begun>, Vec<Arc<str>>) {
    let mut plane = media::Plane::new(media::PlaneConfig::default(), Arc::default(), Random::from_seed(1));
    let (now, mut out) = (Now { mono: Instant(1), wall: Wall(0) }, Vec::new());
    for command in commands {
        plane.on_command(now, command.clone(), &mut out);
        if let Command::Open { leg, port, .. } = command {
            plane.on_bound(now, *leg, *port, true, &mut out);
        }
    }
    let (mut opened, mut failed) = (Vec::new(), Vec::new());
    for output in out {
        match output {
            media::Output::Tape(media::Tape::Open { channels, sidecar, .. }) => {
                opened.push((channels, [sidecar.sip_call_id_caller, sidecar.sip_call_id_agent].map(|id| id.to_string())));
            }
            media::Output::Input(media::Input::RecordingFailed { reason, .. }) => failed.push(reason),
            _ => {}
        }
    }
    (opened, failed)
}

#[test]
fn a_conversation_that_begins_in_a_pause_is_recorded_with_both_sides_and_knows_whose_it_is() {
    let mut stage = stage("", ["", ""], "");
    talks(&mut stage, Some('1'));
    let (call, to) = (stage.id(1), Target::Queue("acme/second".parse().unwrap()));
    stage.ask(Request::PauseRecording { call, cause: "card".into(), for_s: 60 });
    stage.wait(10.0);
    stage.ask(Request::Transfer { call, to });
    stage.wait(5.0);
    stage.answer(BEA);
    let (opened, failed) = in_a_real_plane(&stage.commands);
    assert_eq!((opened.len(), failed), (2, vec![]));
    let [(one, [caller, ana]), (two, [same, bea])] = &opened[..] else { panic!("{opened:?}") };
    assert_eq!((one, two, caller), (&2, &2, same));
    assert!(![ana, bea].contains(&caller) && ana != bea && !bea.is_empty() && !caller.is_empty(), "{opened:?}");
}

#[test]
fn a_pause_whose_time_ends_between_two_conversations_is_over() {
    let mut stage = stage("", ["", ""], "");
    talks(&mut stage, Some('1'));
    let (call, to) = (stage.id(1), Target::Queue("acme/second".parse().unwrap()));
    stage.ask(Request::PauseRecording { call, cause: "card".into(), for_s: 5 });
    stage.ask(Request::Transfer { call, to });
    stage.wait(8.0);
    stage.answer(BEA);
    assert_eq!(pauses(&stage).len(), 2, "paused and left, in the first conversation only");
    let ask = Request::ResumeRecording { call };
    assert!(matches!(stage.ask(ask), Reply::Refused { .. }));
}

#[test]
fn every_reason_has_its_name() {
    let all = [Excluded::Policy, Excluded::Share, Excluded::ConsentRefused, Excluded::NoConsent];
    assert_eq!(all.map(Excluded::name), ["policy", "share", "consent_refused", "no_consent"]);
    assert!(all.iter().all(|reason| serde_json::to_value(reason).unwrap() == reason.name()));
}
