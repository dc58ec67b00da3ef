use std::time::Duration;

use bytes::Bytes;
use frontdesk_core::{MediaRef, MediaStream, RefusedScope, SendError};
use matrix_sdk::{
    Client,
    media::{MediaFormat, MediaRequestParameters},
    ruma::events::room::MediaSource,
};

use crate::error;

/// The SDK holds a file whole in memory, several times over while it decrypts.
const MAX_BYTES: u64 = 50 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(120);

/// Downloads a file and, where it is encrypted, decrypts it. One at a time: the caller sees to that.
pub(crate) async fn fetch(client: &Client, media: &MediaRef) -> Result<MediaStream, SendError> {
    let too_large = || {
        let limit = MAX_BYTES / 1024 / 1024;
        SendError::refused(RefusedScope::Content, format!("the {} is larger than {limit} MB", media.kind.word()))
    };
    if media.size.is_some_and(|size| size > MAX_BYTES) {
        return Err(too_large());
    }
    let source: MediaSource = serde_json::from_str(&media.reference).map_err(|_| {
        SendError::refused(RefusedScope::Content, format!("the {} has no place on Matrix", media.kind.word()))
    })?;
    let request = MediaRequestParameters { source, format: MediaFormat::File };
    let files = client.media();
    let download = files.get_media_content(&request, false);
    // Reading has no effect on the other side: whatever happens, it can be done again.
    let bytes = match tokio::time::timeout(TIMEOUT, Box::pin(download)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            return Err(match error::sending(&error) {
                SendError::Uncertain(text) => SendError::Transient(text),
                other => other,
            });
        }
        Err(_) => return Err(SendError::Transient("the homeserver did not send the file in time".into())),
    };
    let size = bytes.len() as u64;
    if size > MAX_BYTES {
        return Err(too_large());
    }
    let chunks = futures::stream::once(async move { Ok(Bytes::from(bytes)) });
    Ok(MediaStream { size: Some(size), mime: media.mime.clone(), chunks: Box::pin(chunks) })
}
