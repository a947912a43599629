//! Every figure has one definition, every definition a figure, and the reference page says the same.

use crate::script::*;
use base::Outcome;
use metrics::{definition, definitions};
use serde_json::Value;
use std::collections::BTreeSet;

/// Groups that stand in more than one place and are defined once.
const SHARED: [&str; 5] = ["calls", "visits", "callbacks", "transfers", "expected_wait"];

/// The path of each leaf: where it stands in the table of definitions.
fn names(figures: &Value) -> BTreeSet<String> {
    let object = |v: &Value| v.as_object().unwrap().clone();
    let visits = object(&figures["totals"]["visits"]);
    let mut names = BTreeSet::new();
    for (group, value) in object(figures) {
        match group.as_str() {
            "totals" | "queues" | "agents" | "recordings" | "supervision" | "quality" => {
                let row = if value.is_array() { &value[0] } else { &value };
                for (name, value) in object(row) {
                    if value.is_object() && SHARED.contains(&name.as_str()) {
                        names.extend(object(&value).keys().map(|leaf| format!("{name}.{leaf}")));
                    // A queue's visits stand in its row itself.
                    } else if group != "queues" || !visits.contains_key(&name) {
                        names.insert(format!("{group}.{name}"));
                    }
                }
            }
            _ => drop(names.insert(group)),
        }
    }
    names
}

#[test]
fn each_figure_is_defined_once_and_each_definition_is_of_a_figure() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").leaves(1, "soporte", Outcome::Abandoned);
    let figures = serde_json::to_value(s.hour()).unwrap();
    let defined: Vec<String> = definitions().iter().map(|d| d.name.to_string()).collect();
    let unique: BTreeSet<String> = defined.iter().cloned().collect();
    assert_eq!(defined.len(), unique.len(), "a figure is defined twice");
    assert_eq!(unique, names(&figures));
    assert!(definition("visits.asa_ms").unwrap().text.starts_with("Average speed of answer"));
    assert_eq!(definition("visits.mood"), None);
}

#[test]
fn figures_read_back_from_their_json() {
    let mut s = Script::new();
    s.logs_in("ana").arrives(1).enters(1, "soporte").answers(1, "soporte", "ana");
    let json = serde_json::to_string(&s.hour()).unwrap();
    assert_eq!(serde_json::from_str::<metrics::Figures>(&json).unwrap(), s.hour());
}

#[test]
fn the_reference_page_says_what_the_table_says() {
    let page = include_str!("../../metrics.md");
    let rows: Vec<&str> = page.lines().filter(|l| l.starts_with("| `")).collect();
    let expected: Vec<String> = definitions().iter().map(row).collect();
    let missing: Vec<_> = expected.iter().filter(|r| !rows.contains(&r.as_str())).collect();
    assert!(
        missing.is_empty(),
        "metrics.md needs these rows:\n{}",
        missing.iter().map(|r| r.as_str()).collect::<Vec<_>>().join("\n")
    );
    assert_eq!(rows.len(), expected.len(), "metrics.md has rows that are no figure");
}

fn row(d: &metrics::Definition) -> String {
    let basis = serde_json::to_value(d.basis).unwrap();
    format!("| `{}` | {} | {} |", d.name, basis.as_str().unwrap(), d.text)
}
