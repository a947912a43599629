//! What the unit tests share.

use crate::desk::Desk;
use crate::seal::Seal;
use crate::transaction::Transactions;
use crate::{Config, Flow, Message, Output, Transport};
use base::{Now, Random};
use bytes::Bytes;

/// All that a [`Desk`] lends, with a seed for entropy.
pub(crate) struct Bench {
    config: Config,
    transactions: Transactions,
    random: Random,
    seal: Seal,
    pub out: Vec<Output>,
}

impl Default for Bench {
    fn default() -> Self {
        let mut random = Random::from_seed(7);
        let seal = Seal::new(&mut random);
        Bench { config: Config::default(), transactions: Transactions::default(), random, seal, out: vec![] }
    }
}

impl Bench {
    pub fn desk(&mut self) -> Desk<'_> {
        Desk {
            now: Now::default(),
            config: &self.config,
            transactions: &mut self.transactions,
            random: &mut self.random,
            cookie: "z9hG4bK-test-",
            seal: &self.seal,
            out: &mut self.out,
        }
    }
}

/// A UDP flow from `10.0.0.<host>:<port>` to us.
pub(crate) fn flow(host: u8, port: u16) -> Flow {
    let remote = std::net::SocketAddr::from(([10, 0, 0, host], port));
    Flow { transport: Transport::Udp, local: std::net::SocketAddr::from(([10, 0, 0, 1], 5060)), remote, connection: 0 }
}

pub(crate) fn parse(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).expect("a message")
}
