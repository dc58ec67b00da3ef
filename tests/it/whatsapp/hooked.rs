//! An adapter that is fed by webhooks, with its routes on a port for as long as it receives: one life of the program.

use std::{net::TcpListener as StdListener, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use frontdesk_core::{
    Adapter, Address, Capabilities, Cursor, Finding, Found, Inbox, Media, MediaRef, MediaStream, Outbound, Pace,
    Prepared, ReceiveError, SendError, Sent, Signal, Template,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub struct Hooked {
    inner: Arc<dyn Adapter>,
    port: u16,
}

impl Hooked {
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn new(inner: Arc<dyn Adapter>, port: u16) -> Self {
        Self { inner, port }
    }
}

pub fn free_port() -> u16 {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Until `gone`, and nothing of it after that: who is still waited for is told that nobody is there.
pub async fn serve(routes: Router, port: u16, gone: CancellationToken) {
    let listener = bind(port).await;
    let cut = gone.clone();
    let routes = routes.layer(middleware::from_fn(move |request: Request, next: Next| {
        let cut = cut.clone();
        async move { cut.run_until_cancelled(next.run(request)).await.unwrap_or_else(nobody) }
    }));
    tokio::spawn(async move { axum::serve(listener, routes).with_graceful_shutdown(gone.cancelled_owned()).await });
}

fn nobody() -> Response {
    StatusCode::BAD_GATEWAY.into_response()
}

/// The life before may have the port for a moment yet.
async fn bind(port: u16) -> TcpListener {
    for _ in 0..200 {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return listener;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("port {port} is taken");
}

#[async_trait]
impl Adapter for Hooked {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        from: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        let gone = CancellationToken::new();
        let _gone = gone.clone().drop_guard();
        serve(self.inner.routes(inbox.clone()).expect("a hook"), self.port, gone).await;
        self.inner.receive(inbox, from, stop).await
    }

    async fn send(&self, message: &Outbound, prepared: &Prepared, media: &dyn Media) -> Result<Sent, SendError> {
        self.inner.send(message, prepared, media).await
    }

    async fn fetch(&self, media: &MediaRef) -> Result<MediaStream, SendError> {
        self.inner.fetch(media).await
    }

    fn repeatable(&self, message: &Outbound) -> bool {
        self.inner.repeatable(message)
    }

    fn paces(&self, to: &Address) -> Vec<Pace> {
        self.inner.paces(to)
    }

    async fn prepare(&self, message: &Outbound, media: &dyn Media) -> Result<Prepared, SendError> {
        self.inner.prepare(message, media).await
    }

    async fn find(&self, message: &Outbound) -> Result<Found, SendError> {
        self.inner.find(message).await
    }

    async fn signal(&self, to: &Address, signal: Signal) {
        self.inner.signal(to, signal).await;
    }

    async fn templates(&self) -> Result<Vec<Template>, SendError> {
        self.inner.templates().await
    }

    async fn probe(&self) -> Vec<Finding> {
        self.inner.probe().await
    }
}
