//! What a site file says, and what is said to the person who mistyped it.

use base::{Lang, QueueId};
use site::{Algorithm, Phone, Site};
use std::time::Duration;

const SMALL: &str = r#"
name = "acme"

[sip]
listen = "127.0.0.1:5060"

[media]
ports = "20000-20999"

[web]
listen = "127.0.0.1:8080"

[[tenants]]
name = "acme"

[[trunks]]
name = "carrier"
networks = ["192.0.2.0/24", "198.51.100.7"]

[[numbers]]
number = "+525550001000"
tenant = "acme"
flow = "service-desk"

[queues."acme/support"]
ring = "8s"
announce = { every = "never" }

[agents."acme/ana"]
lang = "pt"
queues = ["support"]
skills = { "lang:pt" = 9 }
logged_in = true
phone = { user = "ag01", password = "very secret", algorithms = ["md5"] }
"#;

#[test]
fn a_small_site_is_read_with_its_defaults() {
    let site = Site::parse(SMALL, "site.toml").unwrap();
    let support: QueueId = "acme/support".parse().unwrap();
    let config = site.acd();
    assert_eq!(config.queues[&support].ring, Duration::from_secs(8));
    assert_eq!(config.queues[&support].announce.every, None);
    assert_eq!(config.queues[&support].threshold, Duration::from_secs(20));
    let (id, ana) = site.agent_of_user("ag01").unwrap();
    assert_eq!(config.agents[id].queues, [support]);
    assert_eq!((ana.lang, ana.acd.starts_logged_in), (Lang::PT, true));
    assert!(matches!(&ana.phone, Phone::Registered(c) if c.algorithms == [Algorithm::Md5]));
    assert_eq!(site.trunk_at("192.0.2.200:5060".parse().unwrap()).unwrap().name, "carrier");
    assert!(site.trunk_at("198.51.100.8:5060".parse().unwrap()).is_none());
    assert_eq!(site.number("+525550001000").unwrap().flow, "service-desk");
}

#[test]
fn a_password_is_never_printed() {
    let site = Site::parse(SMALL, "site.toml").unwrap();
    assert!(!format!("{site:?}").contains("very secret"));
    let broken = SMALL.replace("algorithms = [\"md5\"]", "algoritms = [\"md5\"]");
    let found = Site::parse(&broken, "site.toml").unwrap_err();
    assert!(found[0].source.contains("password = *************,"), "{}", found[0]);
    assert!(found[0].to_string().contains("did you mean `algorithms`?"), "{}", found[0]);
}
