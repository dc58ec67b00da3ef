use std::{collections::HashSet, time::Duration};

use super::{
    Bench, HOSTILE, ensure,
    inbox::Manner,
    session::{Arrival, all},
};
use crate::PersonKind;

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

pub(super) async fn stops_when_asked(bench: &Bench<'_>) -> Result<(), String> {
    let idle = bench.session().await?;
    idle.stop(bench).await.map_err(|what| format!("while it waits: {what}"))?;

    let words = bench.words("A full disk");
    bench.far.says(&words).await;
    let refusing = bench.session_with(Manner::Refuses(usize::MAX)).await;
    refusing.offered(&words).await?;
    refusing.stop(bench).await.map_err(|what| format!("while the inbox refuses: {what}"))?;

    let next = bench.session().await?;
    next.stored(&words).await?;
    let quick = tokio::time::timeout(Duration::from_secs(6), next.stop(bench)).await;
    quick.map_err(|_| "did not stop the second time".to_owned())?
}
