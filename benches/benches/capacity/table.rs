//! What was to be reached, what was, and whether the run counts.

use benches::cpu::Machine;
use benches::server;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// Of the load's own sending, in one packet of a hundred.
const LATE_US: u64 = 2_000;

pub struct Table {
    rows: Vec<Row>,
    /// Why some part does not count.
    void: Vec<String>,
    machine: Machine,
}

#[derive(Serialize)]
struct Row {
    what: String,
    target: String,
    measured: String,
    /// `None`: a figure without a target.
    reached: Option<bool>,
    /// Of a part that does not count.
    void: bool,
}

impl Default for Table {
    fn default() -> Self {
        Table { rows: vec![], void: vec![], machine: Machine::before() }
    }
}

impl Table {
    /// One part with its rows; once a part is void, all of its rows are.
    pub fn of(&mut self, part: impl FnOnce(&mut Table)) {
        let (rows, voids) = (self.rows.len(), self.void.len());
        part(self);
        let void = self.void.len() > voids;
        self.rows.iter_mut().skip(rows).for_each(|row| row.void = void);
    }

    pub fn target(&mut self, what: impl Into<String>, target: impl Into<String>, measured: impl Into<String>, reached: bool) {
        self.row(what.into(), target.into(), measured.into(), Some(reached));
    }

    pub fn figure(&mut self, what: impl Into<String>, measured: impl Into<String>) {
        self.row(what.into(), String::new(), measured.into(), None);
    }

    /// At once, too: a long run shows where it is.
    fn row(&mut self, what: String, target: String, measured: String, reached: Option<bool>) {
        let row = Row { what, target, measured, reached, void: false };
        eprintln!("{row}");
        self.rows.push(row);
    }

    /// Whether the load was in time; if not, the part does not count.
    pub fn in_time(&mut self, part: &str, late_us: u64) -> bool {
        if late_us > LATE_US {
            self.void(format!("{part}: the load was late by {late_us} us in p99, at most {LATE_US} count"));
        }
        late_us <= LATE_US
    }

    pub fn void(&mut self, why: impl Into<String>) {
        self.void.push(why.into());
    }

    pub fn print(&self) {
        println!("\n{:<52} {:>14}  {:<44}", "", "target", "measured");
        self.rows.iter().for_each(|row| println!("{row}"));
        let Machine { cores, load_before, scheduling, .. } = &self.machine;
        println!("machine: {cores} cores, load {load_before} before, {scheduling} scheduling");
        match self.void.is_empty() {
            true => println!("valid: yes"),
            false => self.void.iter().for_each(|why| println!("VOID: {why}")),
        }
    }

    /// Beside the programs of this build.
    pub fn write(&self) {
        let result = serde_json::json!({ "rows": self.rows, "void": self.void, "machine": self.machine });
        let file = server::program("capacity.json");
        let file = file.parent().and_then(Path::parent).map_or(file.clone(), |target| target.join("capacity.json"));
        let text = serde_json::to_string_pretty(&result).expect("plain data");
        std::fs::write(&file, text).expect("the folder of this build");
        println!("written to {}", file.display());
    }

    pub fn verdict(&self) -> ExitCode {
        match (self.void.is_empty(), self.rows.iter().all(|row| row.reached != Some(false))) {
            (false, _) => ExitCode::from(2),
            (true, false) => ExitCode::FAILURE,
            (true, true) => ExitCode::SUCCESS,
        }
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reached = match (self.reached, self.void) {
            (None, _) => "",
            (Some(_), true) => "VOID",
            (Some(true), _) => "met",
            (Some(false), _) => "NOT MET",
        };
        write!(f, "{:<52} {:>14}  {:<44} {reached}", self.what, self.target, self.measured)
    }
}

pub fn ms(us: u64) -> String {
    format!("{:.2} ms", us as f64 / 1_000.0)
}
