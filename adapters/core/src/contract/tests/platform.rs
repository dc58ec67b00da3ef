//! A messenger in memory, and its adapter with one bug or none.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{RwLock, watch};
use tokio_util::sync::CancellationToken;

use super::super::{Counterpart, FarSide, Trouble};
use crate::{
    Adapter, Address, Capabilities, ChannelHealth, Cursor, Event, Found, Inbound, Inbox, InboxError, Limit, Media,
    Message, Op, Outbound, OutboxKey, Person, Prepared, ReceiveError, RefusedScope, SendError, SendErrorKind, Sent,
    Side, TextUnit,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    None,
    NamesNoAccount,
    ConfirmsBeforeStored,
    DropsWhatIsRefused,
    GivesUpAfterThreeRefusals,
    IgnoresTheAccount,
    IgnoresThatWeStop,
    KeysChange,
    LosesBrokenDeliveries,
    DropsTheOlder,
    NeverStops,
    WaitsForTheInbox,
    WaitsForDeliveries,
    WaitsForSends,
    TrimsLines,
    SendsTwice,
    ReadsMarkup,
    CutsLongTexts,
    ForgetsKeys,
    TakesLostForFailed,
    HearsItself,
    /// Calls this failure another.
    Misnames(SendErrorKind),
    SendsWhatItRefuses,
    FindsNothing,
    FindsEverything,
}

/// A messenger that keeps what was not confirmed, and knows a send by its key.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    bug: Bug,
    fails: bool,
    said: Mutex<Vec<(u64, String)>>,
    count: watch::Sender<u64>,
    shown: Mutex<Vec<String>>,
    known: Mutex<HashMap<OutboxKey, Sent>>,
    trouble: Mutex<Option<Trouble>>,
    /// Held by whoever sends.
    sending: RwLock<()>,
}

impl Platform {
    pub fn with(bug: Bug) -> Self {
        Self::new(bug, true)
    }

    /// Cannot be made to fail.
    pub fn that_never_fails() -> Self {
        Self::new(Bug::None, false)
    }

    fn new(bug: Bug, fails: bool) -> Self {
        Self(Arc::new(Inner {
            bug,
            fails,
            said: Mutex::default(),
            count: watch::Sender::new(0),
            shown: Mutex::default(),
            known: Mutex::default(),
            trouble: Mutex::default(),
            sending: RwLock::default(),
        }))
    }

    fn has(&self, bug: Bug) -> bool {
        self.0.bug == bug
    }

    fn say(&self, text: &str) {
        self.0.count.send_modify(|count| *count += 1);
        self.0.said.lock().unwrap().push((*self.0.count.borrow(), text.to_owned()));
    }

    fn confirm(&self, up_to: u64) {
        self.0.said.lock().unwrap().retain(|(number, _)| *number > up_to);
    }

    /// What goes wrong with a delivery, or with a send.
    fn trouble(&self, of_delivery: bool) -> Option<Trouble> {
        let mut trouble = self.0.trouble.lock().unwrap();
        let concerns_delivery = match (*trouble)? {
            Trouble::DeliveryBreaks | Trouble::DeliveryHangs | Trouble::DeliveryReversed => true,
            Trouble::AnswerLost | Trouble::AnswerHangs | Trouble::SendFails(_) => false,
        };
        if concerns_delivery == of_delivery { trouble.take() } else { None }
    }

    fn inbound(&self, number: u64, text: &str) -> Inbound {
        let text = if self.has(Bug::TrimsLines) { text.replace("    ", "") } else { text.to_owned() };
        let now = jiff::Timestamp::now();
        let key = if self.has(Bug::KeysChange) { now.as_nanosecond().to_string() } else { number.to_string() };
        Inbound {
            key: key.into(),
            side: Side::Customer,
            from: Person::human("anna", "Anna"),
            at: Address::chat("anna"),
            sent_at: jiff::Timestamp::from_second(i64::try_from(number).unwrap()).ok(),
            event: Event::Message(Message::text(number.to_string(), text)),
        }
    }
}

