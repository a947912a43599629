//! How long recordings are kept, and in what form.

use super::{SITE, assert_found, found};
use site::Site;
use std::time::Duration;

const KEPT: &str = r#"
[retention]
minimum = "30d"
maximum = "2y"
budget = "2TB"

[retention.tenants.acme]
maximum = "90d"
budget = "500GB"

[retention.queues."acme/support"]
minimum = "60d"

[compression]
form = "flac"
after = "1h"

[compression.tenants.globex]
form = "none"
"#;

#[test]
fn what_cannot_be_kept_is_pointed_at() {
    let site = format!("{SITE}{KEPT}");
    let line = |text: &str| site.lines().position(|line| line == text).unwrap() + 1;
    let below =
        format!("expected a maximum of at least the minimum that counts here, \"30d\" (site.toml:{})", line("minimum = \"30d\""));
    assert_found(&site, ("maximum = \"2y\"", "maximum = \"29d\""), (&below, "\"29d\"", ""), true);
    assert_found(&site, ("maximum = \"90d\"", "maximum = \"48h\""), (&below, "\"48h\"", ""), true);
    let above =
        format!("expected a minimum of at most the maximum that counts here, \"90d\" (site.toml:{})", line("maximum = \"90d\""));
    assert_found(&site, ("\"60d\"", "\"91d\""), (&above, "\"91d\"", ""), true);
    let age = "expected an age in hours, days or years of 365 days, such as \"12h\", \"90d\" or \"2y\" (six months are \"180d\"), found this text";
    for unit in ["\"three months\"", "\"6m\"", "\"90s\""] {
        assert_found(&site, ("\"90d\"", unit), (age, unit, ""), true);
    }
    let short = "expected a maximum of at least \"1d\": what is deleted sooner is better not recorded";
    let without = site.replace("minimum = \"30d\"\n", "");
    for hours in ["\"0d\"", "\"23h\""] {
        assert_found(&without, ("\"90d\"", hours), (short, hours, ""), true);
    }
    let size = "expected a size such as \"500GB\" or \"2TB\", found this text";
    assert_found(&site, ("\"500GB\"", "\"500\""), (size, "\"500\"", ""), true);
    let small = "expected a budget of at least \"100MB\": an hour of one call is recorded as 115 MB";
    assert_found(&site, ("\"2TB\"", "\"2MB\""), (small, "\"2MB\"", ""), true);
    let more = format!("expected at most the budget of all tenants, \"2TB\" (site.toml:{})", line("budget = \"2TB\""));
    assert_found(&site, ("\"500GB\"", "\"3TB\""), (&more, "\"3TB\"", ""), true);
    let tenant = ("there is no tenant `globx`", "globx", "did you mean `globex`?");
    assert_found(&site, ("compression.tenants.globex]", "compression.tenants.globx]"), tenant, true);
    let form = ("expected \"flac\" or \"none\", found this text", "\"opus\"", "");
    assert_found(&site, ("form = \"flac\"", "form = \"opus\""), form, true);
}

#[test]
fn a_rule_for_what_is_no_more_is_a_warning_that_says_what_it_does_and_what_may_have_been_meant() {
    let site = format!("{SITE}{KEPT}");
    let misspelt = |wrong: &str, message: &str, at: &str, help: &str| {
        let header = if message.contains("tenant") { "retention.tenants.acme]" } else { "queues.\"acme/support\"]\nminimum" };
        assert_found(&site, (header, wrong), (message, at, help), false);
    };
    let queue = "there is no queue `acme/suport`: this counts only for recordings of a queue that had this name";
    misspelt("queues.\"acme/suport\"]\nminimum", queue, "\"acme/suport\"", "did you mean `acme/support`?");
    let queue = "there is no queue `acne/support`: this counts only for recordings of a queue that had this name";
    misspelt("queues.\"acne/support\"]\nminimum", queue, "\"acne/support\"", "did you mean `acme/support`?");
    let tenant = "there is no tenant `acmee`: this counts only for recordings of a tenant that had this name";
    misspelt("retention.tenants.acmee]", tenant, "acmee", "did you mean `acme`?");

    let gone = found(&site.replace("queues.\"acme/support\"]\nminimum", "queues.\"globex/night-desk\"]\nminimum"));
    assert_eq!((gone.len(), gone[0].is_error(), gone[0].help.as_deref()), (1, false, None), "{gone:?}");
}

#[test]
fn what_is_not_said_counts_from_above() {
    let site = Site::parse(&format!("{SITE}{KEPT}"), "site.toml").unwrap();
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    let span = |queue: &str| {
        let queue: base::QueueId = queue.parse().unwrap();
        let span = site.retention.span(Some(&queue.tenant()), Some(&queue));
        (span.minimum, span.maximum)
    };
    assert_eq!(span("acme/support"), (days(60), days(90)));
    assert_eq!(span("acme/second"), (days(30), days(90)));
    assert_eq!(span("globex/any"), (days(30), days(730)));
    let of = |tenant: &str| site.compression.of(&tenant.parse().unwrap());
    assert_eq!(of("acme"), Some(Duration::from_secs(3_600)));
    assert_eq!(of("globex"), None);
    assert_eq!(Site::parse(SITE, "site.toml").unwrap().compression.of(&"acme".parse().unwrap()), None);
}
