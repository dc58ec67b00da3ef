//! One webhook over one connection.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::hook::Snag;

const HANG: Duration = Duration::from_secs(60);

/// Posts to `http://host/path`; status and body, `None` without an answer.
pub async fn post(url: &str, body: &[u8], signature: Option<&str>, snag: Option<Snag>) -> Option<(u16, String)> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let signature = signature.map(|signature| format!("X-Hub-Signature-256: {signature}\r\n")).unwrap_or_default();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: facebookexternalua\r\nContent-Type: application/json\r\n\
         {signature}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.ok()?;
    stream.write_all(head.as_bytes()).await.ok()?;
    match snag {
        None => {
            // Whoever refuses a body may close before all of it is written; the answer counts.
            let _ = stream.write_all(body).await;
            answer(stream).await
        }
        Some(Snag::Unheard) => {
            stream.write_all(body).await.ok()?;
            answer(stream).await;
            None
        }
        Some(snag @ (Snag::Breaks | Snag::Hangs)) => {
            stream.write_all(&body[..body.len() / 2]).await.ok()?;
            if snag == Snag::Hangs {
                let mut byte = [0];
                let _ = tokio::time::timeout(HANG, stream.read(&mut byte)).await;
            }
            stream.set_zero_linger().ok()?;
            None
        }
    }
}

/// How long an answer may take.
pub(super) fn patience(snag: Option<Snag>, usual: Duration) -> Duration {
    if snag == Some(Snag::Hangs) { HANG + usual } else { usual }
}

/// Asks a question without a body; status and body.
pub async fn get(url: &str) -> Option<(u16, String)> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(host).await.ok()?;
    let head = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    answer(stream).await
}

async fn answer(mut stream: TcpStream) -> Option<(u16, String)> {
    let mut bytes = Vec::new();
    // A reset after the answer takes nothing from it.
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split_whitespace().nth(1)?.parse().ok()?, body.to_owned()))
}
