//! RTCP against another implementation: what baresip reports of our stream and counts of its own is what our figures say.

use crate::support::Baresip;
use crate::support::baresip::Phone;
use crate::support::line::{Line, Order};
use crate::support::server::{Agent, Site};
use std::time::Duration;

/// Of so many of the caller's packets one is lost before it reaches us.
const ONE_IN: u32 = 20;

#[test]
fn both_sides_count_the_same_losses_and_tell_each_other() {
    let site = Site::new([Agent::registers("ana")]);
    let mut server = site.serve();
    let mut ana = Baresip::start(&server, &Phone { user: "ana", host: 3, codec: "PCMU", hz: 1_500, registers: true });
    let mut line = Line::calls(&server, |_| ());
    line.asks_for_support(&mut server);
    line.mouth.tell(Order::Say(Some(1_000)));
    line.mouth.tell(Order::Lose(ONE_IN));
    line.ear.until_tone(1_500);
    // Two reports of baresip's, which sends one each 5 s.
    line.ear.listens_for(Duration::from_secs(12));
    line.hangs_up();
    let summary = ana.summary();
    let said = |name: &str, place: usize| {
        let field = summary.iter().find(|(field, _)| field == name).unwrap_or_else(|| panic!("{name} in {summary:?}"));
        field.1[place]
    };
    let of = |side: &'static str| move |data: &serde_json::Value| data["side"] == side;
    let agent = server.fact("leg.closed", of("agent"))["data"]["quality"].clone();
    let customer = server.fact("leg.closed", of("customer"))["data"]["quality"].clone();
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("a number in {agent}"));
    let near = |ours: f64, theirs: f64, by: f64, what: &str| {
        assert!((ours - theirs).abs() <= by, "{what}: {ours} here, {theirs} there: {agent} {customer} {summary:?}");
    };
    // baresip's own numbers are those of the moment when our last report came.
    let (came, went) = (said("PR", 0), said("PS", 0));
    assert!(came >= 200.0 && came <= number(&agent["sent"]["packets"]), "{agent} {summary:?}");
    assert!(went >= 200.0 && went <= number(&agent["received"]["packets"]), "{agent} {summary:?}");
    // What the caller lost is seen by us, passes us as a hole, is counted by baresip, and comes back in its reports.
    let share = 1.0 / f64::from(ONE_IN);
    let (lost, counted, told) = (number(&customer["received"]["lost"]), said("PL", 0), &agent["sent"]["reported"]);
    assert!(lost >= counted && lost >= number(&told["lost"]) && lost >= 20.0, "{lost}: {agent} {summary:?}");
    near(share, counted / (counted + came), 0.01, "the share that baresip counts");
    near(number(&told["loss"]), share, 0.01, "the share that its reports say");
    near(number(&agent["received"]["lost"]), said("PL", 1), 0.0, "lost on the way from it, by our report");
    assert!(number(&agent["sent"]["reported"]["reports"]) >= 2.0);
    // Its jitter is in milliseconds.
    let (ours, theirs) = (number(&agent["received"]["jitter_us"]) / 1_000.0, said("JI", 1));
    near(ours, theirs, 5.0, "jitter of what it sent");
    assert!((0.0..50_000.0).contains(&number(&agent["round_trip_us"])), "on one machine: {agent}");
    server.is_at_rest();
    server.stop();
}
