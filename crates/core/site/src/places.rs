//! Where each value of the file stands, and its text with the secrets starred out.

use base::Diagnostic;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where in the text each value stands, by its path: `numbers.0.flow`, `queues.acme/support.ring`.
#[derive(Clone, Default)]
pub(crate) struct Places {
    file: String,
    /// The text with every secret starred out: a finding shows its line.
    shown: String,
    spans: BTreeMap<String, Range<usize>>,
}

impl Places {
    pub fn new(file: &str, text: &str, table: &DeTable<'_>) -> Self {
        let mut places = Places { file: file.into(), shown: without_secrets(text), spans: BTreeMap::new() };
        places.note_table("", table);
        places
    }

    /// A finding at the value of this path, or at its nearest ancestor that stands in the file.
    pub fn at(&self, path: &str, message: impl Into<String>) -> Diagnostic {
        let mut path = path;
        let span = loop {
            match (self.spans.get(path), path.rsplit_once('.')) {
                (Some(span), _) => break span.clone(),
                (None, Some((parent, _))) => path = parent,
                (None, None) => break 0..0,
            }
        };
        self.at_span(span, message)
    }

    /// A value as it is written, and where: `"30d" (site.toml:12)`. None: no value stands at this path.
    pub fn written(&self, path: &str) -> Option<String> {
        let span = self.spans.get(path)?.clone();
        let at = self.at_span(span.clone(), "");
        Some(format!("{} ({}:{})", self.shown.get(span)?, at.file, at.line))
    }

    pub fn at_span(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::at_bytes(&self.file, &self.shown, span, message)
    }

    fn note_table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = join(prefix, key.get_ref());
            self.note(path, key.span(), value);
        }
    }

    /// A table is pointed at by its key, which says more than its first brace.
    fn note(&mut self, path: String, key: Range<usize>, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => {
                self.note_table(&path, table);
                self.spans.insert(path, key);
            }
            DeValue::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.note(format!("{path}.{i}"), item.span(), item);
                }
                self.spans.insert(path, value.span());
            }
            _ => drop(self.spans.insert(path, value.span())),
        }
    }
}

/// Two sites that say the same are equal wherever they say it.
impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Places({})", self.file)
    }
}

pub(crate) fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") }
}

/// The values of keys named like secrets, or nearly, become stars, byte for byte, so that spans still fit.
fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some(equals) = rest.find('=') {
            let (key, value) = rest.split_at(equals + 1);
            let start = value.find(|c: char| !c.is_whitespace()).unwrap_or(value.len());
            let stars = if is_secret(key) { quoted(&value[start..]) } else { 0 };
            out.push_str(key);
            out.push_str(&value[..start]);
            out.push_str(&"*".repeat(stars));
            rest = &value[start + stars..];
        }
        out.push_str(rest);
    }
    out
}

/// True if the key before `=` begins like one of a secret.
fn is_secret(text: &str) -> bool {
    let before = text.trim_end_matches('=').trim_end().trim_end_matches(['"', '\'']);
    let key = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next().unwrap_or("");
    ["pas", "sec", "tok"].iter().any(|start| key.starts_with(start))
}

/// The length of the quoted text that this begins with, quotes included; one that does not end here runs to the line's end.
fn quoted(value: &str) -> usize {
    let line = value.trim_end_matches(['\r', '\n']);
    let Some(quote) = line.chars().next().filter(|c| *c == '"' || *c == '\'') else { return 0 };
    let mut escaped = false;
    for (i, c) in line.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            // Two quotes at once may begin a text of several lines.
            _ if c == quote && i > 1 => return i + 1,
            _ => {}
        }
    }
    line.len()
}
