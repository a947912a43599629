//! The site read again while a call goes on: all of it, or nothing.

use crate::support::http;
use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, PATIENCE, Server, Site};
use crate::support::sipp::{Sipp, within};
use serde_json::Value;
use std::process::{Command, Output};

/// Changes the site file.
fn rewrite(server: &Server<'_>, change: impl FnOnce(String) -> String) {
    let file = server.site.folder.path().join("site.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, change(text)).unwrap();
}

/// `centralita reload`
fn reload(server: &Server<'_>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_centralita"));
    command.args(["--api", &format!("http://{}", server.web), "reload"]).output().unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Another queue, and another agent.
const BEA: &str = "\n[queues.\"acme/new\"]\n[agents.\"acme/bea\"]\nqueues = [\"billing\"]\nlogged_in = true\nphone = { user = \"bea\", password = \"x\" }\n";

#[test]
fn a_reload_changes_the_site_and_leaves_the_call_in_progress_alone() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    let keys = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(1_000, 20_000)];
    let sound = |name: &str, says: &[Say]| {
        let file = server.site.folder.path().join(name);
        pcap::write(&file, says);
        file.to_string_lossy().into_owned()
    };
    let (caller_says, agent_says) = (sound("caller.pcap", &keys), sound("agent.pcap", &[Say::Tone(1_700, 20_000)]));
    let mut agent = Sipp::at("agent", 3, 5070).with("rings", 300).with("sound", agent_says).start(&server);
    let mut caller = Sipp::caller("caller").with("sound", caller_says).with("talks", 11_000).start(&server);
    server.fact("agent_leg.connected", |_| true);
    rewrite(&server, |text| text.replace("threshold = \"20s\"", "").replace("wrap_up = \"1s\"", "wrap_up = \"2s\"") + BEA);
    let reloaded = reload(&server);
    assert!(reloaded.status.success(), "{}", said(&reloaded.stderr));
    assert!(said(&reloaded.stdout).contains("Calls in progress go on."), "{}", said(&reloaded.stdout));
    server.facts_of("config.loaded", 2);
    assert_eq!(http::json(server.web, "/api/v1/agents/acme/bea")["live"]["state"], "unreachable");
    assert_eq!(http::json(server.web, "/api/v1/queues/acme/new")["offered"], 0);
    let calls = http::json(server.web, "/api/v1/calls");
    assert_eq!((calls.as_array().unwrap().len(), &calls[0]["place"]), (1, &"conversation".into()));
    caller.succeeds_within(within(0));
    agent.succeeds_within(within(0));
    let arrived = server.fact("call.arrived", |_| true);
    assert!(server.recording(&arrived).duration_ms() > 3_000);
    assert_eq!(server.fact("call.ended", |_| true)["data"]["cause"], "caller_hung_up");
    let wrapped = server.fact("wrapup.started", |_| true);
    assert_eq!(wrapped["data"]["limit_ms"], 2_000, "the new wrap-up counts already");
    server.is_at_rest();
    server.stop();
}

#[test]
fn a_reload_that_does_not_fit_is_refused_whole_with_its_reason() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    rewrite(&server, |text| text.replace("\nrequires = \"skill:billing >= 1\"", "\nrequires = \"skill:biling >= 1\"") + BEA);
    let refused = reload(&server);
    assert_eq!(refused.status.code(), Some(1));
    let why = said(&refused.stderr);
    assert!(
        why.contains("no agent of `acme` has the skill `skill:biling`") && why.contains("did you mean `skill:billing`?"),
        "{why}"
    );
    assert!(why.ends_with("error: the site has 1 error: the old site still counts\n"), "{why}");
    assert_eq!(server.fact("config.rejected", |_| true)["data"]["findings"], 1, "the warning does not count");
    assert_eq!(http::get(server.web, "/api/v1/agents/acme/bea").0, 404, "not even the part that was good");
    rewrite(&server, |text| text.replace("skill:biling", "skill:billing").replace("name = \"interop\"", "name = \"other\""));
    let why = said(&reload(&server).stderr);
    assert!(why.contains("`name` changes only with a restart") && why.contains("site.toml:"), "{why}");
    server.facts_of("config.rejected", 2);
    assert_eq!(server.of_type("config.loaded").len(), 1);
    server.stop();
}

#[test]
fn a_hangup_signal_reloads_and_a_new_token_counts_from_then_on() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    let text = |text: String| text.replace(":8080\"", ":8080\"\ntoken = \"sesame\"");
    rewrite(&server, text);
    server.program.signal("HUP");
    server.facts_of("config.loaded", 2);
    server.program.line(PATIENCE, |line| line.contains("the site was read again and counts from now on"));
    assert_eq!(http::get(server.web, "/api/v1/agents").0, 401);
    let loaded: Vec<&Value> = server.of_type("config.loaded");
    assert_ne!(loaded[0]["site_sha256"], loaded[1]["site_sha256"]);
    server.stop();
}
