use super::{Bench, Trouble, ensure, failing::attempt, sending::send, session::Session};
use crate::{Found, Outbound};

pub(super) async fn finds_what_arrived(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let words = bench.words("Where is it?");
    let message = bench.post(1, &words);
    let sent = send(&*session.adapter, &message).await?;
    bench.seen(&words).await?;
    match find(&session, &message).await? {
        Found::Sent(found) => ensure(found == sent, || format!("it was {sent:?}, and {found:?} was found"))?,
        Found::Absent => return Err("it arrived, and was not found".into()),
        Found::Unknown => bench.skip(),
    }
    session.stop(bench).await
}

pub(super) async fn does_not_find_what_was_never_sent(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    send(&*session.adapter, &bench.post(1, &bench.words("Another one"))).await?;
    match find(&session, &bench.post(2, &bench.words("Never sent"))).await? {
        Found::Sent(found) => return Err(format!("{found:?} was found, and nothing was sent")),
        Found::Absent => {}
        Found::Unknown => bench.skip(),
    }
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
    match find(&session, &message).await? {
        Found::Sent(found) => ensure(found.ids.len() == 1, || format!("{found:?} was found"))?,
        Found::Absent => return Err("it arrived, and was not found".into()),
        // An adapter that cannot know says so.
        Found::Unknown => bench.skip(),
    }
    session.stop(bench).await
}

async fn find(session: &Session, message: &Outbound) -> Result<Found, String> {
    session.adapter.find(message).await.map_err(|error| format!("find: {error}"))
}
