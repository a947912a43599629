//! Faults that are put in on purpose, so that the simulator can show that it catches each of them.
//!
//! Only a build with the feature `mutations` has them, and there only a thread that selected one. In every other build
//! [`mutated`] is `false` and costs nothing: the compiler removes what hangs on it.

/// A fault, named after what goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    ForgetRelease,
    OfferTwice,
    SkipRingDeadline,
    LoseThePlaceOnRequeue,
    IgnoreWrapUpAcrossQueues,
    SkipBarred,
    RingAllTwoWinners,
    ForgetToCancelOthers,
    StickyNeverReleased,
    RelaxCountsFromTheLastStep,
    OverflowAgeRestarts,
    CallbackAbandoned,
    CallbackLostOnFailure,
    CallbackDialsForEver,
    TransferKeepsAgent,
    TransferForgetsTheWait,
    MonitorExitEndsCall,
    RecordingNotOwed,
    PendingAskLost,
    DelayOfGroupIgnored,
    LeaveEmptyNever,
    HoldNotResumed,
    RandomUsesEntropy,
    WeightIgnored,
    PriorityIgnored,
    StrategyReversed,
    SkillsIgnored,
    CapacityOffByOne,
    ClosedQueueTakes,
    ReturningCallerForgotten,
    MissesNeverCount,
    CancelledOfferPauses,
    CrashForgetsTheVisit,
    HearsTheWrongOnes,
    PortKept,
    RefusalForgotten,
    ShareDrawnAnew,
    PauseLeftBehind,
    RoundRobinRepeats,
    BusiestFirst,
    LastAgentForgotten,
    PassedOnComesBack,
    NoneForgotten,
}

impl Mutation {
    pub const ALL: [Mutation; 43] = [
        Mutation::ForgetRelease,
        Mutation::OfferTwice,
        Mutation::SkipRingDeadline,
        Mutation::LoseThePlaceOnRequeue,
        Mutation::IgnoreWrapUpAcrossQueues,
        Mutation::SkipBarred,
        Mutation::RingAllTwoWinners,
        Mutation::ForgetToCancelOthers,
        Mutation::StickyNeverReleased,
        Mutation::RelaxCountsFromTheLastStep,
        Mutation::OverflowAgeRestarts,
        Mutation::CallbackAbandoned,
        Mutation::CallbackLostOnFailure,
        Mutation::CallbackDialsForEver,
        Mutation::TransferKeepsAgent,
        Mutation::TransferForgetsTheWait,
        Mutation::MonitorExitEndsCall,
        Mutation::RecordingNotOwed,
        Mutation::PendingAskLost,
        Mutation::DelayOfGroupIgnored,
        Mutation::LeaveEmptyNever,
        Mutation::HoldNotResumed,
        Mutation::RandomUsesEntropy,
        Mutation::WeightIgnored,
        Mutation::PriorityIgnored,
        Mutation::StrategyReversed,
        Mutation::SkillsIgnored,
        Mutation::CapacityOffByOne,
        Mutation::ClosedQueueTakes,
        Mutation::ReturningCallerForgotten,
        Mutation::MissesNeverCount,
        Mutation::CancelledOfferPauses,
        Mutation::CrashForgetsTheVisit,
        Mutation::HearsTheWrongOnes,
        Mutation::PortKept,
        Mutation::RefusalForgotten,
        Mutation::ShareDrawnAnew,
        Mutation::PauseLeftBehind,
        Mutation::RoundRobinRepeats,
        Mutation::BusiestFirst,
        Mutation::LastAgentForgotten,
        Mutation::PassedOnComesBack,
        Mutation::NoneForgotten,
    ];
}

/// Whether this fault is in, here and now.
#[cfg(not(feature = "mutations"))]
#[inline(always)]
pub fn mutated(_: Mutation) -> bool {
    false
}

#[cfg(feature = "mutations")]
pub use selected::{another, mutated, select};

#[cfg(feature = "mutations")]
mod selected {
    use super::Mutation;
    use std::cell::Cell;

    thread_local! {
        static SELECTED: Cell<Option<Mutation>> = const { Cell::new(None) };
        static DRAWN: Cell<u64> = const { Cell::new(0) };
    }

    /// From now on this fault, or none, is in whatever this thread does.
    pub fn select(mutation: Option<Mutation>) {
        SELECTED.set(mutation);
    }

    pub fn mutated(mutation: Mutation) -> bool {
        SELECTED.get() == Some(mutation)
    }

    /// A number that no seed and no journal knows: a different one each time.
    pub fn another() -> u64 {
        let drawn = DRAWN.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        DRAWN.set(drawn);
        drawn
    }
}

/// In a build without faults nothing draws from outside its seed.
#[cfg(not(feature = "mutations"))]
pub fn another() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_fault_is_in_unless_it_was_selected() {
        assert!(!Mutation::ALL.into_iter().any(mutated));
        let mut all = Mutation::ALL.to_vec();
        all.dedup();
        assert!(all.is_sorted() && all.len() == Mutation::ALL.len(), "each once, in order");
    }
}
