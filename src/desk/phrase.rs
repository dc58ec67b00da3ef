//! Words after a command, where two words can be one.

/// The words of a text; what stands between quotes, of whatever shape a phone makes them, is one word. `None` when a
/// quote has no end.
#[must_use]
pub fn phrases(text: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (phrase, tail) = first_phrase(rest)?;
        all.push(phrase);
        rest = tail.trim_start();
    }
    Some(all)
}

/// The first of them, with its blanks made plain, and what comes after it. `None` when a quote has no end, or there is
/// nothing.
#[must_use]
pub fn first_phrase(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    if is_quote(first) {
        let inner = &text[first.len_utf8()..];
        let end = inner.char_indices().find(|(at, c)| is_quote(*c) && ends_word(&inner[at + c.len_utf8()..]))?;
        let phrase = inner[..end.0].split_whitespace().collect::<Vec<_>>().join(" ");
        return Some((phrase, &inner[end.0 + end.1.len_utf8()..]));
    }
    let (word, tail) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    Some((word.to_owned(), tail))
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '«' | '»')
}

fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_quotes_is_one_phrase() {
        let of = |text| phrases(text).unwrap_or_else(|| vec!["no end".to_owned()]);
        assert_eq!(of("cake_ready Anna"), ["cake_ready", "Anna"]);
        assert_eq!(of(" cake_ready \"Anna  Berger\" 17:30 "), ["cake_ready", "Anna Berger", "17:30"]);
        assert_eq!(of("a „zwei Wörter“ «deux mots»"), ["a", "zwei Wörter", "deux mots"]);
        assert_eq!(of("a \"\""), ["a", ""]);
        assert_eq!(of("a \"no"), ["no end"]);
        assert_eq!(of(""), Vec::<String>::new());
    }

    #[test]
    fn what_comes_after_the_first_phrase_keeps_its_form() {
        assert_eq!(
            first_phrase("\"Anna Berger\" your cake\nis ready"),
            Some(("Anna Berger".into(), " your cake\nis ready"))
        );
        assert_eq!(first_phrase("  "), None);
    }
}
