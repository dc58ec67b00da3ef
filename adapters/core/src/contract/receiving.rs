use std::{collections::HashSet, time::Duration};

use super::{
    Bench, HOSTILE, Trouble, ensure,
    inbox::Manner,
    session::{Arrival, all},
};
use crate::{InboxError, PersonKind, ReceiveError};

pub(super) async fn names_its_account_first(bench: &Bench<'_>) -> Result<(), String> {
    let words = bench.words("Hello?");
    bench.far.says(&words).await;
    let session = bench.session().await?;
    session.stored(&words).await?;
    ensure(session.inbox.account().is_some(), || "it never called `connected`".into())?;
    ensure(!session.inbox.had_early_events(), || "events came before `connected`".into())?;
    session.stop(bench).await
}

pub(super) async fn message_arrives(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let words = bench.words("Do you have bread without nuts?");
    bench.far.says(&words).await;
    let Arrival { inbound, .. } = session.stored(&words).await?;

    let person = bench.far.person();
    ensure(inbound.from.id == person.id, || format!("from {}, not {}", inbound.from.id, person.id))?;
    ensure(inbound.from.kind == PersonKind::Human, || format!("from a {:?}", inbound.from.kind))?;
    ensure(inbound.from.name == person.name, || format!("named {:?}, not {:?}", inbound.from.name, person.name))?;
    ensure(inbound.at == person.at, || format!("at {:?}, not {:?}", inbound.at, person.at))?;
    ensure(inbound.side == person.side, || format!("side {:?}, not {:?}", inbound.side, person.side))?;
    ensure(inbound.sent_at.is_some(), || "without the platform's time".into())?;
    session.stop(bench).await
}

pub(super) async fn hostile_words_arrive(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    for words in HOSTILE {
        let words = bench.words(words);
        bench.far.says(&words).await;
        session.stored(&words).await?;
    }
    session.stop(bench).await
}

pub(super) async fn keys_are_unique(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let texts: Vec<String> = (1..=5).map(|number| bench.words(&format!("Message {number}"))).collect();
    for text in &texts {
        bench.far.says(text).await;
    }
    let mut arrivals = Vec::new();
    for text in &texts {
        arrivals.push(session.stored(text).await?);
    }
    let keys: HashSet<_> = arrivals.iter().map(|arrival| &arrival.inbound.key).collect();
    let ids: HashSet<_> = arrivals.iter().map(|arrival| &arrival.message.id).collect();
    ensure(keys.len() == texts.len(), || format!("keys {keys:?} for {} messages", texts.len()))?;
    ensure(ids.len() == texts.len(), || format!("ids {ids:?} for {} messages", texts.len()))?;

    let stored = session.inbox.stored();
    let place = |arrival: &Arrival| stored.iter().position(|inbound| inbound.key == arrival.inbound.key);
    ensure(arrivals.is_sorted_by_key(place), || "not in the order they were written".into())?;
    session.stop(bench).await
}

pub(super) async fn refused_is_handed_over_again(bench: &Bench<'_>) -> Result<(), String> {
    let words = bench.words("Is anybody there?");
    bench.far.says(&words).await;
    let session = bench.session_with(Manner::Refuses(2)).await;
    session.stored(&words).await?;

    let offers = all(&session.inbox.offered(), &words);
    ensure(offers.len() >= 3, || format!("handed over {} times, after two refusals", offers.len()))?;
    let keys: HashSet<_> = offers.iter().map(|offer| &offer.inbound.key).collect();
    ensure(keys.len() == 1, || format!("under several keys: {keys:?}"))?;
    session.stop(bench).await
}

pub(super) async fn kill_before_stored(bench: &Bench<'_>) -> Result<(), String> {
    let words = bench.words("I would like to order a cake");
    bench.far.says(&words).await;
    let killed = bench.session_with(Manner::Hangs).await;
    let offered = killed.offered(&words).await?;
    killed.kill(bench).await;

    let next = bench.session().await?;
    let stored = next.stored(&words).await?;
    ensure(offered.inbound.key == stored.inbound.key, || {
        format!("the key was {}, then {}", offered.inbound.key, stored.inbound.key)
    })?;
    next.stop(bench).await
}

