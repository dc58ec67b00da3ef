use std::{error::Error, time::Duration};

use frontdesk_core::{Address, Bucket, RefusedScope, SendError};
use teloxide::{ApiError, RequestError};

use crate::api::{Parameters, UploadError};

/// What a failed send means: what is certain, and what people read.
pub(crate) fn send_error(error: RequestError, bucket: Bucket) -> SendError {
    match error {
        RequestError::Api(error) => refusal(&description(&error), bucket),
        RequestError::MigrateToChatId(chat) => SendError::Moved(Address::chat(chat.0.to_string())),
        RequestError::RetryAfter(wait) => patience(wait.duration(), bucket),
        RequestError::Network(error) if error.is_connect() => SendError::Transient(network(&error)),
        RequestError::Network(error) => SendError::Uncertain(network(&error)),
        // Its text holds the whole answer, and with it people's words.
        RequestError::InvalidJson { .. } => SendError::Uncertain(NO_BOT_API.into()),
        RequestError::Io(error) => SendError::Uncertain(error.to_string()),
    }
}

/// The same of a send that carries a file.
pub(crate) fn upload_error(error: UploadError, bucket: Bucket) -> SendError {
    match error {
        UploadError::Refused { parameters: Parameters { migrate_to_chat_id: Some(chat), .. }, .. } => {
            SendError::Moved(Address::chat(chat.to_string()))
        }
        UploadError::Refused { parameters: Parameters { retry_after: Some(secs), .. }, .. } => {
            patience(Duration::from_secs(secs), bucket)
        }
        UploadError::Refused { description, .. } => refusal(&description, bucket),
        UploadError::TooLarge => SendError::refused(RefusedScope::Content, "This is larger than Telegram allows."),
        UploadError::Network(error) if error.is_connect() => SendError::Transient(network(&error)),
        UploadError::Network(error) => SendError::Uncertain(network(&error)),
        UploadError::NoBotApi => SendError::Uncertain(NO_BOT_API.into()),
    }
}

/// What a failed `getUpdates` or `getMe` means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PollError {
    /// Nothing changes by itself; says the cure.
    Account(String),
    /// Somebody set a webhook: the server gives us nothing.
    Webhook,
    /// Worth trying again; says what is wrong.
    Again { problem: String, after: Option<Duration> },
}

pub(crate) fn poll_error(error: &RequestError) -> PollError {
    let again = |problem: String| PollError::Again { problem, after: None };
    match error {
        RequestError::Api(ApiError::InvalidToken) => PollError::Account(INVALID_TOKEN.into()),
        RequestError::Api(error) => {
            let text = description(error);
            match text {
                _ if text.contains("webhook is active") => PollError::Webhook,
                _ if text.contains("Logged out") => PollError::Account(LOGGED_OUT.into()),
                _ if text.starts_with("Conflict") => again(OTHER_POLLER.into()),
                _ => again(format!("Telegram cannot answer now ({text}); trying again")),
            }
        }
        RequestError::RetryAfter(wait) => PollError::Again {
            problem: format!("Telegram asks to wait for {} s", wait.seconds()),
            after: Some(wait.duration()),
        },
        RequestError::Network(error) => again(format!("cannot reach Telegram ({}); trying again", network(error))),
        RequestError::InvalidJson { .. } => again(format!("{NO_BOT_API}: check `api_url`; trying again")),
        RequestError::MigrateToChatId(_) | RequestError::Io(_) => again("an answer that makes no sense".into()),
    }
}

const INVALID_TOKEN: &str = "Telegram does not accept the bot's token: copy it again from @BotFather (/mybots, API \
                             Token) to `token`, and check `api_url` if you changed it";
const LOGGED_OUT: &str = "the bot is logged out of this Bot API server: set `api_url` to the server where it is logged \
                          in, or wait 10 minutes after `logOut`";
const OTHER_POLLER: &str = "another program receives this bot's messages with the same token: stop it, or get a new \
                            token from @BotFather (/revoke); trying again";
const NO_BOT_API: &str = "the answer was not one of the Bot API";

/// At least this long, also where Telegram names less.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// Where Telegram says "too many" and not for how long.
const UNNAMED_PATIENCE: Duration = Duration::from_secs(5);

