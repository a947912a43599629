//! Which crate may know which. The rule is the design's; this reads the manifests and names each edge that breaks it.
//!
//! ```text
//! core/base, core/speech    know no other crate (speech may know base)
//! core/*                    base, speech; site and engine also the other cores
//! shell/*                   cores, never another shell
//! tools/traffic             base, sip, media: never engine
//! tools/sim, tools/study    cores; study never engine
//! bin/*                     everything but the tools that only test
//! ```

use serde::Deserialize;
use std::process::Command;

#[test]
fn the_workspace_keeps_its_edges() {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or("cargo".into()));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let packages = packages(&String::from_utf8(cargo.output().unwrap().stdout).unwrap()).unwrap();
    for expected in ["core/base", "core/engine", "shell/web", "tools/traffic", "bin/centralita"] {
        assert!(packages.iter().any(|p| p.folder == expected), "{expected} was not found in {packages:?}");
    }
    assert_eq!(breaches(&packages), Vec::<String>::new());
}

#[test]
fn each_forbidden_edge_is_named() {
    let table = [
        ("core/base", "core/speech", false),
        ("core/speech", "core/base", true),
        ("core/sip", "core/base", true),
        ("core/ivr", "core/speech", true),
        ("core/acd", "core/metrics", false),
        ("core/site", "core/ivr", true),
        ("core/engine", "core/sip", true),
        ("core/engine", "shell/store", false),
        ("shell/web", "core/engine", true),
        ("shell/web", "shell/store", false),
        ("tools/traffic", "core/sip", true),
        ("tools/traffic", "core/engine", false),
        ("tools/sim", "shell/media", false),
        ("tools/study", "core/acd", true),
        ("tools/study", "core/engine", false),
        ("bin/centralita", "tools/study", true),
        ("bin/centralita", "tools/traffic", true),
        ("bin/centralita", "tools/sim", false),
    ];
    for (from, to, fine) in table {
        let package = Package { folder: from.into(), uses: vec![to.into()] };
        assert_eq!(breaches(&[package]).is_empty(), fine, "{from} -> {to}");
    }
}

/// A workspace package: its folder below `crates/`, such as `core/sip`, and the folders it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Package {
    folder: String,
    uses: Vec<String>,
}

/// One sentence per edge that is not allowed. Edges used only by tests count too, so that a core's tests stay its own.
fn breaches(packages: &[Package]) -> Vec<String> {
    let edges = packages.iter().flat_map(|p| p.uses.iter().map(move |to| (p.folder.as_str(), to.as_str())));
    edges.filter(|(from, to)| !allowed(from, to)).map(|(from, to)| format!("{from} must not depend on {to}")).collect()
}

fn allowed(from: &str, to: &str) -> bool {
    let leaf = matches!(to, "core/base" | "core/speech");
    match from.split_once('/') {
        _ if from == "core/base" => false,
        _ if from == "core/speech" => to == "core/base",
        _ if matches!(from, "core/site" | "core/engine") => to.starts_with("core/") && to != "core/engine",
        Some(("core", _)) => leaf,
        Some(("shell", _)) => to.starts_with("core/"),
        _ if from == "tools/traffic" => matches!(to, "core/base" | "core/sip" | "core/media"),
        _ if from == "tools/sim" => to.starts_with("core/"),
        _ if from == "tools/study" => to.starts_with("core/") && to != "core/engine",
        _ if from == "tools/xtask" => false,
        Some(("bin", _)) => to != "tools/xtask" && to != "tools/sim",
        _ => true,
    }
}

/// The packages of the workspace, as cargo describes them.
fn packages(metadata: &str) -> Result<Vec<Package>, String> {
    let metadata: Metadata = serde_json::from_str(metadata).map_err(|e| e.to_string())?;
    let folder = |path: &str| path.split_once("/crates/").map_or(path, |(_, rest)| rest).to_string();
    let known = |p: &Described| folder(p.manifest_path.trim_end_matches("/Cargo.toml"));
    Ok(metadata
        .packages
        .iter()
        .map(|p| Package {
            folder: known(p),
            uses: p.dependencies.iter().filter_map(|d| d.path.as_deref().map(folder)).collect(),
        })
        .collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Described>,
}

#[derive(Deserialize)]
struct Described {
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    path: Option<String>,
}
