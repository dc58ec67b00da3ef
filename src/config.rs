//! The owner's `frontdesk.toml`: raw TOML in, validated types out, and one place for the defaults.
//!
//! Every mistake of a file is found at once, each with its line and its cure. What comes out is not checked again.

mod channels;
mod explain;
mod place;
mod policy;
mod problem;
mod reader;
mod schema;
mod server;
#[cfg(all(test, feature = "telegram", feature = "whatsapp", feature = "matrix"))]
mod tests;

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, tz::TimeZone};

use self::reader::Reader;
pub use self::schema::schema;
pub use self::{
    channels::{Channel, ChannelKind, Desk, DeskKind},
    place::Place,
    problem::{Problem, Problems},
};
use crate::{
    hours::Hours,
    notices::{Lang, Wording},
};

/// The file that is looked for where no other is named.
pub const FILE: &str = "frontdesk.toml";

/// Names the file where `--config` does not.
pub const FILE_VARIABLE: &str = "FRONTDESK_CONFIG";

/// What holds where the file says nothing, and how far each number may go.
mod defaults {
    use std::ops::RangeInclusive;

    /// A number of the config: its default, its bounds (included), and its unit.
    pub struct Number {
        pub default: i64,
        pub range: RangeInclusive<i64>,
        pub unit: &'static str,
    }

    /// 45 s is the longest that a burst of messages holds an acknowledgement back.
    pub const ACK_DELAY: Number = Number { default: 10, range: 0..=45, unit: "seconds" };
    pub const HUMAN_PRESENT: Number = Number { default: 15, range: 0..=1440, unit: "minutes" };
    pub const REPEAT_AFTER: Number = Number { default: 7, range: 1..=365, unit: "days" };
    /// Has no default: never.
    pub const AGAIN_AFTER: Number = Number { default: 0, range: 1..=3650, unit: "days" };
    pub const REOPEN_WITHIN: Number = Number { default: 24, range: 0..=720, unit: "hours" };
    pub const CLOSE_IDLE: Number = Number { default: 3, range: 1..=365, unit: "days" };
    pub const GIVE_UP_AFTER: Number = Number { default: 72, range: 1..=720, unit: "hours" };
    /// Longer than anything else waits for a message: deliveries, changes, a customer who writes again.
    pub const MESSAGES: Number = Number { default: 730, range: 60..=36_500, unit: "days" };

    pub const AFTER_HOURS: bool = true;
    pub const LISTEN: &str = "127.0.0.1:8080";
    pub const STORE: &str = "sled:data";
}

/// A whole config, valid by construction.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub business: Business,
    pub hours: Hours,
    pub replies: Replies,
    pub conversations: Conversations,
    /// In the order of the file.
    pub channels: Vec<Channel>,
    /// In the order of the file: the first is the default. Never empty.
    pub desks: Vec<Desk>,
    pub http: Http,
    pub retention: Retention,
    /// The folder of everything that is kept; relative to the working directory.
    pub data: PathBuf,
}

