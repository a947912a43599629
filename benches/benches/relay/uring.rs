//! The same with io_uring in place of epoll: one request reads each leg's socket for as long as it is there, the kernel
//! takes buffers from a ring, and what is to be sent goes out with the next wait. What a third backend of the media plane
//! could save at most: it has to know whence a packet comes, so each is asked for with its sender.
//!
//! The kernel reads and writes memory that requests name by address: for that, here and nowhere else, `unsafe`.
#![expect(unsafe_code, reason = "requests name memory by address")]

use crate::peers::{Peers, Phase, Traffic};
use io_uring::types::{BufRingEntry, Fd, RecvMsgOut, SubmitArgs, Timespec};
use io_uring::{IoUring, SubmissionQueue, cqueue, opcode, squeue};
use nix::libc::{msghdr, sockaddr_in6};
use socket2::SockAddr;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

const NAME: &str = "uring";
/// A power of two, and more than come in one turn.
const BUFFERS: u16 = 4_096;
const SIZE: usize = 2_048;
/// What is said of a packet that was sent names no leg.
const SENT: u64 = u64::MAX;

/// Fails where the kernel or the container has no io_uring for us.
pub fn relay(traffic: Traffic) -> io::Result<Phase> {
    drop(ring()?);
    let mut peers = Peers::new(traffic);
    let legs: Vec<Leg> = traffic.legs().map(|leg| Leg::new(traffic.port(leg), peers.address(leg))).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let run = || serve(&legs, &stop).expect("it was there a moment ago");
        std::thread::Builder::new().name(NAME.into()).spawn_scoped(scope, run).expect("a thread");
        let phase = peers.measure(traffic, &[NAME]);
        stop.store(true, Ordering::Relaxed);
        Ok(phase)
    })
}

struct Leg {
    socket: UdpSocket,
    peer: SockAddr,
    from: SocketAddr,
}

impl Leg {
    fn new(own: SocketAddr, peer: SocketAddr) -> Leg {
        Leg { socket: UdpSocket::bind(own).expect("a free port"), peer: peer.into(), from: peer }
    }

    /// Reads this leg's packets and who sent them, again and again.
    fn read(&self, leg: usize, head: &'static msghdr) -> squeue::Entry {
        opcode::RecvMsgMulti::new(Fd(self.socket.as_raw_fd()), head, 0).build().user_data(leg as u64)
    }

    /// Sends a packet to its peer; only what goes wrong is told.
    fn send(&self, packet: *const u8, length: u32) -> squeue::Entry {
        opcode::Send::new(Fd(self.socket.as_raw_fd()), packet, length)
            .dest_addr(self.peer.as_ptr().cast())
            .dest_addr_len(self.peer.len())
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(SENT)
    }
}

fn ring() -> io::Result<IoUring> {
    IoUring::builder().setup_single_issuer().setup_defer_taskrun().setup_cqsize(8_192).build(2_048)
}

fn serve(legs: &[Leg], stop: &AtomicBool) -> io::Result<()> {
    let mut ring = ring()?;
    let buffers = Box::leak(Box::new(Buffers::new()));
    // SAFETY: the buffers lie still in their boxes, and outlive the ring's requests: they are leaked.
    unsafe { ring.submitter().register_buf_ring_with_flags(buffers.entries.as_ptr() as u64, BUFFERS, 0, 0)? };
    // SAFETY: all of its fields may be zero.
    let head: &'static mut msghdr = Box::leak(Box::new(unsafe { std::mem::zeroed() }));
    head.msg_namelen = size_of::<sockaddr_in6>() as u32;
    let head = &*head;
    for (number, leg) in legs.iter().enumerate() {
        push(&mut ring.submission(), &leg.read(number, head));
        ring.submit()?;
    }
    let patience = Timespec::new().nsec(100_000_000);
    let mut sent: Vec<u16> = Vec::with_capacity(BUFFERS.into());
    while !stop.load(Ordering::Relaxed) {
        // It fails if nothing comes for a while.
        let _ = ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&patience));
        // What was handed over has been sent by now.
        sent.drain(..).for_each(|buffer| buffers.give(buffer));
        buffers.show();
        let (_, mut requests, answers) = ring.split();
        for answer in answers.filter(|answer| answer.user_data() != SENT) {
            let number = answer.user_data() as usize;
            if !cqueue::more(answer.flags()) {
                push(&mut requests, &legs[number].read(number, head));
            }
            let Some(buffer) = cqueue::buffer_select(answer.flags()) else { continue };
            let came = usize::try_from(answer.result()).ok().and_then(|length| buffers.packet(buffer, length, head));
            // From anybody else than its peer the packet is not relayed.
            if let Some((_, packet)) = came.filter(|(from, _)| *from == legs[number].from) {
                push(&mut requests, &legs[number ^ 1].send(packet.as_ptr(), packet.len() as u32));
            }
            sent.push(buffer);
        }
    }
    Ok(())
}

/// What does not fit is not asked: a packet is lost, which the bench sees.
fn push(requests: &mut SubmissionQueue<'_>, request: &squeue::Entry) {
    // SAFETY: the legs outlive the ring, and a buffer is given back only after what sends it was handed over.
    let _ = unsafe { requests.push(request) };
}

/// Where the kernel puts packets, and the ring in which it is told which of them are free.
struct Buffers {
    entries: Box<[Page]>,
    memory: Box<[u8]>,
    given: u16,
}

/// The kernel wants the ring to begin with a page.
#[repr(C, align(4096))]
struct Page([u8; 4_096]);

impl Buffers {
    fn new() -> Buffers {
        let pages = usize::from(BUFFERS) * size_of::<BufRingEntry>() / size_of::<Page>();
        let entries = (0..pages).map(|_| Page([0; 4_096])).collect();
        let mut buffers = Buffers { entries, memory: vec![0; usize::from(BUFFERS) * SIZE].into(), given: 0 };
        (0..BUFFERS).for_each(|buffer| buffers.give(buffer));
        buffers.show();
        buffers
    }

    fn at(&self, buffer: u16) -> *const u8 {
        &raw const self.memory[usize::from(buffer) * SIZE]
    }

    /// What came and from where, over IPv4.
    fn packet(&self, buffer: u16, length: usize, head: &msghdr) -> Option<(SocketAddr, &[u8])> {
        let bytes = self.memory.get(usize::from(buffer) * SIZE..)?.get(..length)?;
        let came = RecvMsgOut::parse(bytes, head).ok()?;
        let &[_, _, high, low, a, b, c, d, ..] = came.name_data() else { return None };
        let packet = bytes.get(length - came.payload_data().len()..)?;
        Some((([a, b, c, d], u16::from_be_bytes([high, low])).into(), packet))
    }

    /// This one is free.
    fn give(&mut self, buffer: u16) {
        let address = self.at(buffer) as u64;
        let place = usize::from(self.given % BUFFERS);
        // SAFETY: the pages are as many entries, all zero or written here, and only the kernel reads them.
        let entry = unsafe { &mut *self.entries.as_mut_ptr().cast::<BufRingEntry>().add(place) };
        entry.set_addr(address);
        entry.set_len(SIZE as u32);
        entry.set_bid(buffer);
        self.given = self.given.wrapping_add(1);
    }

    /// The kernel may take all that were given.
    fn show(&self) {
        // SAFETY: the first entry begins the ring, and its tail is read by the kernel while it is written here.
        let tail = unsafe { &*BufRingEntry::tail(self.entries.as_ptr().cast()).cast::<AtomicU16>() };
        tail.store(self.given, Ordering::Release);
    }
}
