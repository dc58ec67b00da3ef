//! Random days of the shop against a model of what people may see: whatever happens, nothing is lost, nothing is said
//! twice, and nothing reaches somebody whom it is not for.
//!
//! A script is data, made from a seed. `FRONTDESK_STORMS=2000 cargo test --test it storm` runs that many;
//! `FRONTDESK_STORM_SEED=17` only that one. A script that fails is cut down and printed. Where a kill falls between two
//! writes depends on the disk too, so a script with kills may need several runs to fail again.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use script::Step;

mod play;
mod script;
mod verdict;

const SCRIPTS: u64 = 50;
/// How long a script that fails is cut down.
const CUTTING: Duration = Duration::from_secs(30);

#[test]
fn a_storm_loses_nothing_repeats_nothing_and_tells_nobody_what_is_not_for_them() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("FRONTDESK_STORM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("FRONTDESK_STORMS").unwrap_or(SCRIPTS) + 1,
    };
    let (next, failed) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if let Err(problems) = run(&script::from_seed(seed)) {
                        failed.lock().unwrap().push((seed, problems));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    if failed.is_empty() {
        return;
    }
    let seeds: Vec<_> = failed.iter().map(|(seed, problems)| format!("{seed}: {}", problems.join("; "))).collect();
    let mut rules: BTreeMap<&str, &Failure> = BTreeMap::new();
    for failure in &failed {
        rules.entry(rule(&failure.1)).or_insert(failure);
    }
    let shortest = rules.values().map(|(seed, problems)| {
        let (steps, problems) = cut(script::from_seed(*seed), problems);
        format!("seed {seed}, cut down: {steps:#?}\n{}", problems.join("\n"))
    });
    let shortest: Vec<_> = shortest.collect();
    panic!("{} scripts failed\n{}\n\n{}", failed.len(), seeds.join("\n"), shortest.join("\n\n"));
}

/// A seed, and what is wrong at the end of its script.
type Failure = (u64, Vec<String>);

/// The rule that is broken: what a problem begins with.
fn rule(problems: &[String]) -> &str {
    problems[0].split(':').next().unwrap_or_default()
}

/// What is wrong at the end of a script, the most telling first.
fn run(steps: &[Step]) -> Result<(), Vec<String>> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap().block_on(play::play(steps))
    }));
    let problems = match played {
        Ok(problems) => problems,
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            vec![format!("panic: {}", words.unwrap_or_else(|| "without words".to_owned()))]
        }
    };
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The script without the steps that the failure does not need.
fn cut(mut steps: Vec<Step>, problems: &[String]) -> (Vec<Step>, Vec<String>) {
    let (wanted, began, mut problems) = (rule(problems).to_owned(), Instant::now(), problems.to_vec());
    let mut size = steps.len().div_ceil(2);
    loop {
        let mut from = 0;
        while from < steps.len() && began.elapsed() < CUTTING {
            let mut fewer = steps.clone();
            fewer.drain(from..(from + size).min(steps.len()));
            match run(&fewer) {
                Err(still) if rule(&still) == wanted => (steps, problems) = (fewer, still),
                Ok(()) | Err(_) => from += size,
            }
        }
        if size == 1 || began.elapsed() >= CUTTING {
            return (steps, problems);
        }
        size = size.div_ceil(2);
    }
}
