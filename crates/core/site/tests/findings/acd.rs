//! Queues that cannot do what is written.

use super::{assert_found, found};

/// The flow `desk` asks `lang:es >= 3` and `lang:en >= 3` of calls to `support`.
const SITE: &str = r#"name = "acme"

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
networks = ["192.0.2.0/24"]

[[numbers]]
number = "100"
tenant = "acme"
flow = "desk"

[queues."acme/support"]
requires = "skill:support >= 3 and app:sap >= 2"
strategy = "most_skilled"
relax = [
    { after = "30s", lower = "skill:support", to = 2 },
    { after = "45s", drop = "app:sap" },
    { after = "90s", widen = "backup" },
    { after = "2m", raise = "60s" },
]
delays = { reserves = "20s" }
overflow_after = "3m"
overflow_to = "second"

[queues."acme/second"]
overflow_after = "1m"
overflow_to = "third"

[queues."acme/third"]

[agents."acme/ana"]
queues = ["support", "second", "third"]
groups = ["reserves"]
skills = { "lang:es" = 9, "lang:en" = 4, "skill:support" = 5, "app:sap" = 2 }
phone = { user = "ana", password = "x" }

[agents."acme/bea"]
groups = ["backup"]
skills = { "lang:es" = 9, "lang:en" = 4, "skill:support" = 2 }
phone = { user = "bea", password = "x" }
"#;

#[test]
fn an_expression_with_a_skill_that_nobody_has_is_pointed_at() {
    let saying = ("no agent of `acme` has the skill `app:sapp`", "app:sapp", "did you mean `app:sap`?");
    assert_found(SITE, ("app:sap >= 2", "app:sapp >= 2"), saying, true);
}

#[test]
fn an_expression_that_no_agent_meets_even_after_every_step_is_pointed_at() {
    let change = ("skill:support >= 3 and", "lang:en >= 5 and");
    let found = found(&SITE.replacen(change.0, change.1, 1));
    assert!(
        found.iter().any(|f| f.message == "no agent of `acme/support` can meet `app:sap >= 2 and lang:en >= 5`"),
        "{found:?}"
    );
}

#[test]
fn a_misspelt_strategy_is_pointed_at() {
    let saying =
        ("expected a strategy such as \"longest_idle\", found this text", "\"most_skiled\"", "did you mean `most_skilled`?");
    assert_found(SITE, ("\"most_skilled\"", "\"most_skiled\""), saying, true);
    let all = "expected one of longest_idle, most_skilled, least_skilled, fewest_calls, least_occupied, round_robin, random, \
               ring_all, top_down";
    let saying = ("expected a strategy such as \"longest_idle\", found this text", "\"whoever\"", all);
    assert_found(SITE, ("\"most_skilled\"", "\"whoever\""), saying, true);
}

#[test]
fn an_overflow_loop_over_several_queues_is_named_whole_and_once() {
    let right = "[queues.\"acme/third\"]";
    let wrong = "[queues.\"acme/third\"]\noverflow_after = \"1m\"\noverflow_to = \"support\"";
    let saying = (
        "calls overflow in a circle: `acme/support` to `acme/second` to `acme/third` to `acme/support`",
        "\"second\"",
        "let one of these queues end the call's wait: leave its `overflow_to` out",
    );
    assert_found(SITE, (right, wrong), saying, true);
    assert_eq!(found(&SITE.replacen(right, wrong, 1)).len(), 1);
    // A way into a circle is none.
    let wrong = "[queues.\"acme/third\"]\noverflow_after = \"1m\"\noverflow_to = \"second\"";
    let saying = ("calls overflow in a circle: `acme/second` to `acme/third` to `acme/second`", "\"third\"", "");
    assert_found(SITE, (right, wrong), saying, true);
    assert_eq!(found(&SITE.replacen(right, wrong, 1)).len(), 1);
}

#[test]
fn a_relaxation_step_after_which_nobody_could_take_a_call_even_so_is_pointed_at() {
    let cases = [
        // Ana has neither skill at this level when the step comes.
        (
            ("\"app:sap\" = 2", "\"app:sap\" = 1"),
            (
                "nobody of `acme/support` could take a call even so: asked is `app:sap >= 2 and lang:en >= 3 and skill:support >= 2` \
                 or `app:sap >= 2 and lang:es >= 3 and skill:support >= 2`",
                "\"skill:support\"",
                "",
            ),
        ),
        (
            ("\"skill:support\" = 2", "\"skill:support\" = 1"),
            (
                "nobody of `backup` could take a call even so: asked is `lang:en >= 3 and skill:support >= 2` or \
                 `lang:es >= 3 and skill:support >= 2`",
                "\"backup\"",
                "",
            ),
        ),
    ];
    for (change, saying) in cases {
        assert_found(SITE, change, saying, true);
    }
}

