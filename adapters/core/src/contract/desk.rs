use super::{
    Bench, ensure,
    sending::{once, send},
    session::Session,
};
use crate::{Address, DeskName, Found, Op, Post, Sent, Side, ThreadId};

pub(super) async fn thread_takes_posts(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    if !session.is_desk() {
        bench.skip();
        return session.stop(bench).await;
    }
    let card = bench.words("Anna, Telegram, new");
    let (desk, thread) = open(bench, &session, &card).await?;
    let words = bench.words("Anna: Do you have bread without nuts?");
    let to = Address::Desk { desk, thread: Some(thread.clone()) };
    send(&*session.adapter, &bench.outbound(2, to, Op::Post(Post::words(&words)))).await?;

    once(&card, || bench.far.sees_in(&thread)).await?;
    once(&words, || bench.far.sees_in(&thread)).await?;
    session.stop(bench).await
}

pub(super) async fn answer_names_its_thread(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    if !session.is_desk() {
        bench.skip();
        return session.stop(bench).await;
    }
    let (desk, thread) = open(bench, &session, &bench.words("Anna, WhatsApp, returning")).await?;
    let words = bench.words("Yes, every day.");
    bench.far.says_in(&thread, &words).await;
    let arrival = session.stored(&words).await?;

    let expected = Side::Desk { desk, thread: Some(thread) };
    ensure(arrival.inbound.side == expected, || format!("side {:?}, not {expected:?}", arrival.inbound.side))?;
    session.stop(bench).await
}

async fn open(bench: &Bench<'_>, session: &Session, card: &str) -> Result<(DeskName, ThreadId), String> {
    let Side::Desk { desk, .. } = bench.far.person().side else {
        return Err("its capabilities include threads, so the person of its tests has to be an operator".into());
    };
    let room = Address::Desk { desk: desk.clone(), thread: None };
    let message = bench.outbound(1, room, Op::OpenThread(Post::words(card)));
    let Sent { thread, ids } = send(&*session.adapter, &message).await?;
    let thread = thread.ok_or("a thread was opened, and `Sent::thread` is not set")?;
    ensure(!ids.is_empty(), || "the card has no id".into())?;
    // Who finds the card again after an uncertain send has to find the thread with it.
    match session.adapter.find(&message).await.map_err(|error| format!("find: {error}"))? {
        Found::Sent(found) => {
            ensure(found == Sent { thread: Some(thread.clone()), ids }, || format!("found {found:?}"))?
        }
        Found::Absent => return Err("the card is there, and was not found".into()),
        Found::Unknown => {}
    }
    Ok((desk, thread))
}
