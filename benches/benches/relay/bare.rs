//! As little as a relay can do with a socket for each leg: wait, read each socket that has something once, send.

use crate::peers::{Peers, Phase, Traffic};
use rustix::event::{Timespec, epoll};
use std::mem::MaybeUninit;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};

const NAME: &str = "bare";

pub fn relay(traffic: Traffic) -> Phase {
    let mut peers = Peers::new(traffic);
    let addresses: Vec<_> = traffic.legs().map(|leg| peers.address(leg)).collect();
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("a poller");
    let sockets: Vec<UdpSocket> = traffic.legs().map(|leg| UdpSocket::bind(traffic.port(leg)).expect("a free port")).collect();
    for (leg, socket) in sockets.iter().enumerate() {
        socket.set_nonblocking(true).expect("a socket that does not wait");
        epoll::add(&poll, socket, epoll::EventData::new_u64(leg as u64), epoll::EventFlags::IN).expect("a socket to watch");
    }
    let stop = AtomicBool::new(false);
    let patience = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    std::thread::scope(|scope| {
        let run = || {
            let (mut events, mut buffer) = ([MaybeUninit::uninit(); 1_024], [0; 2_048]);
            while !stop.load(Ordering::Relaxed) {
                let (ready, _) = epoll::wait(&poll, &mut events, Some(&patience)).expect("events");
                for event in ready {
                    let leg = event.data.u64() as usize;
                    if let Ok(len) = sockets[leg].recv(&mut buffer) {
                        let _ = sockets[leg ^ 1].send_to(&buffer[..len], addresses[leg ^ 1]);
                    }
                }
            }
        };
        std::thread::Builder::new().name(NAME.into()).spawn_scoped(scope, run).expect("a thread");
        let phase = peers.measure(traffic, &[NAME]);
        stop.store(true, Ordering::Relaxed);
        phase
    })
}