/// What automatic texts are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    pub business: Business,
    pub hours: Hours,
    pub replies: Replies,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Business {
    pub name: String,
    pub timezone: TimeZone,
    /// The first is the default. Never empty.
    pub languages: Vec<Lang>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Replies {
    /// For how long a customer has to be silent before an automatic text.
    pub ack_delay: SignedDuration,
    /// Whether after-hours notices are sent.
    pub after_hours: bool,
    /// For how long after a human's answer nothing is said about the hours.
    pub human_present: SignedDuration,
    /// The same words again only after this.
    pub repeat_after: SignedDuration,
    /// A contact who was silent for this long is greeted again; `None`: never.
    pub again_after: Option<SignedDuration>,
    pub wording: Wording,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Conversations {
    pub reopen_within: SignedDuration,
    pub close_idle: SignedDuration,
    pub give_up_after: SignedDuration,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// What was said in a conversation, after its end.
    pub messages: SignedDuration,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    pub listen: SocketAddr,
}

/// The longest config file that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

impl Config {
    /// The file to read: the one named, else `$FRONTDESK_CONFIG`, else `./frontdesk.toml` where there is one.
    #[must_use]
    pub fn find(named: Option<&Path>) -> Option<PathBuf> {
        let variable = || env::var_os(FILE_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let here = || Some(PathBuf::from(FILE)).filter(|file| file.exists());
        named.map(Path::to_owned).or_else(variable).or_else(here)
    }

    /// Reads a file, and the secrets that it names.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        Self::parse(&Self::read(path)?, &path.display().to_string())
    }

    /// The text of a file, for [`Self::parse`].
    pub fn read(path: &Path) -> Result<String, Problems> {
        read(path)
    }

    /// Only the opening hours of a file: needs no secret, and overlooks mistakes in other tables.
    pub fn load_hours(path: &Path) -> Result<Hours, Problems> {
        let (text, file) = (read(path)?, path.display().to_string());
        let mut reader = Reader::new(&file, &text)?;
        let business = policy::business(&mut reader);
        let hours = policy::hours(&mut reader, business.as_ref().map(|business| &business.timezone));
        hours.filter(|_| !reader.any()).ok_or_else(|| reader.into_problems())
    }

    /// Only where a file's data lies and what its channels are called: needs no secret, and overlooks mistakes in other
    /// tables.
    pub fn load_place(path: &Path) -> Result<Place, Problems> {
        let (text, file) = (read(path)?, path.display().to_string());
        let mut reader = Reader::new(&file, &text)?;
        let place = place::place(&mut reader);
        place.filter(|_| !reader.any()).ok_or_else(|| reader.into_problems())
    }

    /// Only what automatic texts are made of: needs no secret, and overlooks mistakes in other tables.
    pub fn load_spoken(path: &Path) -> Result<Spoken, Problems> {
        let (text, file) = (read(path)?, path.display().to_string());
        let mut reader = Reader::new(&file, &text)?;
        match spoken(&mut reader) {
            (Some(business), Some(hours), Some(replies)) if !reader.any() => Ok(Spoken { business, hours, replies }),
            _ => Err(reader.into_problems()),
        }
    }

    /// `file` is how the problems name it.
    pub fn parse(text: &str, file: &str) -> Result<Self, Problems> {
        let mut reader = Reader::new(file, text)?;
        server::unknown_tables(&mut reader);
        let (business, hours, replies) = spoken(&mut reader);
        let conversations = policy::conversations(&mut reader);
        let retention = policy::retention(&mut reader);
        let (channels, desks) = channels::channels_and_desks(&mut reader);
        let http = server::http(&mut reader);
        let data = server::store(&mut reader);
        match (business, hours, replies, http, data) {
            (Some(business), Some(hours), Some(replies), Some(http), Some(data)) if !reader.any() => {
                Ok(Self { business, hours, replies, conversations, channels, desks, http, retention, data })
            }
            _ => Err(reader.into_problems()),
        }
    }
}

fn spoken(reader: &mut Reader<'_>) -> (Option<Business>, Option<Hours>, Option<Replies>) {
    let business = policy::business(reader);
    let hours = policy::hours(reader, business.as_ref().map(|business| &business.timezone));
    let languages = business.as_ref().map(|business| business.languages.as_slice());
    let replies = policy::replies(reader, languages);
    (business, hours, replies)
}

fn read(path: &Path) -> Result<String, Problems> {
    let unread = |text: String| {
        Problems(vec![Problem { file: path.display().to_string(), line: None, key: String::new(), text }])
    };
    match path.metadata() {
        Ok(found) if found.len() > MAX_BYTES => {
            return Err(unread("is longer than 1 MB; is it the right file?".into()));
        }
        Ok(_) | Err(_) => {}
    }
    std::fs::read_to_string(path)
        .map_err(|error| unread(format!("cannot be read: {error}; --config FILE names another one")))
}
