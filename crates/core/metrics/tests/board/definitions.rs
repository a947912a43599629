//! Every figure has one definition, every definition a figure, and the reference page says the same.

use crate::script::*;
use base::Outcome;
use metrics::{definition, definitions};
use serde_json::Value;
use std::collections::BTreeSet;

/// The path of each leaf: where it stands in the table of definitions.
fn names(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let object = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let visits: BTreeSet<String> = object(&value["totals"]["visits"]).into_iter().collect();
    for key in object(value) {
        let prefix = match key.as_str() {
            "totals" => {
                for key in object(&value["totals"]) {
                    match key.as_str() {
                        "calls" | "visits" => {
                            names.extend(object(&value["totals"][&key]).into_iter().map(|k| format!("{key}.{k}")));
                        }
                        _ => drop(names.insert(format!("totals.{key}"))),
                    }
                }
                continue;
            }
            "queues" | "agents" => {
                let keys = object(&value[&key][0]).into_iter();
                // A queue's visits are defined once, as those of the totals.
                names.extend(keys.filter(|k| key == "agents" || !visits.contains(k)).map(|k| format!("{key}.{k}")));
                continue;
            }
            "recordings" => "recordings.",
            _ => {
                names.insert(key);
                continue;
            }
        };
        names.extend(object(&value[&key]).into_iter().map(|k| format!("{prefix}{k}")));
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
