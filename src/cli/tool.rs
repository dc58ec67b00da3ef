//! What the owner's tools have in common: they ask the program where it runs, and else do the work themselves.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::mpsc;

use crate::{
    app::create_private_folder,
    clock::SystemClock,
    config::Place,
    store::{StoreError, sled::SledStore},
    tools::{Answer, Answers, Done, Request, Tools, UNFINISHED},
};

/// Lines of an answer that wait to be printed.
const AHEAD: usize = 64;

/// Whoever carries out what is asked.
pub(super) enum Link {
    #[cfg(unix)]
    Running(crate::control::Connection),
    /// Nothing runs: the store is open here.
    Alone(Arc<Tools>),
}

impl Link {
    pub(super) async fn open(place: &Place) -> anyhow::Result<Self> {
        let running = Self::running(place).await?;
        if running.is_none() {
            anyhow::ensure!(
                place.data.join("store").exists(),
                "there is nothing in {} yet; is this the folder that frontdesk is started from, and the right config?",
                place.data.display()
            );
        }
        running.map_or_else(|| Self::alone(place), Ok)
    }

    /// Before frontdesk was ever started, too.
    pub(super) async fn open_or_make(place: &Place) -> anyhow::Result<Self> {
        if let Some(running) = Self::running(place).await? {
            return Ok(running);
        }
        let data = &place.data;
        create_private_folder(data).with_context(|| format!("the data folder {} cannot be made", data.display()))?;
        Self::alone(place)
    }

    /// The program, when it runs on this data folder.
    async fn running(place: &Place) -> anyhow::Result<Option<Self>> {
        let data = &place.data;
        anyhow::ensure!(
            !data.join(UNFINISHED).exists(),
            "a restore into {} did not finish; move that folder away and restore again",
            data.display()
        );
        #[cfg(unix)]
        if let Some(running) = crate::control::Connection::open(data).await.with_context(|| {
            format!("the socket in {} cannot be used; does another user run frontdesk?", data.display())
        })? {
            return Ok(Some(Self::Running(running)));
        }
        Ok(None)
    }

    fn alone(place: &Place) -> anyhow::Result<Self> {
        let data = &place.data;
        let path = data.join("store");
        let archive = Arc::new(SledStore::open(&path).map_err(explain)?);
        Ok(Self::Alone(Arc::new(Tools { archive, outbox: None, clock: Arc::new(SystemClock), data: data.clone() })))
    }

    /// Whether the program runs.
    pub(super) fn is_running(&self) -> bool {
        match self {
            #[cfg(unix)]
            Self::Running(_) => true,
            Self::Alone(_) => false,
        }
    }

    /// Hands every line of the answer to `each`, until the last one.
    pub(super) async fn ask(
        &mut self,
        request: Request,
        mut each: impl FnMut(Answer) -> io::Result<()>,
    ) -> anyhow::Result<Done> {
        match self {
            #[cfg(unix)]
            Self::Running(connection) => {
                let broken = "the running frontdesk did not answer to the end; its log may say why";
                connection.ask(&request).await.context(broken)?;
                loop {
                    match connection.answer().await.context(broken)? {
                        Answer::Done(done) => return Ok(done),
                        Answer::Failed(problem) => anyhow::bail!(problem),
                        other => each(other)?,
                    }
                }
            }
            Self::Alone(tools) => {
                let (sender, mut answers) = mpsc::channel(AHEAD);
                let tools = Arc::clone(tools);
                tokio::spawn(async move { tools.carry_out(request, &Answers(sender)).await });
                while let Some(answer) = answers.recv().await {
                    match answer {
                        Answer::Done(done) => return Ok(done),
                        Answer::Failed(problem) => anyhow::bail!(problem),
                        other => each(other)?,
                    }
                }
                anyhow::bail!("this failed in an unforeseen way")
            }
        }
    }
}

/// The program runs, and has no socket, or the store is open elsewhere.
fn explain(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Locked(path) => anyhow::anyhow!(
            "{} is in use, but nobody listens at the socket beside it: frontdesk is starting or stopping, another tool \
             is at work, or the log says why there is no socket; try again in a moment",
            path.display()
        ),
        other => other.into(),
    }
}

/// Runs a tool on a runtime of its own.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("the threads of the program cannot be started")?.block_on(work)
}

/// A line on stdout; an error when nobody reads it any more.
pub(super) fn print(line: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// A line on stdout for programs.
pub(super) fn print_json(value: &impl serde::Serialize) -> io::Result<()> {
    print(serde_json::to_string(value)?)
}

/// What others wrote, so that it cannot steer a terminal.
pub(super) fn visible(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// A time on the business's clock.
pub(super) fn clock(at: Timestamp, timezone: &TimeZone) -> String {
    at.to_zoned(timezone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Tells on stderr how far a long work has come: in one line where a person looks on, else a line now and then.
pub(super) struct Progress {
    watched: bool,
    told: Option<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { watched: io::stderr().is_terminal(), told: None }
    }

    pub(super) fn tell(&mut self, state: impl Display) {
        let every = if self.watched { Duration::from_millis(200) } else { Duration::from_secs(10) };
        if self.told.get_or_insert_with(Instant::now).elapsed() < every {
            return;
        }
        self.told = Some(Instant::now());
        let written =
            if self.watched { write!(io::stderr(), "\r\x1b[K{state}") } else { writeln!(io::stderr(), "{state}") };
        // Whoever does not want to see it need not.
        drop(written);
    }
}

/// Leaves the line to what is said at the end.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.watched && self.told.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// `3.4 MB`.
pub(super) fn megabytes(bytes: u64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
