//! What a replay needs beside the inputs: what the Centre was born with, and what it gave.

use engine::{Boot, Output, Setup};
use ring::digest;
use serde::{Deserialize, Serialize};
use shell_store::journal::{Digest, Header};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The journal's first entry. The seed is in its head; the key of party ids is in no journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Birth {
    /// Of the program that wrote it.
    pub version: String,
    boot_id: String,
    sip: SocketAddr,
    towards: BTreeMap<IpAddr, IpAddr>,
}

impl Birth {
    pub fn of(boot: &Boot) -> Birth {
        let (boot_id, towards) = (boot.boot_id.to_string(), boot.towards.clone());
        Birth { version: env!("CARGO_PKG_VERSION").into(), boot_id, sip: boot.sip, towards }
    }

    pub fn again(&self, header: &Header, party_key: [u8; 32], setup: Arc<Setup>) -> Boot {
        Boot {
            node: setup.site.node,
            epoch: header.epoch,
            boot_id: self.boot_id.as_str().into(),
            routing_seed: header.seed,
            party_key,
            sip: self.sip,
            towards: self.towards.clone(),
            setup,
        }
    }
}

/// Digests of outputs: the first eight bytes of a SHA-256 over all of one input.
#[derive(Default)]
pub struct Digester {
    rendered: Vec<u8>,
    one: Vec<u8>,
}

impl Digester {
    pub fn of(&mut self, outputs: &[Output]) -> Digest {
        self.rendered.clear();
        for output in outputs {
            self.render(output);
        }
        let whole = digest::digest(&digest::SHA256, &self.rendered);
        whole.as_ref().first_chunk::<8>().copied().unwrap_or_default()
    }

    /// As compactly as it goes; facts and some answers have no compact form.
    fn render(&mut self, output: &Output) {
        self.one.clear();
        if !matches!(output, Output::Fact(_))
            && let Ok(one) = postcard::to_extend(output, std::mem::take(&mut self.one))
        {
            self.rendered.extend_from_slice(&one);
            self.one = one;
            return;
        }
        // Writing to memory does not fail; an output without any form counts as nothing.
        let _ = serde_json::to_writer(&mut self.rendered, output);
    }
}
