//! The site of these tests: one queue in most of them, agents with extensions, a supervisor, a trunk both ways.

use engine::Setup;
use site::Site;
use std::collections::BTreeMap;
use std::sync::Arc;

const SITE: &str = r#"
name = "office"
node = 1

[sip]
listen = "10.0.0.1:5060"

[media]
ports = "20000-20199"

[web]
listen = "127.0.0.1:8080"

[[tenants]]
name = "acme"
trunk = "carrier"
caller_number = "+525550000000"
record_consults = true
record_outbound = true
monitor_tone = true

[[trunks]]
name = "carrier"
networks = ["10.0.1.1/32"]
address = "10.0.1.1:5060"

[[trunks]]
name = "lifeline"
networks = ["10.0.1.2/32"]
address = "10.0.1.2:5060"

[emergency]
numbers = ["911"]
trunk = "lifeline"

[[numbers]]
number = "100"
tenant = "acme"
flow = "desk"

[[numbers]]
number = "101"
tenant = "acme"
flow = "desk"
unanswered = true

[queues."acme/soporte"]
ring = "15s"
wrap_up = "20s"
callback = { first = "agent", attempts = 2, retry_after = "60s", ring = "20s" }

[queues."acme/ventas"]
ring = "15s"
wrap_up = "0s"

[queues."acme/cerrada"]
ring = "15s"
hours = { zone = "UTC", week = ["mon 00:00-00:01"] }

[agents."acme/ana"]
queues = ["soporte"]
extension = "201"
logged_in = true
phone = { user = "ana", password = "secret-ana" }

[agents."acme/beto"]
queues = ["ventas"]
extension = "202"
logged_in = true
phone = { user = "beto", password = "secret-beto" }

[agents."acme/eva"]
queues = []
extension = "203"
supervisor = true
logged_in = true
phone = { user = "eva", password = "secret-eva" }

[agents."acme/lola"]
queues = []
extension = "204"
phone = { user = "lola", password = "secret-lola" }
"#;

const FLOW: &str = r#"
flow: desk
languages: [es]
start: line

steps:
  line:
    queue:
      name: soporte
      language_level: 0
      prompts: []
      music: music
      keys: {7: call-me}
      apology: [apology]
      timeout: bye
      no_agents: bye
      full: bye
      closed: bye
      otherwise: bye
  call-me:
    callback: {}
  bye:
    hang_up: {prompts: [], cause: flow_ended}
"#;

pub fn setup(change: impl FnOnce(&mut Site)) -> Arc<Setup> {
    let mut site = Site::parse(SITE, "site.toml").unwrap_or_else(|found| panic!("{}", found[0]));
    change(&mut site);
    let flow = ivr::Flow::parse(FLOW, "desk.yaml").unwrap_or_else(|found| panic!("{}", found[0]));
    let flows = BTreeMap::from([("desk".to_string(), Arc::new(flow))]);
    Arc::new(Setup { site, flows, sha256: [1; 32] })
}
