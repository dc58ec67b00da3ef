use std::{collections::HashSet, sync::Arc, time::Duration};

use frontdesk_core::{AccountId, ChannelHealth, Inbound, Inbox, InboxError, ReceiveError};
use reqwest::Url;
use serde_json::Value;
use teloxide::RequestError;
use tracing::{info, warn};

use crate::{
    api::{Api, BATCH},
    convert::{Converted, convert, update_id},
    failure::{PollError, poll_error},
};

/// Receives for ever; ends only with an error. May be dropped at any moment: what was not stored was not confirmed.
pub(crate) async fn receive(api: &Api, inbox: Arc<dyn Inbox>) -> Result<(), ReceiveError> {
    let mut receiver = Receiver { api, inbox, reported: None, failures: 0, groups: HashSet::new() };
    receiver.report(ChannelHealth::Connecting);
    receiver.connect().await?;
    receiver.poll().await
}

struct Receiver<'a> {
    api: &'a Api,
    inbox: Arc<dyn Inbox>,
    reported: Option<ChannelHealth>,
    /// In a row.
    failures: u32,
    /// Groups that were mentioned in the log.
    groups: HashSet<i64>,
}

/// Of groups to remember; a bot in more than that is mentioned in the log now and then.
const MOST_GROUPS: usize = 1000;

const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Receiver<'_> {
    async fn connect(&mut self) -> Result<(), ReceiveError> {
        let me = loop {
            match self.api.me().await {
                Ok(me) => break me,
                Err(error) => self.failed(&error).await?,
            }
        };
        let account = AccountId::from(me.id.to_string());
        while let Err(error) = self.inbox.connected(account.clone()).await {
            self.refused(error).await?;
        }
        self.recovered();
        Ok(())
    }

    /// The next request confirms what the one before gave, so it is made only when all of that is stored.
    async fn poll(&mut self) -> Result<(), ReceiveError> {
        let mut offset = 0;
        let mut caught_up = false;
        loop {
            let batch = match self.api.updates(offset, caught_up).await {
                Ok(batch) => batch,
                Err(error) => {
                    // What waits after a break is asked for at once, to know when it is read.
                    caught_up = false;
                    self.failed(&error).await?;
                    continue;
                }
            };
            caught_up = batch.len() < BATCH;
            let (events, last) = self.convert(batch);
            self.recovered();
            self.store(events).await?;
            if caught_up {
                self.report(ChannelHealth::CaughtUp);
            }
            if let Some(last) = last {
                offset = last + 1;
            }
        }
    }

    /// The events in the order they came, and the highest update id among them.
    fn convert(&mut self, batch: Vec<Value>) -> (Vec<Inbound>, Option<i64>) {
        let updates: Vec<_> = batch.into_iter().filter_map(|raw| Some((update_id(&raw)?, raw))).collect();
        let last = updates.iter().map(|(id, _)| *id).max();
        let events = updates.into_iter().filter_map(|(id, raw)| match convert(id, raw) {
            Converted::Inbound(inbound) => Some(*inbound),
            Converted::Elsewhere { chat, kind } => {
                self.mention_group(chat, &kind);
                None
            }
        });
        (events.collect(), last)
    }

    /// Until it is stored, however long that takes: asking for more would lose it.
    async fn store(&mut self, events: Vec<Inbound>) -> Result<(), ReceiveError> {
        if events.is_empty() {
            return Ok(());
        }
        while let Err(error) = self.inbox.accept(events.clone(), None).await {
            self.refused(error).await?;
        }
        self.recovered();
        Ok(())
    }

    async fn refused(&mut self, error: InboxError) -> Result<(), ReceiveError> {
        match error {
            InboxError::Store(_) => {
                self.fails(format!("{error}; nothing is lost, Telegram keeps them for 24 hours; trying again"));
                self.pause(None).await;
                Ok(())
            }
            InboxError::Account(_) | InboxError::Stopping => Err(error.into()),
        }
    }

    async fn failed(&mut self, error: &RequestError) -> Result<(), ReceiveError> {
        match poll_error(error) {
            PollError::Again { problem, after } => {
                self.fails(problem);
                self.pause(after).await;
                Ok(())
            }
            PollError::Account(problem) => Err(self.stuck(problem)),
            PollError::Webhook => {
                let url = self.api.webhook().await.map(|info| info.url).unwrap_or_default();
                Err(self.stuck(webhook_problem(&url)))
            }
        }
    }

    fn stuck(&mut self, problem: String) -> ReceiveError {
        self.report(ChannelHealth::Failing { problem: problem.clone() });
        ReceiveError::Account(problem)
    }

    fn fails(&mut self, problem: String) {
        warn!(problem, "telegram: cannot receive");
        self.report(ChannelHealth::Failing { problem });
    }

    async fn pause(&mut self, least: Option<Duration>) {
        let doubled = Duration::from_secs(1 << self.failures.min(5)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(doubled.max(least.unwrap_or_default())).await;
    }

    fn recovered(&mut self) {
        self.failures = 0;
        if self.reported != Some(ChannelHealth::CaughtUp) {
            self.report(ChannelHealth::Connected);
        }
    }

    /// Changes only.
    fn report(&mut self, health: ChannelHealth) {
        if self.reported.as_ref() != Some(&health) {
            self.inbox.health(health.clone());
            self.reported = Some(health);
        }
    }

    fn mention_group(&mut self, chat: i64, kind: &str) {
        if self.groups.len() >= MOST_GROUPS {
            self.groups.clear();
        }
        if self.groups.insert(chat) {
            info!(chat, kind, "telegram: the bot is in a group or channel; what is written there is ignored");
        }
    }
}

/// A webhook belongs to somebody: another program, or a former set-up of this one. Deleting it unasked would cut that
/// off without a word, so the owner decides.
pub(crate) fn webhook_problem(url: &str) -> String {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let place = host.map(|host| format!(" at {host}")).unwrap_or_default();
    format!(
        "another service{place} receives this bot's messages (a webhook is set): disconnect the bot there, or open \
         <api_url>/bot<token>/deleteWebhook in a browser, with your own values"
    )
}
