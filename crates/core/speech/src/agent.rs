//! What agents and supervisors hear on their phones, in their own language.

use crate::catalogue::{LANGUAGES, Phrase, in_language};
use base::Lang;

/// What an agent's phone says: after a feature code, or before a call is bridged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentNotice {
    LoggedIn,
    LoggedOut,
    Paused,
    Ready,
    /// Not possible now, or no such code.
    Refused,
    /// Work after the call has begun, or will follow it.
    WrapUp,
    /// The conversation's disposition was kept.
    Coded,
    /// The agent's conversation was passed on, or one that was passed on comes back.
    Transferred,
    /// On an outside phone, whose voicemail must not take calls.
    PressToAccept,
    /// A callback was accepted: the customer is dialled now.
    Callback,
    /// To a supervisor, when the mode begins.
    Listening,
    Whispering,
    Barging,
    TakenOver,
}

impl AgentNotice {
    pub const ALL: [AgentNotice; 14] = [
        AgentNotice::LoggedIn,
        AgentNotice::LoggedOut,
        AgentNotice::Paused,
        AgentNotice::Ready,
        AgentNotice::Refused,
        AgentNotice::WrapUp,
        AgentNotice::Coded,
        AgentNotice::Transferred,
        AgentNotice::PressToAccept,
        AgentNotice::Callback,
        AgentNotice::Listening,
        AgentNotice::Whispering,
        AgentNotice::Barging,
        AgentNotice::TakenOver,
    ];

    fn id(self) -> &'static str {
        match self {
            AgentNotice::LoggedIn => "agent-logged-in",
            AgentNotice::LoggedOut => "agent-logged-out",
            AgentNotice::Paused => "agent-paused",
            AgentNotice::Ready => "agent-ready",
            AgentNotice::Refused => "agent-refused",
            AgentNotice::WrapUp => "agent-wrap-up",
            AgentNotice::Coded => "agent-coded",
            AgentNotice::Transferred => "agent-transferred",
            AgentNotice::PressToAccept => "agent-press-to-accept",
            AgentNotice::Callback => "agent-callback",
            AgentNotice::Listening => "agent-listening",
            AgentNotice::Whispering => "agent-whispering",
            AgentNotice::Barging => "agent-barging",
            AgentNotice::TakenOver => "agent-taken-over",
        }
    }

    fn texts(self) -> [&'static str; 4] {
        match self {
            AgentNotice::LoggedIn => ["Sesión iniciada.", "Logged in.", "Sessão iniciada.", "Session ouverte."],
            AgentNotice::LoggedOut => ["Sesión cerrada.", "Logged out.", "Sessão encerrada.", "Session fermée."],
            AgentNotice::Paused => ["En pausa.", "Paused.", "Em pausa.", "En pause."],
            AgentNotice::Ready => ["Disponible.", "Ready.", "Disponível.", "Disponible."],
            AgentNotice::Refused => ["No es posible.", "Not possible.", "Não é possível.", "Ce n'est pas possible."],
            AgentNotice::WrapUp => ["Trabajo posterior.", "Wrap-up.", "Pós-atendimento.", "Travail après appel."],
            AgentNotice::Coded => ["Código guardado.", "Code saved.", "Código salvo.", "Code enregistré."],
            AgentNotice::Transferred => ["Llamada transferida.", "Transferred call.", "Chamada transferida.", "Appel transféré."],
            AgentNotice::PressToAccept => [
                "Para aceptar esta llamada, oprima uno.",
                "To accept this call, press one.",
                "Para aceitar esta chamada, digite um.",
                "Pour accepter cet appel, tapez un.",
            ],
            AgentNotice::Callback => [
                "Devolución de llamada. Marcamos al cliente.",
                "Callback. We are dialling the customer.",
                "Retorno de chamada. Ligando para o cliente.",
                "Rappel. Nous appelons le client.",
            ],
            AgentNotice::Listening => ["Usted escucha.", "You are listening.", "Você está ouvindo.", "Vous écoutez."],
            AgentNotice::Whispering => {
                ["Solo el agente le oye.", "Only the agent hears you.", "Só o atendente ouve você.", "Seul l'agent vous entend."]
            }
            AgentNotice::Barging => ["Ambos le oyen.", "Both can hear you.", "Os dois ouvem você.", "Les deux vous entendent."],
            AgentNotice::TakenOver => ["La llamada es suya.", "The call is yours.", "A chamada é sua.", "L'appel est à vous."],
        }
    }
}

/// A notice in the agent's language; `None` if its words are not here.
pub fn notice(lang: Lang, notice: AgentNotice) -> Option<Phrase> {
    Some(Phrase::new(lang, notice.id(), in_language(lang, notice.texts())?))
}

/// "Call in Spanish": said to the agent before the bridge. `None` if either language is not here.
pub fn whisper(agent: Lang, caller: Lang) -> Option<Phrase> {
    // One row for each language of agents, one column for each of callers.
    let table = [
        ["Llamada en español.", "Llamada en inglés.", "Llamada en portugués.", "Llamada en francés."],
        ["Call in Spanish.", "Call in English.", "Call in Portuguese.", "Call in French."],
        ["Chamada em espanhol.", "Chamada em inglês.", "Chamada em português.", "Chamada em francês."],
        ["Appel en espagnol.", "Appel en anglais.", "Appel en portugais.", "Appel en français."],
    ];
    let text = in_language(caller, in_language(agent, table)?)?;
    Some(Phrase::new(agent, format!("whisper-{caller}"), text))
}

pub(crate) fn phrases(lang: Lang) -> Vec<Phrase> {
    let notices = AgentNotice::ALL.into_iter().filter_map(|each| notice(lang, each));
    notices.chain(LANGUAGES.into_iter().filter_map(|caller| whisper(lang, caller))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whisper_names_the_callers_language_in_the_agents() {
        let said = |agent, caller| whisper(agent, caller).unwrap();
        assert_eq!(said(Lang::ES, Lang::EN).text, "Llamada en inglés.");
        assert_eq!(said(Lang::EN, Lang::ES).text, "Call in Spanish.");
        assert_eq!(said(Lang::FR, Lang::PT).key(), "speech/fr/whisper-pt");
        assert_eq!(whisper(Lang::ES, "de".parse().unwrap()), None);
        assert_eq!(whisper("de".parse().unwrap(), Lang::ES), None);
    }

    #[test]
    fn a_notice_is_in_the_agents_language() {
        assert_eq!(notice(Lang::EN, AgentNotice::PressToAccept).unwrap().text, "To accept this call, press one.");
        assert_eq!(notice(Lang::PT, AgentNotice::Coded).unwrap().key(), "speech/pt/agent-coded");
    }
}
