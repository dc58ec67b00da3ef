use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use frontdesk_core::{InboxError, Secret};
use futures::StreamExt;
use jiff::Timestamp;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
    time::timeout,
};
use tracing::{error, warn};

use crate::{
    convert::{Change, Converted, Told, changes},
    numbers::{Line, Numbers},
    recent::Recent,
    signature::{self, Signature},
    wire,
};

/// What Meta calls. A 200 means that everything in the request is on disk; with anything else Meta sends it again, for
/// seven days.
pub(crate) struct Hook {
    line: Arc<Line>,
    numbers: Arc<Numbers>,
    verify_token: Secret,
    small: Semaphore,
    large: Semaphore,
    /// What was logged lately: strangers can send as much as they like.
    told: Recent<&'static str, ()>,
}

/// Meta sends up to 3 MB.
const LONGEST: usize = 3 * 1024 * 1024;
/// Most are a few hundred bytes long. The long ones wait for each other, and never keep these waiting.
const SMALL: usize = 64 * 1024;
const SMALL_AT_ONCE: usize = 512;
const LARGE_AT_ONCE: usize = 4;

/// How a webhook that is on disk is answered: `check --online` knows frontdesk by it.
pub(crate) const STORED: &str = "stored";

/// For a turn, for the body, and for the disk.
const TURN: Duration = Duration::from_secs(8);
const BODY: Duration = Duration::from_secs(10);
const STORE: Duration = Duration::from_secs(20);

const TOLD_EVERY: Duration = Duration::from_secs(60);

/// `/hooks/whatsapp/<name>`.
pub(crate) fn router(name: &str, hook: Hook) -> Router {
    Router::new().route(&path(name), get(shake_hands).post(deliver)).with_state(Arc::new(hook))
}

pub(crate) fn path(name: &str) -> String {
    format!("/hooks/whatsapp/{name}")
}

/// What a request tells, in order.
#[derive(Default)]
struct Sorted {
    known: Vec<(Arc<Line>, Converted)>,
    /// Some of it is for numbers that nobody has here. The rest is stored, and all of it refused: so Meta sends it again
    /// until somebody has them, and what is known by then is not taken twice.
    has_strangers: bool,
}

/// How a request is answered, beside its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Stored,
    Nonsense,
    Unsigned,
    Forged,
    NotOurs,
    Late,
    TooLong,
    Again,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Self::Stored => (StatusCode::OK, STORED),
            Self::Nonsense => (StatusCode::BAD_REQUEST, "this is no webhook of a WhatsApp account"),
            Self::Unsigned => (StatusCode::UNAUTHORIZED, "this is not signed (X-Hub-Signature-256)"),
            Self::Forged => (StatusCode::FORBIDDEN, "this is signed with another app's secret"),
            Self::NotOurs => (StatusCode::NOT_FOUND, "no channel here has this phone number"),
            Self::Late => (StatusCode::REQUEST_TIMEOUT, "this took too long; send it again"),
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "this is longer than 3 MB"),
            Self::Again => (StatusCode::SERVICE_UNAVAILABLE, "this cannot be stored now; send it again"),
        };
        match self {
            Self::Again => (status, [(header::RETRY_AFTER, "10")], words).into_response(),
            Self::Stored
            | Self::Nonsense
            | Self::Unsigned
            | Self::Forged
            | Self::NotOurs
            | Self::Late
            | Self::TooLong => (status, words).into_response(),
        }
    }
}

/// Meta asks whether this address is meant, when the owner enters it.
async fn shake_hands(State(hook): State<Arc<Hook>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let asked = |key: &str| query.get(key).map(String::as_str).unwrap_or_default();
    let right = signature::same(&hook.verify_token, asked("hub.verify_token"));
    if asked("hub.mode") != "subscribe" || !right {
        if hook.is_news("handshake") {
            warn!(
                "whatsapp: somebody tried to enter the webhook with another verify_token; Meta and `verify_token` \
                   need the same"
            );
        }
        return (StatusCode::FORBIDDEN, "this is not the verify token of this channel").into_response();
    }
    asked("hub.challenge").to_owned().into_response()
}

async fn deliver(State(hook): State<Arc<Hook>>, request: Request) -> Answer {
    match take(hook, request).await {
        Ok(()) => Answer::Stored,
        Err(answer) => answer,
    }
}

async fn take(hook: Arc<Hook>, request: Request) -> Result<(), Answer> {
    let (head, body) = request.into_parts();
    let announced = length(&head.headers);
    if announced.is_some_and(|length| length > LONGEST) {
        return Err(Answer::TooLong);
    }
    hook.weigh(signature::claimed(signature_of(&head.headers)).map_or_else(|bad| bad, |_| Signature::Right))?;
    let limit = if announced.is_some_and(|length| length <= SMALL) { SMALL } else { LONGEST };
    let _turn = hook.turn(limit).await?;
    let body = timeout(BODY, read(body, limit)).await.map_err(|_| Answer::Late)??;
    hook.weigh(signature::check(&hook.line.app_secret, signature_of(&head.headers), &body))?;
    let sorted = if body.len() > SMALL {
        let hook = Arc::clone(&hook);
        spawn_blocking(move || hook.sort(&body)).await.map_err(|_| Answer::Again)??
    } else {
        hook.sort(&body)?
    };
    for (line, converted) in sorted.known {
        store(&line, converted).await?;
    }
    if sorted.has_strangers { Err(Answer::NotOurs) } else { Ok(()) }
}

