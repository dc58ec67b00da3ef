//! Files of customers, streamed from Meta: an id becomes an address for five minutes, and the address gives the bytes.

use std::{io, time::Duration};

use bytes::Bytes;
use frontdesk_core::{MediaRef, MediaStream, RefusedScope, SendError};
use futures::{Stream, StreamExt, stream};
use reqwest::{Response, Url};
use serde_json::Value;

use crate::{
    api::{Api, ApiError, network},
    failure::{Buckets, unseen},
    recent::Recent,
    send::refuse,
    wire::{text, written},
};

/// What is known of files that were asked for lately.
pub(crate) struct Files {
    addresses: Recent<String, FileInfo>,
    /// Meta blocks an id for an hour that is asked for again and again in vain.
    failed: Recent<String, Failed>,
}

#[derive(Clone)]
struct FileInfo {
    url: Url,
    mime: Option<String>,
    size: Option<u64>,
}

#[derive(Clone, Copy)]
enum Failed {
    /// Meta does not have it, or does not give it to us.
    Refused,
    /// Worth trying again, but not at once.
    Passing,
}

const ADDRESS_KEPT: Duration = Duration::from_secs(4 * 60);
const FAILED_KEPT: Duration = Duration::from_secs(10 * 60);
const FILES: usize = 1000;

/// Nothing that WhatsApp carries is longer.
const LONGEST: u64 = 110 * 1000 * 1000;

const GONE: &str = "WhatsApp does not hand out this file (any more): it keeps them for a few days only. Ask the customer \
                    to send it again.";

impl Files {
    pub fn new() -> Self {
        Self { addresses: Recent::new(FILES, ADDRESS_KEPT), failed: Recent::new(FILES, FAILED_KEPT) }
    }

    /// Opens a file for reading, piece by piece. Trying again loses nothing, so nothing is uncertain.
    pub async fn fetch(&self, api: &Api, media: &MediaRef, buckets: &Buckets) -> Result<MediaStream, SendError> {
        match self.failed.get(&media.reference) {
            Some(Failed::Refused) => return Err(refuse(GONE)),
            Some(Failed::Passing) => {
                return Err(SendError::Transient("WhatsApp did not hand out this file a moment ago".into()));
            }
            None => {}
        }
        let info = match self.addresses.get(&media.reference) {
            Some(info) => info,
            None => self.resolve(api, media, buckets).await?,
        };
        let (info, response) = match api.download(info.url.clone()).await {
            Ok(response) => (info, response),
            // The address is stale, or the id is.
            Err(ApiError::Graph { .. }) => {
                let info = self.resolve(api, media, buckets).await?;
                let again = api.download(info.url.clone()).await;
                (info, again.map_err(|error| self.failed(media, error, buckets))?)
            }
            Err(error) => return Err(unseen(error, buckets)),
        };
        let size = response.content_length().or(info.size).or(media.size);
        if size.is_some_and(|size| size > LONGEST) {
            return Err(refuse("The file is larger than anything that WhatsApp should carry."));
        }
        let mime = info.mime.or_else(|| media.mime.clone());
        Ok(MediaStream { size, mime, chunks: Box::pin(counted(response, size)) })
    }

    async fn resolve(&self, api: &Api, media: &MediaRef, buckets: &Buckets) -> Result<FileInfo, SendError> {
        let answer = api.get(&[&media.reference], &[]).await.map_err(|error| self.failed(media, error, buckets))?;
        let Some(url) = text(&answer, "/url").and_then(|url| Url::parse(url).ok()) else {
            return Err(self.failed(media, ApiError::Broken("the answer names no address".into()), buckets));
        };
        let info = FileInfo { url, mime: text(&answer, "/mime_type").map(str::to_owned), size: size(&answer) };
        self.addresses.note(media.reference.clone(), info.clone());
        Ok(info)
    }

    /// What Meta answered is remembered; what never reached it may be tried at once.
    fn failed(&self, media: &MediaRef, error: ApiError, buckets: &Buckets) -> SendError {
        self.addresses.forget(&media.reference);
        let answered = matches!(error, ApiError::Graph { .. });
        let meant = match &error {
            ApiError::Graph { status: status @ (401 | 408 | 429), error, .. } if error.is_null() => {
                SendError::Transient(format!("WhatsApp does not hand out this file now ({status})"))
            }
            ApiError::Graph { status: 400..=499, error, .. } if is_about_the_file(error) => refuse(GONE),
            ApiError::Graph { .. } | ApiError::Unreached(_) | ApiError::Broken(_) => unseen(error, buckets),
        };
        let failed = match &meant {
            SendError::Refused { scope: RefusedScope::Content | RefusedScope::Recipient, .. } => Some(Failed::Refused),
            SendError::Transient(_) | SendError::Uncertain(_) if answered => Some(Failed::Passing),
            SendError::Refused { scope: RefusedScope::Account, .. }
            | SendError::Transient(_)
            | SendError::Uncertain(_)
            | SendError::RetryAfter { .. }
            | SendError::WindowClosed
            | SendError::Moved(_) => None,
        };
        if let Some(failed) = failed {
            self.failed.note(media.reference.clone(), failed);
        }
        meant
    }
}

/// "There is no such object", or no words at all, as the servers that give the bytes answer.
fn is_about_the_file(error: &Value) -> bool {
    error.is_null() || matches!(written(error, "/code").as_deref(), Some("100" | "33" | "131052"))
}

fn size(answer: &Value) -> Option<u64> {
    written(answer, "/file_size")?.parse().ok()
}

/// The bytes, which have to be as many as was said: a file that broke off is no file.
fn counted(response: Response, size: Option<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let pieces = response.bytes_stream().map(|piece| piece.map_err(|error| io::Error::other(network(&error))));
    stream::try_unfold((Box::pin(pieces), 0_u64), move |(mut pieces, before)| async move {
        let limit = size.unwrap_or(LONGEST);
        let Some(piece) = pieces.next().await.transpose()? else {
            let whole = size.is_none_or(|size| size == before);
            return if whole { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        };
        let seen = before + piece.len() as u64;
        if seen > limit {
            return Err(io::Error::other("the file is longer than it was said to be"));
        }
        Ok(Some((piece, (pieces, seen))))
    })
}
