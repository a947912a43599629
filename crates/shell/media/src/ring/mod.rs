//! The kernel's ring of requests and answers (io_uring(7)), with the sockets and the memory that its requests name. The one
//! room with `unsafe`; above it everything is safe: sockets come in by value, packets are copied in and out.
//!
//! ```text
//!  listen ──▶ request ──▶ kernel ──▶ answer: a packet in a buffer ──▶ next: copied, buffer given back
//!                ▲                        │ "no more" (no buffer was free, an error)
//!                └──────── asked anew ◀───┘
//!  close ──▶ cancel ──▶ wait for "no more" ──▶ the socket is closed, its port free
//! ```
//! What is said of a request carries its place and the place's generation: an answer to a request of a socket that was
//! closed is never taken for one to the socket that has its place now.
#![expect(unsafe_code, reason = "requests name memory by address")]

mod buffers;
mod slots;

use buffers::Buffers;
use io_uring::types::{Fd, RecvMsgOut, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::libc::{EBADF, ECANCELED, EFAULT, EINTR, EINVAL, ENOENT, ENOTSOCK, EOPNOTSUPP, ETIME, POLLIN, msghdr, sockaddr_in6};
use slots::{SLOTS, Slots};
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// The longest packet.
const LONGEST: usize = 2_048;
/// What is said of a packet that was sent, and of a request to cancel another.
const SENT: u64 = u64::MAX;
const CANCELLED: u64 = u64::MAX - 1;
/// How often, and how long each time, the end of a cancelled request is waited for.
const PATIENCE: (usize, Duration) = (100, Duration::from_millis(10));

/// Names what is listened to: its place and the place's generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    fn new(place: usize, generation: u32) -> Key {
        Key(u64::from(generation) << 32 | place as u64)
    }

    fn place(self) -> usize {
        (self.0 & u64::from(u32::MAX)) as usize
    }
}

/// What came to what was listened to as `T`.
pub(crate) enum Came<T> {
    /// It is in the buffer that was given.
    Packet { at: T, from: SocketAddr, len: usize },
    /// There is something to be read.
    Ready(T),
}

pub(crate) struct Ring<T> {
    /// Closed before the memory is freed.
    uring: IoUring,
    enabled: bool,
    /// Of all requests that were cancelled it is known that they have ended.
    ended: bool,
    buffers: Buffers,
    head: Box<Head>,
    slots: Slots,
    places: Vec<Place<T>>,
    free: Vec<usize>,
    /// Answers that came while another one was waited for.
    waiting: VecDeque<cqueue::Entry>,
}

struct Place<T> {
    generation: u32,
    source: Option<(Source, T)>,
}

enum Source {
    Packets(UdpSocket),
    Ready(OwnedFd),
}

impl Source {
    fn fd(&self) -> Fd {
        Fd(match self {
            Source::Packets(socket) => socket.as_raw_fd(),
            Source::Ready(fd) => fd.as_raw_fd(),
        })
    }
}

/// What a request for packets wants besides their bytes: the sender.
struct Head(msghdr);

impl Head {
    fn new() -> Head {
        // SAFETY: all of its fields may be zero.
        let mut head: msghdr = unsafe { std::mem::zeroed() };
        head.msg_namelen = size_of::<sockaddr_in6>() as u32;
        Head(head)
    }
}

// SAFETY: its pointers are null.
unsafe impl Send for Head {}

impl<T> Ring<T> {
    /// `buffers`, a power of two, is how many packets may wait to be asked for. Fails where the kernel or the container
    /// refuses. The thread that first waits, or is the first to be told something, has it from then on.
    pub fn new(buffers: u16) -> io::Result<Ring<T>> {
        let uring = IoUring::builder()
            .setup_r_disabled()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_cqsize(2 * u32::from(buffers).max(1_024))
            .build(2 * SLOTS as u32)?;
        let buffers = Buffers::new(buffers);
        buffers.register(&uring.submitter())?;
        let head = Box::new(Head::new());
        let (slots, places, free, waiting) = (Slots::new(), vec![], vec![], VecDeque::new());
        Ok(Ring { uring, enabled: false, ended: true, buffers, head, slots, places, free, waiting })
    }

    /// Reads packets from the socket until it is closed.
    pub fn listen(&mut self, socket: UdpSocket, at: T) -> io::Result<Key> {
        self.add(Source::Packets(socket), at)
    }

