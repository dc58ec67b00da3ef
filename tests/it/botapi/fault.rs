//! How calls fail, and which of them.

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
    /// 429, with `retry_after` where there is a number.
    TooMany(Option<u64>),
    /// An error with this status, as JSON: 500, 502, 504.
    Error(u16),
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

impl Fault {
    /// The call is not carried out (with `Late`: carried out after the delay, even when the caller has gone).
    pub const fn before(answer: Answer) -> Self {
        Self { carried_out: false, answer }
    }

    /// The call is carried out, only the answer fails.
    pub const fn after(answer: Answer) -> Self {
        Self { carried_out: true, answer }
    }
}

#[derive(Default)]
pub(super) struct Faults(Vec<Rule>);

impl Faults {
    pub fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    pub fn draw(&mut self, method: &str, params: &Value) -> Option<Fault> {
        self.0.iter_mut().find_map(|rule| (rule.0)(method, params))
    }
}

type Pick = Box<dyn FnMut(&str, &Value) -> Option<Fault> + Send>;

pub(super) struct Rule(Pick);

impl Rule {
    pub fn next(pattern: &str, n: u32, fault: Fault) -> Self {
        let (pattern, mut left) = (pattern.to_owned(), n);
        Self::when(move |method, _| {
            if left == 0 || !matches(&pattern, method) {
                return None;
            }
            left -= 1;
            Some(fault)
        })
    }

    pub fn share(pattern: &str, percent: u8, faults: &[Fault], seed: u64) -> Self {
        assert!(!faults.is_empty(), "name at least one fault");
        let (pattern, faults, mut dice) = (pattern.to_owned(), faults.to_vec(), Dice::new(seed));
        Self::when(move |method, _| {
            if !matches(&pattern, method) || dice.below(100) >= usize::from(percent) {
                return None;
            }
            Some(faults[dice.below(faults.len())])
        })
    }

    pub fn when(pick: impl FnMut(&str, &Value) -> Option<Fault> + Send + 'static) -> Self {
        Self(Box::new(pick))
    }
}

/// `send*` fits all that begins with `send`; case does not matter.
pub(super) fn matches(pattern: &str, method: &str) -> bool {
    let (pattern, method) = (pattern.to_lowercase(), method.to_lowercase());
    match pattern.strip_suffix('*') {
        Some(start) => method.starts_with(start),
        None => method == pattern,
    }
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
