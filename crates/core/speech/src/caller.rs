//! What callers hear who want to be called back or to leave a message, in words that every flow may use.

use crate::catalogue::{Phrase, in_language};
use crate::{Gender, number};
use base::Lang;

/// A line that is said to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// 1 for the number they call from, 2 for another.
    CallbackOffer,
    /// Key in a number, then #.
    CallbackNumber,
    /// Before the digits that were keyed in.
    CallbackEntered,
    /// After them: 1 if they are right, 2 to key them in again.
    CallbackConfirm,
    /// What was keyed in is no number.
    CallbackInvalid,
    CallbackTaken,
    CallbackImpossible,
    /// To a customer who picks up before an agent does.
    CallbackHere,
    VoicemailGreeting,
    VoicemailThanks,
    /// The call will be recorded.
    RecordingNotice,
    /// 1 if it may be, 2 if not.
    RecordingOptIn,
    /// It will be, unless 2 is pressed.
    RecordingOptOut,
}

impl Line {
    pub const ALL: [Line; 13] = [
        Line::CallbackOffer,
        Line::CallbackNumber,
        Line::CallbackEntered,
        Line::CallbackConfirm,
        Line::CallbackInvalid,
        Line::CallbackTaken,
        Line::CallbackImpossible,
        Line::CallbackHere,
        Line::VoicemailGreeting,
        Line::VoicemailThanks,
        Line::RecordingNotice,
        Line::RecordingOptIn,
        Line::RecordingOptOut,
    ];

    /// The id of its prompt, the same in every language.
    pub fn id(self) -> &'static str {
        match self {
            Line::CallbackOffer => "callback-offer",
            Line::CallbackNumber => "callback-number",
            Line::CallbackEntered => "callback-entered",
            Line::CallbackConfirm => "callback-confirm",
            Line::CallbackInvalid => "callback-invalid",
            Line::CallbackTaken => "callback-taken",
            Line::CallbackImpossible => "callback-impossible",
            Line::CallbackHere => "callback-here",
            Line::VoicemailGreeting => "voicemail-greeting",
            Line::VoicemailThanks => "voicemail-thanks",
            Line::RecordingNotice => "recording-notice",
            Line::RecordingOptIn => "recording-opt-in",
            Line::RecordingOptOut => "recording-opt-out",
        }
    }

    /// In the order of the languages of the catalogue.
    fn texts(self) -> [&'static str; 4] {
        match self {
            Line::CallbackOffer => [
                "Le podemos llamar cuando sea su turno, sin que pierda su lugar en la fila. Para que llamemos al número desde el \
                 que nos llama, oprima uno. Para darnos otro número, oprima dos. Si prefiere esperar, no oprima nada.",
                "We can call you when it is your turn, and you keep your place in line. To be called at the number you are \
                 calling from, press one. To give us another number, press two. If you would rather wait, press nothing.",
                "Podemos ligar para você quando chegar a sua vez, sem que perca o seu lugar na fila. Para ligarmos ao número de \
                 onde está ligando, digite um. Para informar outro número, digite dois. Se preferir esperar, não digite nada.",
                "Nous pouvons vous rappeler quand ce sera votre tour, et vous gardez votre place dans la file. Pour être rappelé \
                 au numéro d'où vous appelez, tapez un. Pour donner un autre numéro, tapez deux. Si vous préférez patienter, ne \
                 tapez rien.",
            ],
            Line::CallbackNumber => [
                "Marque el número al que debemos llamarle, con clave de área, y termine con la tecla gato.",
                "Enter the number we should call, with its area code, and finish with the pound key.",
                "Digite o número para o qual devemos ligar, com o código de área, e termine com a tecla jogo da velha.",
                "Composez le numéro où vous rappeler, et terminez par la touche dièse.",
            ],
            Line::CallbackEntered => ["El número es:", "The number is:", "O número é:", "Le numéro est :"],
            Line::CallbackConfirm => [
                "Si es correcto, oprima uno. Para marcarlo de nuevo, oprima dos.",
                "If that is right, press one. To enter it again, press two.",
                "Se estiver correto, digite um. Para digitá-lo de novo, digite dois.",
                "Si c'est exact, tapez un. Pour le composer à nouveau, tapez deux.",
            ],
            Line::CallbackInvalid => [
                "Ese número no es válido.",
                "That is not a valid number.",
                "Esse número não é válido.",
                "Ce numéro n'est pas valide.",
            ],
            Line::CallbackTaken => [
                "Listo. Conserva su lugar en la fila y le llamaremos cuando sea su turno. Hasta luego.",
                "All set. You keep your place in line, and we will call you when it is your turn. Goodbye.",
                "Pronto. O seu lugar na fila está guardado, e ligaremos quando chegar a sua vez. Até logo.",
                "C'est noté. Vous gardez votre place dans la file, et nous vous rappellerons quand ce sera votre tour. Au revoir.",
            ],
            Line::CallbackImpossible => [
                "No podemos llamarle a ese número. Por favor, permanezca en la línea.",
                "We are not able to call that number. Please stay on the line.",
                "Não podemos ligar para esse número. Por favor, permaneça na linha.",
                "Nous ne pouvons pas appeler ce numéro. Veuillez rester en ligne.",
            ],
            Line::CallbackHere => [
                "Le devolvemos la llamada que nos pidió. En un momento le atiende un agente.",
                "This is the call you asked us for. An agent will be with you in a moment.",
                "Estamos retornando a ligação que você pediu. Em instantes um atendente falará com você.",
                "Nous vous rappelons comme vous l'avez demandé. Un conseiller vous répond dans un instant.",
            ],
            Line::VoicemailGreeting => [
                "Deje su mensaje después de la señal. Al terminar, oprima cualquier tecla o cuelgue.",
                "Please leave your message after the tone. When you have finished, press any key or hang up.",
                "Deixe a sua mensagem após o sinal. Ao terminar, digite qualquer tecla ou desligue.",
                "Laissez votre message après le signal sonore. Quand vous aurez terminé, appuyez sur une touche ou raccrochez.",
            ],
            Line::VoicemailThanks => [
                "Gracias. Recibimos su mensaje.",
                "Thank you. We have received your message.",
                "Obrigado. Recebemos a sua mensagem.",
                "Merci. Nous avons bien reçu votre message.",
            ],
            Line::RecordingNotice => [
                "Para mejorar nuestro servicio, esta llamada se graba.",
                "To improve our service, this call is recorded.",
                "Para melhorar o nosso atendimento, esta ligação é gravada.",
                "Pour améliorer notre service, cet appel est enregistré.",
            ],
            Line::RecordingOptIn => [
                "Para mejorar nuestro servicio quisiéramos grabar esta llamada. Si está de acuerdo, oprima uno. Si no, oprima dos.",
                "To improve our service, we would like to record this call. If you agree, press one. If not, press two.",
                "Para melhorar o nosso atendimento, gostaríamos de gravar esta ligação. Se concorda, digite um. Se não, digite dois.",
                "Pour améliorer notre service, nous aimerions enregistrer cet appel. Si vous êtes d'accord, tapez un. Sinon, tapez deux.",
            ],
            Line::RecordingOptOut => [
                "Para mejorar nuestro servicio, esta llamada se graba. Si no lo desea, oprima dos.",
                "To improve our service, this call is recorded. If you do not want that, press two.",
                "Para melhorar o nosso atendimento, esta ligação é gravada. Se não quiser, digite dois.",
                "Pour améliorer notre service, cet appel est enregistré. Si vous ne le souhaitez pas, tapez deux.",
            ],
        }
    }
}

