//! Names of metrics that are probably others, misspelt.

/// The known name that `name` was probably meant to be. Two letters at most: metrics of one family often differ by a word.
pub(super) fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const MOST: usize = 2;
    // Of short names, two letters are most of what tells them apart.
    let most = if name.len() < 12 { 1 } else { MOST };
    let close = known.into_iter().map(|word| (strsim::damerau_levenshtein(name, word), word));
    close.filter(|(distance, _)| (1..=most).contains(distance)).min().map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn two_letters_are_a_slip_and_a_word_is_not() {
        let known = ["moko_script_executions_total", "up"];
        assert_eq!(meant("moko_script_execution_total", known), Some(known[0]));
        assert_eq!(meant("mokko_script_exectuions_total", known), Some(known[0]));
        assert_eq!(meant("moko_batch_executions_total", known), None);
        assert_eq!((meant("up", known), meant("uq", known)), (None, Some("up")));
    }
}
