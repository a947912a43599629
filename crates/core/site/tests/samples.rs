//! The sites and flows of the repository are whole: an operator who starts from them starts from something that works.

// The tests read files of the repository; the core itself reads none.
#![allow(clippy::disallowed_methods)]

use base::Diagnostic;
use site::Site;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn show(found: &[Diagnostic]) -> String {
    found.iter().map(|finding| format!("{finding}\n\n")).collect()
}

fn sample(name: &str) -> Site {
    let text = std::fs::read_to_string(root().join("deploy").join(name)).unwrap();
    Site::parse(&text, name).unwrap_or_else(|found| panic!("{}", show(&found)))
}

fn flows() -> BTreeMap<String, ivr::Flow> {
    let text = std::fs::read_to_string(root().join("ivr-flows/service-desk.yaml")).unwrap();
    let flow = ivr::Flow::parse(&text, "service-desk.yaml").unwrap_or_else(|found| panic!("{}", show(&found)));
    BTreeMap::from([("service-desk".to_string(), flow)])
}

fn has_audio(key: &str) -> bool {
    let mut parts = key.splitn(3, '/');
    let (Some(flow), Some(lang), Some(id)) = (parts.next(), parts.next(), parts.next()) else { return false };
    root().join(format!("ivr-flows/{flow}/prompts/{lang}/{id}.wav")).exists()
}

#[test]
fn both_samples_fit_the_flow_and_every_prompt_is_there() {
    for name in ["demo.toml", "site.toml"] {
        let found = site::check(&sample(name), &flows(), &has_audio);
        assert!(found.is_empty(), "{}", show(&found));
    }
}

#[test]
fn the_demo_has_twelve_agents_on_loopback_who_speak_four_languages_a_supervisor_and_a_place_for_a_visitor() {
    let site = sample("demo.toml");
    assert!(site.sip.listen.ip().is_loopback() && site.web.listen.ip().is_loopback());
    let (agents, visitors): (Vec<_>, Vec<_>) = site.agents.values().partition(|agent| agent.acd.starts_logged_in);
    assert_eq!((agents.len(), visitors.len()), (12, 2));
    assert!(visitors.iter().any(|agent| agent.supervisor));
    let languages: std::collections::BTreeSet<_> = site.agents.values().map(|agent| agent.lang).collect();
    assert_eq!(languages.len(), 4);
    assert_eq!(site.tenants.len(), 2);
}

#[test]
fn a_prompt_without_audio_is_an_error_at_the_line_that_asks_for_it() {
    let silent = |key: &str| key != "service-desk/pt/goodbye";
    let found = site::check(&sample("demo.toml"), &flows(), &silent);
    assert_eq!(found.len(), 1, "{}", show(&found));
    assert_eq!(found[0].message, "the prompt `service-desk/pt/goodbye` has no audio");
    assert!(found[0].source.contains("goodbye"), "{}", found[0]);
}
