//! Everything that is bound and listens: SIP, the web, the media threads.

use super::way::Way;
use super::{StartError, at};
use shell_media::Prompts;
use shell_signalling::Signalling;
use site::Site;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use vault::Keyring;

pub struct Lines {
    pub signalling: Signalling,
    pub listener: TcpListener,
    /// Where the listener is.
    pub web: SocketAddr,
    pub media: Arc<shell_media::Handle>,
    pub prompts: Prompts,
}

impl Lines {
    pub async fn open(site: &Site, keys: Option<Arc<Keyring>>, way: &Arc<Way>) -> Result<Lines, StartError> {
        let mut sip = shell_signalling::Config::new(site.sip.listen);
        sip.advertise = site.sip.advertise;
        sip.tcp = site.sip.tcp;
        let signalling = shell_signalling::start(sip, way.clone()).await.map_err(at(format!("SIP at {}", site.sip.listen)))?;
        let listener = TcpListener::bind(site.web.listen).await.map_err(at(format!("the web at {}", site.web.listen)))?;
        let web = listener.local_addr().map_err(at("the web"))?;
        let prompts = Prompts::load(&site.flows, &engine::codecs(site)).map_err(at(site.flows.display()))?;
        let mut plane = shell_media::Config::new(site.recordings.clone(), prompts.book().clone());
        plane.plane.silent_after = site.media.silent_after;
        plane.plane.jitter_buffer = site.media.jitter_buffer;
        plane.shared_port = site.media.shared_port;
        plane.way = match site.media.io {
            site::PacketIo::Epoll => shell_media::Way::Epoll,
            site::PacketIo::IoUring => shell_media::Way::IoUring,
        };
        plane.keys = keys;
        let media = Arc::new(shell_media::MediaPlane::start(plane, way.clone()).map_err(at("media"))?);
        Ok(Lines { signalling, listener, web, media, prompts })
    }
}
