//! Text that is written from the left inside text that is written from the right, and the other way
//! round: isolated, or the two scramble each other.

/// Takes its direction from its own first letter, until [`END`].
const BEGIN: char = '\u{2068}';
pub(super) const END: char = '\u{2069}';

/// Whether most letters of a template, its tags apart, are written from the right.
pub(super) fn is_from_the_right(template: &str) -> bool {
    let mut depth = 0_usize;
    let (mut right, mut left) = (0, 0);
    for c in template.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth > 0 || !c.is_alphabetic() => {}
            _ if is_right(c) => right += 1,
            _ => left += 1,
        }
    }
    right > left
}

/// The value as it can stand in a text: without marks where there is nothing to scramble.
pub(super) fn isolated(value: &str, from_the_right: bool) -> String {
    let other_way = |c: char| match from_the_right {
        true => c.is_alphanumeric() && !is_right(c),
        false => is_right(c),
    };
    if value.contains(other_way) { format!("{BEGIN}{value}{END}") } else { value.to_owned() }
}

/// The text with an end for each beginning, and no other: an owner's template may have cut a value.
pub(super) fn balanced(text: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            BEGIN => depth += 1,
            END if depth == 0 => continue,
            END => depth -= 1,
            _ => {}
        }
        out.push(c);
    }
    out.extend(std::iter::repeat_n(END, depth));
    out
}

/// The blocks of Hebrew, Arabic and their relatives.
fn is_right(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}
