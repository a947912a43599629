//! The catalogue in the folder of flows says what the rules of this crate say.

// The tests read files of the repository; the core itself reads none.
#![allow(clippy::disallowed_methods)]

use base::Lang;
use std::path::Path;

#[test]
fn every_phrase_of_the_catalogue_was_rendered_from_its_text() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ivr-flows/speech/prompts");
    for phrase in [Lang::ES, Lang::EN, Lang::PT, Lang::FR].into_iter().flat_map(speech::catalogue) {
        let path = folder.join(phrase.lang.as_str()).join(format!("{}.txt", phrase.id));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        assert_eq!(text.lines().next(), Some(phrase.text.as_str()), "{}: run ivr-flows/render.py --catalogue", path.display());
        assert!(path.with_extension("wav").exists(), "{} has no audio", path.display());
    }
}
