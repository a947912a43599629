//! From the text of a flow file to a [`Flow`]: names resolved, values understood, every finding at its place.

mod reader;
mod steps;

use crate::flow::{Flow, Place, Source};
use crate::raw;
use crate::text::nearest;
use base::Diagnostic;
use reader::{Reader, place, place_of};
use serde_saphyr::MessageFormatter;

impl Flow {
    /// Reads a flow file. `file` is its name in the findings.
    ///
    /// # Errors
    /// Every finding, in the order of the file. What is not YAML, or lacks a key, is found one at a time.
    pub fn parse(text: &str, file: &str) -> Result<Flow, Vec<Diagnostic>> {
        let source = Source { file: file.into(), text: text.into() };
        let raw: raw::Flow = serde_saphyr::from_str(text).map_err(|error| vec![unreadable(&source, &error)])?;
        let mut reader = Reader::new(source, &raw);
        let steps = raw.steps.0.iter().map(|(name, step)| reader.step(name, step)).collect();
        let start = reader.target(&raw.start);
        let name = raw.flow.value.as_str().into();
        let named_at = place_of(&raw.flow);
        let flow = Flow { name, named_at, languages: reader.languages, start, steps, source: reader.source };
        let mut found = reader.found;
        if found.is_empty() {
            found = crate::shape::findings(&flow);
        }
        found.sort_by_key(|d| (d.line, d.column));
        if found.is_empty() { Ok(flow) } else { Err(found) }
    }
}

/// What the YAML reader found, in our words where they say more, and with the name that was probably meant.
fn unreadable(source: &Source, error: &serde_saphyr::Error) -> Diagnostic {
    let said = serde_saphyr::DefaultMessageFormatter.format_message(error.without_snippet()).into_owned();
    let place = error.location().map_or(Place::default(), |l| place(l.line(), l.column(), l.span().len()));
    let name = said.split('`').nth(1).unwrap_or_default();
    let unknown = said.starts_with("unknown field") || said.starts_with("unknown variant");
    if let (true, Some((_, known))) = (unknown, said.split_once("expected one of ")) {
        let finding = source.at(place, format!("`{name}` is not known here"));
        return finding.help(match nearest(name, known.split(", ")) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of {known}"),
        });
    }
    let message = match said.as_str() {
        "expected string scalar" => "expected a text".into(),
        "expected sequence start" => "expected a list such as [first, second]".into(),
        "expected mapping start" => "expected names, each with its value".into(),
        "invalid boolean" => "expected true or false".into(),
        "unexpected end of input" => "the file ends too early".into(),
        _ if said.starts_with("missing field") => format!("`{name}` is missing"),
        // The rest of that message speaks of the reader's options.
        _ if said.starts_with("duplicate mapping key") => "this key stands here twice".into(),
        _ => said.replace('\n', " "),
    };
    source.at(place, message)
}
