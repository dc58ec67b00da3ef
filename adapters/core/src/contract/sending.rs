use std::time::Duration;

use async_trait::async_trait;

use super::{
    Bench, HOSTILE, ensure,
    session::{Session, all},
};
use crate::{
    Adapter, Address, Media, MediaRef, MediaStream, Op, Outbound, OutboxKey, Post, RefusedScope, SendError, Sent,
};

pub(super) async fn arrives_once(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let words = bench.words("Yes, we do.");
    let sent = send(&*session.adapter, &bench.post(1, &words)).await?;
    ensure(sent.ids.len() == 1, || format!("the ids are {:?}", sent.ids))?;
    let other = send(&*session.adapter, &bench.post(2, &bench.words("Anything else?"))).await?;
    ensure(sent.ids != other.ids, || format!("two sends have the ids {:?}", sent.ids))?;
    bench.seen(&words).await?;
    session.stop(bench).await
}

pub(super) async fn answer_reaches_sender(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let question = bench.words("When do you open?");
    bench.far.says(&question).await;
    let arrival = session.stored(&question).await?;

    let words = bench.words("At nine.");
    let mut post = Post::words(&words);
    post.reply_to = Some(arrival.message.id);
    let answer = bench.outbound(1, arrival.inbound.at, Op::Post(post));
    send(&*session.adapter, &answer).await?;
    bench.seen(&words).await?;
    session.stop(bench).await
}

pub(super) async fn hostile_words_are_sent(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    for (number, words) in (1..).zip(HOSTILE) {
        let words = bench.words(words);
        send(&*session.adapter, &bench.post(number, &words)).await?;
        bench.seen(&words).await?;
    }
    session.stop(bench).await
}

pub(super) async fn greatest_length_arrives(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let limit = session.adapter.capabilities().text;
    let long = bench.words("🍞 in all sizes:") + &" 🍞 brown loaf".repeat(limit.max / 8);
    let mut words = limit.split(&long).swap_remove(0);
    while limit.fits(&format!("{words}!")) {
        words.push('!');
    }
    send(&*session.adapter, &bench.post(1, &words)).await?;
    bench.seen(&words).await?;
    session.stop(bench).await
}

pub(super) async fn repeat_is_seen_once(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let words = bench.words("Only once, please");
    let message = bench.post(1, &words);
    if !session.adapter.repeatable(&message) {
        bench.skip();
    } else {
        let first = send(&*session.adapter, &message).await?;
        let again = send(&*session.adapter, &message).await?;
        ensure(first == again, || format!("it was {first:?}, then {again:?}"))?;
        bench.seen(&words).await?;
    }
    session.stop(bench).await
}

pub(super) async fn own_words_do_not_return(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let ours = bench.words("From us");
    send(&*session.adapter, &bench.post(1, &ours)).await?;
    bench.seen(&ours).await?;
    let theirs = bench.words("From them");
    bench.far.says(&theirs).await;
    session.stored(&theirs).await?;
    ensure(all(&session.inbox.offered(), &ours).is_empty(), || "our own words came back as a message".into())?;
    session.stop(bench).await
}

impl Bench<'_> {
    pub fn post(&self, number: u64, words: &str) -> Outbound {
        self.outbound(number, self.far.person().at, Op::Post(Post::words(words)))
    }

    pub fn outbound(&self, number: u64, to: Address, op: Op) -> Outbound {
        let key: OutboxKey = self.key(number);
        Outbound { key, to, op, written_at: jiff::Timestamp::now() }
    }

    /// The person sees these words, and sees them once.
    pub async fn seen(&self, words: &str) -> Result<(), String> {
        once(words, || self.far.sees()).await
    }
}

/// Waits until the words are there, and then that they are there once.
pub(super) async fn once<F>(words: &str, look: impl Fn() -> F) -> Result<(), String>
where
    F: Future<Output = Vec<String>>,
{
    let mut seen = Vec::new();
    for _ in 0..100 {
        seen = look().await;
        match seen.iter().filter(|seen| *seen == words).count() {
            0 => tokio::time::sleep(Duration::from_millis(100)).await,
            1 => return Ok(()),
            times => return Err(format!("{words:?} is there {times} times")),
        }
    }
    let last = seen.last();
    Err(format!("{words:?} is not there; of {} messages the last is {last:?}", seen.len()))
}

/// Sends, with the patience that the platform asks for.
pub(super) async fn send(adapter: &dyn Adapter, message: &Outbound) -> Result<Sent, String> {
    let prepared = adapter.prepare(message, &NoMedia).await.map_err(|error| format!("prepare: {error}"))?;
    for _ in 0..5 {
        match adapter.send(message, &prepared, &NoMedia).await {
            Ok(sent) => return Ok(sent),
            Err(SendError::RetryAfter { after, .. }) => tokio::time::sleep(after).await,
            Err(error) => return Err(format!("send: {error}")),
        }
    }
    Err("the platform asked for patience five times".into())
}

/// The cases send words only.
pub(super) struct NoMedia;

#[async_trait]
impl Media for NoMedia {
    async fn open(&self, _: &MediaRef) -> Result<MediaStream, SendError> {
        Err(SendError::refused(RefusedScope::Content, "the contract cases have no files"))
    }
}

impl Session {
    pub fn is_desk(&self) -> bool {
        self.adapter.capabilities().threads
    }
}
