//! Files, in pieces both ways. The SDK would hold each whole, several times over.

mod cipher;
mod http;

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use frontdesk_core::{MediaRef, MediaStream, Prepared, RefusedScope, SendError};
use futures::{Stream, TryStreamExt, stream};
use matrix_sdk::{Client, ruma::events::room::MediaSource};
use matrix_sdk_crypto::MediaEncryptionInfo;
use serde_json::{Value, json};

pub(crate) use http::Files;

type Chunks = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Opens a file and, where it is encrypted, decrypts it as it comes. One that does not have the checksum it should have
/// ends with an error in place of its end.
pub(crate) async fn fetch(client: &Client, files: &Files, media: &MediaRef) -> Result<MediaStream, SendError> {
    let source: MediaSource = serde_json::from_str(&media.reference).map_err(|_| {
        SendError::refused(RefusedScope::Content, format!("the {} has no place on Matrix.", media.kind.word()))
    })?;
    let (uri, key) = match source {
        MediaSource::Plain(uri) => (uri, None),
        MediaSource::Encrypted(file) => (file.url.clone(), Some(MediaEncryptionInfo::from(*file))),
    };
    let (size, chunks) = files.download(client, &uri).await?;
    let chunks: Chunks = match key {
        None => Box::pin(chunks),
        Some(key) => Box::pin(cipher::decrypted(Box::pin(chunks), key)),
    };
    Ok(MediaStream { size, mime: media.mime.clone(), chunks })
}

/// Brings a file to the homeserver, encrypted where the room is. Nobody sees it before an event names it.
pub(crate) async fn upload(
    client: &Client,
    files: &Files,
    encrypted: bool,
    media: &MediaRef,
    stream: MediaStream,
) -> Result<Prepared, SendError> {
    let (size, chunks) = measured(stream).await?;
    if !encrypted {
        let uri = files.upload(client, media.mime(), size, Box::pin(cipher::ahead(chunks))).await?;
        return Ok(Prepared(json!({ "url": uri, "size": size })));
    }
    let key = Arc::new(OnceLock::new());
    let mut chunks: Chunks = Box::pin(cipher::ahead(Box::pin(cipher::encrypted(chunks, Arc::clone(&key)))));
    if size == 0 {
        // Of nothing nobody reads the end.
        chunks.try_next().await.map_err(|error| SendError::Transient(error.to_string()))?;
    }
    let uri = files.upload(client, None, size, chunks).await?;
    let key = key.get().and_then(|key| serde_json::to_value(key).ok());
    let Some(Value::Object(mut file)) = key else {
        return Err(SendError::Transient("the homeserver took a part of the file for all of it".into()));
    };
    file.insert("url".into(), json!(uri));
    Ok(Prepared(json!({ "file": file, "size": size })))
}

/// A homeserver wants to know the size before the file: where nobody told it, the file has to be read first.
async fn measured(stream: MediaStream) -> Result<(u64, Chunks), SendError> {
    if let Some(size) = stream.size {
        return Ok((size, stream.chunks));
    }
    let all: Vec<Bytes> = stream
        .chunks
        .try_collect()
        .await
        .map_err(|error| SendError::Transient(format!("the file broke off ({error})")))?;
    let size = all.iter().map(|chunk| chunk.len() as u64).sum();
    Ok((size, Box::pin(stream::iter(all.into_iter().map(Ok)))))
}
