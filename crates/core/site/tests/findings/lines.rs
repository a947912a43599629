//! Trunks that are not there, and accounts that promise more than there is.

use super::{FLOW, SITE, assert_found};
use ivr::Flow;
use site::{PacketIo, Site};
use std::collections::BTreeMap;

fn site() -> String {
    SITE.replace(
        "name = \"acme\"\n\n[[tenants]]",
        "name = \"acme\"\ntrunk = \"carrier\"\nchannels = { guaranteed = 5, burst = 9 }\n\n[[tenants]]",
    )
    .replace("[[tickets]]", "[emergency]\nnumbers = [\"911\"]\ntrunk = \"carrier\"\nreserve = 2\n\n[[tickets]]")
    .replace("networks = [\"192.0.2.0/24\"]", "networks = [\"192.0.2.0/24\"]\naddress = \"192.0.2.1:5060\"\nchannels = 20")
}

#[test]
fn a_trunk_that_is_not_there_is_pointed_at() {
    let saying = ("there is no trunk `carier`", "\"carier\"", "did you mean `carrier`?");
    assert_found(&site(), ("trunk = \"carrier\"\nchannels", "trunk = \"carier\"\nchannels"), saying, true);
    assert_found(&site(), ("trunk = \"carrier\"\nreserve", "trunk = \"carier\"\nreserve"), saying, true);
}

#[test]
fn a_trunk_by_which_no_call_can_leave_is_pointed_at() {
    let saying = ("no call can leave by the trunk `carrier`", "\"carrier\"", "give it an `address`, where calls are sent");
    assert_found(&site(), ("address = \"192.0.2.1:5060\"\n", ""), saying, true);
    let saying = ("expected `address` beside it: who would ask for this login?", "login", "");
    let with = "login = { realm = \"r\", user = \"u\", password = \"p\" }\n";
    assert_found(&site(), ("address = \"192.0.2.1:5060\"\n", with), saying, true);
}

#[test]
fn an_address_that_is_shown_to_nobody_or_is_none_is_pointed_at() {
    let with = |address: &str| format!("address = \"192.0.2.1:5060\"\nadvertise = {address}\n");
    let saying = ("expected the one address at which this trunk reaches us", "\"0.0.0.0\"", "");
    assert_found(&site(), ("address = \"192.0.2.1:5060\"\n", &with("\"0.0.0.0\"")), saying, true);
    let saying =
        ("expected an IP address such as \"192.0.2.1\" (names are not looked up), found this text", "\"nat.example\"", "");
    assert_found(&site(), ("address = \"192.0.2.1:5060\"\n", &with("\"nat.example\"")), saying, true);
    let only_known = "credential = { user = \"u\", password = \"p\" }\nadvertise = \"203.0.113.10\"\n";
    let saying = ("expected `networks` or `address` beside it: to whom is it shown?", "\"203.0.113.10\"", "");
    assert_found(SITE, ("networks = [\"192.0.2.0/24\"]\n", only_known), saying, true);
}

#[test]
fn channels_that_do_not_add_up_are_pointed_at() {
    let saying = ("expected at least the 5 that are guaranteed", "4", "");
    assert_found(&site(), ("burst = 9", "burst = 4"), saying, true);
    let saying = ("the trunk `carrier` has only 1 channels", "2", "");
    assert_found(&site(), ("channels = 20", "channels = 1"), saying, true);
}

#[test]
fn line_17_what_is_kept_for_escalation_must_be_there() {
    let kept = ("channels = 20", "channels = 20\nescalation = 19");
    assert_found(&site(), kept, ("the trunk has only 20 channels", "19", "2 of them are kept for emergencies"), true);
    let saying = ("expected `channels` beside it: of how many are these kept?", "3", "");
    assert_found(&site(), ("channels = 20", "escalation = 3"), saying, true);
}

#[test]
fn packets_go_through_epoll_unless_a_way_that_is_known_is_named() {
    let saying = (
        "expected a way to read and write packets: \"epoll\" or \"io_uring\", found this text",
        "\"iouring\"",
        "did you mean `io_uring`?",
    );
    assert_found(&site(), ("[media]\n", "[media]\nio = \"iouring\"\n"), saying, true);
    let set = Site::parse(&site().replace("[media]\n", "[media]\nio = \"io_uring\"\n"), "site.toml").unwrap();
    assert_eq!(set.media.io, PacketIo::IoUring);
    assert_eq!(Site::parse(&site(), "site.toml").unwrap().media.io, PacketIo::Epoll);
}