/// Telegram's words (any letter case), what the refusal is about, and what people read. The first that fits counts.
const REFUSALS: &[(&str, RefusedScope, &str)] = {
    use RefusedScope::{Account, Content, Recipient};
    &[
        (
            "bot was blocked by the user",
            Recipient,
            "The customer has blocked the bot. They can be reached again when they unblock it.",
        ),
        ("user is deactivated", Recipient, "The customer's Telegram account no longer exists."),
        (
            "can't initiate conversation",
            Recipient,
            "Telegram lets a bot write only to people who have written to it: ask the customer to write first.",
        ),
        (
            "chat not found",
            Recipient,
            "Telegram does not know this chat: the customer has never written to this bot, or has deleted the chat. \
             They can be reached again when they write.",
        ),
        ("peer_id_invalid", Recipient, "Telegram does not know this chat. Ask the customer to write again."),
        ("user not found", Recipient, "Telegram does not know this person. Ask the customer to write again."),
        ("bots can't send messages to bots", Recipient, "This is a bot, and bots cannot write to bots."),
        ("bot was kicked", Recipient, "The bot was removed from this chat. Add it again to write there."),
        ("bot is not a member", Recipient, "The bot is not in this chat. Add it again to write there."),
        ("group is deactivated", Recipient, "This group no longer exists."),
        ("message thread not found", Recipient, "This topic no longer exists."),
        ("topic_closed", Recipient, "This topic is closed. Open it again to write there."),
        ("topic_deleted", Recipient, "This topic no longer exists."),
        ("not enough rights", Recipient, "The bot may not write in this chat. Give it the right to send messages."),
        (
            "have no rights to send",
            Recipient,
            "The bot may not write in this chat. Give it the right to send messages.",
        ),
        ("chat_write_forbidden", Recipient, "The bot may not write in this chat. Give it the right to send messages."),
        ("message is too long", Content, "The text is longer than the 4096 characters that Telegram allows."),
        ("message_too_long", Content, "The text is longer than the 4096 characters that Telegram allows."),
        ("request entity too large", Content, "This is larger than Telegram allows."),
        ("file is too big", Content, "The file is larger than the 20 MB that Telegram hands to bots."),
        ("text is empty", Content, "Telegram does not send empty messages."),
        ("text must be non-empty", Content, "Telegram does not send empty messages."),
        ("message can't be edited", Content, "Telegram does not let this message be edited any more."),
        ("message to edit not found", Content, "The message is not there any more, so it was not edited."),
        (
            "message can't be deleted",
            Content,
            "Telegram does not let this message be deleted any more: a bot can for 48 hours.",
        ),
        ("message to react not found", Content, "The message is not there any more, so there is no reaction to it."),
        ("reaction_invalid", Content, "Telegram does not have this reaction. Try another, such as 👍 or ❤."),
        ("message_id_invalid", Content, "The message is not there any more."),
        ("wrong file", Content, "Telegram does not know this file any more."),
        ("invalid file", Content, "Telegram does not know this file any more."),
        ("logged out", Account, LOGGED_OUT),
        ("invalid bot token", Account, INVALID_TOKEN),
    ]
};

/// Telegram's error code is not handed on by teloxide, so its words decide. What is not refused in so many words
/// (`Internal Server Error`, `Bad Gateway`) may have been carried out.
fn refusal(text: &str, bucket: Bucket) -> SendError {
    let lower = text.to_lowercase();
    if let Some((_, scope, sentence)) = REFUSALS.iter().find(|(words, ..)| lower.contains(words)) {
        return SendError::refused(*scope, *sentence);
    }
    let class = lower.split(':').next().unwrap_or_default();
    match class {
        "too many requests" => patience(seconds_in(&lower).unwrap_or(UNNAMED_PATIENCE), bucket),
        "forbidden" => refused(RefusedScope::Recipient, "Telegram does not let the bot write to this chat", text),
        "unauthorized" | "not found" => SendError::refused(RefusedScope::Account, INVALID_TOKEN),
        "bad request" => refused(RefusedScope::Content, "Telegram did not take this message", text),
        "conflict" => SendError::Transient(text.to_owned()),
        _ => SendError::Uncertain(text.to_owned()),
    }
}

fn refused(scope: RefusedScope, sentence: &str, telegram: &str) -> SendError {
    SendError::refused(scope, format!("{sentence} (\"{telegram}\")."))
}

fn patience(after: Duration, bucket: Bucket) -> SendError {
    SendError::RetryAfter { after: after.max(LEAST_PATIENCE), bucket: Some(bucket) }
}

/// The number in `too many requests: retry after 7`.
fn seconds_in(text: &str) -> Option<Duration> {
    text.rsplit(' ').next()?.parse().ok().map(Duration::from_secs)
}

/// Telegram's own words.
pub(crate) fn description(error: &ApiError) -> String {
    match error {
        ApiError::Unknown(text) => text.clone(),
        known => known.to_string(),
    }
}

/// What broke, without the address that was called: the bot's token is in it.
pub(crate) fn network(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let what = match error {
        error if error.is_connect() => "no connection",
        error if error.is_timeout() => "no answer in time",
        error if error.status().is_some() => return status(error),
        _ => "the connection broke",
    };
    // Without a deeper cause it is reqwest's own text, which names the address.
    if error.source().is_none() { what.to_owned() } else { format!("{what}: {cause}") }
}

fn status(error: &reqwest::Error) -> String {
    error.status().map(|status| format!("the server answered {status}")).unwrap_or_default()
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
