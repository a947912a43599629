//! Who runs this command, as the log of the node will say.

/// The name of the system's user, or its number.
pub fn name() -> String {
    let uid = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(uid, &users).unwrap_or_else(|| format!("uid {uid}"))
}

/// passwd(5): name, password, uid and so on, between colons.
fn name_of(uid: u32, users: &str) -> Option<String> {
    let is_it = |line: &&str| line.split(':').nth(2).is_some_and(|field| field.parse() == Ok(uid));
    users.lines().find(is_it)?.split(':').next().map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n";
        assert_eq!(name_of(1000, users).as_deref(), Some("ana"));
        assert_eq!((name_of(100, users), name_of(7, "broken\n::\n")), (None, None));
    }
}
