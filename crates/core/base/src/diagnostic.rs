//! An error in a file that a person wrote: where it is, what stands there, what was expected.

use std::fmt;

/// Whether a file with this finding can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It can't.
    Error,
    /// It can, and is perhaps not what was meant.
    Warning,
}

/// One finding. Lines and columns count from 1; a column counts characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// How many characters the caret underlines, at least 1.
    pub width: usize,
    /// The text of that line, without its end.
    pub source: String,
    /// What is wrong and what was expected.
    pub message: String,
    /// How to mend it, if that can be said.
    pub help: Option<String>,
    pub severity: Severity,
}

impl Diagnostic {
    /// At a byte range of `text`; a range beyond its end points at the end.
    pub fn at_bytes(file: &str, text: &str, range: std::ops::Range<usize>, message: impl Into<String>) -> Self {
        let floor = |i: usize| (0..=i.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let (start, end) = (floor(range.start), floor(range.end));
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        Diagnostic {
            file: file.into(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[start..end.clamp(start, line_end)].chars().count().max(1),
            source: text[line_start..line_end].trim_end_matches('\r').into(),
            message: message.into(),
            help: None,
            severity: Severity::Error,
        }
    }

    /// At a line and column, both counted from 1.
    pub fn at_line(file: &str, text: &str, line: usize, column: usize, message: impl Into<String>) -> Self {
        let source = text.lines().nth(line.saturating_sub(1)).unwrap_or("").to_string();
        let (file, message) = (file.into(), message.into());
        Diagnostic { file, line, column, width: 1, source, message, help: None, severity: Severity::Error }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same finding, which stops nothing.
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = self.line.to_string().len();
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{severity}: {}", self.message)?;
        writeln!(f, "{:gutter$}--> {}:{}:{}", "", self.file, self.line, self.column)?;
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{} | {}", self.line, self.source)?;
        // Tabs stay tabs, so that the caret stands under its character.
        let lead: String = self.source.chars().take(self.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        write!(f, "{:gutter$} | {lead}{}", "", "^".repeat(self.width))?;
        if let Some(help) = &self.help {
            write!(f, "\n{:gutter$} = help: {help}", "")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_points_under_the_word() {
        let text = "a = 1\nlang = \"ñandú\"\n";
        let at = text.find("ñandú").unwrap();
        let d = Diagnostic::at_bytes("site.toml", text, at..at + "ñandú".len(), "expected a language code").help("es");
        let shown =
            "error: expected a language code\n --> site.toml:2:9\n  |\n2 | lang = \"ñandú\"\n  |         ^^^^^\n  = help: es";
        assert_eq!(d.to_string(), shown);
    }

    #[test]
    fn a_warning_says_that_it_is_one() {
        let finding = Diagnostic::at_bytes("f", "ab", 0..1, "odd");
        assert!(finding.is_error() && !finding.clone().warning().is_error());
        assert!(finding.warning().to_string().starts_with("warning: odd\n"));
    }

    #[test]
    fn a_range_beyond_the_end_points_at_the_end() {
        let d = Diagnostic::at_bytes("f", "ab", 9..12, "more");
        assert_eq!((d.line, d.column, d.width), (1, 3, 1));
    }
}
