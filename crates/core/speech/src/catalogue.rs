//! What is rendered once and shared by every flow: `ivr-flows/speech/prompts/<lang>/<id>.wav`.

use base::Lang;

/// One rendered phrase: its language, the id of its prompt, and the text that is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    pub lang: Lang,
    pub id: String,
    pub text: String,
}

impl Phrase {
    /// The full key of its prompt.
    pub fn key(&self) -> String {
        format!("speech/{}/{}", self.lang, self.id)
    }
}

/// Positions up to this are said exactly; beyond it, "more than ten".
const EXACT: u32 = 10;

/// "You are number three in line." Positions count from 1; `None` for 0 or a language whose rules are not here.
pub fn position(lang: Lang, n: u32) -> Option<Phrase> {
    let phrase = |id: String, text: String| Some(Phrase { lang, id, text });
    if n > EXACT {
        return phrase("position-more".into(), more(lang)?.into());
    }
    let words = crate::number(lang, n, crate::Gender::Alone).filter(|_| n > 0)?;
    let text = match lang {
        Lang::ES => format!("Usted es el número {words} en la fila."),
        Lang::EN => format!("You are number {words} in line."),
        Lang::PT => format!("Você é o número {words} na fila."),
        Lang::FR => format!("Vous êtes le numéro {words} dans la file d'attente."),
        _ => return None,
    };
    phrase(format!("position-{n}"), text)
}

fn more(lang: Lang) -> Option<&'static str> {
    match lang {
        Lang::ES => Some("Hay más de diez personas antes que usted."),
        Lang::EN => Some("There are more than ten people ahead of you."),
        Lang::PT => Some("Há mais de dez pessoas antes de você."),
        Lang::FR => Some("Il y a plus de dix personnes avant vous."),
        _ => None,
    }
}

/// The keys of every position that may be announced; empty in a language whose rules are not here.
pub fn positions(lang: Lang) -> Vec<String> {
    (1..=EXACT + 1).filter_map(|n| position(lang, n)).map(|phrase| phrase.key()).collect()
}

/// What an agent hears after dialling a feature code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentNotice {
    LoggedIn,
    LoggedOut,
    Paused,
    Ready,
    /// Not possible now, or no such code.
    Refused,
}

impl AgentNotice {
    pub const ALL: [AgentNotice; 5] =
        [AgentNotice::LoggedIn, AgentNotice::LoggedOut, AgentNotice::Paused, AgentNotice::Ready, AgentNotice::Refused];

    fn id(self) -> &'static str {
        match self {
            AgentNotice::LoggedIn => "agent-logged-in",
            AgentNotice::LoggedOut => "agent-logged-out",
            AgentNotice::Paused => "agent-paused",
            AgentNotice::Ready => "agent-ready",
            AgentNotice::Refused => "agent-refused",
        }
    }
}

/// The confirmation of a feature code, in the agent's language.
pub fn notice(lang: Lang, notice: AgentNotice) -> Option<Phrase> {
    let texts = match lang {
        Lang::ES => ["Sesión iniciada.", "Sesión cerrada.", "En pausa.", "Disponible.", "No es posible."],
        Lang::EN => ["Logged in.", "Logged out.", "Paused.", "Ready.", "Not possible."],
        Lang::PT => ["Sessão iniciada.", "Sessão encerrada.", "Em pausa.", "Disponível.", "Não é possível."],
        Lang::FR => ["Session ouverte.", "Session fermée.", "En pause.", "Disponible.", "Ce n'est pas possible."],
        _ => return None,
    };
    let (_, text) = AgentNotice::ALL.into_iter().zip(texts).find(|(each, _)| *each == notice)?;
    Some(Phrase { lang, id: notice.id().into(), text: text.into() })
}

/// Everything to be rendered in one language.
pub fn catalogue(lang: Lang) -> Vec<Phrase> {
    let positions = (1..=EXACT + 1).filter_map(|n| position(lang, n));
    positions.chain(AgentNotice::ALL.into_iter().filter_map(|each| notice(lang, each))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_one_whole_phrase() {
        let said = |lang, n| position(lang, n).unwrap().text;
        assert_eq!(said(Lang::ES, 1), "Usted es el número uno en la fila.");
        assert_eq!(said(Lang::EN, 10), "You are number ten in line.");
        assert_eq!(said(Lang::PT, 2), "Você é o número dois na fila.");
        assert_eq!(said(Lang::FR, 11), "Il y a plus de dix personnes avant vous.");
        assert_eq!(position(Lang::ES, u32::MAX).unwrap().key(), "speech/es/position-more");
        assert_eq!(position(Lang::ES, 0), None);
        assert_eq!(position("de".parse().unwrap(), 3), None);
    }

    #[test]
    fn each_language_has_the_same_catalogue() {
        let ids = |lang| catalogue(lang).into_iter().map(|phrase| phrase.id).collect::<Vec<_>>();
        assert_eq!(ids(Lang::ES).len(), 16);
        for lang in [Lang::EN, Lang::PT, Lang::FR] {
            assert_eq!(ids(lang), ids(Lang::ES));
        }
        assert!(catalogue("de".parse().unwrap()).is_empty());
        assert!(positions(Lang::PT).contains(&"speech/pt/position-7".to_string()));
    }
}
