//! `[telegram.NAME]`, `[whatsapp.NAME]`, `[matrix.NAME]` and `[desks.NAME]`. With `app`, the only place that names kinds of channels.

use frontdesk_core::{ChannelId, ConfigProblem, DeskName, PlatformUser};

use super::{
    problem::either,
    reader::{Reader, Value, take},
};
use crate::hours::nearest;

/// One account on one messenger.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub id: ChannelId,
    pub kind: ChannelKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChannelKind {
    #[cfg(feature = "telegram")]
    Telegram(frontdesk_telegram::Config),
    #[cfg(feature = "whatsapp")]
    WhatsApp(frontdesk_whatsapp::Config),
    #[cfg(feature = "matrix")]
    Matrix(frontdesk_matrix::Config),
}

/// Where operators work.
#[derive(Clone, Debug, PartialEq)]
pub struct Desk {
    pub name: DeskName,
    /// One of the channels.
    pub channel: ChannelId,
    /// Who may answer; empty: every member of the room.
    pub operators: Vec<PlatformUser>,
    /// Appended to answers, a template.
    pub sign: Option<String>,
    pub kind: DeskKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DeskKind {
    #[cfg(feature = "matrix")]
    Matrix(frontdesk_matrix::DeskConfig),
}

impl ChannelKind {
    /// Whether people who write to this account are customers.
    #[must_use]
    pub fn serves_customers(&self) -> bool {
        match *self {
            #[cfg(feature = "telegram")]
            Self::Telegram(_) => true,
            #[cfg(feature = "whatsapp")]
            Self::WhatsApp(_) => true,
            #[cfg(feature = "matrix")]
            Self::Matrix(_) => false,
        }
    }

    #[cfg(feature = "whatsapp")]
    fn whatsapp_number(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "telegram")]
            Self::Telegram(_) => None,
            Self::WhatsApp(config) => Some(config.phone_number_id()),
            #[cfg(feature = "matrix")]
            Self::Matrix(_) => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Telegram,
    WhatsApp,
    Matrix,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Telegram, Self::WhatsApp, Self::Matrix];

    fn word(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::WhatsApp => "whatsapp",
            Self::Matrix => "matrix",
        }
    }

    fn serves_customers(self) -> bool {
        match self {
            Self::Telegram | Self::WhatsApp => true,
            Self::Matrix => false,
        }
    }
}

/// What the file calls a channel, whether or not its table is right.
struct Declared {
    id: String,
    kind: Kind,
}

pub(super) fn channels_and_desks(reader: &mut Reader<'_>) -> (Vec<Channel>, Vec<Desk>) {
    let (declared, channels) = channels(reader);
    #[cfg(feature = "whatsapp")]
    numbers_of_their_own(reader, &channels);
    if !declared.iter().any(|channel| channel.kind.serves_customers()) {
        reader.problem(
            &["telegram"],
            "no channel that customers can write to; add one with [telegram.shop] and its token",
        );
    }
    let names = named_tables(reader, "desks", "each desk has a name of yours: write [desks.main]");
    if names.is_empty() {
        reader.problem(&["desks"], "no place where you answer; add [desks.main] with a channel and a room");
    }
    let mut rooms: Vec<(String, String)> = Vec::new();
    let desks =
        names.into_iter().filter_map(|(name, value)| desk(reader, &name, value, &declared, &mut rooms)).collect();
    (channels, desks)
}

/// What the file calls the channels that customers write to, whether or not their tables are right.
pub(super) fn customer_channels(reader: &mut Reader<'_>) -> Vec<ChannelId> {
    let kinds = Kind::ALL.into_iter().filter(|kind| kind.serves_customers());
    let names = kinds.flat_map(|kind| {
        let names = reader.entries(&[kind.word()]).into_iter();
        names.map(move |(name, _)| ChannelId::from(format!("{}.{name}", kind.word())))
    });
    names.collect()
}

/// What the file calls the desks, and their channels.
pub(super) fn desk_channels(reader: &mut Reader<'_>) -> Vec<(DeskName, ChannelId)> {
    let names: Vec<_> = reader.entries(&["desks"]).into_iter().map(|(name, _)| name).collect();
    let desks = names.into_iter().filter_map(|name| {
        let channel = reader.value(&["desks", &name, "channel"])?;
        Some((DeskName::from(name), ChannelId::from(channel.get_ref().as_str()?)))
    });
    desks.collect()
}

