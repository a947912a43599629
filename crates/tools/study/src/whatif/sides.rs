//! What happened and both sides of every seed, as the lines of an answer.

use super::{Answer, Changed, Epoch, Line, Spread};
use base::{AgentId, AgentState, Instant, QueueId};
use metrics::{Formula, Interval};
use std::collections::{BTreeMap, BTreeSet};

pub struct Sides {
    happened: Interval,
    pub was: Vec<Interval>,
    pub would: Vec<Interval>,
    formula: Formula,
    serve_was: Serve,
    serve_would: Serve,
}

/// Who serves each queue.
type Serve = BTreeMap<QueueId, BTreeSet<AgentId>>;

impl Sides {
    pub fn of(happened: Interval, epochs: &[Epoch], formula: Formula) -> Sides {
        let serve_was = serve(epochs.iter().flat_map(|epoch| &epoch.was));
        let serve_would = serve(epochs.iter().flat_map(|epoch| &epoch.would));
        Sides { happened, was: Vec::new(), would: Vec::new(), formula, serve_was, serve_would }
    }

    pub fn answer(&self, notes: Vec<String>) -> Answer {
        let intervals = || std::iter::once(&self.happened).chain(&self.was).chain(&self.would);
        let queues: BTreeSet<&QueueId> = intervals().flat_map(|i| i.queues.keys()).collect();
        let agents: BTreeSet<&AgentId> = intervals().flat_map(|i| i.agents.keys()).collect();
        let of_queue = |queue: &QueueId| {
            let mut lines = self.lines(|i| i.queues.get(queue).cloned().unwrap_or_default());
            let theirs =
                |i: &Interval, serve: &Serve| occupancy_of(i, |agent| serve.get(queue).is_some_and(|s| s.contains(agent)));
            lines.push(self.line_of("occupancy", theirs));
            lines
        };
        let all = |i: &Interval| {
            let mut sums = metrics::QueueSums::default();
            i.queues.values().for_each(|queue| sums.merge(queue));
            sums
        };
        let occupancy = |agent: &AgentId| self.line("occupancy", |i| i.agents.get(agent)?.occupancy());
        let mut totals = self.lines(all);
        totals.push(self.line("occupancy", |i| occupancy_of(i, |_| true)));
        Answer {
            service_level_formula: self.formula.to_string(),
            seeds: self.was.len() as u64,
            totals,
            queues: queues.into_iter().map(|queue| (queue.clone(), of_queue(queue))).collect(),
            agents: agents.into_iter().map(|agent| (agent.clone(), occupancy(agent))).collect(),
            notes,
        }
    }

    fn lines(&self, sums: impl Fn(&Interval) -> metrics::QueueSums) -> Vec<Line> {
        let figures = |i: &Interval| sums(i).figures(0, self.formula);
        let seconds = |ms: Option<u64>| ms.map(|ms| ms as f64 / 1_000.0);
        vec![
            self.line("offered", |i| Some(figures(i).offered as f64)),
            self.line("service level", |i| figures(i).service_level),
            self.line("ASA", |i| seconds(figures(i).asa_ms)),
            self.line("abandonment", |i| figures(i).abandonment_rate),
        ]
    }

    fn line(&self, figure: &'static str, of: impl Fn(&Interval) -> Option<f64>) -> Line {
        self.line_of(figure, |interval, _| of(interval))
    }

    fn line_of(&self, figure: &'static str, of: impl Fn(&Interval, &Serve) -> Option<f64>) -> Line {
        let was: Vec<Option<f64>> = self.was.iter().map(|i| of(i, &self.serve_was)).collect();
        let would: Vec<Option<f64>> = self.would.iter().map(|i| of(i, &self.serve_would)).collect();
        let differences: Vec<Option<f64>> = was.iter().zip(&would).map(|(a, b)| Some((*b)? - (*a)?)).collect();
        let happened = of(&self.happened, &self.serve_was);
        Line { figure, happened, was: spread(&was), would: spread(&would), difference: spread(&differences) }
    }
}

/// By any site of the days.
fn serve<'a>(configs: impl Iterator<Item = &'a (Instant, Changed)>) -> Serve {
    let mut serve = Serve::new();
    for (id, agent) in configs.flat_map(|(_, changed)| &changed.config.agents) {
        for queue in &agent.queues {
            serve.entry(queue.clone()).or_default().insert(id.clone());
        }
    }
    serve
}

/// Of these agents together: busy with any queue's calls, of the time they were busy or available.
fn occupancy_of(interval: &Interval, theirs: impl Fn(&AgentId) -> bool) -> Option<f64> {
    let agents = || interval.agents.iter().filter(|(id, _)| theirs(id)).map(|(_, sums)| sums);
    let busy: u64 = agents().map(metrics::AgentSums::busy_ms).sum();
    let free: u64 = agents().map(|a| a.state_ms(AgentState::Available)).sum();
    (busy + free > 0).then(|| busy as f64 / (busy + free) as f64)
}

fn spread(values: &[Option<f64>]) -> Option<Spread> {
    let values: Vec<f64> = values.iter().flatten().copied().collect();
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let deviation = if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
    Some(Spread { mean, deviation })
}
