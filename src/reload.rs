//! Reads the hours and the wording again when the owner has changed the config file, while the program runs.
//!
//! `[hours]` and `[replies]` are taken over, with `[business]`, whose time zone and languages they are written in. What
//! else has changed waits for the next start. A file with a mistake is refused as a whole, and what held before holds on.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{Notify, watch},
    task::spawn_blocking,
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    clock::Clock,
    config::{Config, Problems},
    dispatcher::Policy,
    store::{Store, StoreError},
};

/// The file is looked at this often. Its name is, not what is behind it: editors put a new file in its place.
const EVERY: Duration = Duration::from_secs(2);
/// More mistakes than this are counted, not listed, at the desk.
const LISTED: usize = 10;

pub struct Reload {
    file: PathBuf,
    /// What the program was started with, and as much as was taken over since.
    config: Config,
    policy: Arc<watch::Sender<Arc<Policy>>>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Wakes the dispatch task.
    arrived: Arc<Notify>,
    /// How the file looked the last time, and the last time that it was read.
    seen: Option<Looks>,
    read: Option<Looks>,
    /// A fingerprint of the text that was judged last.
    judged: Option<u64>,
    /// The desk knows of a mistake in the file.
    told: bool,
}

/// What changes with a file, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looks {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl Reload {
    /// `config` is what the file said at the start.
    pub fn new(
        file: PathBuf,
        config: Config,
        policy: Arc<watch::Sender<Arc<Policy>>>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        arrived: Arc<Notify>,
    ) -> Self {
        Self { file, config, policy, store, clock, arrived, seen: None, read: None, judged: None, told: false }
    }

    /// Until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut hangup = Hangup::new();
        while !stop.is_cancelled() {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                () = hangup.heard() => {
                    info!("asked to read the config again");
                    self.read_again(true).await
                }
                () = sleep(EVERY) => self.look().await,
            };
            if let Err(error) = looked {
                error!(%error, "the desk cannot be told about the config; trying again");
                (self.read, self.judged) = (None, None);
            }
        }
    }

    /// Reads the file when it is another than before, and looks as it did a moment ago: nobody is still writing it.
    async fn look(&mut self) -> Result<(), StoreError> {
        let looks = Looks::of(&self.file);
        let before = mem::replace(&mut self.seen, looks);
        let judged = looks == self.read && self.judged.is_some();
        if judged || looks != before {
            return Ok(());
        }
        self.read_again(false).await
    }

    /// Judges the text of the file; the same text again only when that was `asked` for.
    async fn read_again(&mut self, asked: bool) -> Result<(), StoreError> {
        self.read = Looks::of(&self.file);
        let file = self.file.clone();
        let Ok((text, config)) = spawn_blocking(move || load(&file)).await else { return Ok(()) };
        let known = self.judged.replace(text) == Some(text);
        if known && !asked {
            return Ok(());
        }
        match config {
            Ok(config) => self.take_over(config).await,
            Err(problems) => self.refuse(&problems, known).await,
        }
    }

    async fn take_over(&mut self, config: Config) -> Result<(), StoreError> {
        let waits = waits_for_a_start(&self.config, &config);
        if !waits.is_empty() {
            warn!(tables = waits.join(", "), "a change of the config waits for the next start of the program");
        }
        if self.adopt(config) {
            info!("the hours and the automatic texts of the config are read again");
        }
        if self.told {
            self.tell(again_good(&waits)).await?;
            self.told = false;
        }
        Ok(())
    }

    /// Whether anything of it is new.
    fn adopt(&mut self, config: Config) -> bool {
        let Config { business, hours, replies, .. } = config;
        if (&business, &hours, &replies) == (&self.config.business, &self.config.hours, &self.config.replies) {
            return false;
        }
        self.policy.send_modify(|policy| {
            let policy = Arc::make_mut(policy);
            policy.business.clone_from(&business.name);
            policy.languages.clone_from(&business.languages);
            policy.hours = hours.clone();
            policy.replies = replies.clone();
        });
        (self.config.business, self.config.hours, self.config.replies) = (business, hours, replies);
        self.arrived.notify_one();
        true
    }

    /// `known`: the desk has been told of this very text.
    async fn refuse(&mut self, problems: &Problems, known: bool) -> Result<(), StoreError> {
        warn!("the config has a mistake and was not read again; what held before holds on\n{problems}");
        if !known {
            self.tell(refusal(problems)).await?;
            self.told = true;
        }
        Ok(())
    }

    /// At the first desk, durably.
    async fn tell(&self, text: String) -> Result<(), StoreError> {
        let Some(desk) = self.policy.borrow().desks.first().map(|desk| desk.name.clone()) else { return Ok(()) };
        self.store.notice(self.clock.now(), &desk, text).await?;
        self.arrived.notify_one();
        Ok(())
    }
}

/// A fingerprint of the text, and what it says. That there is no text is a text of its own.
fn load(file: &Path) -> (u64, Result<Config, Problems>) {
    let text = Config::read(file);
    let mut hasher = DefaultHasher::new();
    text.as_ref().map_err(ToString::to_string).hash(&mut hasher);
    (hasher.finish(), text.and_then(|text| Config::parse(&text, &file.display().to_string())))
}

/// The tables that differ and are not read again.
fn waits_for_a_start(old: &Config, new: &Config) -> Vec<&'static str> {
    let Config { business: _, hours: _, replies: _, conversations, channels, desks, http, retention, data } = old;
    let tables = [
        ("[conversations]", *conversations == new.conversations),
        ("[retention]", *retention == new.retention),
        ("the channels", *channels == new.channels),
        ("[desks]", *desks == new.desks),
        ("[http]", *http == new.http),
        ("[store]", *data == new.data),
    ];
    tables.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

fn refusal(problems: &Problems) -> String {
    let list = problems.list();
    let mut text =
        String::from("The config was changed, and has a mistake. What held before holds on until it is mended:");
    for problem in list.iter().take(LISTED) {
        text.push_str(&format!("\n{problem}"));
    }
    match list.len().saturating_sub(LISTED) {
        0 => {}
        more => text.push_str(&format!("\nand {more} more; `frontdesk check` lists them")),
    }
    text
}

fn again_good(waits: &[&str]) -> String {
    let text = "The config is read again: its hours and automatic texts hold from now on.";
    match waits {
        [] => text.to_owned(),
        waits => format!("{text} The program has to be started again for what else has changed: {}.", waits.join(", ")),
    }
}

impl Looks {
    /// `None` where there is no file.
    fn of(file: &Path) -> Option<Self> {
        let found = file.metadata().ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&found);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self { modified: found.modified().ok(), length: found.len(), inode })
    }
}

/// SIGHUP, by which one asks a program to read its config again. Without a handler it would end the program.
#[cfg(unix)]
struct Hangup(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangup {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let signal = signal(SignalKind::hangup());
        Self(signal.map_err(|error| warn!(%error, "SIGHUP cannot be listened for; the file is looked at anyway")).ok())
    }

    async fn heard(&mut self) {
        match &mut self.0 {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
struct Hangup;

#[cfg(not(unix))]
impl Hangup {
    fn new() -> Self {
        Self
    }

    async fn heard(&mut self) {
        std::future::pending().await
    }
}
