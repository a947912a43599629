//! What a site file says, and what is said to the person who mistyped it.

use acd::{Announce, CallFirst, Callback, Change, Dissuade, IdleEvent, Relax, Retry, Strategy, WrapUp, WrapUpMode};
use base::{AgentState, Lang, QueueId, Skill, Wall};
use recording::{Hold, Rule};
use site::{Account, Algorithm, Country, Phone, Site};
use std::collections::{BTreeMap, BTreeSet};
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

/// The small site with this text in the tables of its queue and before the first table.
fn with(queue: &str, above: &str) -> Site {
    let text = SMALL.replace("announce = { every = \"never\" }\n", queue).replace("\n[sip]", &format!("{above}\n[sip]"));
    Site::parse(&text, "site.toml").unwrap_or_else(|found| panic!("{}", found[0]))
}

fn support(site: &Site) -> &acd::Queue {
    &site.queues[&"acme/support".parse::<QueueId>().unwrap()]
}

#[test]
fn every_setting_of_a_queue_is_read() {
    let written = r#"
requires = "skill:support >= 3"
strategy = "least_occupied"
weight = 2
relax = [
    { after = "30s", lower = "lang:es", to = 2 },
    { after = "60s", drop = "app:sap" },
    { after = "90s", widen = "backup" },
    { after = "2m", raise = "60s" },
]
delays = { backup = "45s" }
sticky = "30s"
wrap_up = { mode = "forced", time = "30s", cap = "4m" }
capacity = 7
dissuade = { length = 50, wait = "10m", per_agent = 2.5 }
join_empty = ["logged_out", "paused"]
leave_empty = ["unreachable"]
hours = { zone = "Europe/Madrid", week = ["mon-fri 09:00-18:00"], dates = ["12-25"] }
announce = { every = "20s", position = false, wait = true }
callback = { first = "customer", attempts = 5, retry_after = "1m", ring = "25s" }
return_within = "90s"
threshold = "15s"
short_abandon = "3s"
retry = { busy = "1s", rejected = "2s", unreachable = "3s" }
"#;
    let site = with(written, "");
    let seconds = Duration::from_secs;
    let queue = support(&site).clone();
    let hours = queue.hours.clone().unwrap();
    let at = |hour: i64| hours.is_open(Wall((1_795_392_000 + hour * 3600) * 1_000_000)); // Monday, 23 November 2026, UTC
    assert_eq!((at(7), at(8), at(17)), (false, true, false));
    let relax = |after, change| Relax { after: seconds(after), change };
    let expected = acd::Queue {
        requires: "skill:support >= 3".parse().unwrap(),
        strategy: Strategy::LeastOccupied,
        weight: 2,
        relax: vec![
            relax(30, Change::Lower { skill: Skill::new("lang:es"), to: 2 }),
            relax(60, Change::Drop { skill: Skill::new("app:sap") }),
            relax(90, Change::Widen { group: "backup".into() }),
            relax(120, Change::Raise { seconds: 60 }),
        ],
        delays: BTreeMap::from([("backup".into(), seconds(45))]),
        sticky: seconds(30),
        ring: seconds(8),
        wrap_up: WrapUp { mode: WrapUpMode::Forced, time: seconds(30), cap: seconds(240) },
        overflow_after: None,
        overflow_to: None,
        capacity: 7,
        dissuade: Dissuade { length: Some(50), wait: Some(seconds(600)), per_agent: Some(250) },
        join_empty: BTreeSet::from([AgentState::LoggedOut, AgentState::Paused]),
        leave_empty: BTreeSet::from([AgentState::Unreachable]),
        hours: queue.hours.clone(),
        announce: Announce { every: Some(seconds(20)), position: false, wait: true },
        callback: Some(Callback { first: CallFirst::Customer, attempts: 5, retry_after: seconds(60), ring: seconds(25) }),
        return_within: seconds(90),
        threshold: seconds(15),
        short_abandon: seconds(3),
        retry: Retry { busy: seconds(1), rejected: seconds(2), unreachable: seconds(3) },
    };
    assert_eq!(queue, expected);
}

#[test]
fn each_strategy_and_each_short_form_has_its_word() {
    let words = [
        ("longest_idle", Strategy::LongestIdle),
        ("most_skilled", Strategy::MostSkilled),
        ("least_skilled", Strategy::LeastSkilled),
        ("fewest_calls", Strategy::FewestCalls),
        ("least_occupied", Strategy::LeastOccupied),
        ("round_robin", Strategy::RoundRobin),
        ("random", Strategy::Random),
        ("ring_all", Strategy::RingAll),
        ("top_down", Strategy::TopDown),
    ];
    for (word, strategy) in words {
        assert_eq!(support(&with(&format!("strategy = \"{word}\"\n"), "")).strategy, strategy);
    }
    let timed = |text: &str| support(&with(&format!("wrap_up = \"{text}\"\n"), "")).wrap_up;
    let seconds = Duration::from_secs;
    assert_eq!(timed("30s"), WrapUp { mode: WrapUpMode::Timed, time: seconds(30), cap: seconds(300) });
    assert_eq!(timed("10m").cap, seconds(600), "a cap never cuts what is written");
    assert_eq!(timed("0s").mode, WrapUpMode::None);
}

