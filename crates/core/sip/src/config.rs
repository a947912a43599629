//! What the endpoint is told about its site.

use crate::digest::Algorithm;
use crate::{Flow, Host};
use base::Pii;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Settings of an [`crate::Endpoint`]. A new one takes effect at once; calls in progress go on.
#[derive(Clone, Debug)]
pub struct Config {
    /// Realm of our challenges and host part of our From.
    pub host: Arc<str>,
    /// User-Agent and Server.
    pub user_agent: Arc<str>,
    /// User part of our Contact.
    pub contact_user: Arc<str>,
    /// Those who may register or call with a password, by user name.
    pub users: BTreeMap<Arc<str>, UserCredential>,
    /// Peers known by where they send from. The first that fits.
    pub trunks: Vec<TrunkConfig>,
    /// What Via and Contact show of us to some peers, instead of the address that their packets reach. The first that
    /// fits.
    pub advertised: Vec<Advertised>,
    /// Algorithms offered to a user name that we do not know, in order.
    pub algorithms: Vec<Algorithm>,
    /// Bounds of a registration, in seconds; shorter ones get 423 (RFC 3261 10.3).
    pub min_expires: u32,
    pub max_expires: u32,
    pub default_expires: u32,
    /// Contacts of one user.
    pub max_bindings: usize,
    /// Session-Expires of our INVITEs, in seconds, and the longest that a peer gets (RFC 4028). `None`: only if the peer
    /// asks for it.
    pub session_expires: Option<u32>,
    /// A peer that wants a shorter session interval gets 422; 90 s at least (RFC 4028 5).
    pub min_session_expires: u32,
    /// New INVITEs above this get 503.
    pub max_sessions: usize,
    /// INVITEs that would open a transaction above this get 503 without one. Over UDP a call leaves two behind for 32 s
    /// (RFC 3261 17.2, RFC 6026 7.1), so this bounds the calls in a second to a 64th.
    pub max_transactions: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            host: "localhost".into(),
            user_agent: "Centralita".into(),
            contact_user: "centralita".into(),
            users: BTreeMap::new(),
            trunks: vec![],
            advertised: vec![],
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            min_expires: 60,
            max_expires: 3600,
            default_expires: 3600,
            max_bindings: 10,
            session_expires: Some(1800),
            min_session_expires: 90,
            max_sessions: 4_000,
            max_transactions: 160_000,
        }
    }
}

/// A password and what it opens.
#[derive(Clone, Debug)]
pub struct UserCredential {
    pub password: Pii<Arc<str>>,
    /// Offered in this order; no other is accepted (RFC 8760, security row 33).
    pub algorithms: Vec<Algorithm>,
    pub may: May,
}

/// Who somebody is after proving a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum May {
    /// Registers and calls as the user of that name.
    Phone,
    /// Calls as this trunk; does not register.
    Trunk(Arc<str>),
}

/// A trunk known by its addresses.
#[derive(Clone, Debug)]
pub struct TrunkConfig {
    pub name: Arc<str>,
    /// Address and prefix length.
    pub networks: Vec<(IpAddr, u8)>,
    /// Only from these source ports, if set: several peers on one host.
    pub ports: Option<RangeInclusive<u16>>,
}

/// An address of ours as peers in these networks reach it: that of the NAT before us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// Address and prefix length.
    pub towards: Vec<(IpAddr, u8)>,
    pub address: IpAddr,
}

impl Config {
    /// The address of ours that is shown to this peer, if it is another than the one that its packets reach.
    pub fn advertised_to(&self, peer: IpAddr) -> Option<IpAddr> {
        let fits = |a: &&Advertised| a.towards.iter().any(|(network, prefix)| within(*network, *prefix, peer));
        self.advertised.iter().find(fits).map(|a| a.address)
    }

    /// The host of ours that the peer at the end of this flow reaches.
    pub(crate) fn host_towards(&self, flow: Flow) -> Host {
        Host::from(self.advertised_to(flow.remote.ip()).unwrap_or(flow.local.ip()).to_canonical())
    }
}

impl TrunkConfig {
    /// Whether the trunk sends from here.
    pub fn covers(&self, source: std::net::SocketAddr) -> bool {
        let port = self.ports.as_ref().is_none_or(|ports| ports.contains(&source.port()));
        port && self.networks.iter().any(|(network, prefix)| within(*network, *prefix, source.ip()))
    }
}

fn within(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    match (network.to_canonical(), address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            (u32::from(network) ^ u32::from(address)) & mask == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            (u128::from(network) ^ u128::from(address)) & mask == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_behind_which_a_nat_is_crossed_is_shown_its_address() {
        let address = "203.0.113.10".parse().unwrap();
        let towards = vec![("198.51.100.0".parse().unwrap(), 24), ("2001:db8::7".parse().unwrap(), 128)];
        let config = Config { advertised: vec![Advertised { towards, address }], ..Config::default() };
        for (peer, expected) in [
            ("198.51.100.9", Some(address)),
            ("::ffff:198.51.100.9", Some(address)),
            ("2001:db8::7", Some(address)),
            ("2001:db8::8", None),
            ("10.0.0.4", None),
        ] {
            assert_eq!(config.advertised_to(peer.parse().unwrap()), expected, "{peer}");
        }
    }

    #[test]
    fn a_trunk_is_its_networks_and_ports() {
        let networks = vec![("203.0.113.0".parse().unwrap(), 24), ("2001:db8::".parse().unwrap(), 32)];
        let trunk = TrunkConfig { name: "t".into(), networks, ports: Some(5060..=5061) };
        for (source, expected) in [
            ("203.0.113.255:5060", true),
            ("203.0.114.0:5060", false),
            ("203.0.113.1:5062", false),
            ("[2001:db8:1::1]:5061", true),
            ("[2001:db9::1]:5061", false),
            ("[::ffff:203.0.113.7]:5060", true),
        ] {
            assert_eq!(trunk.covers(source.parse().unwrap()), expected, "{source}");
        }
        let all = TrunkConfig { name: "t".into(), networks: vec![("0.0.0.0".parse().unwrap(), 0)], ports: None };
        assert!(all.covers("198.51.100.1:1".parse().unwrap()));
    }
}
