//! What is rendered once and shared by every flow: `ivr-flows/speech/prompts/<lang>/<id>.wav`.

use crate::{agent, caller, line};
use base::Lang;

/// One rendered phrase: its language, the id of its prompt, and the text that is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    pub lang: Lang,
    pub id: String,
    pub text: String,
}

impl Phrase {
    pub(crate) fn new(lang: Lang, id: impl Into<String>, text: impl Into<String>) -> Self {
        Phrase { lang, id: id.into(), text: text.into() }
    }

    /// The full key of its prompt.
    pub fn key(&self) -> String {
        format!("speech/{}/{}", self.lang, self.id)
    }
}

/// The languages whose rules are here.
pub const LANGUAGES: [Lang; 4] = [Lang::ES, Lang::EN, Lang::PT, Lang::FR];

/// The text of this language, of one for each of [`LANGUAGES`]; `None` in any other.
pub(crate) fn in_language<T>(lang: Lang, texts: [T; 4]) -> Option<T> {
    LANGUAGES.into_iter().zip(texts).find(|(each, _)| *each == lang).map(|(_, text)| text)
}

/// Everything to be rendered in one language.
pub fn catalogue(lang: Lang) -> Vec<Phrase> {
    let mut phrases = line::phrases(lang);
    phrases.extend(caller::phrases(lang));
    phrases.extend(agent::phrases(lang));
    phrases
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_language_has_the_same_catalogue() {
        let ids = |lang| catalogue(lang).into_iter().map(|phrase| phrase.id).collect::<Vec<_>>();
        let spanish = ids(Lang::ES);
        assert_eq!(spanish.iter().collect::<BTreeSet<_>>().len(), spanish.len(), "an id stands for one text");
        for lang in LANGUAGES {
            assert_eq!(ids(lang), spanish);
        }
        assert!(catalogue("de".parse().unwrap()).is_empty());
    }
}