#[test]
fn accounts_agents_and_lines_are_read() {
    let text = SMALL
        .replace(
            "[[tenants]]\nname = \"acme\"",
            "[[tenants]]\nname = \"acme\"\npause_reasons = { mode = \"forced\", codes = [\"lunch\", \"7\"] }\n\
             channels = { guaranteed = 3, burst = 9 }\ntrunk = \"carrier\"\ncaller_number = \"+5255\"\nmonitor_tone = true\n\
             whisper = \"acme\"",
        )
        .replace(
            "[[numbers]]",
            "address = \"192.0.2.1:5060\"\nlogin = { realm = \"r\", user = \"u\", password = \"p\" }\ncountry = \"argentina\"\n\
             channels = 20\nescalation = 2\n\n[emergency]\nnumbers = [\"911\"]\ntrunk = \"carrier\"\n\n[[numbers]]\nwhisper = \"sales\"\nunanswered = true",
        )
        .replace(
            "logged_in = true",
            "groups = [\"backup\"]\nrank = 4\nwrap_up = \"5s\"\nextension = \"1001\"\nsupervisor = true\nauto_answer = true\n\
             whisper = true\npress_to_accept = true",
        )
        .replace("\n[sip]", "idle_restarts = [\"pause\", \"no_answer\"]\nshared_numbers = [\"+5255\"]\n\n[sip]")
        + "\n[feature_codes]\nmonitor = \"*70\"\n";
    let site = Site::parse(&text, "site.toml").unwrap_or_else(|found| panic!("{}", found[0]));
    let config = site.acd();
    let reasons = &config.pause_reasons[&"acme".parse().unwrap()];
    assert_eq!((reasons.mode, reasons.codes.len()), (acd::ReasonMode::Forced, 2));
    assert_eq!(config.idle_restarts, BTreeSet::from([IdleEvent::Pause, IdleEvent::NoAnswer]));
    let Account { guaranteed, burst, trunk, monitor_tone, .. } = &site.accounts[&"acme".parse().unwrap()];
    assert_eq!((*guaranteed, *burst, trunk.as_deref()), (3, Some(9), Some("carrier")));
    assert!(*monitor_tone);
    let trunk = &site.trunks[0];
    assert_eq!((trunk.country, trunk.channels, trunk.escalation), (Some(Country::Argentina), Some(20), 2));
    let (acme, number) = ("acme".parse().unwrap(), site.numbers[0].number.clone());
    assert_eq!(site.whisper(&acme, &number, Lang::ES).as_deref(), Some("whisper/es/sales"));
    assert_eq!(site.whisper(&acme, "another", Lang::EN).as_deref(), Some("whisper/en/acme"));
    assert!(trunk.address.is_some() && trunk.login.is_some());
    let (_, ana) = site.agent_of_user("ag01").unwrap();
    assert_eq!((ana.acd.groups.len(), ana.acd.rank, ana.acd.wrap_up.unwrap().time), (1, 4, Duration::from_secs(5)));
    assert_eq!(ana.extension.as_deref(), Some("1001"));
    assert!(ana.supervisor && ana.auto_answer && ana.whisper && ana.press_to_accept);
    let emergency = site.emergency.as_ref().unwrap();
    assert_eq!((emergency.numbers.as_slice(), emergency.reserve), (["911".to_string()].as_slice(), 1));
    assert!(site.numbers[0].unanswered && site.shared_numbers.contains("+5255"));
    assert_eq!((site.feature_codes.monitor.as_str(), site.feature_codes.code.as_str()), ("*70", "*16"));
}

#[test]
fn what_is_recorded_is_said_by_account_queue_and_agent() {
    let site = |account: &str, queue: &str, agent: &str| {
        let text = SMALL
            .replace("[[tenants]]\nname = \"acme\"", &format!("[[tenants]]\nname = \"acme\"\n{account}"))
            .replace("logged_in = true", &format!("logged_in = true\n{agent}"));
        Site::parse(&text.replacen("\n[agents", &format!("\n{queue}\n[agents"), 1), "site.toml")
            .unwrap_or_else(|found| panic!("{}", found[0]))
            .recording
    };
    let unset = site("", "", "");
    assert_eq!(unset.account(&"acme".parse().unwrap()), recording::Account::default());
    assert!(unset.queues.is_empty() && unset.agents.is_empty());
    let share = |share| Rule::share(share).unwrap();
    let account =
        "record = 0.5\nrecord_outbound = \"12.5%\"\nrecord_internal = true\nrecord_consults = \"all\"\nrecord_hold = \"audio\"";
    let set = site(account, "record = \"none\"", "record = \"100 %\"");
    let (callers, outbound) = (share(0.5), share(0.125));
    let expected = recording::Account { callers, outbound, internal: Rule::ALL, consults: Rule::ALL, hold: Hold::Audio };
    assert_eq!(set.account(&"acme".parse().unwrap()), expected);
    assert_eq!(set.queues.values().copied().collect::<Vec<_>>(), [Rule::NONE]);
    assert_eq!(set.agents.values().copied().collect::<Vec<_>>(), [Rule::ALL]);
}