#[async_trait]
impl FarSide for Platform {
    async fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::new(self.clone())
    }

    fn person(&self) -> Counterpart {
        Counterpart { id: "anna".into(), name: "Anna".into(), at: Address::chat("anna"), side: Side::Customer }
    }

    async fn says(&self, text: &str) {
        self.say(text);
    }

    async fn sees(&self) -> Vec<String> {
        self.0.shown.lock().unwrap().clone()
    }

    async fn provoke(&self, trouble: Trouble) -> bool {
        if self.0.fails {
            *self.0.trouble.lock().unwrap() = Some(trouble);
        }
        self.0.fails
    }

    async fn is_met(&self) -> bool {
        self.0.trouble.lock().unwrap().is_none()
    }
}

#[async_trait]
impl Adapter for Platform {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: Limit { max: 500, unit: TextUnit::Utf16 },
            media: Vec::new(),
            edit: None,
            delete: None,
            replies: true,
            reactions: false,
            threads: false,
            slash_commands: false,
            typing: false,
            receipts: false,
            reply_window: None,
        }
    }

    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        _: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        let heard = if self.has(Bug::NeverStops) { CancellationToken::new() } else { stop.clone() };
        // These two look for the wish to stop only now and then.
        let patient = self.has(Bug::WaitsForTheInbox) || self.has(Bug::WaitsForDeliveries);
        let run = self.run(inbox, heard.clone());
        let ended = if patient { run.await } else { heard.run_until_cancelled(run).await.unwrap_or(Ok(())) };
        if self.has(Bug::WaitsForSends) {
            drop(self.0.sending.write().await);
        }
        ended
    }

    async fn send(&self, message: &Outbound, _: &Prepared, _: &dyn Media) -> Result<Sent, SendError> {
        let _sending = self.0.sending.read().await;
        let Op::Post(post) = &message.op else { return Err(SendError::WindowClosed) };
        let trouble = self.trouble(false);
        if let Some(Trouble::SendFails(kind)) = trouble {
            if self.has(Bug::SendsWhatItRefuses) {
                self.show(message.key, post.content.readable());
                self.0.known.lock().unwrap().clear();
            }
            return Err(self.failure(kind));
        }
        let sent = self.show(message.key, post.content.readable());
        match trouble {
            Some(Trouble::AnswerLost) if self.has(Bug::TakesLostForFailed) => {
                Err(SendError::Transient("no answer".into()))
            }
            Some(Trouble::AnswerLost) => Err(SendError::Uncertain("no answer".into())),
            Some(Trouble::AnswerHangs) => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Err(SendError::Uncertain("no answer in time".into()))
            }
            None
            | Some(
                Trouble::SendFails(_) | Trouble::DeliveryBreaks | Trouble::DeliveryHangs | Trouble::DeliveryReversed,
            ) => Ok(sent),
        }
    }

    fn repeatable(&self, _: &Outbound) -> bool {
        true
    }

    async fn find(&self, message: &Outbound) -> Result<Found, SendError> {
        let found = self.0.known.lock().unwrap().get(&message.key).cloned();
        match found {
            _ if self.has(Bug::FindsNothing) => Ok(Found::Absent),
            Some(sent) => Ok(Found::Sent(sent)),
            None if self.has(Bug::FindsEverything) => Ok(Found::Sent(Sent::one("1"))),
            None => Ok(Found::Absent),
        }
    }
}