pub(super) async fn kill_after_stored(bench: &Bench<'_>) -> Result<(), String> {
    let words = bench.words("For Saturday, please");
    bench.far.says(&words).await;
    let killed = bench.session_with(Manner::StoresAndHangs).await;
    let first = killed.stored(&words).await?;
    killed.kill(bench).await;

    let next = bench.session().await?;
    let again = next.stored(&words).await?;
    ensure(first.inbound == again.inbound, || format!("it was {:#?}, then {:#?}", first.inbound, again.inbound))?;
    next.stop(bench).await
}

pub(super) async fn goes_on_where_it_stopped(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let before = bench.words("Before the break");
    bench.far.says(&before).await;
    session.stored(&before).await?;
    session.stop(bench).await?;

    let during = bench.words("During the break");
    bench.far.says(&during).await;
    let next = bench.session().await?;
    next.stored(&during).await?;
    next.stop(bench).await
}

/// The adapter may end meanwhile, to be started again; only forgetting is wrong.
pub(super) async fn long_refusal_loses_nothing(bench: &Bench<'_>) -> Result<(), String> {
    let words = bench.words("Is anybody there at all?");
    bench.far.says(&words).await;
    let failing = bench.session_with(Manner::Refuses(usize::MAX)).await;
    failing.offered(&words).await?;
    while !failing.has_ended() && all(&failing.inbox.offered(), &words).len() < 4 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    failing.kill(bench).await;

    let next = bench.session().await?;
    next.stored(&words).await?;
    next.stop(bench).await
}

pub(super) async fn other_account_hands_over_nothing(bench: &Bench<'_>) -> Result<(), String> {
    let words = bench.words("For whom is this?");
    bench.far.says(&words).await;
    let other = bench.session_with(Manner::KnowsAnother).await;
    let inbox = other.inbox.clone();
    let ended = other.ended(bench).await?;
    ensure(matches!(ended, Err(ReceiveError::Inbox(InboxError::Account(_)))), || format!("ended with {ended:?}"))?;
    ensure(inbox.offered().is_empty(), || "events were handed over all the same".into())?;

    let next = bench.session().await?;
    next.stored(&words).await?;
    next.stop(bench).await
}

pub(super) async fn stopping_inbox_ends_it(bench: &Bench<'_>) -> Result<(), String> {
    let words = bench.words("Just before the end");
    bench.far.says(&words).await;
    let ended = bench.session_with(Manner::IsStopping).await.ended(bench).await?;
    let expected = matches!(ended, Ok(()) | Err(ReceiveError::Inbox(InboxError::Stopping)));
    ensure(expected, || format!("ended with {ended:?}"))?;

    let next = bench.session().await?;
    next.stored(&words).await?;
    next.stop(bench).await
}

pub(super) async fn broken_delivery_is_made_again(bench: &Bench<'_>) -> Result<(), String> {
    if !bench.provoke(Trouble::DeliveryBreaks).await {
        return Ok(());
    }
    let words = bench.words("Did this break?");
    bench.far.says(&words).await;
    let session = bench.session_with(Manner::Stores).await;
    session.stored(&words).await?;
    let after = bench.words("And after it?");
    bench.far.says(&after).await;
    session.stored(&after).await?;
    let keys: HashSet<_> = all(&session.inbox.stored(), &words).into_iter().map(|it| it.inbound.key).collect();
    ensure(keys.len() == 1, || format!("under several keys: {keys:?}"))?;
    session.stop(bench).await
}

pub(super) async fn disorder_loses_nothing(bench: &Bench<'_>) -> Result<(), String> {
    if !bench.provoke(Trouble::DeliveryReversed).await {
        return Ok(());
    }
    let (first, second) = (bench.words("First"), bench.words("Second"));
    bench.far.says(&first).await;
    bench.far.says(&second).await;
    let session = bench.session_with(Manner::Stores).await;
    let (second_came, first_came) = (session.stored(&second).await?, session.stored(&first).await?);
    let stored = session.inbox.stored();
    let place = |arrival: &Arrival| stored.iter().position(|inbound| inbound.key == arrival.inbound.key);
    ensure(place(&second_came) < place(&first_came), || "the far side did not reverse them".into())?;
    ensure(first_came.message.id != second_came.message.id, || "both have one id".into())?;
    ensure(first_came.inbound.sent_at <= second_came.inbound.sent_at, || "not with their own times".into())?;
    session.stop(bench).await?;

    let after = bench.words("After both");
    bench.far.says(&after).await;
    let next = bench.session().await?;
    next.stored(&after).await?;
    next.stop(bench).await
}
