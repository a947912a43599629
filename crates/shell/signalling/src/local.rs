//! The address of ours that a peer can reach, for Via, Contact and SDP.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::RwLock;

/// Peers whose route is remembered.
const REMEMBERED: usize = 4_096;

pub struct Local {
    bound: SocketAddr,
    advertise: Option<IpAddr>,
    routes: RwLock<BTreeMap<IpAddr, IpAddr>>,
}

impl Local {
    pub fn new(bound: SocketAddr, advertise: Option<IpAddr>) -> Self {
        Local { bound, advertise, routes: RwLock::default() }
    }

    pub fn towards(&self, remote: SocketAddr) -> SocketAddr {
        let ip = self.advertise.unwrap_or_else(|| match self.bound.ip() {
            ip if ip.is_unspecified() => self.routed(remote),
            ip => ip,
        });
        SocketAddr::new(ip, self.bound.port())
    }

    /// Asks the kernel which address it would send from.
    fn routed(&self, remote: SocketAddr) -> IpAddr {
        if let Some(ip) = self.routes.read().ok().and_then(|r| r.get(&remote.ip()).copied()) {
            return ip;
        }
        let unspecified = SocketAddr::new(self.bound.ip(), 0);
        let probe = UdpSocket::bind(unspecified).and_then(|s| s.connect(remote).and_then(|()| s.local_addr()));
        let Ok(ip) = probe.map(|a| a.ip()) else { return self.bound.ip() };
        if let Ok(mut routes) = self.routes.write() {
            if routes.len() >= REMEMBERED {
                routes.clear();
            }
            routes.insert(remote.ip(), ip);
        }
        ip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_address_becomes_the_one_that_faces_the_peer() {
        let local = Local::new("0.0.0.0:5060".parse().unwrap(), None);
        assert_eq!(local.towards("127.0.0.9:7000".parse().unwrap()), "127.0.0.1:5060".parse().unwrap());
    }

    #[test]
    fn what_is_advertised_is_shown_to_everyone() {
        let local = Local::new("0.0.0.0:5060".parse().unwrap(), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(local.towards("127.0.0.9:7000".parse().unwrap()), "192.0.2.7:5060".parse().unwrap());
    }
}
