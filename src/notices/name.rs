//! The first name in a display name, where there surely is one.

use super::table;

/// Longer than that is no first name.
const LONGEST: usize = 24;

/// The first name to greet a person with. People write anything into their display name, so in doubt
/// there is none: links, sentences, symbols, digits, initials, all capitals, titles, firms.
#[must_use]
pub fn first_name(display: &str) -> Option<String> {
    if display.chars().take(81).count() > 80 || display.chars().any(never_in_a_name) {
        return None;
    }
    let mut words = display.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
    let first = words.next()?;
    let sentence = words.count() > 4;
    (!sentence && is_name(first)).then(|| first.to_owned())
}

/// Marks of links, handles, templates, markup and tricks with the direction of writing.
fn never_in_a_name(c: char) -> bool {
    c.is_control()
        || c.is_numeric()
        || "/\\:@{}<>[]=_*#%$&|~`^".contains(c)
        || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
}

fn is_name(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let (Some(first), Some(last)) = (letters.first(), letters.last()) else {
        return false;
    };
    if letters.iter().any(|c| writes_the_family_first(*c)) {
        return false;
    }
    if letters.len() > LONGEST || !is_letter(*first) || !(is_letter(*last) || is_mark(*last)) {
        return false;
    }
    let of_letters = letters.iter().all(|c| is_letter(*c) || is_mark(*c) || is_joint(*c));
    let doubled = |pair: &[char]| pair.iter().all(|c| is_joint(*c)) || pair.iter().all(|c| is_mark(*c));
    if !of_letters || letters.windows(2).any(doubled) {
        return false;
    }
    let initial = letters.len() == 1 && (first.is_lowercase() || first.is_uppercase());
    let capitals = letters.len() > 1 && letters.iter().all(|c| c.is_uppercase() || is_joint(*c));
    let one_key = letters.len() > 2 && letters.iter().all(|c| c == first);
    !initial && !capitals && !one_key && !table::not_a_name(&word.to_lowercase())
}

/// Chinese, Japanese and Korean: the first word may be the family's name, and one word both names.
fn writes_the_family_first(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{9FFF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Decorative letters count as symbols.
fn is_letter(c: char) -> bool {
    c.is_alphabetic()
        && !matches!(c,
            '\u{02B0}'..='\u{02FF}' | '\u{1D00}'..='\u{1DBF}' | '\u{2070}'..='\u{24FF}'
            | '\u{FF00}'..='\u{FFEF}' | '\u{1D400}'..='\u{1D7FF}' | '\u{1F000}'..='\u{1FFFF}')
}

/// Signs that belong to the letter before and are no letters themselves: accents, viramas, tones.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{094D}' | '\u{09CD}' | '\u{0A4D}' | '\u{0ACD}' | '\u{0B4D}'
        | '\u{0BCD}' | '\u{0C4D}' | '\u{0CCD}' | '\u{0D4D}' | '\u{0DCA}' | '\u{0E47}'..='\u{0E4E}'
        | '\u{1039}' | '\u{103A}')
}

fn is_joint(c: char) -> bool {
    matches!(c, '-' | '\'' | '’' | '‐')
}