#[test]
fn a_relaxation_step_that_changes_nothing_is_pointed_at() {
    let nothing = |skill: &str| format!("this changes nothing: no call of `acme/support` asks for `{skill}` then");
    let cases = [
        (("drop = \"app:sap\"", "drop = \"app:spa\""), nothing("app:spa"), "\"app:spa\"", "did you mean `app:sap`?"),
        (("lower = \"skill:support\"", "lower = \"lang:fr\""), nothing("lang:fr"), "\"lang:fr\"", "did you mean `lang:en`?"),
        (("to = 2 }", "to = 3 }"), "this lowers nothing: at most `skill:support >= 3` is asked at this age".into(), "3", ""),
    ];
    for (change, message, at, help) in cases {
        assert_found(SITE, change, (&message, at, help), true);
    }
    // What a flow asks counts as well.
    let spoken = SITE.replace("lower = \"skill:support\", to = 2", "lower = \"lang:es\", to = 2");
    assert_eq!(found(&spoken.replace("\"skill:support\" = 2", "\"skill:support\" = 3")), []);
}

#[test]
fn a_relaxation_step_out_of_turn_is_pointed_at() {
    let cases = [
        (
            ("after = \"45s\"", "after = \"10s\""),
            "expected at least 30s, the age of the step before: steps stand in rising order",
        ),
        (
            ("overflow_after = \"3m\"", "overflow_after = \"2m\""),
            "this step never comes: visits leave at 120s (`overflow_after`)",
        ),
    ];
    let pointed = ["\"10s\"", "\"2m\""];
    for ((change, message), at) in cases.into_iter().zip(pointed) {
        assert_found(SITE, change, (message, at, ""), true);
    }
}

#[test]
fn a_relaxation_step_is_one_change() {
    let saying = (
        "expected one of `lower`, `drop`, `widen` and `raise` beside `after`, found 2 of them",
        "{ after = \"45s\", drop = \"app:sap\", raise = \"9s\" }",
        "write a step for each: steps of one age happen together",
    );
    assert_found(SITE, ("drop = \"app:sap\"", "drop = \"app:sap\", raise = \"9s\""), saying, true);
}

#[test]
fn a_group_that_nobody_is_in_is_pointed_at() {
    let saying = ("no agent is in the group `bakup`", "\"bakup\"", "did you mean `backup`?");
    assert_found(SITE, ("widen = \"backup\"", "widen = \"bakup\""), saying, true);
    let saying = ("no agent is in the group `reserve`", "\"20s\"", "did you mean `reserves`?");
    assert_found(SITE, ("{ reserves =", "{ reserve ="), saying, true);
}

#[test]
fn a_queue_without_agents_is_a_warning() {
    let change = ("[queues.\"acme/third\"]", "[queues.\"acme/third\"]\n[queues.\"acme/fourth\"]");
    let saying = ("no agent serves the queue `acme/fourth`", "\"acme/fourth\"", "add it to an agent's `queues`");
    assert_found(SITE, change, saying, false);
    let change = ("queues = [\"support\", \"second\", \"third\"]", "queues = [\"support\", \"second\"]");
    let waits = "calls come here by its flow and would wait in vain";
    assert_found(SITE, change, ("no agent serves the queue `acme/third`", "\"acme/third\"", waits), false);
}