impl Hook {
    pub fn new(line: Arc<Line>, numbers: Arc<Numbers>, verify_token: Secret) -> Self {
        Self {
            line,
            numbers,
            verify_token,
            small: Semaphore::new(SMALL_AT_ONCE),
            large: Semaphore::new(LARGE_AT_ONCE),
            told: Recent::new(16, TOLD_EVERY),
        }
    }

    async fn turn(&self, limit: usize) -> Result<SemaphorePermit<'_>, Answer> {
        let queue = if limit == SMALL { &self.small } else { &self.large };
        match timeout(TURN, queue.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Answer::Again),
        }
    }

    /// Whether to go on with a request that is signed so.
    fn weigh(&self, signature: Signature) -> Result<(), Answer> {
        match signature {
            Signature::Right => Ok(()),
            Signature::Missing => Err(Answer::Unsigned),
            Signature::Wrong => {
                if self.is_news("signature") {
                    warn!(
                        "whatsapp: a webhook was signed with another secret; if Meta sent it, `app_secret` is not that \
                           of the app whose webhook points here (App settings > Basic)"
                    );
                }
                Err(Answer::Forged)
            }
        }
    }

    /// What the request tells each number. Numbers that nobody has here are told loudly.
    fn sort(&self, body: &[u8]) -> Result<Sorted, Answer> {
        let payload = wire::parse(body).ok_or(Answer::Nonsense)?;
        let changes = changes(&payload).ok_or(Answer::Nonsense)?;
        let mut sorted = Sorted::default();
        for change in &changes {
            let Some(line) = self.line_of(change) else {
                sorted.has_strangers = true;
                continue;
            };
            let converted = change.convert(&line.memory);
            match sorted.known.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &line)) {
                Some((_, before)) => before.extend(converted),
                None => sorted.known.push((line, converted)),
            }
        }
        Ok(sorted)
    }

    fn line_of(&self, change: &Change<'_>) -> Option<Arc<Line>> {
        let Some(number) = change.number() else {
            let of_account = change.account.and_then(|account| self.numbers.of_account(account));
            return Some(of_account.filter(|line| self.trusts(line)).unwrap_or_else(|| Arc::clone(&self.line)));
        };
        if number == self.line.number {
            return Some(Arc::clone(&self.line));
        }
        let found = self.numbers.get(&number);
        match &found {
            Some(line) if self.trusts(line) => return Some(Arc::clone(line)),
            Some(_) if self.numbers.is_news(&number) => error!(
                phone_number_id = number,
                "whatsapp: messages for this number were refused, because they are signed by another app than its \
                 channel's: give both channels the `app_secret` of the app whose webhook points here"
            ),
            None if self.numbers.is_news(&number) => error!(
                phone_number_id = number,
                "whatsapp: messages for this number were refused, because no channel has it: add a table [whatsapp.NAME] \
                 with this phone_number_id, or take the number out of the app at Meta"
            ),
            Some(_) | None => {}
        }
        None
    }

    /// Who signs with one app's secret must not speak for another app's numbers.
    fn trusts(&self, line: &Line) -> bool {
        line.app_secret == self.line.app_secret
    }

    fn is_news(&self, what: &'static str) -> bool {
        let news = self.told.get(&what).is_none();
        if news {
            self.told.note(what, ());
        }
        news
    }
}

/// Returns once all of it is on disk.
async fn store(line: &Line, converted: Converted) -> Result<(), Answer> {
    let inbox = line.inbox().ok_or(Answer::Again)?;
    let storing = async {
        line.connect(&inbox).await?;
        if converted.events.is_empty() { Ok(()) } else { inbox.accept(converted.events, None).await }
    };
    match timeout(STORE, storing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(refused(line, error)),
        Err(_) => return Err(Answer::Again),
    }
    for told in converted.told {
        hear(line, told);
    }
    Ok(())
}

fn refused(line: &Line, error: InboxError) -> Answer {
    match error {
        // The store says so itself, and Meta sends it again.
        InboxError::Store(_) => {}
        InboxError::Account(_) | InboxError::Stopping => line.end(error),
    }
    Answer::Again
}

fn hear(line: &Line, told: Told) {
    match told {
        Told::Took { key, id } => line.memory.took(key, id),
        Told::Wrote { at, id } => line.memory.wrote(at, id),
        Told::Alarm { problem, at } => line.alarm(problem, at.unwrap_or_else(Timestamp::now)),
        Told::Delivers { at } => line.calm(at),
        Told::Changed => line.look(),
    }
}

fn signature_of(headers: &HeaderMap) -> Option<&[u8]> {
    Some(headers.get("x-hub-signature-256")?.as_bytes())
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn read(body: Body, limit: usize) -> Result<Bytes, Answer> {
    let mut pieces = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Answer::Late)?;
        if whole.len() + piece.len() > limit {
            return Err(Answer::TooLong);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}

#[cfg(test)]
#[path = "hook_tests.rs"]
mod tests;
