//! What `check --online` asks Telegram. Changes nothing, and never asks for updates: that would interrupt whoever
//! receives them, this very program included. So another program with the same token is found by `run`, not here.

use frontdesk_core::Finding;
use jiff::Timestamp;
use teloxide::RequestError;

use crate::{
    api::{Api, Me, WebhookInfo},
    failure::{PollError, poll_error},
    receive::webhook_problem,
};

pub(crate) async fn probe(api: &Api) -> Vec<Finding> {
    let me = match api.me().await {
        Ok(me) => me,
        Err(error) => return vec![Finding::error(problem(&error))],
    };
    let (webhook, date) = futures::join!(api.webhook(), api.date());
    let clock = date.and_then(|date| Finding::clock(&date, Timestamp::now()));
    [account(&me), receiver(webhook)].into_iter().chain(clock).collect()
}

fn account(me: &Me) -> Finding {
    let name = me.username.as_deref().map(|name| format!(" @{name}")).unwrap_or_default();
    Finding::ok(format!("the token belongs to the bot{name} ({})", me.id))
}

fn receiver(webhook: Result<WebhookInfo, RequestError>) -> Finding {
    match webhook {
        Ok(info) if !info.url.is_empty() => Finding::error(webhook_problem(&info.url)),
        Ok(WebhookInfo { pending_update_count: 0, .. }) => {
            Finding::ok("nobody else receives its messages by a webhook, and none waits to be read")
        }
        Ok(WebhookInfo { pending_update_count, .. }) => Finding::ok(format!(
            "nobody else receives its messages by a webhook; {pending_update_count} wait to be read"
        )),
        Err(error) => Finding::warning(problem(&error)),
    }
}

/// As `receive` says it, but nobody tries again.
fn problem(error: &RequestError) -> String {
    let problem = match poll_error(error) {
        PollError::Account(problem) | PollError::Again { problem, .. } => problem,
        PollError::Webhook => webhook_problem(""),
    };
    problem.trim_end_matches("; trying again").to_owned()
}
