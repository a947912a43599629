//! What a reload may change, and what it may not.

use site::{Site, needs_restart};

const OLD: &str = r#"name = "acme"
node = 3
data = "data"

[sip]
listen = "127.0.0.1:5060"

[media]
ports = "20000-20999"
silent_after = "30s"

[web]
listen = "127.0.0.1:8080"

[[tenants]]
name = "acme"

[[tickets]]
tenant = "acme"
when = "answered"

[queues."acme/support"]
ring = "8s"
"#;

fn site(text: &str) -> Site {
    Site::parse(text, "site.toml").unwrap_or_else(|found| panic!("{}", found[0]))
}

#[test]
fn what_is_bound_or_open_changes_only_with_a_restart_and_is_pointed_at() {
    let cases = [
        ("\"acme\"\nnode", "\"beta\"\nnode", "name"),
        ("node = 3", "node = 4", "node"),
        ("data = \"data\"", "data = \"elsewhere\"", "data"),
        ("127.0.0.1:5060\"", "127.0.0.1:5070\"", "sip.listen"),
        ("127.0.0.1:5060\"", "127.0.0.1:5060\"\ntcp = false", "sip.tcp"),
        ("127.0.0.1:5060\"", "127.0.0.1:5060\"\nadvertise = \"192.0.2.1\"", "sip.advertise"),
        ("20000-20999", "20000-21999", "media.ports"),
        ("silent_after = \"30s\"", "silent_after = \"9s\"", "media.silent_after"),
        ("silent_after = \"30s\"", "silent_after = \"30s\"\njitter_buffer = \"90ms\"", "media.jitter_buffer"),
        ("127.0.0.1:8080", "127.0.0.1:8090", "web.listen"),
        ("answered", "ended", "tickets"),
        ("name = \"acme\"\nnode", "name = \"acme\"\nrecordings = \"r\"\nnode", "recordings"),
        ("[web]", "[[vault.keys]]\nid = \"a\"\nenv = \"A\"\n[web]", "vault"),
        ("name = \"acme\"\nnode", "name = \"acme\"\nflows = \"f\"\nnode", "flows"),
    ];
    for (right, wrong, path) in cases {
        assert!(OLD.contains(right), "{right}");
        let found = needs_restart(&site(OLD), &site(&OLD.replacen(right, wrong, 1)));
        assert_eq!(found.len(), 1, "{wrong}: {found:?}");
        assert_eq!(found[0].message, format!("`{path}` changes only with a restart"));
        assert!(found[0].is_error() && found[0].line > 0);
    }
}

#[test]
fn queues_agents_and_the_rest_change_at_once() {
    let new = OLD.replace("ring = \"8s\"", "ring = \"9s\"\n[queues.\"acme/more\"]").replace("8080\"", "8080\"\ntoken = \"t\"");
    let new = new.replace("node = 3", "node = 3\nshutdown = \"5m\"");
    assert_eq!(needs_restart(&site(OLD), &site(&new)), []);
}
