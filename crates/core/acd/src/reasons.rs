//! Why an agent is away, where the ACD says it itself: made once, since it is said with each change of state.

use crate::Work;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct Reasons {
    pub no_answer: Arc<str>,
    work: [Arc<str>; 4],
}

impl Default for Reasons {
    fn default() -> Self {
        let work = [Work::FeatureCode, Work::Internal, Work::Outbound, Work::Monitoring];
        Reasons { no_answer: "no_answer".into(), work: work.map(|work| work.name().into()) }
    }
}

impl Reasons {
    pub fn of(&self, work: Work) -> Arc<str> {
        self.work[work as usize].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sort_of_work_has_its_own_name() {
        let reasons = Reasons::default();
        let sorts = [Work::FeatureCode, Work::Internal, Work::Outbound, Work::Monitoring];
        assert!(sorts.into_iter().all(|work| &*reasons.of(work) == work.name()));
    }
}
