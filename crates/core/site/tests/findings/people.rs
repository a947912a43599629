//! Agents whose phones, extensions and codes collide.

use super::{SITE, assert_found};

/// The site with extensions.
fn site() -> String {
    SITE.replace("phone = { user = \"ana\"", "extension = \"1001\"\nphone = { user = \"ana\"")
        .replace("phone = { uri", "extension = \"1002\"\nphone = { uri")
        .replace("[[tickets]]", "[emergency]\nnumbers = [\"911\"]\ntrunk = \"carrier\"\n\n[[tickets]]")
        .replace("networks = [\"192.0.2.0/24\"]", "networks = [\"192.0.2.0/24\"]\naddress = \"192.0.2.1:5060\"")
}

#[test]
fn an_extension_means_one_phone_of_an_account() {
    let saying = ("the extension `1001` stands here twice", "\"1001\"", "");
    assert_found(&site(), ("\"1002\"", "\"1001\""), saying, true);
    let globex = "[agents.\"globex/bea\"]\nsupervisor = true\nextension = \"1001\"\nphone = { user = \"gb\", password = \"x\" }\n\n[[tickets]]";
    let other_account = site().replacen("[[tickets]]", globex, 1);
    assert_eq!(super::found(&other_account), [], "another account has extensions of its own");
}

#[test]
fn a_queue_is_dialled_by_an_extension_of_its_own() {
    let queue = "[queues.\"acme/second\"]\nextension = \"1001\"\n";
    let saying = ("the extension `1001` stands here twice", "\"1001\"", "");
    assert_found(&site(), ("[queues.\"acme/second\"]", queue), saying, true);
    let good = site().replace("[queues.\"acme/second\"]", "[queues.\"acme/second\"]\nextension = \"1003\"");
    assert_eq!(super::found(&good), []);
}

#[test]
fn line_08_a_client_that_nobody_can_say_is_pointed_at() {
    let whispers = |place: &str, line: &str| {
        site().replace("queues = [\"support\", \"second\"]", "whisper = true\nqueues = [\"support\", \"second\"]").replacen(
            place,
            &format!("{place}\n{line}"),
            1,
        )
    };
    let check = |site: &str, silent: &str| {
        let site = site::Site::parse(site, "site.toml").unwrap_or_else(|found| panic!("{}", found[0]));
        let flows = std::collections::BTreeMap::from([("desk".into(), ivr::Flow::parse(super::FLOW, "desk.yaml").unwrap())]);
        site::check(&site, &flows, &|key| key != silent)
    };
    for place in ["name = \"acme\"\n\n[[tenants]]", "number = \"100\""] {
        let (place, rest) = place.split_once("\n\n").unwrap_or((place, ""));
        let site = if rest.is_empty() {
            whispers(place, "whisper = \"acme\"")
        } else {
            whispers(&format!("[[tenants]]\n{place}"), "whisper = \"acme\"")
        };
        let found = check(&site, "whisper/es/acme");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].message, "the prompt `whisper/es/acme` has no audio");
        assert_eq!(check(&site, ""), [], "in the language of those who hear it");
    }
    let saying = ("expected the name of a prompt: letters, digits, `-` and `_`", "\"../x\"", "");
    assert_found(super::SITE, ("number = \"100\"", "number = \"100\"\nwhisper = \"../x\""), saying, true);
}

#[test]
fn an_extension_that_begins_like_a_feature_code_is_pointed_at() {
    let site = site().replace("[[tickets]]", "[feature_codes]\npause = \"70\"\n\n[[tickets]]");
    let saying = ("`701` begins like the feature code `70` (pause)", "\"701\"", "");
    assert_found(&site, ("\"1002\"", "\"701\""), saying, true);
}

#[test]
fn an_extension_that_means_something_else_is_pointed_at() {
    let saying = ("`911` is an emergency number", "\"911\"", "");
    assert_found(&site(), ("\"1002\"", "\"911\""), saying, true);
    let saying = ("`100` is also one of the [[numbers]]", "\"100\"", "");
    assert_found(&site(), ("\"1002\"", "\"100\""), saying, true);
    let saying = ("expected up to 10 digits such as \"1001\"", "\"*10\"", "");
    assert_found(&site(), ("\"1002\"", "\"*10\""), saying, true);
}

#[test]
fn a_feature_code_that_begins_like_another_is_pointed_at() {
    let with = |codes: &str| format!("[feature_codes]\n{codes}\n\n[[tickets]]");
    let saying = ("`*131` begins like the code `*13`", "\"*131\"", "");
    assert_found(&site(), ("[[tickets]]", &with("wrap_up = \"*131\"")), saying, true);
    let saying = ("`9` begins an emergency number", "\"9\"", "");
    assert_found(&site(), ("[[tickets]]", &with("wrap_up = \"9\"")), saying, true);
}

#[test]
fn an_agent_of_no_queue_is_a_warning_unless_a_supervisor() {
    let site = site();
    let saying = ("the agent `acme/bea` serves no queue", "\"acme/bea\"", "");
    assert_found(&site, ("queues = [\"second\"]\n", ""), saying, false);
    let supervisor = site.replacen("queues = [\"second\"]\n", "supervisor = true\n", 1);
    assert_eq!(super::found(&supervisor), []);
}

#[test]
fn a_language_in_which_phones_cannot_be_spoken_to_is_pointed_at() {
    let saying = ("phones cannot be spoken to in `de`", "\"de\"", "expected one of es, en, pt, fr");
    assert_found(&site(), ("extension = \"1002\"", "lang = \"de\""), saying, true);
}
