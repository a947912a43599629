//! Where the parts of a message stand in its bytes.

use crate::header::HeaderId;
use std::ops::Range;

/// A range of a message's bytes. A message is shorter than 4 GiB, so 32 bits do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Span {
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: cut(start), end: cut(end.max(start)) }
    }

    /// The span of `part`, which must lie in `whole`.
    pub(super) fn within(whole: &[u8], part: &[u8]) -> Span {
        let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
        Span::new(start, start.saturating_add(part.len()))
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.range()).unwrap_or_default()
    }
}

/// One header field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) id: HeaderId,
    pub(super) name: Span,
    /// Without blanks at its ends; folds are still in it.
    pub(super) value: Span,
}