/// Customers would read what is wrong with it under every answer.
fn sign_problem(sign: &str) -> Option<&'static str> {
    let rest = sign.replace("{{ operator }}", "").replace("{{operator}}", "");
    if rest.contains("{{") || rest.contains("}}") || rest.contains("{%") {
        return Some("the only placeholder here is {{ operator }}");
    }
    (sign.chars().count() > 200).then_some("is longer than 200 characters")
}

fn channels(reader: &mut Reader<'_>) -> (Vec<Declared>, Vec<Channel>) {
    let mut declared = Vec::new();
    let mut channels = Vec::new();
    for kind in Kind::ALL {
        let word = kind.word();
        for (name, _) in named_tables(reader, word, &format!("each account has a name of yours: write [{word}.shop]")) {
            let path = [word, name.as_str()];
            check_name(reader, &path);
            let id = path.join(".");
            if let Some(kind) = channel(reader, kind, &path) {
                channels.push((reader.position(&path), Channel { id: id.as_str().into(), kind }));
            }
            declared.push(Declared { id, kind });
        }
    }
    channels.sort_by_key(|(position, _)| *position);
    (declared, channels.into_iter().map(|(_, channel)| channel).collect())
}

/// The tables in the table `word`; what else is in it lacks the name in its head.
fn named_tables<'a>(reader: &mut Reader<'a>, word: &str, cure: &str) -> Vec<(String, Value<'a>)> {
    let entries = reader.entries(&[word]);
    let (tables, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, value)| value.get_ref().is_table());
    if !others.is_empty() {
        reader.problem(&[word], cure);
    }
    tables
}

fn channel(reader: &mut Reader<'_>, kind: Kind, path: &[&str]) -> Option<ChannelKind> {
    match kind {
        Kind::Telegram => telegram(reader, path),
        Kind::WhatsApp => whatsapp(reader, path),
        Kind::Matrix => matrix(reader, path),
    }
}

#[cfg(feature = "telegram")]
fn telegram(reader: &mut Reader<'_>, path: &[&str]) -> Option<ChannelKind> {
    let raw: frontdesk_telegram::RawConfig = reader.table(path)?;
    validated(reader, path, raw.validate()).map(ChannelKind::Telegram)
}

#[cfg(not(feature = "telegram"))]
fn telegram(reader: &mut Reader<'_>, path: &[&str]) -> Option<ChannelKind> {
    reader.problem(path, built_without(Kind::Telegram));
    None
}

#[cfg(feature = "whatsapp")]
fn whatsapp(reader: &mut Reader<'_>, path: &[&str]) -> Option<ChannelKind> {
    let raw: frontdesk_whatsapp::RawConfig = reader.table(path)?;
    validated(reader, path, raw.validate()).map(ChannelKind::WhatsApp)
}

#[cfg(not(feature = "whatsapp"))]
fn whatsapp(reader: &mut Reader<'_>, path: &[&str]) -> Option<ChannelKind> {
    reader.problem(path, built_without(Kind::WhatsApp));
    None
}

/// Of two channels with one number only one would get its messages.
#[cfg(feature = "whatsapp")]
fn numbers_of_their_own(reader: &mut Reader<'_>, channels: &[Channel]) {
    let mut known: Vec<(&str, &ChannelId)> = Vec::new();
    for channel in channels {
        let Some(number) = channel.kind.whatsapp_number() else { continue };
        if let Some((_, other)) = known.iter().find(|(taken, _)| *taken == number) {
            let path: Vec<&str> = channel.id.as_str().split('.').chain(["phone_number_id"]).collect();
            reader.problem(&path, format!("{other} has this number already; each channel needs a number of its own"));
        }
        known.push((number, &channel.id));
    }
}

#[cfg(feature = "matrix")]
fn matrix(reader: &mut Reader<'_>, path: &[&str]) -> Option<ChannelKind> {
    let raw: frontdesk_matrix::RawConfig = reader.table(path)?;
    validated(reader, path, raw.validate()).map(ChannelKind::Matrix)
}

#[cfg(not(feature = "matrix"))]
fn matrix(reader: &mut Reader<'_>, path: &[&str]) -> Option<ChannelKind> {
    reader.problem(path, built_without(Kind::Matrix));
    None
}

#[cfg(not(all(feature = "telegram", feature = "whatsapp", feature = "matrix")))]
fn built_without(kind: Kind) -> String {
    let word = kind.word();
    format!("this program was built without the feature `{word}`; build it with --features {word}")
}

#[cfg_attr(not(any(feature = "telegram", feature = "whatsapp", feature = "matrix")), expect(dead_code))]
fn validated<T>(reader: &mut Reader<'_>, path: &[&str], result: Result<T, Vec<ConfigProblem>>) -> Option<T> {
    result.map_err(|found| reader.problems(path, found)).ok()
}

