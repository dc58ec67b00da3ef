//! The cases themselves: an adapter in memory passes them, and each way in which it can be wrong fails one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod platform;

use super::*;

use platform::{Bug, Platform};

#[tokio::test(start_paused = true)]
async fn a_right_adapter_passes() {
    assert_kept(
        &Platform::with(Bug::None),
        &["a desk opens a thread and posts in it", "an answer in a thread names its desk and thread"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn each_bug_fails_its_case() {
    let cases = [
        (Bug::NamesNoAccount, "names its account"),
        (Bug::ConfirmsBeforeStored, "kill before the inbox has stored"),
        (Bug::DropsWhatIsRefused, "refuses is handed over again"),
        (Bug::GivesUpAfterThreeRefusals, "refuses for long"),
        (Bug::IgnoresTheAccount, "knows another account"),
        (Bug::IgnoresThatWeStop, "is stopping"),
        (Bug::KeysChange, "repeats with the same key"),
        (Bug::LosesBrokenDeliveries, "delivery that breaks off"),
        (Bug::DropsTheOlder, "in disorder"),
        (Bug::NeverStops, "while the inbox refuses"),
        (Bug::WaitsForTheInbox, "while the inbox hangs"),
        (Bug::WaitsForDeliveries, "while a delivery hangs"),
        (Bug::WaitsForSends, "in the middle of a send"),
        (Bug::TrimsLines, "hostile words arrive"),
        (Bug::SendsTwice, "arrives once"),
        (Bug::ReadsMarkup, "hostile words are sent"),
        (Bug::CutsLongTexts, "greatest length"),
        (Bug::ForgetsKeys, "repeated send"),
        (Bug::TakesLostForFailed, "not called certain"),
        (Bug::HearsItself, "does not come back"),
        (Bug::Misnames(SendErrorKind::RetryAfter), "asks for patience"),
        (Bug::Misnames(SendErrorKind::Transient), "does not work for now"),
        (Bug::Misnames(SendErrorKind::Uncertain), "broke off is uncertain"),
        (Bug::Misnames(SendErrorKind::WindowClosed), "closed reply window"),
        (Bug::Misnames(SendErrorKind::Moved), "chat that moved"),
        (Bug::Misnames(SendErrorKind::Refused(RefusedScope::Content)), "refused text"),
        (Bug::Misnames(SendErrorKind::Refused(RefusedScope::Recipient)), "refused chat"),
        (Bug::Misnames(SendErrorKind::Refused(RefusedScope::Account)), "refused account"),
        (Bug::SendsWhatItRefuses, "refused text"),
        (Bug::FindsNothing, "that arrived is found"),
        (Bug::FindsNothing, "lost its answer is found"),
        (Bug::FindsEverything, "never made is not found"),
    ];
    for (bug, name) in cases {
        let report = check(&Platform::with(bug)).await;
        assert!(report.failures.iter().any(|failure| failure.case.contains(name)), "{bug:?} passed {name}: {report}");
    }
}

/// Whoever cannot be asked is not said to pass.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_provoked_is_skipped_and_named() {
    let report = check(&Platform::that_never_fails()).await;
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(report.skipped.len(), 16, "{report}");
    assert!(report.to_string().contains("- skipped a refused text is one"), "{report}");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the test names others")]
async fn a_skip_that_is_not_named_fails_the_test() {
    assert_kept(&Platform::that_never_fails(), &["a desk opens a thread and posts in it"]).await;
}
