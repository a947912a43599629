//! Prints the texts of the shared prompts, one per line: path below the folder of flows, tab, text.
//! `ivr-flows/render.py --catalogue` reads them.

use base::Lang;

fn main() {
    for phrase in [Lang::ES, Lang::EN, Lang::PT, Lang::FR].into_iter().flat_map(speech::catalogue) {
        println!("speech/prompts/{}/{}\t{}", phrase.lang, phrase.id, phrase.text);
    }
}