impl Platform {
    async fn run(&self, inbox: Arc<dyn Inbox>, stop: CancellationToken) -> Result<(), ReceiveError> {
        if !self.has(Bug::NamesNoAccount)
            && let Err(other) = inbox.connected("shop".into()).await
            && !self.has(Bug::IgnoresTheAccount)
        {
            return Err(other.into());
        }
        let mut count = self.0.count.subscribe();
        while !stop.is_cancelled() {
            count.mark_unchanged();
            let mut batch = self.0.said.lock().unwrap().clone();
            let Some(last) = batch.last().map(|(number, _)| *number) else {
                inbox.health(ChannelHealth::CaughtUp);
                let _ = stop.run_until_cancelled(count.changed()).await;
                continue;
            };
            match self.trouble(true) {
                Some(Trouble::DeliveryReversed) => batch.reverse(),
                Some(Trouble::DeliveryHangs) => self.hang(&stop).await,
                Some(Trouble::DeliveryBreaks) if self.has(Bug::LosesBrokenDeliveries) => {
                    self.confirm(last);
                    continue;
                }
                Some(Trouble::DeliveryBreaks) => continue,
                None | Some(Trouble::AnswerLost | Trouble::AnswerHangs | Trouble::SendFails(_)) => {}
            }
            if self.has(Bug::ConfirmsBeforeStored) {
                self.confirm(last);
            }
            self.hand_over(&inbox, &batch, &stop).await?;
            if !stop.is_cancelled() {
                self.confirm(last);
            }
        }
        Ok(())
    }

    async fn hang(&self, stop: &CancellationToken) {
        let minute = tokio::time::sleep(Duration::from_secs(60));
        if self.has(Bug::WaitsForDeliveries) {
            minute.await;
        } else {
            let _ = stop.run_until_cancelled(minute).await;
        }
    }

    async fn hand_over(
        &self,
        inbox: &Arc<dyn Inbox>,
        batch: &[(u64, String)],
        stop: &CancellationToken,
    ) -> Result<(), ReceiveError> {
        let mut newest = 0;
        let mut events = Vec::new();
        for (number, text) in batch {
            if !self.has(Bug::DropsTheOlder) || *number > newest {
                events.push(self.inbound(*number, text));
            }
            newest = newest.max(*number);
        }
        let mut refusals = 0;
        while let Err(error) = inbox.accept(events.clone(), None).await {
            if matches!(error, InboxError::Stopping) && !self.has(Bug::IgnoresThatWeStop) {
                return Err(error.into());
            }
            let _ = stop.run_until_cancelled(tokio::time::sleep(Duration::from_millis(100))).await;
            refusals += 1;
            let gives_up = self.has(Bug::GivesUpAfterThreeRefusals) && refusals == 3;
            if gives_up || self.has(Bug::DropsWhatIsRefused) || stop.is_cancelled() {
                break;
            }
        }
        Ok(())
    }

    /// A key that is known is not shown again.
    fn show(&self, key: OutboxKey, mut text: String) -> Sent {
        if let Some(sent) = self.0.known.lock().unwrap().get(&key).filter(|_| !self.has(Bug::ForgetsKeys)) {
            return sent.clone();
        }
        if self.has(Bug::ReadsMarkup) {
            text = text.replace("<b>", "");
        }
        if self.has(Bug::CutsLongTexts) {
            text = text.chars().take(200).collect();
        }
        let id = {
            let mut shown = self.0.shown.lock().unwrap();
            let times = if self.has(Bug::SendsTwice) { 2 } else { 1 };
            shown.extend(vec![text.clone(); times]);
            shown.len()
        };
        let sent = Sent::one(id.to_string());
        self.0.known.lock().unwrap().insert(key, sent.clone());
        if self.has(Bug::HearsItself) {
            self.say(&text);
        }
        sent
    }

    fn failure(&self, kind: SendErrorKind) -> SendError {
        let refused = |scope| SendError::refused(scope, "The messenger does not want this.");
        match kind {
            kind if self.has(Bug::Misnames(kind)) && kind == SendErrorKind::Transient => SendError::WindowClosed,
            kind if self.has(Bug::Misnames(kind)) => SendError::Transient("something".into()),
            SendErrorKind::RetryAfter => SendError::RetryAfter { after: Duration::from_secs(3), bucket: None },
            SendErrorKind::Transient => SendError::Transient("no connection".into()),
            SendErrorKind::Uncertain => SendError::Uncertain("no answer".into()),
            SendErrorKind::WindowClosed => SendError::WindowClosed,
            SendErrorKind::Moved => SendError::Moved(Address::chat("anna")),
            SendErrorKind::Refused(
                scope @ (RefusedScope::Content | RefusedScope::Recipient | RefusedScope::Account),
            ) => refused(scope),
        }
    }
}
