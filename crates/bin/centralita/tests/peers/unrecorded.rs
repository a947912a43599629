//! A conversation that should be recorded and is not: whoever looks at the node sees it while it lasts.

use crate::support::Baresip;
use crate::support::baresip::Phone;
use crate::support::line::{Line, Order};
use crate::support::server::{Agent, Site};

#[test]
fn a_conversation_without_a_recording_is_an_alarm_while_it_lasts_and_is_heard_all_the_same() {
    let site = Site::new([Agent::registers("ana")]);
    let mut server = site.serve();
    let _ana = Baresip::start(&server, &Phone { user: "ana", host: 3, codec: "PCMU", hz: 1_500, registers: true });
    // A disk that takes no recording: where they should lie is a file.
    std::fs::remove_dir_all(site.recordings()).unwrap();
    std::fs::write(site.recordings(), "in the way").unwrap();
    let mut line = Line::calls(&server, |_| ());
    line.asks_for_support(&mut server);
    line.mouth.tell(Order::Say(Some(1_000)));
    line.ear.until_tone(1_500);
    let failed = server.fact("recording.failed", |_| true)["data"]["recording"].as_str().unwrap().to_string();
    server.until_alarm(&format!("{failed} ended, and its conversation goes on"), true);
    line.hangs_up();
    server.is_at_rest();
    server.until_alarm("its conversation goes on", false);
    std::fs::remove_file(site.recordings()).unwrap();
    server.stop();
}
