//! Reading TOML tables by key: each value is read at its place, and every finding is kept, not only the first.

use crate::places::{Places, join};
use crate::scalar::Read;
use base::Diagnostic;
use ivr::text::nearest;
use std::cell::RefCell;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What one reading of a file gathers.
pub(crate) struct Reading {
    pub places: Places,
    found: RefCell<Vec<Diagnostic>>,
}

impl Reading {
    pub fn new(file: &str, text: &str, table: &DeTable<'_>) -> Self {
        Reading { places: Places::new(file, text, table), found: RefCell::default() }
    }

    pub fn report(&self, finding: Diagnostic) {
        self.found.borrow_mut().push(finding);
    }

    /// The site's places, or everything found, in the order of the file.
    pub fn finish(self) -> Result<Places, Vec<Diagnostic>> {
        let mut found = self.found.into_inner();
        if found.is_empty() {
            return Ok(self.places);
        }
        found.sort_by_key(|d| (d.line, d.column));
        Err(found)
    }
}

/// One table being read; [`Node::finish`] reports the keys that nobody asked for.
pub(crate) struct Node<'a> {
    reading: &'a Reading,
    pub path: String,
    table: &'a DeTable<'a>,
    asked: Vec<&'static str>,
    settled: Vec<&'static str>,
}

impl<'a> Node<'a> {
    pub fn root(reading: &'a Reading, table: &'a DeTable<'a>) -> Self {
        Node { reading, path: String::new(), table, asked: Vec::new(), settled: Vec::new() }
    }

    pub fn report(&self, finding: Diagnostic) {
        self.reading.report(finding);
    }

    /// A finding at one of the table's values, or at the table itself if it has no such key.
    pub fn at(&self, key: &str, message: impl Into<String>) -> Diagnostic {
        self.reading.places.at(&join(&self.path, key), message)
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The value, if the key is there and fits.
    pub fn opt<T: Read>(&mut self, key: &'static str) -> Option<T> {
        self.asked.push(key);
        let value = self.table.get(key)?;
        self.read(key, value.get_ref())
    }

    /// A value of the table's `key`, or of an item below it.
    fn read<T: Read>(&self, key: &str, value: &DeValue<'_>) -> Option<T> {
        let message = match T::read(value) {
            Ok(value) => return Some(value),
            Err(message) => message,
        };
        let finding = self.at(key, message);
        let near = value.as_str().and_then(|word| nearest(word, T::WORDS.iter().copied()));
        self.report(match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None if T::WORDS.len() > 4 => finding.help(format!("expected one of {}", T::WORDS.join(", "))),
            None => finding,
        });
        None
    }

    /// Each value of a list, every one at its own place; a single value is a list of one.
    pub fn each<T: Read>(&mut self, key: &'static str) -> Vec<T> {
        self.asked.push(key);
        match self.table.get(key).map(Spanned::get_ref) {
            Some(DeValue::Array(items)) => {
                let one = |(i, item): (usize, &Spanned<DeValue<'_>>)| self.read(&format!("{key}.{i}"), item.get_ref());
                items.iter().enumerate().filter_map(one).collect()
            }
            Some(value) => self.read(key, value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Each value of a table, with its name.
    pub fn values<T: Read>(&mut self, key: &'static str) -> Vec<(String, T)> {
        self.asked.push(key);
        match self.table.get(key).map(Spanned::get_ref) {
            Some(DeValue::Table(table)) => {
                let one = |(name, value): (&Spanned<toml::de::DeString<'_>>, &Spanned<DeValue<'_>>)| {
                    let name = name.get_ref().to_string();
                    self.read(&join(key, &name), value.get_ref()).map(|value| (name, value))
                };
                table.iter().filter_map(one).collect()
            }
            Some(other) => {
                let message = format!("expected a table such as {{ name = … }}, found {}", other.type_str());
                self.report(self.at(key, message));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    pub fn is_text(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().is_str())
    }

    pub fn boolean(&self, key: &str) -> Option<bool> {
        self.table.get(key)?.get_ref().as_bool()
    }

    /// What is wrong with this key has been said.
    pub fn settle(&mut self, key: &'static str) {
        self.settled.push(key);
    }

    /// A key that is not in use any more.
    pub fn retired(&mut self, key: &'static str, instead: &str) {
        if self.has(key) {
            self.settle(key);
            self.report(self.at(key, format!("`{key}` is written otherwise now")).help(instead));
        }
    }

    /// The value; its absence is a finding.
    pub fn need<T: Read>(&mut self, key: &'static str) -> Option<T> {
        if !self.has(key) {
            self.asked.push(key);
            self.report(self.at("", format!("`{key}` is missing: expected {}", T::EXPECTED)));
            return None;
        }
        self.opt(key)
    }

    pub fn or<T: Read>(&mut self, key: &'static str, default: T) -> T {
        self.opt(key).unwrap_or(default)
    }

    /// A table under this key, read by `f`.
    pub fn table<T>(&mut self, key: &'static str, f: impl FnOnce(&mut Node<'a>) -> Option<T>) -> Option<T> {
        self.asked.push(key);
        let value = self.table.get(key)?;
        self.child(join(&self.path, key), value, f)
    }

    /// Each table of a `[[key]]` list.
    pub fn list<T>(&mut self, key: &'static str, mut f: impl FnMut(&mut Node<'a>) -> Option<T>) -> Vec<T> {
        self.asked.push(key);
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.report(self.at(key, format!("expected a list: write each as [[{key}]]")));
            return Vec::new();
        };
        let path = join(&self.path, key);
        items.iter().enumerate().filter_map(|(i, item)| self.child(format!("{path}.{i}"), item, &mut f)).collect()
    }

    /// Each named table under `key`, with its name.
    pub fn named<T>(&mut self, key: &'static str, mut f: impl FnMut(&str, &mut Node<'a>) -> Option<T>) -> Vec<T> {
        self.asked.push(key);
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            self.report(self.at(key, format!("expected tables: write each as [{key}.\"tenant/name\"]")));
            return Vec::new();
        };
        let path = join(&self.path, key);
        let one = |(name, item): (&'a Spanned<_>, &'a Spanned<_>)| -> Option<T> {
            let name: &toml::de::DeString<'a> = name.get_ref();
            self.child(join(&path, name), item, |node| f(name, node))
        };
        table.iter().filter_map(one).collect()
    }

    fn child<T>(&self, path: String, value: &'a Spanned<DeValue<'a>>, f: impl FnOnce(&mut Node<'a>) -> Option<T>) -> Option<T> {
        let DeValue::Table(table) = value.get_ref() else {
            self.report(self.reading.places.at(&path, format!("expected a table, found {}", value.get_ref().type_str())));
            return None;
        };
        let mut node = Node { reading: self.reading, path, table, asked: Vec::new(), settled: Vec::new() };
        let read = f(&mut node);
        node.finish();
        read
    }

    pub fn finish(self) {
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if self.asked.contains(&name) || self.settled.contains(&name) {
                continue;
            }
            let finding = self.reading.places.at_span(key.span(), format!("`{name}` is not known here"));
            let help = match nearest(name, self.asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected one of {}", self.asked.join(", ")),
            };
            self.report(finding.help(help));
        }
    }
}
