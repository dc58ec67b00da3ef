use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use frontdesk_core::{ChannelHealth, Inbox, InboxError, ReceiveError};
use serde_json::Value;
use tracing::warn;

use crate::{
    api::{Api, ApiError},
    failure::{Class, trouble},
    numbers::Line,
    wire::{flag, text},
};

/// Watches over the account for ever; what happens comes by the webhook meanwhile. Ends only with an error.
///
/// A token that does not work, or a Graph API that cannot be reached, is told, and stops no message.
pub(crate) async fn receive(
    api: &Api,
    line: &Line,
    coexists: &AtomicBool,
    inbox: Arc<dyn Inbox>,
) -> Result<(), ReceiveError> {
    line.serve(Arc::clone(&inbox));
    let mut watch = Watch { api, line, coexists, inbox, reported: None, failures: 0, standing: Standing::Unknown };
    watch.report(ChannelHealth::Connecting);
    loop {
        watch.look().await?;
        let pause = watch.pause();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = line.told_to_look() => {}
            error = watch.until_ended() => return Err(error.into()),
        }
    }
}

/// What has to be asked of Meta.
pub(crate) const FIELDS: &str = "id,display_phone_number,verified_name,status,quality_rating,is_on_biz_app";

/// While all is well, and while a person has to do something.
const NOW_AND_THEN: Duration = Duration::from_secs(300);
const SOON: Duration = Duration::from_secs(30);
/// As many failures in a row are no hiccup.
const HICCUPS: u32 = 3;

struct Watch<'a> {
    api: &'a Api,
    line: &'a Line,
    /// The owner uses the number on a phone as well.
    coexists: &'a AtomicBool,
    inbox: Arc<dyn Inbox>,
    reported: Option<ChannelHealth>,
    /// Of the Graph API, in a row.
    failures: u32,
    standing: Standing,
}

/// How the account stands with Meta.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Unknown,
    Well,
    /// Says the cure.
    Ill(String),
}

impl Watch<'_> {
    async fn look(&mut self) -> Result<(), ReceiveError> {
        match self.api.number(FIELDS).await {
            Ok(number) => {
                self.failures = 0;
                self.coexists.store(flag(&number, "/is_on_biz_app"), Ordering::Relaxed);
                self.standing = standing(&number);
                self.connect().await?;
            }
            Err(error) => self.failed(error),
        }
        self.tell();
        Ok(())
    }

    /// The number answers to our token, so it is ours.
    async fn connect(&mut self) -> Result<(), ReceiveError> {
        while let Err(error) = self.line.connect(&self.inbox).await {
            match error {
                InboxError::Store(_) => {
                    self.report(ChannelHealth::Failing { problem: format!("{error}; trying again") });
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
                InboxError::Account(_) | InboxError::Stopping => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn failed(&mut self, error: ApiError) {
        self.failures = self.failures.saturating_add(1);
        match problem(error) {
            Problem::Account(problem) => self.standing = Standing::Ill(problem),
            Problem::Passing(problem) => {
                warn!(problem, failures = self.failures, "whatsapp: cannot ask about the account; trying again");
                if self.standing == Standing::Unknown || self.failures >= HICCUPS {
                    self.standing = Standing::Ill(format!(
                        "cannot ask WhatsApp about the account ({problem}); what customers write is taken all the same; \
                         trying again"
                    ));
                }
            }
        }
    }

    /// Tells changes of the alarm, until the inbox takes nothing any more.
    async fn until_ended(&mut self) -> InboxError {
        loop {
            if let Some(error) = self.line.ended() {
                return error;
            }
            self.tell();
            self.line.changed().await;
        }
    }

    fn pause(&self) -> Duration {
        match (&self.standing, self.failures) {
            (Standing::Well, 0) => NOW_AND_THEN,
            (Standing::Ill(_), 0) => SOON,
            (Standing::Unknown | Standing::Well | Standing::Ill(_), failures) => {
                Duration::from_secs(1 << failures.min(5)).min(SOON)
            }
        }
    }

    fn tell(&mut self) {
        let health = match (&self.standing, self.line.problem()) {
            (Standing::Ill(problem), _) => ChannelHealth::Failing { problem: problem.clone() },
            (Standing::Unknown | Standing::Well, Some(problem)) => ChannelHealth::Failing { problem },
            (Standing::Unknown, None) => ChannelHealth::Connecting,
            // What Meta could not deliver yet comes when it likes: nobody can tell how much that is.
            (Standing::Well, None) => ChannelHealth::CaughtUp,
        };
        self.report(health);
    }

    /// Changes only.
    fn report(&mut self, health: ChannelHealth) {
        if self.reported.as_ref() != Some(&health) {
            self.inbox.health(health.clone());
            self.reported = Some(health);
        }
    }
}

fn standing(number: &Value) -> Standing {
    let problem = match text(number, "/status") {
        Some("BANNED") => "Meta has banned this phone number: see Account quality in Meta Business settings",
        Some("RESTRICTED") => {
            "Meta has restricted this phone number for now: see Account quality in Meta Business settings"
        }
        Some("DISCONNECTED" | "DELETED" | "MIGRATED") => {
            "this phone number is no longer connected to the Cloud API: see WhatsApp Manager > Phone numbers"
        }
        Some("UNVERIFIED" | "PENDING") => {
            "this phone number is not verified or not registered yet: finish that in WhatsApp Manager > Phone numbers"
        }
        Some(_) | None => return Standing::Well,
    };
    Standing::Ill(problem.to_owned())
}

/// Why Meta did not answer for the account.
pub(crate) enum Problem {
    /// Nothing changes by itself; says the cure.
    Account(String),
    Passing(String),
}

pub(crate) fn problem(error: ApiError) -> Problem {
    match error {
        ApiError::Graph { status, error, .. } => {
            let trouble = trouble(&error, Some(status));
            match trouble.class {
                Class::Alarm => Problem::Account(trouble.sentence),
                Class::Later(..) | Class::Window | Class::Content | Class::Recipient | Class::Doubt => {
                    Problem::Passing(trouble.sentence)
                }
            }
        }
        ApiError::Unreached(what) | ApiError::Broken(what) => Problem::Passing(what),
    }
}
