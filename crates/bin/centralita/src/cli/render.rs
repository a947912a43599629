//! Values as people read them. Nothing that a caller or an agent chose can steer the terminal.

use serde_json::Value;
use std::fmt::Write;

/// Control characters out: an ESC in a caller's name is a command to a terminal (security.md, row 30). So are the
/// marks that turn the direction of text.
pub fn clean(text: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// A value in one cell; "-" for none.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(s) if s.is_empty() => "-".into(),
        Value::String(s) => clean(s),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Array(all) if all.is_empty() => "-".into(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(pairs) if pairs.is_empty() => "-".into(),
        Value::Object(pairs) => pairs.iter().map(|(k, v)| format!("{} {}", clean(k), text(v))).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Milliseconds as m:ss, or h:mm:ss from an hour on.
pub fn span(value: &Value) -> String {
    let Some(ms) = value.as_u64() else { return "-".into() };
    let s = ms / 1000;
    if s >= 3600 { format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60) } else { format!("{}:{:02}", s / 60, s % 60) }
}

/// So much of a disk, in powers of ten.
pub fn bytes(value: &Value) -> String {
    let Some(bytes) = value.as_u64() else { return "-".into() };
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}

/// A share from 0 to 1.
pub fn percent(value: &Value) -> String {
    value.as_f64().map_or_else(|| "-".into(), |share| format!("{:.1} %", share * 100.0))
}

/// A time of day out of RFC 3339, in UTC as it stands there.
pub fn moment(value: &Value) -> String {
    let text = text(value);
    match text.split_once('T') {
        Some((day, time)) => format!("{day} {}", time.get(..12).unwrap_or(time).trim_end_matches('Z')),
        None => text,
    }
}

/// Columns as wide as their widest cell, two spaces apart. Cells that are numbers or spans stand to the right.
pub fn table(heads: &[&str], rows: &[Vec<String>], nothing: &str) -> String {
    if rows.is_empty() {
        return format!("{nothing}\n");
    }
    let wide = |column: usize| rows.iter().map(|row| width(&row[column])).chain([width(heads[column])]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(wide).collect();
    let right: Vec<bool> = (0..heads.len()).map(|column| rows.iter().all(|row| is_number(&row[column]))).collect();
    let mut out = String::new();
    let heads: Vec<String> = heads.iter().map(|head| head.to_string()).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column].saturating_sub(width(cell)));
            let _ = if right[column] { write!(line, "{pad}{cell}  ") } else { write!(line, "{cell}{pad}  ") };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Name and value, one pair a line.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let wide = pairs.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    pairs.iter().map(|(name, value)| format!("{name:wide$}  {value}\n")).collect()
}

/// Characters, which is what most terminals give one cell each.
fn width(text: &str) -> usize {
    text.chars().count()
}

fn is_number(cell: &str) -> bool {
    cell == "-"
        || cell.starts_with(|c: char| c.is_ascii_digit()) && cell.chars().all(|c| c.is_ascii_digit() || ".: %".contains(c))
}

/// The rows of an answer that is a list.
pub fn rows(answer: &Value, row: impl Fn(&Value) -> Vec<String>) -> Vec<Vec<String>> {
    answer.as_array().map(|all| all.iter().map(row).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_escape_in_a_name_does_not_reach_the_terminal() {
        assert_eq!(text(&json!("\u{1b}[2Jana\r\n\u{202e}")), "\u{fffd}[2Jana\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn columns_line_up_and_numbers_stand_to_the_right() {
        let rows = vec![vec!["soporte".into(), "12".into(), "-".into()], vec!["niño".into(), "3".into(), "x".into()]];
        assert_eq!(table(&["QUEUE", "N", "WHY"], &rows, "none"), "QUEUE     N  WHY\nsoporte  12  -\nniño      3  x\n");
        assert_eq!(table(&["QUEUE"], &[], "No queues."), "No queues.\n");
    }

    #[test]
    fn spans_shares_and_times_read_well() {
        assert_eq!(
            (span(&json!(61_999)), span(&json!(3_600_000)), span(&Value::Null)),
            ("1:01".into(), "1:00:00".into(), "-".into())
        );
        assert_eq!((percent(&json!(0.853)), percent(&Value::Null)), ("85.3 %".into(), "-".into()));
        assert_eq!(moment(&json!("2026-11-22T14:00:01.250000Z")), "2026-11-22 14:00:01.250");
        assert_eq!(moment(&json!("é")), "é");
    }
}