    /// Says whenever there is something to be read.
    pub fn watch(&mut self, fd: OwnedFd, at: T) -> io::Result<Key> {
        self.add(Source::Ready(fd), at)
    }

    fn add(&mut self, source: Source, at: T) -> io::Result<Key> {
        let place = self.free.pop().unwrap_or(self.places.len());
        if place == self.places.len() {
            self.places.push(Place { generation: 0, source: None });
        }
        let generation = self.places[place].generation.wrapping_add(1);
        self.places[place] = Place { generation, source: Some((source, at)) };
        let key = Key::new(place, generation);
        self.ask(key).inspect_err(|_| self.forget(key))?;
        Ok(key)
    }

    /// Its port is free when this returns. Packets of it that were not yet asked for are lost.
    pub fn close(&mut self, key: Key) {
        if self.source(key).is_some() {
            self.ended &= self.cancel(key);
            self.forget(key);
        }
    }

    /// False if the request may still be under way.
    fn cancel(&mut self, key: Key) -> bool {
        let cancel = opcode::AsyncCancel::new(key.0).build().user_data(CANCELLED);
        if self.push(&cancel).is_err() {
            return false;
        }
        for _ in 0..PATIENCE.0 {
            self.waiting.extend(self.uring.completion());
            let none = |a: &cqueue::Entry| a.user_data() == CANCELLED && a.result() == -ENOENT;
            let ended = |a: &cqueue::Entry| a.user_data() == key.0 && !cqueue::more(a.flags());
            let over = self.waiting.iter().any(|answer| none(answer) || ended(answer));
            self.waiting.retain(|answer| answer.user_data() != CANCELLED);
            if over {
                return true;
            }
            if self.enter(Some(PATIENCE.1)).is_err() {
                return false;
            }
        }
        false
    }

    fn forget(&mut self, key: Key) {
        self.places[key.place()].source = None;
        self.free.push(key.place());
    }

    fn source(&self, key: Key) -> Option<&(Source, T)> {
        let place = self.places.get(key.place())?;
        place.source.as_ref().filter(|_| Key::new(key.place(), place.generation) == key)
    }

    fn ask(&mut self, key: Key) -> io::Result<()> {
        let Some((source, _)) = self.source(key) else { return Ok(()) };
        let request = match source {
            Source::Packets(_) => opcode::RecvMsgMulti::new(source.fd(), &raw const self.head.0, 0).build(),
            Source::Ready(_) => opcode::PollAdd::new(source.fd(), POLLIN as u32).build(),
        };
        self.push(&request.user_data(key.0))
    }

    /// Sends with the next wait what is not longer than a slot, or now if many wait. What the network does not take is lost.
    pub fn send(&mut self, key: Key, to: SocketAddr, packet: &[u8]) {
        let fd = match self.source(key) {
            Some((Source::Packets(socket), _)) => socket.as_raw_fd(),
            _ => return,
        };
        if self.slots.is_full() && self.submit().is_err() {
            return;
        }
        let Some(request) = self.slots.fill(fd, to, packet) else { return };
        if self.push(&request.user_data(SENT)).is_err() {
            self.slots.take_back();
        }
    }

