//! An HTTP server whose connections can be cut at any byte.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Serves on a free port, whose address it gives; handlers get their connection as `ConnectInfo<Wire>`.
pub async fn serve(app: Router) -> (String, AbortHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on the loopback");
    let url = format!("http://{}", listener.local_addr().expect("a bound port"));
    let service = app.into_make_service_with_connect_info::<Wire>();
    let server = tokio::spawn(async move { axum::serve(Cuttable(listener), service).await });
    (url, server.abort_handle())
}

pub fn text_response(status: u16, kind: &'static str, body: impl IntoResponse) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// As a proxy on the way gives.
pub fn html_page(status: u16) -> Response {
    let page = format!("<html>\r\n<head><title>{status}</title></head>\r\n<body>nginx</body>\r\n</html>\r\n");
    text_response(status, "text/html", page)
}

/// How many bytes may still go out on one connection.
#[derive(Clone)]
pub struct Wire(Arc<AtomicUsize>);

impl Wire {
    /// Then it is reset.
    pub fn cut_after(&self, bytes: usize) {
        self.0.store(bytes, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Cuttable>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Cuttable>) -> Self {
        stream.io().wire.clone()
    }
}

struct Cuttable(TcpListener);

impl Listener for Cuttable {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (tcp, from) = Listener::accept(&mut self.0).await;
        (CuttableStream { tcp, wire: Wire(Arc::new(AtomicUsize::new(usize::MAX))) }, from)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

struct CuttableStream {
    tcp: TcpStream,
    wire: Wire,
}

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.wire.0.load(Ordering::SeqCst);
        if left == usize::MAX {
            return Pin::new(&mut self.tcp).poll_write(cx, buf);
        }
        if left == 0 {
            return Poll::Ready(self.tcp.set_zero_linger().and(Err(io::ErrorKind::ConnectionReset.into())));
        }
        let written = std::task::ready!(Pin::new(&mut self.tcp).poll_write(cx, &buf[..buf.len().min(left)]))?;
        self.wire.cut_after(left - written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
