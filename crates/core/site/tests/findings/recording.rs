//! Which conversations are recorded: what is no rule is pointed at.

use super::{SITE, assert_found};

#[test]
fn a_share_that_is_none_is_pointed_at_with_what_was_meant() {
    let expected = |found: &str| {
        format!("expected \"all\", \"none\", or a share: from 0.0 to 1.0 such as 0.25, or from \"0%\" to \"100%\", found {found}")
    };
    let queue = "[queues.\"acme/second\"]";
    let table = [
        ("record = \"nonne\"", "this text", "\"nonne\"", "did you mean `none`?"),
        ("record = 25", "25", "25", ""),
        ("record = \"125%\"", "this text", "\"125%\"", ""),
        ("record = -0.5", "-0.5", "-0.5", ""),
        ("record = 1.5", "1.5", "1.5", ""),
    ];
    for (line, found, at, help) in table {
        assert_found(SITE, (queue, &format!("{queue}\n{line}")), (&expected(found), at, help), true);
    }
    let agent = "queues = [\"support\", \"second\"]";
    let unknown = ("`recrod` is not known here", "recrod", "did you mean `record`?");
    assert_found(SITE, (agent, &format!("{agent}\nrecrod = \"all\"")), unknown, true);
}
