//! How the owner's tools reach the program while it runs: a socket in the data folder. One line of JSON asks, lines of
//! JSON answer.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::tools::{Answer, Answers, Request, Tools};

/// The socket in the data folder.
pub const SOCKET: &str = "control.sock";

/// The longest line, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// Tools at the same time; more are told to come again.
const AT_ONCE: usize = 8;
/// A tool that is silent for this long is sent away, and so is one that does not read.
const PATIENCE: Duration = Duration::from_secs(30);
/// The program says something at least this often while it works on an answer.
const SILENCE: Duration = Duration::from_secs(120);
/// Lines of an answer that wait to be read.
const AHEAD: usize = 64;

/// Serves tools until `stop`. Without a socket the program runs all the same, and the log says why.
pub async fn serve(data: PathBuf, tools: Arc<Tools>, stop: CancellationToken) {
    let (listener, owner) = match listen(&data) {
        Ok(listening) => listening,
        Err(error) => {
            warn!(%error, "no {SOCKET} in the data folder: inbox, outbox, contacts and backup work only while stopped");
            return stop.cancelled().await;
        }
    };
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            stream = listener.accept() => stream,
        };
        match stream {
            Ok((stream, _)) if !may_ask(&stream, owner) => {
                warn!("another user of this machine tried to use {SOCKET} and was sent away");
            }
            Ok((stream, _)) => {
                let (tools, stop) = (Arc::clone(&tools), stop.clone());
                let place = Arc::clone(&places).try_acquire_owned().ok();
                connections.spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = attend(stream, &tools, place) => {}
                    }
                });
            }
            Err(error) => {
                warn!(%error, "a tool could not be heard");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    let _ = std::fs::remove_file(data.join(SOCKET));
}

/// This user, and root. Asked of each, because a socket can be connected to before its mode is set.
fn may_ask(stream: &UnixStream, owner: u32) -> bool {
    stream.peer_cred().is_ok_and(|peer| [owner, 0].contains(&peer.uid()))
}

/// The socket, and which user it belongs to. Whoever holds the store is the only program here, so a socket that is there is stale.
fn listen(data: &Path) -> io::Result<(UnixListener, u32)> {
    let (path, new) = (data.join(SOCKET), data.join("control.sock.new"));
    for old in [&path, &new] {
        let is_socket = |it: std::fs::Metadata| std::os::unix::fs::FileTypeExt::is_socket(&it.file_type());
        match std::fs::symlink_metadata(old).map(is_socket) {
            Ok(true) if *old == new => std::fs::remove_file(old)?,
            Ok(false) => return Err(io::Error::other(format!("{} is no socket; move it away", old.display()))),
            Ok(true) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let listener = UnixListener::bind(&new)?;
    std::fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&new)?);
    std::fs::rename(&new, &path)?;
    Ok((listener, owner))
}

/// One tool: what it asks, one after the other.
async fn attend(stream: UnixStream, tools: &Arc<Tools>, place: Option<OwnedSemaphorePermit>) {
    let (reading, mut writing) = stream.into_split();
    let Some(_place) = place else {
        let busy = "too many tools ask at the same time; try again in a moment".to_owned();
        return drop(write(&mut writing, &Answer::Failed(busy)).await);
    };
    let mut reading = BufReader::new(reading);
    loop {
        let Ok(Ok(Some(line))) = timeout(PATIENCE, read(&mut reading)).await else { return };
        let told = match serde_json::from_str(&line) {
            Ok(request) => answer(tools, request, &mut writing).await,
            Err(error) => {
                let text = format!("the running frontdesk does not understand this: {error}; is it the same version?");
                write(&mut writing, &Answer::Failed(text)).await
            }
        };
        if told.is_err() {
            return;
        }
    }
}

async fn answer(tools: &Arc<Tools>, request: Request, writing: &mut OwnedWriteHalf) -> io::Result<()> {
    let (sender, mut answers) = mpsc::channel(AHEAD);
    let tools = Arc::clone(tools);
    // On its own, so that what was begun is not cut in the middle when the tool goes away.
    tokio::spawn(async move { tools.carry_out(request, &Answers(sender)).await });
    while let Some(answer) = answers.recv().await {
        write(writing, &answer).await?;
    }
    Ok(())
}

/// The other end: what a tool holds.
pub struct Connection {
    reading: BufReader<OwnedReadHalf>,
    writing: OwnedWriteHalf,
}

impl Connection {
    /// To the program that runs on this data folder; `None` when none does.
    pub async fn open(data: &Path) -> io::Result<Option<Self>> {
        match UnixStream::connect(data.join(SOCKET)).await {
            Ok(stream) => {
                let (reading, writing) = stream.into_split();
                Ok(Some(Self { reading: BufReader::new(reading), writing }))
            }
            // Of a path that is too long for a socket the program has told that nobody listens there.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidInput
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub async fn ask(&mut self, request: &Request) -> io::Result<()> {
        write(&mut self.writing, request).await
    }

    /// The next line of the answer.
    pub async fn answer(&mut self) -> io::Result<Answer> {
        let line = timeout(SILENCE, read(&mut self.reading)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        let line = line.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// A line; `None` at the end. What is too long is an error.
async fn read(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = input.take(LONGEST).read_line(&mut line).await?;
    match (length, line.ends_with('\n')) {
        (0, _) => Ok(None),
        (_, true) => Ok(Some(line)),
        (_, false) => Err(io::Error::other("a line is too long, or cut off")),
    }
}

async fn write(output: &mut (impl AsyncWrite + Unpin), line: &impl serde::Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    timeout(PATIENCE, output.write_all(&bytes)).await.map_err(|_| io::ErrorKind::TimedOut)?
}
