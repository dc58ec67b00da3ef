use super::{Bench, Trouble, ensure, failing::attempt, sending::send, session::Session};
use crate::{Found, Outbound, Sent};

pub(super) async fn finds_what_arrived(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let words = bench.words("Where is it?");
    let message = bench.post(1, &words);
    let sent = send(&*session.adapter, &message).await?;
    bench.seen(&words).await?;
    let found = look(bench, &session, &message).await?;
    ensure(found.as_ref().is_none_or(|found| *found == Some(sent.clone())), || {
        format!("it was {sent:?}, and {found:?} was found")
    })?;
    session.stop(bench).await
}

pub(super) async fn does_not_find_what_was_never_sent(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    send(&*session.adapter, &bench.post(1, &bench.words("Another one"))).await?;
    let found = look(bench, &session, &bench.post(2, &bench.words("Never sent"))).await?;
    ensure(found.as_ref().is_none_or(Option::is_none), || format!("{found:?} was found, and nothing was sent"))?;
    session.stop(bench).await
}

pub(super) async fn finds_what_lost_its_answer(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let words = bench.words("Did it arrive after all?");
    let message = bench.post(1, &words);
    if !bench.provoke(Trouble::AnswerLost).await {
        return session.stop(bench).await;
    }
    // How this is called is another case's concern.
    let _ = attempt(&*session.adapter, &message).await;
    bench.seen(&words).await?;
    let found = look(bench, &session, &message).await?;
    let right = |found: &Option<Sent>| found.as_ref().is_some_and(|sent| sent.ids.len() == 1);
    ensure(found.as_ref().is_none_or(right), || format!("it arrived, and {found:?} was found"))?;
    session.stop(bench).await
}

/// What is found: a send, or that there was none. An adapter that cannot know skips the case.
async fn look(bench: &Bench<'_>, session: &Session, message: &Outbound) -> Result<Option<Option<Sent>>, String> {
    match session.adapter.find(message).await.map_err(|error| format!("find: {error}"))? {
        Found::Sent(sent) => Ok(Some(Some(sent))),
        Found::Absent => Ok(Some(None)),
        Found::Unknown => {
            bench.skip();
            Ok(None)
        }
    }
}
