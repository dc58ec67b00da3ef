//! Messages that only thank, agree or say goodbye.

use super::table;

/// No such message is longer, unless it has no words at all.
const LONGEST: usize = 160;

/// The text thanks, says ok or bye, or is made of emoji and punctuation, and nothing else: it needs no
/// notice. Anything with a question mark, a digit or another word does. An empty text (a picture
/// without a caption) does too.
#[must_use]
pub fn only_thanks(text: &str) -> bool {
    if text.trim().is_empty() || text.contains(is_question_mark) {
        return false;
    }
    if !text.contains(char::is_alphanumeric) {
        return true;
    }
    if text.chars().take(LONGEST + 1).count() > LONGEST {
        return false;
    }
    // The small form of the Turkish "İ" keeps its dot as a sign of its own.
    let text = text.to_lowercase().replace("i\u{307}", "i");
    thanks_only(&words(&text))
}

/// "d'accord!" is the two words "d" and "accord".
pub(super) fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || is_accent(c))).filter(|word| !word.is_empty()).collect()
}

/// The longest phrase first. At least one must say something.
fn thanks_only(words: &[&str]) -> bool {
    let table = table::thanks();
    let mut rest = words;
    let mut said = false;
    while !rest.is_empty() {
        let longest = rest.len().min(table.longest);
        let phrase = |length: &usize| rest[..*length].join(" ");
        let lengths = || (1..=longest).rev();
        let known = lengths().find(|length| table.phrases.contains(&phrase(length)));
        let beside = lengths().find(|length| table.beside.contains(&phrase(length)));
        let Some(length) = known.max(beside) else {
            return false;
        };
        said |= known == Some(length);
        rest = &rest[length..];
    }
    said
}

fn is_question_mark(c: char) -> bool {
    matches!(c, '?' | '？' | '؟' | '\u{037E}' | '❓' | '❔' | '⁉' | '⁇' | '⁈')
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}')
}