    /// Until something came, or the time is over. What came is asked for with [`Ring::next`].
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if !self.waiting.is_empty() || !self.uring.completion().is_empty() {
            return if self.slots.is_empty() { Ok(()) } else { self.submit() };
        }
        self.enter(timeout)
    }

    /// The next that came, a packet in `buffer`.
    pub fn next(&mut self, buffer: &mut [u8]) -> Option<Came<T>>
    where
        T: Copy,
    {
        loop {
            let answer = self.waiting.pop_front().or_else(|| self.uring.completion().next())?;
            let key = Key(answer.user_data());
            let at = self.source(key).map(|(_, at)| *at);
            let held = cqueue::buffer_select(answer.flags());
            let came = at.and_then(|at| self.came(at, answer.result(), held, buffer));
            if let Some(held) = held {
                self.buffers.give(held);
                self.buffers.show();
            }
            // No buffer was free, or an error of the network ended the request.
            if at.is_some() && !cqueue::more(answer.flags()) && !for_good(answer.result()) {
                let _ = self.ask(key);
            }
            if came.is_some() {
                return came;
            }
        }
    }

    fn came(&self, at: T, result: i32, held: Option<u16>, buffer: &mut [u8]) -> Option<Came<T>> {
        let length = usize::try_from(result).ok()?;
        let Some(held) = held else { return Some(Came::Ready(at)) };
        let out = RecvMsgOut::parse(self.buffers.filled(held, length)?, &self.head.0).ok()?;
        let from = address(out.name_data())?;
        let payload = out.payload_data();
        let len = payload.len().min(buffer.len());
        buffer[..len].copy_from_slice(&payload[..len]);
        Some(Came::Packet { at, from, len })
    }

    fn push(&mut self, request: &squeue::Entry) -> io::Result<()> {
        // SAFETY: what requests name lives as long as the ring: sockets until their request ended, slots, head and buffers
        // in their boxes. A slot is filled again only after what sends it was handed over (see [`Slots::clear`]).
        while unsafe { self.uring.submission().push(request) }.is_err() {
            self.submit()?;
        }
        Ok(())
    }

    /// Hands over what is asked, without waiting.
    fn submit(&mut self) -> io::Result<()> {
        self.enable()?;
        self.uring.submit()?;
        self.submitted();
        Ok(())
    }

    fn enter(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.enable()?;
        let time = timeout.map(Timespec::from);
        let arguments = time.as_ref().map_or(SubmitArgs::new(), |time| SubmitArgs::new().timespec(time));
        let entered = self.uring.submitter().submit_with_args(1, &arguments);
        self.submitted();
        match entered {
            Err(error) if ![Some(ETIME), Some(EINTR)].contains(&error.raw_os_error()) => Err(error),
            _ => Ok(()),
        }
    }

    /// A request to send without waiting has read its slot by the time it was handed over.
    fn submitted(&mut self) {
        if self.uring.submission().is_empty() {
            self.slots.clear();
        }
    }

    fn enable(&mut self) -> io::Result<()> {
        if !self.enabled {
            self.uring.submitter().register_enable_rings()?;
            self.enabled = true;
        }
        Ok(())
    }
}

impl<T> Drop for Ring<T> {
    /// Requests end before what they write to is freed, and their ports are free then. Where one does not end, the memory
    /// stays for good.
    fn drop(&mut self) {
        let live: Vec<Key> = self
            .places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.source.is_some())
            .map(|(n, place)| Key::new(n, place.generation))
            .collect();
        let mut ended = true;
        for key in live {
            ended &= self.cancel(key);
            self.forget(key);
        }
        if !(ended && self.ended) {
            self.buffers.leak();
            std::mem::forget(std::mem::replace(&mut self.head, Box::new(Head::new())));
        }
    }
}

/// What asked anew would end in the same way at once.
fn for_good(result: i32) -> bool {
    [ECANCELED, EBADF, EFAULT, EINVAL, ENOTSOCK, EOPNOTSUPP].contains(&-result)
}

fn address(name: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes([*name.get(2)?, *name.get(3)?]);
    if name.len() < size_of::<sockaddr_in6>() {
        let ip: [u8; 4] = name.get(4..8)?.try_into().ok()?;
        return Some((ip, port).into());
    }
    let ip: [u8; 16] = name.get(8..24)?.try_into().ok()?;
    let scope = u32::from_ne_bytes(name.get(24..28)?.try_into().ok()?);
    Some(SocketAddrV6::new(ip.into(), port, 0, scope).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_too_few_buffers_packets_wait_in_the_socket_and_all_come() {
        let mut ring = match Ring::new(4) {
            Ok(ring) => ring,
            Err(why) => return println!("io_uring is refused here: {why}"),
        };
        let [to, peer] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let address = to.local_addr().unwrap();
        ring.listen(to, ()).unwrap();
        (0..50u8).for_each(|n| assert_eq!(peer.send_to(&[n], address).unwrap(), 1));
        let mut buffer = [0; 16];
        for n in 0..50 {
            let came = std::iter::repeat_with(|| {
                let came = ring.next(&mut buffer);
                if came.is_none() {
                    ring.wait(Some(Duration::from_secs(5))).unwrap();
                }
                came
            });
            let Some(Came::Packet { len, from, .. }) = came.take(10).flatten().next() else { panic!("{n} did not come") };
            assert_eq!((len, buffer[0], from), (1, n, peer.local_addr().unwrap()));
        }
    }
}
