//! How calls to a platform fail, and which of them: one vocabulary for the Bot API stand-in and for the proxy before the
//! homeserver.

use std::time::Duration;

use serde_json::Value;

/// One failure: whether the call is carried out all the same, and what the caller gets to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub carried_out: bool,
    pub answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 429 in the platform's own words, with the seconds to wait where there is a number.
    TooMany(Option<u64>),
    /// An error with this status, as the platform's JSON: 500, 502, 504.
    Error(u16),
    /// This status with this JSON: a refusal in so many words.
    Says(u16, &'static str),
    /// A page of HTML with this status, as a proxy on the way gives.
    Html(u16),
    /// 200, and JSON that means nothing.
    Nonsense,
    /// The connection is reset without a byte of an answer.
    Reset,
    /// The connection is reset in the middle of the answer.
    Cut,
    /// Nothing for so long, then the connection is closed.
    Silence(Duration),
    /// The right answer, so much later.
    Late(Duration),
}

/// One of each, short enough to try them all.
pub const EVERY: [Answer; 13] = [
    Answer::TooMany(Some(1)),
    Answer::TooMany(None),
    Answer::Error(500),
    Answer::Error(502),
    Answer::Error(504),
    Answer::Html(200),
    Answer::Html(404),
    Answer::Html(502),
    Answer::Nonsense,
    Answer::Reset,
    Answer::Cut,
    Answer::Silence(Duration::from_secs(2)),
    Answer::Late(Duration::from_secs(1)),
];

impl Fault {
    /// The call is not carried out (with `Late`: carried out after the delay, even when the caller has gone).
    pub const fn before(answer: Answer) -> Self {
        Self { carried_out: false, answer }
    }

    /// The call is carried out, only the answer fails.
    pub const fn after(answer: Answer) -> Self {
        Self { carried_out: true, answer }
    }

    /// Not carried out now, but so much later.
    pub const fn postponed(self) -> Option<Duration> {
        match (self.carried_out, self.answer) {
            (false, Answer::Late(delay)) => Some(delay),
            (true | false, _) => None,
        }
    }
}

#[derive(Default)]
pub struct Faults(Vec<Rule>);

impl Faults {
    pub fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// The fault of this call, by the first rule that fits.
    pub fn draw(&mut self, name: &str, params: &Value) -> Option<Fault> {
        self.0.iter_mut().find_map(|rule| (rule.0)(name, params))
    }
}

type Pick = Box<dyn FnMut(&str, &Value) -> Option<Fault> + Send>;

pub struct Rule(Pick);

impl Rule {
    pub fn next(pattern: &str, n: u32, fault: Fault) -> Self {
        let (pattern, mut left) = (pattern.to_owned(), n);
        Self::when(move |name, _| {
            if left == 0 || !matches(&pattern, name) {
                return None;
            }
            left -= 1;
            Some(fault)
        })
    }

    pub fn share(pattern: &str, percent: u8, faults: &[Fault], seed: u64) -> Self {
        assert!(!faults.is_empty(), "name at least one fault");
        let (pattern, faults, mut dice) = (pattern.to_owned(), faults.to_vec(), Dice::new(seed));
        Self::when(move |name, _| {
            if !matches(&pattern, name) || dice.below(100) >= usize::from(percent) {
                return None;
            }
            Some(faults[dice.below(faults.len())])
        })
    }

    pub fn when(pick: impl FnMut(&str, &Value) -> Option<Fault> + Send + 'static) -> Self {
        Self(Box::new(pick))
    }
}

/// `*` stands for anything: `send*`, `PUT */send/*`. Case does not matter.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    middle.iter().all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// Xorshift: the same seed gives the same faults.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, name, fits) in [
        ("send*", "sendMessage", true),
        ("sendmessage", "SendMessage", true),
        ("send", "sendMessage", false),
        ("*", "getMe", true),
        ("PUT */send/*", "PUT /_matrix/client/v3/rooms/!r:x/send/m.room.message/7", true),
        ("PUT */send/*", "PUT /_matrix/client/v3/rooms/!r:x/redact/7", false),
        ("a*a", "a", false),
        ("*b*b*", "abc", false),
    ] {
        assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
    }
}