#[test]
fn what_earlier_site_files_said_is_told_how_to_say_now() {
    let at = "[queues.\"acme/third\"]";
    let cases = [
        (
            "join_empty = false",
            "expected a list of the states in which an agent does not count, found boolean",
            "false",
            "to turn callers away when nobody is logged in, write [\"logged_out\"]",
        ),
        (
            "join_empty = true",
            "expected a list of the states in which an agent does not count, found boolean",
            "true",
            "to turn nobody away, leave it out",
        ),
        (
            "announce_every = \"never\"",
            "`announce_every` is written otherwise now",
            "\"never\"",
            "write announce = { every = \"45s\" }",
        ),
        (
            "hours = { zone = \"America/Mexco_City\", week = [] }",
            "expected a time zone such as \"America/Mexico_City\"",
            "\"America/Mexco_City\"",
            "did you mean `America/Mexico_City`?",
        ),
        (
            "retry_delay = \"5s\"",
            "`retry_delay` is written otherwise now",
            "\"5s\"",
            "write retry = { busy = \"10s\", rejected = \"10s\", unreachable = \"10s\" }",
        ),
    ];
    for (line, message, pointed, help) in cases {
        assert_found(SITE, (at, &format!("{at}\n{line}")), (message, pointed, help), true);
        assert_eq!(found(&SITE.replacen(at, &format!("{at}\n{line}"), 1)).len(), 1, "{line}");
    }
}

#[test]
fn a_value_of_a_queue_that_cannot_be_is_pointed_at() {
    let at = "[queues.\"acme/third\"]";
    let cases = [
        (
            "leave_empty = [\"logged_out\", \"pauzed\"]",
            "expected a state of agents such as \"logged_out\" or \"paused\", found this text",
            "\"pauzed\"",
        ),
        ("hours = { zone = \"Mars\", week = [] }", "expected a time zone such as \"America/Mexico_City\"", "\"Mars\""),
        (
            "hours = { zone = \"Europe/Madrid\", week = [\"mon-fri 9-18\"] }",
            "expected days and times such as `mon-fri 08:00-20:00` or `sat,sun 00:00-24:00`",
            "\"mon-fri 9-18\"",
        ),
        (
            "hours = { zone = \"Europe/Madrid\", week = [], dates = [\"13-01\"] }",
            "expected a date such as `12-25` or `2026-11-16`, closed unless hours follow: `12-24 09:00-14:00`",
            "\"13-01\"",
        ),
        ("wrap_up = { time = \"10m\" }", "expected a cap no shorter than `time`", "wrap_up"),
        (
            "wrap_up = { mode = \"force\" }",
            "expected \"none\", \"optional\", \"timed\" or \"forced\", found this text",
            "\"force\"",
        ),
        ("dissuade = { per_agent = 0 }", "expected a number such as 2.5, more than 0 and at most 1000, found 0", "0"),
        ("callback = { attempts = 0 }", "expected 1 to 20 attempts", "0"),
        ("callback = { first = \"boss\" }", "expected \"agent\" or \"customer\", found this text", "\"boss\""),
        (
            "retry = { busy = 10 }",
            "expected a time such as \"20s\", \"500ms\", \"2m\" or \"1h30m\", at most a day, found 10",
            "10",
        ),
    ];
    for (line, message, pointed) in cases {
        assert_found(SITE, (at, &format!("{at}\n{line}")), (message, pointed, ""), true);
    }
}

#[test]
fn what_is_written_and_can_have_no_effect_is_a_warning() {
    let at = "[queues.\"acme/third\"]";
    let cases = [
        ("capacity = 2\ndissuade = { length = 3 }", ("the queue is full before it is that long: see `capacity`", "3", "")),
        (
            "ring = \"12s\"\noverflow_after = \"10s\"",
            ("a call leaves the queue before a phone has rung that long: see `overflow_after`", "\"12s\"", ""),
        ),
        (
            "ring = \"9s\"\nsticky = \"10s\"\noverflow_after = \"10s\"",
            ("a call leaves the queue before anybody else may have it: see `overflow_after`", "\"10s\"", ""),
        ),
    ];
    for (lines, saying) in cases {
        assert_found(SITE, (at, &format!("{at}\n{lines}")), saying, false);
    }
}

#[test]
fn one_value_that_cannot_be_hides_no_other() {
    let at = "[queues.\"acme/third\"]";
    let found = found(&SITE.replacen(at, &format!("{at}\ncallback = {{ attempts = 0, ring = \"10s\" }}"), 1));
    assert_eq!(found.iter().map(|f| f.message.as_str()).collect::<Vec<_>>(), ["expected 1 to 20 attempts"]);
}

#[test]
fn a_callback_needs_a_way_out() {
    let at = "[queues.\"acme/third\"]";
    let with = format!("{at}\ncallback = {{ first = \"agent\" }}");
    let saying = ("to call back, the account `acme` needs a `trunk`", "callback", "");
    assert_found(SITE, (at, &with), saying, true);
}
