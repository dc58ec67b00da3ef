use std::io;

use bytes::Bytes;
use frontdesk_core::{Bucket, MediaRef, MediaStream, RefusedScope, SendError};
use futures::{StreamExt, stream};

use crate::{
    api::Api,
    failure::{network, send_error},
};

/// Opens a file for reading, piece by piece. Nothing is certain to be lost by trying again, so nothing is uncertain.
pub(crate) async fn fetch(api: &Api, media: &MediaRef, bucket: Bucket) -> Result<MediaStream, SendError> {
    let info = api.file(&media.reference).await.map_err(|error| match send_error(error, bucket) {
        SendError::Uncertain(what) => SendError::Transient(what),
        other => other,
    })?;
    let Some(path) = info.file_path else {
        return Err(SendError::refused(RefusedScope::Content, "Telegram does not hand out this file."));
    };
    let mut chunks = api.download(&path);
    let first = match chunks.next().await {
        Some(Ok(first)) => first,
        Some(Err(error)) => return Err(SendError::Transient(network(&error))),
        None => Bytes::new(),
    };
    let rest = chunks.map(|chunk| chunk.map_err(|error| io::Error::other(network(&error))));
    Ok(MediaStream {
        size: info.file_size.or(media.size),
        mime: media.mime.clone(),
        chunks: Box::pin(stream::iter([Ok(first)]).chain(rest)),
    })
}
