//! The site that is simulated, and what a reload makes of it.

use engine::Setup;
use site::Site;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

const SITE: &str = include_str!("site.toml");
const FLOW: &str = include_str!("../../../../ivr-flows/service-desk.yaml");

/// How many variants there are; 0 is the site as it stands in the file.
pub const VARIANTS: u64 = 4;

static SETUPS: LazyLock<Vec<Arc<Setup>>> = LazyLock::new(|| (0..VARIANTS).map(|variant| Arc::new(read(variant))).collect());

/// The same site with other agents, skills and rules.
pub fn setup(variant: u64) -> Arc<Setup> {
    SETUPS[(variant % VARIANTS) as usize].clone()
}

fn read(variant: u64) -> Setup {
    let mut site = Site::parse(SITE, "site.toml").unwrap_or_else(|found| panic!("{}", found[0]));
    let flow = ivr::Flow::parse(FLOW, "service-desk.yaml").unwrap_or_else(|found| panic!("{}", found[0]));
    match variant {
        0 => (),
        1 => site.agents.retain(|id, _| id.name() != "a1"),
        2 => {
            site.queues.retain(|id, _| id.as_str() != "globex/billing");
            site.queues.values_mut().for_each(|q| q.requires = base::Requirement::default());
        }
        _ => {
            site.queues.values_mut().for_each(|q| q.strategy = acd::Strategy::RingAll);
            site.agents.values_mut().for_each(|a| a.acd.skills.values_mut().for_each(|level| *level = 3));
        }
    }
    let flows = BTreeMap::from([("service-desk".to_string(), Arc::new(flow))]);
    Setup { site, flows, sha256: [variant as u8; 32] }
}
