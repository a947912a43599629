//! Floods from sipp while two people talk: refused or answered, bounded in memory, and not heard in the conversation.

use crate::support::pcap::{self, Say};
use crate::support::server::{Agent, Server, Site};
use crate::support::sipp::{Sipp, within};
use crate::support::sound::listen;

const CALLER_HZ: u32 = 1_000;

/// Seconds of flood: a taste of it, or the five minutes of security row 24.
fn seconds() -> u32 {
    if std::env::var_os("CENTRALITA_LONG").is_some() { 300 } else { 8 }
}

/// Resident memory in KiB.
fn memory(server: &Server<'_>) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.program.id())).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn floods_at_the_door_cost_no_memory_and_are_not_heard_inside() {
    let site = Site::new([Agent::at("ana", 3, 5070)]);
    let mut server = site.serve();
    let talk_s = seconds() + 6;
    let file = |name: &str| site.folder.path().join(name);
    let tone = u64::from(talk_s) * 1_000 + 10_000;
    let script = [Say::Silence(800), Say::Key('1'), Say::Silence(1_200), Say::Key('1'), Say::Tone(CALLER_HZ, tone)];
    pcap::write(&file("caller.pcap"), &script);
    pcap::write(&file("agent.pcap"), &[Say::Tone(1_700, tone)]);
    let mut agent = Sipp::at("agent", 3, 5070).with("rings", 100).with("sound", file("agent.pcap").display()).start(&server);
    let caller = Sipp::caller("caller").with("sound", file("caller.pcap").display());
    let mut caller = caller.with("talks", talk_s * 1_000 + 7_000).start(&server);
    server.fact("agent_leg.connected", |_| true);

    let before = memory(&server);
    let options = Sipp::at("options", 9, 5090).with("status", 200).with("allow", "true");
    let register = Sipp::at("register_unknown", 9, 5091).service("nobody");
    let invite = Sipp::at("refused", 2, 5092).service("999").with("status", 404);
    let invite = invite.with("hops", 70).with("payload", "0 PCMU/8000").with("header", "Supported: timer");
    let floods = [options.flood(200 * seconds(), 200), register.flood(100 * seconds(), 100), invite.flood(50 * seconds(), 50)];
    let mut floods = floods.map(|flood| flood.start(&server));
    let limit = within(u64::from(seconds()) * 4_000);
    floods.iter_mut().for_each(|flood| flood.succeeds_within(limit));
    let grown = memory(&server).saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB more after the floods");

    caller.succeeds_within(within(u64::from(talk_s) * 1_000 + 7_000));
    agent.succeeds_within(within(0));
    let call = server.fact("agent_leg.ended", |_| true);
    let recording = server.recording(&call);
    let (left, right) = (listen(&recording.left, CALLER_HZ), listen(&recording.right, 1_700));
    assert!(left.longest_gap_ms <= 60 && right.longest_gap_ms <= 60, "{left:?} {right:?}");
    assert!(left.total_ms + 500 >= recording.duration_ms() && right.total_ms + 500 >= recording.duration_ms());
    assert_eq!(server.of_type("call.rejected").len() as u32, 50 * seconds());
    server.fact("wrapup.ended", |_| true);
    server.is_at_rest();
    server.stop();
}
