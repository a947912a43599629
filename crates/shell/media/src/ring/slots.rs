//! Packets on their way out: what a request names by address lies still until the kernel has read it.

use super::LONGEST;
use io_uring::types::Fd;
use io_uring::{opcode, squeue};
use nix::libc::MSG_DONTWAIT;
use socket2::SockAddr;
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::RawFd;

/// Packets that are handed over together at most.
pub(super) const SLOTS: usize = 256;

pub(super) struct Slots {
    slots: Box<[Slot]>,
    filled: usize,
}

struct Slot {
    packet: [u8; LONGEST],
    to: SockAddr,
}

impl Slots {
    pub fn new() -> Slots {
        let nowhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        Slots { slots: (0..SLOTS).map(|_| Slot { packet: [0; LONGEST], to: nowhere.into() }).collect(), filled: 0 }
    }

    pub fn is_full(&self) -> bool {
        self.filled == self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The request that sends this packet; none if there is no slot for it, or it is longer than one. Only what goes wrong is
    /// answered.
    pub fn fill(&mut self, fd: RawFd, to: SocketAddr, packet: &[u8]) -> Option<squeue::Entry> {
        let slot = self.slots.get_mut(self.filled)?;
        slot.packet.get_mut(..packet.len())?.copy_from_slice(packet);
        slot.to = to.into();
        self.filled += 1;
        let send = opcode::Send::new(Fd(fd), slot.packet.as_ptr(), packet.len() as u32)
            .dest_addr(slot.to.as_ptr().cast())
            .dest_addr_len(slot.to.len())
            .flags(MSG_DONTWAIT);
        Some(send.build().flags(squeue::Flags::SKIP_SUCCESS))
    }

    /// The last request was not taken.
    pub fn take_back(&mut self) {
        self.filled -= 1;
    }

    /// All requests have been read: one that may not wait is carried out as it is handed over.
    pub fn clear(&mut self) {
        self.filled = 0;
    }
}
