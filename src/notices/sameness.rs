//! Whether two texts read the same.

/// Two texts that differ only in blanks or capitals read the same.
#[must_use]
pub fn same_words(a: &str, b: &str) -> bool {
    words(a).eq(words(b))
}

/// Equal for texts that read the same. Kept on disk: it must never change between versions, so it is
/// FNV-1a (64 bits) over the normalised text, by definition.
#[must_use]
pub fn fingerprint(text: &str) -> u64 {
    words(text)
        .flat_map(|c| {
            let mut bytes = [0; 4];
            let length = c.encode_utf8(&mut bytes).len();
            bytes.into_iter().take(length)
        })
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn words(text: &str) -> impl Iterator<Item = char> {
    text.split_whitespace().enumerate().flat_map(|(index, word)| {
        let blank = (index > 0).then_some(' ');
        blank.into_iter().chain(word.chars().flat_map(char::to_lowercase))
    })
}
