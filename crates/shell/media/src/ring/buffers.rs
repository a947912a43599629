//! Where the kernel puts packets, and how it is told which of these places are free.
#![expect(unsafe_code, reason = "the kernel is told of memory by address")]

use io_uring::types::BufRingEntry;
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

/// Of the longest packet: with what the kernel writes before it.
const SIZE: usize = super::LONGEST + 64;

/// Where the kernel puts packets, and the ring in which it is told which of them are free.
pub(super) struct Buffers {
    count: u16,
    entries: Box<[Page]>,
    memory: Box<[u8]>,
    given: u16,
}

/// The kernel wants the ring to begin with a page.
#[derive(Clone)]
#[repr(C, align(4096))]
struct Page([u8; 4_096]);

impl Buffers {
    pub fn new(count: u16) -> Buffers {
        let pages = (usize::from(count) * size_of::<BufRingEntry>()).div_ceil(size_of::<Page>());
        let entries = vec![Page([0; 4_096]); pages].into();
        let memory = vec![0; usize::from(count) * SIZE].into();
        let mut buffers = Buffers { count, entries, memory, given: 0 };
        (0..count).for_each(|buffer| buffers.give(buffer));
        buffers.show();
        buffers
    }

    pub fn filled(&self, buffer: u16, length: usize) -> Option<&[u8]> {
        self.memory.get(usize::from(buffer) * SIZE..)?.get(..length.min(SIZE))
    }

    /// Tells the kernel where they are.
    pub fn register(&self, ring: &io_uring::Submitter<'_>) -> io::Result<()> {
        // SAFETY: entries and memory lie still in their boxes, and outlive the ring's requests, or are leaked.
        unsafe { ring.register_buf_ring_with_flags(self.entries.as_ptr() as u64, self.count, 0, 0) }
    }

    /// This one is free.
    pub fn give(&mut self, buffer: u16) {
        let address = &raw const self.memory[usize::from(buffer) * SIZE] as u64;
        let place = usize::from(self.given % self.count);
        // SAFETY: the pages are at least as many entries, all zero or written here, and only the kernel reads them.
        let entry = unsafe { &mut *self.entries.as_mut_ptr().cast::<BufRingEntry>().add(place) };
        entry.set_addr(address);
        entry.set_len(SIZE as u32);
        entry.set_bid(buffer);
        self.given = self.given.wrapping_add(1);
    }

    /// The kernel may take all that were given.
    pub fn show(&self) {
        // SAFETY: the first entry begins the ring, and its tail is read by the kernel while it is written here.
        let tail = unsafe { &*BufRingEntry::tail(self.entries.as_ptr().cast()).cast::<AtomicU16>() };
        tail.store(self.given, Ordering::Release);
    }

    pub fn leak(&mut self) {
        std::mem::forget((std::mem::take(&mut self.memory), std::mem::replace(&mut self.entries, Box::new([]))));
    }
}
