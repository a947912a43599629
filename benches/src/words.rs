//! The words behind `--` that choose what a bench measures.

/// The first that stands for nothing here; a number behind `--calls` and the like is no such word.
pub fn unknown<'a>(args: &'a [String], known: &[&str]) -> Option<&'a str> {
    let mut behind_option = false;
    args.iter().map(String::as_str).find(|arg| {
        let is_value = behind_option && arg.parse::<u32>().is_ok();
        behind_option = arg.starts_with('-');
        !behind_option && !is_value && !known.contains(arg)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_chooses_nothing_is_found_and_numbers_of_options_are_none() {
        for (line, found) in [
            ("--bench", None),
            ("calls storm --calls 40 --hold 3 --whole --bench", None),
            ("calsl --bench", Some("calsl")),
            ("calls strom --calls 40", Some("strom")),
            ("--calls many", Some("many")),
            ("40 --bench", Some("40")),
        ] {
            let args: Vec<String> = line.split(' ').map(String::from).collect();
            assert_eq!(unknown(&args, &["calls", "storm"]), found, "{line}");
        }
    }
}