/// `rooms` are those of the desks before, each with its desk.
fn desk<'a>(
    reader: &mut Reader<'a>,
    name: &str,
    mut value: Value<'a>,
    declared: &[Declared],
    rooms: &mut Vec<(String, String)>,
) -> Option<Desk> {
    let path = ["desks", name];
    check_name(reader, &path);
    let channel = text(reader, &["desks", name, "channel"], take(&mut value, "channel"));
    let sign = text(reader, &["desks", name, "sign"], take(&mut value, "sign"));
    if let Some(problem) = sign.as_deref().and_then(sign_problem) {
        reader.problem(&["desks", name, "sign"], problem);
    }
    let found = match channel {
        Some(channel) => resolve(reader, name, &channel, declared),
        None => {
            reader.missing(&["desks", name, "channel"], "the channel that it is on, such as channel = \"matrix.desk\"");
            None
        }
    };
    match found.map(|channel| channel.kind) {
        Some(Kind::Telegram) => {
            reader.problem(&["desks", name, "channel"], "a desk on Telegram is not built yet; use a Matrix channel");
            None
        }
        Some(Kind::WhatsApp) => {
            reader.problem(&["desks", name, "channel"], "WhatsApp has no place for a desk; use a Matrix channel");
            None
        }
        // Most desks are on Matrix: the rest of the table is checked as one until the channel is known.
        Some(Kind::Matrix) | None => {
            let (kind, room, operators) = matrix_desk(reader, &path, value)?;
            if let Some(room) = room {
                if let Some((_, other)) = rooms.iter().find(|(known, _)| *known == room) {
                    let text = format!("the desk `{other}` is in this room already; each desk needs a room of its own");
                    reader.problem(&["desks", name, "room"], text);
                }
                rooms.push((room, name.to_owned()));
            }
            Some(Desk { name: name.into(), channel: found?.id.as_str().into(), operators, sign, kind: kind? })
        }
    }
}

/// Each as far as it is right: the desk, its room, its operators.
type MatrixDesk = (Option<DeskKind>, Option<String>, Vec<PlatformUser>);

#[cfg(feature = "matrix")]
fn matrix_desk<'a>(reader: &mut Reader<'a>, path: &[&str; 2], value: Value<'a>) -> Option<MatrixDesk> {
    let raw: frontdesk_matrix::RawDesk = reader.read(path, value, &["channel", "sign"])?;
    let room = raw.room.clone();
    let operators = raw.operators.iter().flatten().map(|operator| operator.as_str().into()).collect();
    let kind = validated(reader, path, raw.validate(path[1].into())).map(DeskKind::Matrix);
    Some((kind, room, operators))
}

#[cfg(not(feature = "matrix"))]
fn matrix_desk(reader: &mut Reader<'_>, path: &[&str; 2], _: Value<'_>) -> Option<MatrixDesk> {
    reader.problem(path, built_without(Kind::Matrix));
    None
}

fn resolve<'d>(reader: &mut Reader<'_>, desk: &str, channel: &str, declared: &'d [Declared]) -> Option<&'d Declared> {
    let found = declared.iter().find(|known| known.id == channel);
    if found.is_none() {
        let ids: Vec<&str> = declared.iter().map(|known| known.id.as_str()).collect();
        let cure = match (nearest(channel, ids.iter().copied()), ids.as_slice()) {
            (Some(meant), _) => format!("did you mean \"{meant}\"?"),
            (None, []) => "there is none yet: add [matrix.desk] with an account for the desk".to_owned(),
            (None, ids) => format!("there is {}", either(ids)),
        };
        reader.problem(&["desks", desk, "channel"], format!("there is no channel \"{channel}\"; {cure}"));
    }
    found
}

fn text(reader: &mut Reader<'_>, path: &[&str], value: Option<Value<'_>>) -> Option<String> {
    let value = value?;
    let text = value.get_ref().as_str().map(|text| text.trim().to_owned());
    match text {
        Some(text) if !text.is_empty() => Some(text),
        Some(_) | None => {
            reader.problem(path, "expected a text in quotes");
            None
        }
    }
}

/// Names are in file names, addresses and logs.
pub(super) const NAME: &str = "^[a-z0-9_-]{1,40}$";

/// [`NAME`].
fn check_name(reader: &mut Reader<'_>, path: &[&str; 2]) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if path[1].is_empty() || path[1].len() > 40 || !path[1].chars().all(plain) {
        reader.problem(path, "expected a name of 1 to 40 characters out of a-z, 0-9, _ and -");
    }
}
