#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// As it looks to the caller: certain or not, about what.
fn verdict(text: &str) -> String {
    match refusal(text, Bucket::from("chat:1")) {
        SendError::Refused { scope, .. } => format!("{scope:?}"),
        SendError::RetryAfter { after, .. } => format!("wait {} s", after.as_secs()),
        SendError::Transient(_) => "Transient".into(),
        SendError::Uncertain(_) => "Uncertain".into(),
        SendError::WindowClosed => "WindowClosed".into(),
        SendError::Moved(_) => "Moved".into(),
    }
}

#[test]
fn telegrams_words_decide_what_is_certain() {
    let cases = [
        ("Forbidden: bot was blocked by the user", "Recipient"),
        ("Forbidden: user is deactivated", "Recipient"),
        ("Forbidden: bot can't initiate conversation with a user", "Recipient"),
        ("Forbidden: bots can't send messages to bots", "Recipient"),
        ("Forbidden: bot was kicked from the supergroup chat", "Recipient"),
        ("Forbidden: something new", "Recipient"),
        ("Unauthorized: bot was kicked from a chat", "Recipient"),
        ("Bad Request: chat not found", "Recipient"),
        ("Bad Request: PEER_ID_INVALID", "Recipient"),
        ("Bad Request: message thread not found", "Recipient"),
        ("Bad Request: not enough rights to send text messages to the chat", "Recipient"),
        ("Bad Request: message is too long", "Content"),
        ("Bad Request: MESSAGE_TOO_LONG", "Content"),
        ("Bad Request: message text is empty", "Content"),
        ("Bad Request: message can't be edited", "Content"),
        ("Bad Request: message can't be deleted for everyone", "Content"),
        ("Bad Request: REACTION_INVALID", "Content"),
        ("Bad Request: file is too big", "Content"),
        ("Bad Request: something new", "Content"),
        ("Request Entity Too Large", "Content"),
        ("Unauthorized", "Account"),
        ("Not Found", "Account"),
        ("Logged out", "Account"),
        ("Too Many Requests: retry after 7", "wait 7 s"),
        ("Too Many Requests: retry after 0", "wait 1 s"),
        ("Too Many Requests", "wait 5 s"),
        ("Internal Server Error", "Uncertain"),
        ("Internal Server Error: sent out", "Uncertain"),
        ("Bad Gateway", "Uncertain"),
        ("Gateway Timeout", "Uncertain"),
        ("", "Uncertain"),
    ];
    for (text, expected) in cases {
        assert_eq!(verdict(text), expected, "{text}");
    }
}

#[test]
fn a_group_that_migrated_is_an_address() {
    let error = send_error(RequestError::MigrateToChatId(teloxide::types::ChatId(-1001)), Bucket::from("chat:1"));
    assert!(matches!(error, SendError::Moved(to) if to == Address::chat("-1001")));
}

#[test]
fn an_answer_that_is_not_the_bot_apis_is_uncertain_and_is_not_quoted() {
    let source = serde_json::from_str::<u8>("<html>").unwrap_err();
    let error = RequestError::InvalidJson { source: source.into(), raw: "words of Anna".into() };
    assert!(matches!(poll_error(&error), PollError::Again { problem, .. } if !problem.contains("Anna")));
    let error = send_error(error, Bucket::from("chat:1"));
    assert!(matches!(error, SendError::Uncertain(what) if !what.contains("Anna")));
}

#[test]
fn a_poll_says_the_cure() {
    let api = |text: &str| poll_error(&RequestError::Api(ApiError::Unknown(text.into())));
    assert!(
        matches!(poll_error(&RequestError::Api(ApiError::InvalidToken)), PollError::Account(cure) if cure.contains("@BotFather"))
    );
    assert_eq!(
        api("Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"),
        PollError::Webhook
    );
    let other = poll_error(&RequestError::Api(ApiError::TerminatedByOtherGetUpdates));
    assert!(matches!(other, PollError::Again { problem, .. } if problem.contains("another program")));
}
