//! Master keys of recordings.

use super::{SITE, assert_found};

#[test]
fn a_master_key_that_is_nowhere_or_not_alone_is_pointed_at() {
    let with = |keys: &str| SITE.replacen("[web]", &format!("{keys}\n[web]"), 1);
    let site = with("[[vault.keys]]\nid = \"2026\"\nfile = \"a.key\"\n[[vault.keys]]\nid = \"2025\"\nenv = \"OLD\"");
    let help = "write file = \"/etc/centralita/recordings.key\" or env = \"CENTRALITA_RECORDINGS_KEY\"";
    let nowhere = ("expected where the key is: either `file` or `env`", "[[vault.keys]]", help);
    assert_found(&site, ("file = \"a.key\"\n", ""), nowhere, true);
    assert_found(&site, ("file = \"a.key\"\n", "file = \"a.key\"\nenv = \"A\"\n"), nowhere, true);
    assert_found(&site, ("\"2025\"", "\"2026\""), ("two master keys have the id `2026`", "\"2026\"", ""), true);
    assert_found(&site, ("\"2025\"", "\"2/5\""), ("expected 1 to 64 letters, digits, - _ .", "\"2/5\"", ""), true);
}
