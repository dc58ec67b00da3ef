//! What happens on some days, as data.

use fastrand::Rng;

/// Customers are numbers into [`super::play::CUSTOMERS`], operators into [`super::play::OPERATORS`]; `back` counts from
/// the newest of what it names.
#[derive(Clone, Debug)]
pub enum Step {
    Says {
        who: usize,
    },
    Edits {
        who: usize,
        back: usize,
    },
    Deletes {
        who: usize,
        back: usize,
    },
    Opens {
        who: usize,
    },
    Blocks {
        who: usize,
    },
    Unblocks {
        who: usize,
    },
    /// The owner answers on the phone.
    Echo {
        who: usize,
    },
    BotSays,
    /// In the thread under the customer's card; `back` counts cards.
    Answers {
        op: usize,
        who: usize,
        back: usize,
        /// Takes two messages of the customer's app.
        long: bool,
    },
    /// Outside the threads, to the customer's latest message.
    Replies {
        op: usize,
        who: usize,
    },
    EditsAnswer {
        back: usize,
        to_note: bool,
    },
    DeletesAnswer {
        back: usize,
    },
    Inside {
        op: usize,
        who: usize,
        what: Inside,
    },
    Closes {
        op: usize,
        who: usize,
    },
    Retries {
        op: usize,
        who: usize,
    },
    Outside {
        op: usize,
    },
    Passes {
        millis: u64,
    },
    /// Ends the program after this many turns of its tasks.
    Kill {
        turns: usize,
    },
    Start,
    Fails {
        side: Where,
        how: How,
    },
    LosesThread {
        who: usize,
    },
    Again {
        back: usize,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum Inside {
    Note,
    Why,
    Unknown,
    Slash,
    Notice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    Shop,
    Other,
    Desk,
}

#[derive(Clone, Copy, Debug)]
pub enum How {
    Patience { secs: u64 },
    Transient,
    AnswerLost,
    Silence,
    Content,
    Recipient,
    Account,
}

pub fn from_seed(seed: u64) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    // Some scripts are calm on one side, so that what only faults excuse is seen too.
    let (faults, kills) = (rng.u8(0..3) > 0, rng.u8(0..3) > 0);
    let mut hours_left = 80;
    let mut steps = Vec::new();
    while steps.len() < 42 {
        let step = step(&mut rng, &mut hours_left);
        match step {
            Step::Fails { .. } if !faults => {}
            Step::Kill { .. } if !kills => {}
            Step::Kill { .. } => {
                steps.push(step);
                if rng.u8(0..5) < 3 {
                    steps.push(Step::Start);
                }
            }
            step => {
                steps.push(step);
                // Between most steps the program has a moment.
                if rng.u8(0..4) > 0 {
                    steps.push(Step::Passes { millis: *rng.choice(&[1, 20, 500, 500, 2_000, 7_000]).unwrap() });
                }
            }
        }
    }
    steps
}

fn step(rng: &mut Rng, hours_left: &mut u64) -> Step {
    let (who, op, back) = (rng.usize(0..4), rng.usize(0..2), rng.usize(0..2));
    match rng.u8(0..100) {
        0..=21 => Step::Says { who },
        22..=24 => Step::Edits { who, back },
        25..=26 => Step::Deletes { who, back },
        27..=28 => Step::Opens { who },
        29 => Step::Blocks { who },
        30 => Step::Unblocks { who },
        31 => Step::Echo { who },
        32 => Step::BotSays,
        33..=48 => Step::Answers { op, who, back: usize::from(rng.u8(0..6) == 0), long: rng.u8(0..6) == 0 },
        49..=51 => Step::Replies { op, who },
        52..=54 => Step::EditsAnswer { back, to_note: rng.u8(0..4) == 0 },
        55 => Step::DeletesAnswer { back },
        56..=59 => {
            let what = [Inside::Note, Inside::Why, Inside::Unknown, Inside::Slash, Inside::Notice];
            Step::Inside { op, who, what: *rng.choice(&what).unwrap() }
        }
        60..=61 => Step::Closes { op, who },
        62 => Step::Retries { op, who },
        63 => Step::Outside { op },
        64..=73 => passes(rng, hours_left),
        74..=78 => Step::Kill { turns: rng.usize(0..40) },
        79..=82 => Step::Start,
        83..=94 => Step::Fails { side: side(rng), how: how(rng) },
        95 => Step::LosesThread { who },
        96..=99 => Step::Again { back: rng.usize(0..8) },
        100.. => Step::Start,
    }
}

fn passes(rng: &mut Rng, hours_left: &mut u64) -> Step {
    let hours = match rng.u8(0..10) {
        0..=3 => return Step::Passes { millis: rng.u64(8_000..60_000) },
        4..=6 => return Step::Passes { millis: rng.u64(60_000..1_500_000) },
        7 => rng.u64(1..6),
        8 => rng.u64(6..20),
        9.. => rng.u64(20..75),
    };
    let hours = hours.min(*hours_left);
    *hours_left -= hours;
    Step::Passes { millis: (hours * 3600 + rng.u64(1..3000)) * 1000 }
}

fn side(rng: &mut Rng) -> Where {
    *rng.choice(&[Where::Shop, Where::Other, Where::Desk]).unwrap()
}

fn how(rng: &mut Rng) -> How {
    match rng.u8(0..8) {
        0 => How::Patience { secs: rng.u64(1..30) },
        1 => How::Patience { secs: rng.u64(30..1500) },
        2 => How::Transient,
        3 => How::AnswerLost,
        4 => How::Silence,
        5 => How::Content,
        6 => How::Recipient,
        7.. => How::Account,
    }
}
