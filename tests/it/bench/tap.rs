//! A road between the program and a server that notes when what passes it. It adds tens of microseconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::AbortHandle,
};

/// The road. Dropping it closes it to new connections.
pub struct Tap {
    url: String,
    passed: Arc<Mutex<Vec<Passed>>>,
    listening: AbortHandle,
}

/// One piece, as it came from the network.
#[derive(Clone)]
pub struct Passed {
    pub at: Instant,
    /// From the program to the server.
    pub out: bool,
    connection: usize,
    bytes: Vec<u8>,
}

impl Tap {
    /// Before a server at `http://<address>`.
    pub async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = server.trim_start_matches("http://").to_owned();
        let passed: Arc<Mutex<Vec<Passed>>> = Arc::default();
        let log = Arc::clone(&passed);
        let listening = tokio::spawn(async move {
            for connection in 0.. {
                let Ok((near, _)) = listener.accept().await else { return };
                let Ok(far) = TcpStream::connect(&server).await else { continue };
                near.set_nodelay(true).unwrap();
                far.set_nodelay(true).unwrap();
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(pass(near_in, far_out, connection, true, Arc::clone(&log)));
                tokio::spawn(pass(far_in, near_out, connection, false, Arc::clone(&log)));
            }
        });
        Self { url, passed, listening: listening.abort_handle() }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Forgets what has passed so far.
    pub fn clear(&self) {
        self.passed.lock().unwrap().clear();
    }

    /// How many requests that begin so have passed.
    pub fn count(&self, begins: &str) -> usize {
        let passed = self.passed.lock().unwrap();
        passed.iter().filter(|piece| piece.out && piece.bytes.starts_with(begins.as_bytes())).count()
    }

    /// When an answer with each of these marks left the server.
    pub fn answers_with<'a>(&self, marks: &[&'a str]) -> HashMap<&'a str, Instant> {
        self.first(marks, false)
    }

    /// When a request with each of these marks arrived.
    pub fn requests_with<'a>(&self, marks: &[&'a str]) -> HashMap<&'a str, Instant> {
        self.first(marks, true)
    }

    /// When the request arrived whose answer holds each of these marks; requests begin so.
    pub fn requests_answered_with<'a>(&self, begins: &str, marks: &[&'a str]) -> HashMap<&'a str, Instant> {
        let passed = self.passed.lock().unwrap();
        let mut open: HashMap<usize, Instant> = HashMap::new();
        let mut found = HashMap::new();
        for piece in passed.iter() {
            if piece.out {
                if piece.bytes.starts_with(begins.as_bytes()) {
                    open.insert(piece.connection, piece.at);
                }
            } else if let Some(began) = open.get(&piece.connection) {
                let text = String::from_utf8_lossy(&piece.bytes);
                for mark in marks.iter().filter(|mark| text.contains(**mark)) {
                    found.entry(*mark).or_insert(*began);
                }
            }
        }
        found
    }

    fn first<'a>(&self, marks: &[&'a str], out: bool) -> HashMap<&'a str, Instant> {
        let passed = self.passed.lock().unwrap();
        let mut found = HashMap::new();
        for piece in passed.iter().filter(|piece| piece.out == out) {
            let text = String::from_utf8_lossy(&piece.bytes);
            for mark in marks.iter().filter(|mark| text.contains(**mark)) {
                found.entry(*mark).or_insert(piece.at);
            }
        }
        found
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// What comes from the program is noted when it arrives, what goes to it when it has left.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    connection: usize,
    out: bool,
    log: Arc<Mutex<Vec<Passed>>>,
) {
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let arrived = Instant::now();
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
        let at = if out { arrived } else { Instant::now() };
        log.lock().unwrap().push(Passed { at, out, connection, bytes: buffer[..length].to_vec() });
    }
    let _ = to.shutdown().await;
}
