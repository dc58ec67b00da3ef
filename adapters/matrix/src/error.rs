//! What the homeserver's answers mean for us, in words without addresses or secrets.

use std::time::Duration;

use frontdesk_core::{ReceiveError, RefusedScope, SendError};
use matrix_sdk::{
    HttpError,
    ruma::api::error::{ErrorKind, RetryAfter},
};

/// The homeserver names its own figure nearly always; this is for when it does not.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn http(error: &matrix_sdk::Error) -> Option<&HttpError> {
    match error {
        matrix_sdk::Error::Http(error) => Some(error),
        _ => None,
    }
}

/// How long the homeserver asks us to wait, where it says so.
pub(crate) fn patience(error: &HttpError) -> Option<Duration> {
    match error.client_api_error_kind()? {
        ErrorKind::LimitExceeded(limit) => match limit.retry_after.as_ref()? {
            RetryAfter::Delay(after) => Some(*after),
            RetryAfter::DateTime(_) => None,
        },
        _ => None,
    }
}

/// What happened, for people.
pub(crate) fn describe(error: &matrix_sdk::Error) -> String {
    http(error).map_or_else(|| error.to_string(), describe_http)
}

pub(crate) fn describe_http(error: &HttpError) -> String {
    match error {
        HttpError::Reqwest(error) if error.is_connect() => "no connection".into(),
        HttpError::Reqwest(error) if error.is_timeout() => "no answer in time".into(),
        HttpError::Reqwest(_) => "the connection broke".into(),
        HttpError::Cached(error) => describe_http(error),
        HttpError::Api(_) => match error.as_client_api_error() {
            Some(error) => error.to_string(),
            None => NOT_MATRIX.into(),
        },
        HttpError::IntoHttp(_) | HttpError::RefreshToken(_) => error.to_string(),
    }
}

/// Whether a look at one event failed for a reason of its own, so that a look at another may succeed.
pub(crate) fn is_about_the_event(error: &matrix_sdk::Error) -> bool {
    match error {
        matrix_sdk::Error::Http(error) => {
            matches!(error.client_api_error_kind(), Some(ErrorKind::NotFound | ErrorKind::Forbidden))
        }
        _ => true,
    }
}

/// Sorts the failure of a send by what is certain about it.
pub(crate) fn sending(error: &matrix_sdk::Error) -> SendError {
    match error {
        matrix_sdk::Error::Http(error) => sending_http(error),
        // One room's trouble must not stop the other desks, and an invitation mends it.
        matrix_sdk::Error::WrongRoomState(_) => {
            SendError::Transient("we are not in the desk's room any more; an operator has to invite us again".into())
        }
        other => SendError::Transient(other.to_string()),
    }
}

pub(crate) fn sending_http(error: &HttpError) -> SendError {
    let text = describe_http(error);
    if let HttpError::Reqwest(error) = error {
        return if error.is_connect() { SendError::Transient(text) } else { SendError::Uncertain(text) };
    }
    if let HttpError::Cached(error) = error {
        return sending_http(error);
    }
    let Some(api) = error.as_client_api_error() else { return SendError::Uncertain(text) };
    match api.error_kind() {
        // The whole channel: the homeserver paces all that this account does.
        Some(ErrorKind::LimitExceeded(_)) => {
            SendError::RetryAfter { after: patience(error).unwrap_or(PATIENCE), bucket: None }
        }
        Some(ErrorKind::TooLarge) => SendError::refused(
            RefusedScope::Content,
            "the message is too long for Matrix (64 KiB in all); send it in several parts",
        ),
        Some(ErrorKind::UnknownToken(_) | ErrorKind::MissingToken) => {
            SendError::refused(RefusedScope::Account, LOGGED_OUT)
        }
        Some(ErrorKind::UserDeactivated | ErrorKind::UserLocked | ErrorKind::UserSuspended) => SendError::refused(
            RefusedScope::Account,
            "the homeserver has closed our Matrix account; its administrator can open it again",
        ),
        Some(ErrorKind::Forbidden) => SendError::Transient(format!(
            "we may not write in the desk's room ({text}); an operator has to invite us or give us the right"
        )),
        Some(ErrorKind::NotFound) => {
            SendError::refused(RefusedScope::Recipient, format!("what it names does not exist in the room ({text})"))
        }
        _ if api.status_code.is_server_error() => SendError::Uncertain(text),
        _ if api.status_code.as_u16() == 429 => SendError::RetryAfter { after: PATIENCE, bucket: None },
        // A page of a proxy in between decides nothing about our message, nor says how far it came.
        None => SendError::Uncertain(NOT_MATRIX.into()),
        _ => SendError::refused(RefusedScope::Content, format!("the homeserver refused the message ({text})")),
    }
}

const NOT_MATRIX: &str = "an answer that is not Matrix (a proxy in between?)";

pub(crate) const LOGGED_OUT: &str = "the homeserver has logged us out; a new access token (`token`) or `password` \
                                     in the config is needed";

/// The failure of something that `receive` needs; `doing` completes "cannot ...".
pub(crate) fn receiving(doing: &str, error: &matrix_sdk::Error) -> ReceiveError {
    let text = format!("cannot {doing}: {}", describe(error));
    match error.client_api_error_kind() {
        Some(ErrorKind::UserDeactivated | ErrorKind::UserLocked | ErrorKind::UserSuspended) => {
            ReceiveError::Account(format!("{text}; ask the homeserver's administrator"))
        }
        _ => ReceiveError::Transient(text),
    }
}

/// Whether the homeserver does not know our token any more, and if so, whether the device is kept (soft).
pub(crate) fn logged_out(error: &HttpError) -> Option<bool> {
    match error.client_api_error_kind() {
        Some(ErrorKind::UnknownToken(data)) => Some(data.soft_logout),
        Some(ErrorKind::MissingToken) => Some(false),
        _ => None,
    }
}