/// A line in the caller's language; `None` if its words are not here.
pub fn line(lang: Lang, line: Line) -> Option<Phrase> {
    Some(Phrase::new(lang, line.id(), in_language(lang, line.texts())?))
}

/// One digit, said by itself; `None` from 10 on.
pub fn digit(lang: Lang, n: u32) -> Option<Phrase> {
    let words = number(lang, n, Gender::Alone).filter(|_| n < 10)?;
    Some(Phrase::new(lang, format!("digit-{n}"), format!("{words}.")))
}

pub(crate) fn phrases(lang: Lang) -> Vec<Phrase> {
    let digits = (0..10).filter_map(|n| digit(lang, n));
    Line::ALL.into_iter().filter_map(|each| line(lang, each)).chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_is_said_as_its_word_and_a_longer_number_is_none() {
        assert_eq!(digit(Lang::PT, 2).unwrap().text, "dois.");
        assert_eq!(digit(Lang::FR, 0).unwrap().key(), "speech/fr/digit-0");
        assert_eq!(digit(Lang::ES, 10), None);
        assert_eq!(digit("de".parse().unwrap(), 1), None);
    }

    #[test]
    fn every_line_is_said_in_one_breath_without_line_breaks() {
        for phrase in crate::LANGUAGES.into_iter().flat_map(phrases) {
            assert!(!phrase.text.contains("  ") && !phrase.text.contains('\n'), "{}", phrase.text);
        }
        assert_eq!(line("de".parse().unwrap(), Line::CallbackOffer), None);
    }
}
