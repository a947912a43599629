//! The flow as a graph: every step can be reached, and no caller goes round and round untouched.

use crate::flow::Flow;
use crate::step::Step;
use base::Diagnostic;

/// Steps that cannot be reached, and rounds that turn although nobody does anything.
pub(crate) fn findings(flow: &Flow) -> Vec<Diagnostic> {
    let reached = reached(flow);
    let lost = flow.steps.iter().enumerate().filter(|(i, _)| !reached[*i]);
    let mut found: Vec<_> = lost.map(|(_, step)| flow.at(step.place, format!("no step leads to `{}`", step.name))).collect();
    found.extend(round(flow).map(|steps| {
        let names: Vec<&str> = steps.iter().chain(&steps[..1]).map(|i| &*flow.steps[*i].name).collect();
        let message = format!("a caller who does nothing goes round for ever: {}", names.join(" → "));
        flow.at(flow.steps[steps[0]].place, message).help("end one of them with a step that hangs up")
    }));
    found
}

fn reached(flow: &Flow) -> Vec<bool> {
    let mut reached = vec![false; flow.steps.len()];
    let mut open = vec![flow.start];
    while let Some(step) = open.pop() {
        if !std::mem::replace(&mut reached[step], true) {
            open.extend(flow.steps[step].kind.leads_to().into_iter().map(|(to, _)| to));
        }
    }
    reached
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    /// On the way from where the search began.
    Open,
    Done,
}

/// The first round over edges that need nobody, in order.
fn round(flow: &Flow) -> Option<Vec<usize>> {
    let alone = |step: &Step| -> Vec<usize> {
        let edges = step.kind.leads_to();
        edges.into_iter().filter(|(_, needs_someone)| !needs_someone).map(|(to, _)| to).collect()
    };
    let mut marks = vec![Mark::New; flow.steps.len()];
    for root in 0..flow.steps.len() {
        // Depth first without recursion: a step with the edges still to be walked.
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = (marks[root] == Mark::New).then_some(root);
        loop {
            if let Some(step) = next.take() {
                marks[step] = Mark::Open;
                way.push((step, alone(&flow.steps[step])));
            }
            let Some((step, edges)) = way.last_mut() else { break };
            match edges.pop() {
                None => {
                    marks[*step] = Mark::Done;
                    way.pop();
                }
                Some(to) if marks[to] == Mark::New => next = Some(to),
                Some(to) if marks[to] == Mark::Open => {
                    return Some(way.iter().map(|(step, _)| *step).skip_while(|step| *step != to).collect());
                }
                Some(_) => {}
            }
        }
    }
    None
}
