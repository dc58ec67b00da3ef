//! One listener: is it alive, is it ready, and the routes that adapters bring.

mod connections;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::connections::Bounded;
use crate::health::Health;

/// The longest body that is read, in bytes. WhatsApp sends up to 3 MB.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// For how long a request may be worked on.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// For how long requests may be finished after `stop`.
const DRAIN: Duration = Duration::from_secs(3);

/// Serves until `stop`.
pub async fn serve(
    listen: SocketAddr,
    health: Arc<Health>,
    extra: Vec<Router>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = bind(listen).await?;
    serve_on(listener, health, extra, stop).await
}

/// Takes the address, so that a taken port is found before anything else is started.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; is frontdesk running already? Else set http.listen to another port")
    })
}

/// [`serve`] on a listener that is bound already.
pub async fn serve_on(
    listener: TcpListener,
    health: Arc<Health>,
    extra: Vec<Router>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "listening");
    }
    let listener = Bounded::new(listener);
    let server = axum::serve(listener, router(health, extra)).with_graceful_shutdown(stop.clone().cancelled_owned());
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = server => served.context("the HTTP listener failed"),
        () = drained => Ok(()),
    }
}

fn router(health: Arc<Health>, extra: Vec<Router>) -> Router {
    let own = Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(readyz)).with_state(health);
    extra
        .into_iter()
        .fold(own, Router::merge)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(with_timeout))
}

async fn readyz(State(health): State<Arc<Health>>) -> Response {
    let report = health.report();
    let status = if report["ready"] == true { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

async fn with_timeout(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "this took too long; try again").into_response(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use frontdesk_core::{ChannelHealth, ChannelId};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        task::JoinHandle,
    };

    use super::*;

    struct Server {
        address: SocketAddr,
        health: Arc<Health>,
        stop: CancellationToken,
        task: JoinHandle<anyhow::Result<()>>,
    }

    async fn start() -> Server {
        let health = Arc::new(Health::new(["telegram.shop".into()]));
        let stop = CancellationToken::new();
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let echo = Router::new().route("/hooks/echo", axum::routing::post(|body: String| async { body }));
        let task = tokio::spawn(serve_on(listener, health.clone(), vec![echo], stop.clone()));
        Server { address, health, stop, task }
    }

    async fn ask(address: SocketAddr, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let length = body.len();
        let request =
            format!("{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        // The server may answer and close before it has read all of a body that is too long.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn ready_says_which_channel_is_missing_until_all_have_caught_up() {
        let server = start().await;
        assert!(ask(server.address, "GET /healthz", "").await.ends_with("\r\n\r\nok"));

        let shop = ChannelId::from("telegram.shop");
        server.health.set(&shop, ChannelHealth::Failing { problem: "the token is not valid".into() });
        let answer = ask(server.address, "GET /readyz", "").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains(r#""telegram.shop":"the token is not valid""#), "{answer}");

        server.health.set(&shop, ChannelHealth::CaughtUp);
        assert!(ask(server.address, "GET /readyz", "").await.starts_with("HTTP/1.1 200 "));
    }

    #[tokio::test]
    async fn routes_of_adapters_are_served_up_to_the_longest_body() {
        let server = start().await;
        assert!(ask(server.address, "POST /hooks/echo", "hello").await.ends_with("\r\n\r\nhello"));
        let long = "a".repeat(MAX_BODY + 1);
        let answer = ask(server.address, "POST /hooks/echo", &long).await;
        assert!(!answer.contains(" 200 "), "{}", answer.lines().next().unwrap_or_default());
    }

    #[tokio::test]
    async fn it_stops_on_the_token_even_while_a_client_says_nothing() {
        let server = start().await;
        let _silent = TcpStream::connect(server.address).await.unwrap();
        server.stop.cancel();
        server.task.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_say_nothing_are_let_go_and_keep_nobody_out() {
        let server = start().await;
        let mut silent = Vec::new();
        for _ in 0..connections::AT_ONCE {
            silent.push(TcpStream::connect(server.address).await.unwrap());
        }
        // Waits until the first of them has been silent for too long.
        assert!(ask(server.address, "GET /healthz", "").await.ends_with("\r\n\r\nok"));
        let mut rest = Vec::new();
        let _ = silent.pop().unwrap().read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{rest:?}");
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_with_a_cure() {
        let server = start().await;
        let error = serve(server.address, server.health, Vec::new(), server.stop).await.unwrap_err();
        assert!(error.to_string().contains("set http.listen to another port"), "{error}");
    }
}
