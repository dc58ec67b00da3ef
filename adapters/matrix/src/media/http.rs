//! The two calls of the content repository, as the specification has them (Client-Server API, 10.9).

use std::{io, time::Duration};

use bytes::Bytes;
use frontdesk_core::{RefusedScope, SendError};
use futures::{Stream, stream};
use matrix_sdk::{
    Client,
    reqwest::{self, Body, Response, StatusCode, Url, header},
    ruma::{MxcUri, OwnedMxcUri},
};
use serde_json::Value;
use tokio::time::timeout;

use super::Chunks;
use crate::error::LOGGED_OUT;

const CONNECT: Duration = Duration::from_secs(10);
/// Until an answer begins, and between two pieces of it.
const STALLS: Duration = Duration::from_secs(30);
/// For a whole upload; whoever asks for it looks whether it moves.
const UPLOAD: Duration = Duration::from_secs(9 * 60);
/// What a homeserver says beside a file is short.
const WORDS: usize = 64 * 1024;
/// Where a homeserver asks for patience and names none.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection of its own for files.
pub(crate) struct Files(reqwest::Client);

impl Files {
    pub(crate) fn new() -> reqwest::Result<Self> {
        reqwest::Client::builder().connect_timeout(CONNECT).build().map(Self)
    }

    /// The size, where it is told, and the bytes.
    pub(super) async fn download(
        &self,
        client: &Client,
        uri: &MxcUri,
    ) -> Result<(Option<u64>, impl Stream<Item = io::Result<Bytes>> + Send + use<>), SendError> {
        let (server, id) = uri.parts().map_err(|_| gone())?;
        let mut answer = self.get(client, &["client", "v1", "media", "download", server.as_str(), id]).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            let words = words(answer).await;
            if words["errcode"] != "M_UNRECOGNIZED" {
                return Err(refusal(StatusCode::NOT_FOUND, &words));
            }
            // A homeserver that does not ask who reads files.
            answer = self.get(client, &["media", "v3", "download", server.as_str(), id]).await?;
        }
        if !answer.status().is_success() {
            return Err(match refusal(answer.status(), &words(answer).await) {
                // A look changes nothing, and whether we are logged in is told by what sends.
                SendError::Refused { scope: RefusedScope::Account, .. } => SendError::Transient("logged out".into()),
                other => other,
            });
        }
        Ok((answer.content_length(), pieces(answer)))
    }

    async fn get(&self, client: &Client, path: &[&str]) -> Result<Response, SendError> {
        let request = self.0.get(address(client, path)).bearer_auth(client.access_token().unwrap_or_default());
        match timeout(STALLS, request.send()).await {
            Ok(answer) => answer.map_err(|error| broken(&error)),
            Err(_) => Err(SendError::Transient("no answer in time".into())),
        }
    }

    /// Where it lies now.
    pub(super) async fn upload(
        &self,
        client: &Client,
        mime: Option<&str>,
        size: u64,
        chunks: Chunks,
    ) -> Result<OwnedMxcUri, SendError> {
        let request = self
            .0
            .post(address(client, &["media", "v3", "upload"]))
            .bearer_auth(client.access_token().unwrap_or_default())
            .header(header::CONTENT_TYPE, mime.unwrap_or("application/octet-stream"))
            .header(header::CONTENT_LENGTH, size)
            .timeout(UPLOAD)
            .body(Body::wrap_stream(chunks));
        let answer = request.send().await.map_err(|error| broken(&error))?;
        let (status, words) = (answer.status(), words(answer).await);
        if !status.is_success() {
            return Err(refusal(status, &words));
        }
        words["content_uri"].as_str().map(OwnedMxcUri::from).ok_or_else(|| SendError::Transient(NOT_MATRIX.into()))
    }
}

const NOT_MATRIX: &str = "an answer that is not Matrix (a proxy in between?)";

fn address(client: &Client, path: &[&str]) -> Url {
    let mut url = client.homeserver();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("_matrix").extend(path);
    }
    url
}

fn pieces(answer: Response) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    stream::try_unfold(answer, |mut answer| async move {
        match timeout(STALLS, answer.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk.map(|chunk| (chunk, answer))),
            Ok(Err(_)) => Err(io::Error::other("the connection broke")),
            Err(_) => Err(io::Error::other("the homeserver sends no more")),
        }
    })
}

/// What an answer says, `Null` where that is not JSON, too long, or late.
async fn words(mut answer: Response) -> Value {
    let mut bytes = Vec::new();
    while let Ok(Ok(Some(chunk))) = timeout(STALLS, answer.chunk()).await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > WORDS {
            return Value::Null;
        }
    }
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Nothing of a file is seen before an event names it: what failed can be done again.
fn refusal(status: StatusCode, words: &Value) -> SendError {
    let content = |reason: &str| SendError::refused(RefusedScope::Content, reason);
    match (words["errcode"].as_str(), status) {
        (Some("M_LIMIT_EXCEEDED"), _) | (_, StatusCode::TOO_MANY_REQUESTS) => {
            let after = words["retry_after_ms"].as_u64().map(Duration::from_millis);
            SendError::RetryAfter { after: after.unwrap_or(PATIENCE), bucket: None }
        }
        (Some("M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN"), _) => SendError::refused(RefusedScope::Account, LOGGED_OUT),
        (Some("M_TOO_LARGE"), _) | (_, StatusCode::PAYLOAD_TOO_LARGE) => content(
            "the file is larger than the homeserver takes; its administrator can raise that (`max_upload_size`).",
        ),
        (Some("M_NOT_FOUND"), _) => gone(),
        (Some("M_FORBIDDEN"), _) => content("the homeserver does not let us have or bring this file."),
        (Some(code), status) if status.is_client_error() => {
            content(&format!("the homeserver does not take or give this file ({code})."))
        }
        (Some(_), status) => SendError::Transient(format!("the homeserver answered {status}")),
        (None, _) => SendError::Transient(NOT_MATRIX.into()),
    }
}

fn gone() -> SendError {
    SendError::refused(RefusedScope::Content, "the homeserver does not have the file any more.")
}

/// Without the address: nobody has to read it.
fn broken(error: &reqwest::Error) -> SendError {
    SendError::Transient(if error.is_connect() { "no connection".into() } else { "the connection broke".into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(status: u16, words: Value) -> String {
        match refusal(StatusCode::from_u16(status).unwrap_or_default(), &words) {
            SendError::Refused { scope, .. } => format!("{scope:?}"),
            SendError::RetryAfter { after, .. } => format!("wait {} s", after.as_secs()),
            other => format!("{:?}", other.kind()),
        }
    }

    #[test]
    fn what_a_homeserver_says_of_a_file_is_told_apart() {
        assert_eq!(kind(413, json!({ "errcode": "M_TOO_LARGE" })), "Content");
        assert_eq!(kind(413, Value::Null), "Content");
        assert_eq!(kind(404, json!({ "errcode": "M_NOT_FOUND" })), "Content");
        assert_eq!(kind(429, json!({ "errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 7000 })), "wait 7 s");
        assert_eq!(kind(401, json!({ "errcode": "M_UNKNOWN_TOKEN" })), "Account");
        assert_eq!(kind(404, Value::Null), "Transient", "a proxy's page decides nothing");
        assert_eq!(kind(502, json!({ "errcode": "M_UNKNOWN" })), "Transient");
    }
}
