//! Who asks, as the log will keep it: what the client says of itself. It explains an act and proves nothing.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::sync::Arc;

/// The header in which a client names its user.
const HEADER: &str = "x-centralita-who";
/// Characters that are kept.
const MOST: usize = 64;

/// One short line; `api` for a client that names nobody.
pub struct Who(pub Arc<str>);

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let named = parts.headers.get(HEADER).map(|value| clean(&String::from_utf8_lossy(value.as_bytes())));
        Ok(Who(named.filter(|name| !name.is_empty()).unwrap_or_else(|| "api".into()).into()))
    }
}

/// Nothing that steers a terminal or the direction of text (security.md, row 30).
fn clean(name: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.trim().chars().filter(|c| !steers(*c)).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_short_line_without_tricks() {
        assert_eq!(clean(" maría \u{1b}[2J\u{202e}\t"), "maría [2J");
        assert_eq!(clean(&"x".repeat(500)).len(), MOST);
    }
}
