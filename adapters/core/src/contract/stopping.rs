use std::time::Duration;

use super::{
    Bench, Trouble, ensure,
    failing::{attempt, outcome_of},
    inbox::Manner,
    sending::send,
};
use crate::SendError;

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

pub(super) async fn stops_while_inbox_hangs(bench: &Bench<'_>) -> Result<(), String> {
    let words = bench.words("A slow disk");
    bench.far.says(&words).await;
    let hanging = bench.session_with(Manner::Hangs).await;
    hanging.offered(&words).await?;
    hanging.stop(bench).await?;

    let next = bench.session().await?;
    next.stored(&words).await?;
    next.stop(bench).await
}

pub(super) async fn stops_while_delivery_hangs(bench: &Bench<'_>) -> Result<(), String> {
    if !bench.provoke(Trouble::DeliveryHangs).await {
        return Ok(());
    }
    let words = bench.words("Stuck on the way");
    bench.far.says(&words).await;
    let waiting = bench.session_with(Manner::Stores).await;
    while !bench.far.is_met().await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    waiting.stop(bench).await?;

    let next = bench.session().await?;
    next.stored(&words).await?;
    next.stop(bench).await
}

/// The message is there and its answer hangs: nothing certain can be said of it any more.
pub(super) async fn stops_while_sending(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    if !bench.provoke(Trouble::AnswerHangs).await {
        return session.stop(bench).await;
    }
    let words = bench.words("Cut off in the middle");
    let message = bench.post(1, &words);
    let sending = tokio::spawn({
        let (adapter, message) = (session.adapter.clone(), message.clone());
        async move { attempt(&*adapter, &message).await }
    });
    bench.seen(&words).await?;
    session.stop(bench).await?;
    // Some are cut off with the connection, others end when the program does.
    tokio::time::sleep(Duration::from_secs(1)).await;
    if sending.is_finished() {
        let outcome = sending.await.map_err(|panicked| format!("the send ended with a panic: {panicked}"))?;
        let honest = matches!(outcome, Ok(_) | Err(SendError::Uncertain(_)));
        ensure(honest, || format!("a send that arrived ended with {}", outcome_of(&outcome)))?;
    } else {
        sending.abort();
    }

    let next = bench.session().await?;
    if next.adapter.repeatable(&message) {
        send(&*next.adapter, &message).await?;
    }
    bench.seen(&words).await?;
    next.stop(bench).await
}
