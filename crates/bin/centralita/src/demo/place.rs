//! Where a demonstration happens: a folder, free ports, the embedded site.

use crate::load::{self, Loaded};
use site::Site;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

const SITE: &str = include_str!("../../../../../deploy/demo.toml");

pub struct Place {
    pub dir: PathBuf,
}

impl Place {
    pub fn prepare(dir: Option<PathBuf>) -> Result<Place, String> {
        let dir = dir.unwrap_or_else(|| std::env::temp_dir().join(format!("centralita-demo-{}", std::process::id())));
        std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        Ok(Place { dir })
    }

    /// The embedded site with free ports, its own folders, and the flows of this tree.
    pub fn setup(&self) -> Result<Loaded, String> {
        let text = with_idle_trunks(SITE)?;
        let mut site = parse(&text)?;
        site.data = self.dir.join("data");
        site.recordings = self.dir.join("recordings");
        site.flows = flows()?;
        site.sip.listen = free(site.sip.listen, |a| UdpSocket::bind(a).is_ok() && TcpListener::bind(a).is_ok());
        site.web.listen = free(site.web.listen, |a| TcpListener::bind(a).is_ok());
        load::setup(site, &text).map_err(|e| e.to_string())
    }
}

fn parse(text: &str) -> Result<Site, String> {
    Site::parse(text, "demo.toml").map_err(|found| load::LoadError::Wrong(found).to_string())
}

/// Where calls go out decides what is sent, so it is the text that changes: its hash names what counts in a replay.
fn with_idle_trunks(text: &str) -> Result<String, String> {
    let addresses = parse(text)?.trunks.into_iter().filter_map(|trunk| trunk.address);
    let quoted = |address: SocketAddr| format!("\"{address}\"");
    Ok(addresses.fold(text.to_string(), |text, usual| text.replace(&quoted(usual), &quoted(idle(usual)))))
}

/// The usual port, or any if it is taken.
fn free(usual: SocketAddr, is_free: impl Fn(SocketAddr) -> bool) -> SocketAddr {
    let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    if is_free(usual) { usual } else { any }
}

/// Where the site's calls to the outside go: the people whom the demonstration has there answer at that address.
pub fn outside(site: &Site) -> Option<SocketAddr> {
    site.trunks.iter().find_map(|trunk| trunk.address)
}

/// The usual address, or one that is free now: whoever answers there is started right after.
fn idle(usual: SocketAddr) -> SocketAddr {
    let found = UdpSocket::bind(usual).or_else(|_| UdpSocket::bind((usual.ip(), 0)));
    found.and_then(|socket| socket.local_addr()).unwrap_or(usual)
}

/// `ivr-flows` here, or in the tree that this was built from.
fn flows() -> Result<PathBuf, String> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ivr-flows");
    let found = [PathBuf::from("ivr-flows"), built_from].into_iter().find(|p| p.join("service-desk.yaml").is_file());
    found.ok_or_else(|| "no folder `ivr-flows` here: run the demonstration from the project's folder".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trunk_whose_port_is_taken_is_another_site_with_another_hash() {
        let usual = outside(&parse(SITE).unwrap()).unwrap();
        // Whoever holds the port, it is taken now.
        let _taken = UdpSocket::bind(usual);
        let text = with_idle_trunks(SITE).unwrap();
        let moved = outside(&parse(&text).unwrap()).unwrap();
        assert_ne!(moved, usual);
        assert_ne!(text, SITE);
    }
}