#[test]
fn a_jitter_buffer_in_which_nobody_could_talk_is_pointed_at() {
    let saying = ("expected between \"20ms\" and \"1s\"", "\"3s\"", "");
    assert_found(&site(), ("[media]\n", "[media]\njitter_buffer = \"3s\"\n"), saying, true);
    let set = Site::parse(&site().replace("[media]\n", "[media]\njitter_buffer = \"90ms\"\n"), "site.toml").unwrap();
    assert_eq!(set.media.jitter_buffer.as_millis(), 90);
}

#[test]
fn codecs_that_are_none_or_named_twice_are_pointed_at() {
    let with = |codecs: &str| format!("channels = 20\ncodecs = {codecs}");
    let saying = ("expected a codec: \"pcma\", \"pcmu\", \"g722\" or \"opus\", found this text", "\"g729\"", "");
    assert_found(&site(), ("channels = 20", &with("[\"pcma\", \"g729\"]")), saying, true);
    let saying = ("PCMU is in the list already", "\"pcmu\"", "");
    assert_found(&site(), ("channels = 20", &with("[\"pcmu\", \"pcma\", \"pcmu\"]")), saying, true);
    assert_found(&site(), ("channels = 20", &with("[]")), ("expected at least one codec such as \"pcma\"", "[]", ""), true);
}

#[test]
fn codecs_are_those_of_the_trunk_or_agent_else_of_the_tenant_else_of_the_site() {
    use sip::sdp::AudioCodec::{G722, Pcma, Pcmu};
    let acme = |site: &Site| site.tenants[0].clone();
    let of_trunk = |text: &str| {
        let site = Site::parse(text, "site.toml").unwrap();
        site.codecs_of_trunk("carrier", Some(&acme(&site))).to_vec()
    };
    let plain = site();
    assert_eq!(of_trunk(&plain), [Pcma, Pcmu]);
    let of_site = plain.replace("[media]\n", "[media]\ncodecs = [\"pcmu\", \"g722\"]\n");
    assert_eq!(of_trunk(&of_site), [Pcmu, G722]);
    let of_tenant = of_site.replace("name = \"acme\"\ntrunk", "name = \"acme\"\ncodecs = [\"g722\"]\ntrunk");
    assert_eq!(of_trunk(&of_tenant), [G722]);
    let own = of_tenant.replace("channels = 20", "channels = 20\ncodecs = [\"pcma\"]");
    assert_eq!(of_trunk(&own), [Pcma]);
    let site = Site::parse(&own, "site.toml").unwrap();
    let agent = site.agents.keys().find(|id| id.tenant() == acme(&site)).unwrap();
    assert_eq!(site.codecs_of_agent(agent), [G722], "the tenant's");
    assert_eq!(site.codecs().into_iter().collect::<Vec<_>>(), [Pcmu, Pcma, G722]);
}

#[test]
fn a_misspelt_country_is_pointed_at() {
    let saying = ("expected a country such as \"mexico\", found this text", "\"brasil\"", "did you mean `brazil`?");
    assert_found(&site(), ("channels = 20", "country = \"brasil\""), saying, true);
}

#[test]
fn a_key_that_asks_for_a_callback_of_a_queue_that_has_none_is_pointed_at_in_the_flow() {
    let flow = FLOW
        .replace("otherwise: bye}", "otherwise: bye, keys: {\"1\": again}}")
        .replace("  bye:", "  again:\n    callback: {}\n  bye:");
    let check = |site: &str| {
        let flows = BTreeMap::from([("desk".to_string(), Flow::parse(&flow, "desk.yaml").unwrap())]);
        site::check(&Site::parse(site, "site.toml").unwrap(), &flows, &|_| true)
    };
    let found = check(&site());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].message, "the queue `acme/support` calls nobody back");
    assert!(found[0].is_error());
    let site = site().replace("[queues.\"acme/support\"]", "[queues.\"acme/support\"]\ncallback = {}");
    assert_eq!(check(&site), []);
}

#[test]
fn a_shared_port_that_is_none_or_somebody_elses_is_pointed_at() {
    let networks = "networks = [\"192.0.2.0/24\"]";
    let shares = format!("{networks}\nshares_port = true");
    let saying = ("there is no port to share", "true", "write `shared_port` in [media], an even port outside of `ports`");
    assert_found(&site(), (networks, &shares), saying, true);
    let site = site().replace("[media]", "[media]\nshared_port = 19998").replace(networks, &shares);
    let saying = ("expected an even port: RTP on it, RTCP on the one above", "19999", "");
    assert_found(&site, ("19998", "19999"), saying, true);
    let saying = ("expected a port outside of `ports`, from which each other leg takes one", "20010", "");
    assert_found(&site, ("19998", "20010"), saying, true);
}
