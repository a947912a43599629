//! The site of the run: a service desk in four languages, on addresses of this process's own.

use crate::Size;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub const PASSWORD: &str = "live-secret";

/// The number of an account without agents: whoever calls it has music and announcements until they hang up.
pub const NOBODY: &str = "101";

/// Languages by how many speak them: of ten callers and of ten agents alike.
const SPOKEN: [&str; 10] = ["es", "es", "es", "es", "en", "en", "en", "pt", "pt", "fr"];

pub struct Site {
    folder: TempDir,
    net: String,
    pub agents: Vec<String>,
}

impl Site {
    pub fn new(size: Size) -> Site {
        let (id, folder) = (std::process::id(), tempfile::tempdir().expect("a folder for the run"));
        let agents = (1..=size.agents).map(|n| format!("ag{n:03}")).collect();
        let site = Site { folder, net: format!("127.{}.{}", 64 + id % 128, 1 + id / 128 % 250), agents };
        std::fs::write(site.file(), site.text(size)).expect("a site in a folder of ours");
        site
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("site.toml")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// 1 is the server, 2 the trunk, 3 the phones.
    pub fn at(&self, host: u8, port: u16) -> SocketAddr {
        format!("{}.{host}:{port}", self.net).parse().expect("an address")
    }

    fn text(&self, size: Size) -> String {
        let mut text = head(&self.net, self.folder.path());
        for (tenant, queue) in [("acme", "soporte"), ("acme", "billing"), ("waits", "soporte"), ("waits", "billing")] {
            let _ = write!(text, "{}", self::queue(tenant, queue, size));
        }
        for (place, name) in self.agents.iter().enumerate() {
            let spoken = SPOKEN[place % SPOKEN.len()];
            let second = if spoken == "en" { "es" } else { "en" };
            let _ = write!(
                text,
                r#"
[agents."acme/{name}"]
extension = "{}"
lang = "{spoken}"
queues = ["soporte", "billing"]
skills = {{ "lang:{spoken}" = 9, "lang:{second}" = 5, "skill:support" = {}, "skill:billing" = {} }}
logged_in = true
phone = {{ user = "{name}", password = "{PASSWORD}", algorithms = ["sha-256"] }}
"#,
                2_000 + place,
                4 + place % 6,
                9 - place % 6,
            );
        }
        text
    }
}

fn head(net: &str, folder: &Path) -> String {
    let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ivr-flows");
    let flows = flows.canonicalize().expect("the tree's flows");
    let (folder, flows) = (folder.display(), flows.display());
    format!(
        r#"name = "live"
node = 1
shutdown = "2s"
data = "{folder}/data"
recordings = "{folder}/recordings"
flows = "{flows}"

[sip]
listen = "{net}.1:5060"

[media]
ports = "12000-31999"

[web]
listen = "{net}.1:8080"

[[tenants]]
name = "acme"
trunk = "carrier"

[[tenants]]
name = "waits"
trunk = "carrier"

[[trunks]]
name = "carrier"
networks = ["{net}.2/32"]
address = "{net}.2:5060"

[[numbers]]
number = "100"
tenant = "acme"
flow = "service-desk"

[[numbers]]
number = "{NOBODY}"
tenant = "waits"
flow = "service-desk"
"#
    )
}

/// No wrap-up: whoever hangs up is free. Everything else as a desk has it, announcements included.
fn queue(tenant: &str, name: &str, size: Size) -> String {
    let (skill, strategy) = if name == "soporte" { ("support", "most_skilled") } else { ("billing", "longest_idle") };
    format!(
        r#"
[queues."{tenant}/{name}"]
requires = "skill:{skill} >= 1"
strategy = "{strategy}"
ring = "20s"
wrap_up = {{ mode = "none" }}
announce = {{ every = "20s", position = true, wait = true }}
overflow_after = "1h"
capacity = {}
callback = {{}}
"#,
        size.calls
    )
}
