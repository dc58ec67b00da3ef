use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use frontdesk_core::{AccountId, Inbox, InboxError, Secret};
use jiff::Timestamp;
use tokio::{sync::Notify, time::Instant};

use crate::{Config, memory::Memory, recent::Recent};

/// The phone numbers of all WhatsApp channels of the program. Meta sends what happens to all numbers of an app to one
/// address, so whichever channel's address that is hands over to the others.
pub struct Numbers {
    lines: Mutex<HashMap<String, Arc<Line>>>,
    /// Unknown numbers that were told lately.
    unknown: Recent<String, ()>,
}

/// One number, and where what happens to it goes.
pub(crate) struct Line {
    pub number: String,
    pub account: Option<String>,
    pub app_secret: Secret,
    pub memory: Memory,
    inbox: Mutex<Option<Arc<dyn Inbox>>>,
    connected: AtomicBool,
    state: Mutex<State>,
    changed: Notify,
    looked: Notify,
}

#[derive(Default)]
struct State {
    /// The inbox takes nothing any more, and why.
    ended: Option<InboxError>,
    alarm: Option<Alarm>,
    /// Of the newest send that Meta took.
    taken: Option<Timestamp>,
}

/// Why nothing can be sent; says the cure.
struct Alarm {
    problem: String,
    /// When the send failed, by Meta's clock.
    at: Timestamp,
    heard: Instant,
}

/// An alarm that is not repeated is over: nobody has written since, or it was put right.
const ALARM_KEPT: Duration = Duration::from_secs(60 * 60);

const UNKNOWN: usize = 200;
const UNKNOWN_TOLD_EVERY: Duration = Duration::from_secs(60 * 60);

impl Numbers {
    #[must_use]
    pub fn new() -> Self {
        Self { lines: Mutex::default(), unknown: Recent::new(UNKNOWN, UNKNOWN_TOLD_EVERY) }
    }

    /// Another channel with the same number would take its messages, so the later one replaces it; the config has said
    /// so before.
    pub(crate) fn add(&self, config: &Config) -> Arc<Line> {
        let line = Arc::new(Line::new(config));
        self.lock().insert(line.number.clone(), Arc::clone(&line));
        line
    }

    pub(crate) fn get(&self, number: &str) -> Option<Arc<Line>> {
        self.lock().get(number).cloned()
    }

    /// The channel of this account, where only one has it.
    pub(crate) fn of_account(&self, account: &str) -> Option<Arc<Line>> {
        let lines = self.lock();
        let mut found = lines.values().filter(|line| line.account.as_deref() == Some(account));
        found.next().filter(|_| found.next().is_none()).cloned()
    }

    pub(crate) fn knows(&self, number: &str) -> bool {
        self.lock().contains_key(number)
    }

    /// Whether it is time to tell of an unknown number again.
    pub(crate) fn is_news(&self, number: &str) -> bool {
        let news = self.unknown.get(&number.to_owned()).is_none();
        if news {
            self.unknown.note(number.to_owned(), ());
        }
        news
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self::new()
    }
}

impl Line {
    fn new(config: &Config) -> Self {
        Self {
            number: config.phone_number_id.clone(),
            account: config.business_account_id.clone(),
            app_secret: config.app_secret.clone(),
            memory: Memory::new(),
            inbox: Mutex::default(),
            connected: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Notify::new(),
            looked: Notify::new(),
        }
    }

    pub fn serve(&self, inbox: Arc<dyn Inbox>) {
        *self.inbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(inbox);
        self.state().ended = None;
    }

    /// Where events go; `None` before the channel has an inbox.
    pub fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Names the account to the inbox, once. That Meta signs what happens to a number, or answers for it, shows that it
    /// is ours: a token that does not work yet costs no message.
    pub async fn connect(&self, inbox: &Arc<dyn Inbox>) -> Result<(), InboxError> {
        if self.connected.load(Ordering::Acquire) {
            return Ok(());
        }
        inbox.connected(AccountId::from(self.number.as_str())).await?;
        self.connected.store(true, Ordering::Release);
        Ok(())
    }

    /// The inbox has refused for good; whoever receives ends with it.
    pub fn end(&self, error: InboxError) {
        self.state().ended = Some(error);
        self.changed.notify_one();
    }

    pub fn ended(&self) -> Option<InboxError> {
        self.state().ended.take()
    }

    /// A send failed for a reason that stops them all. Webhooks come late, in any order and more than once: one that is
    /// older than what is known changes nothing.
    pub fn alarm(&self, problem: String, at: Timestamp) {
        let mut state = self.state();
        let newest = state.taken.max(state.alarm.as_ref().map(|alarm| alarm.at));
        if newest.is_some_and(|newest| at < newest) {
            return;
        }
        state.alarm = Some(Alarm { problem, at, heard: Instant::now() });
        self.changed.notify_one();
    }

    /// Meta took a send: that ends an alarm which was before it.
    pub fn calm(&self, at: Timestamp) {
        let mut state = self.state();
        state.taken = state.taken.max(Some(at));
        if state.alarm.take_if(|alarm| alarm.at < at).is_some() {
            self.changed.notify_one();
        }
    }

    pub fn problem(&self) -> Option<String> {
        let mut state = self.state();
        if state.alarm.as_ref().is_some_and(|alarm| alarm.heard.elapsed() > ALARM_KEPT) {
            state.alarm = None;
        }
        state.alarm.as_ref().map(|alarm| alarm.problem.clone())
    }

    /// Until something of the above has changed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Better to ask Meta about the account now.
    pub fn look(&self) {
        self.looked.notify_one();
    }

    pub async fn told_to_look(&self) {
        self.looked.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::tests::config;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn only_a_send_after_the_alarm_ends_it_and_no_older_alarm_comes_back() {
        let line = Numbers::new().add(&config("106540352242922", "http://127.0.0.1:9"));
        line.calm(at(50));
        line.alarm("of last week".into(), at(40));
        assert_eq!(line.problem(), None);
        line.alarm("no money".into(), at(100));
        // Told late, or again, or of a send in the same second.
        for earlier in [50, 99, 100] {
            line.calm(at(earlier));
            assert_eq!(line.problem().as_deref(), Some("no money"), "{earlier}");
        }
        line.alarm("older".into(), at(99));
        assert_eq!(line.problem().as_deref(), Some("no money"));
        line.calm(at(101));
        assert_eq!(line.problem(), None);
        line.alarm("no money".into(), at(100));
        assert_eq!(line.problem(), None);
        line.alarm("banned".into(), at(102));
        assert_eq!(line.problem().as_deref(), Some("banned"));
    }
}
