//! What operators read and write at a desk: cards, lines, and what of their words is meant for the customer. Pure.

use frontdesk_core::Content;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    notices::Kind,
    store::{Blocked, Conversation, ConversationState, Identity, LedgerEntry, Queue, Silence, Verdict, Waiter},
};

mod command;
mod phrase;
mod window;

pub use command::{Command, help};
pub use phrase::{first_phrase, phrases};
pub use window::*;

pub const EDIT_SENDS_NOTHING: &str =
    "That edit sends nothing: the message was not sent before. Write it as a new message.";

pub const EMPTY_NOTE: &str = "A note needs a text: !note the cake is paid.";

pub const BLOCKED: &str = "Not sent: this customer is blocked. !unblock first, then write it again.";

pub const SLASH: &str =
    "Not sent: what begins with / stays here, because some apps take it for a command. !help lists the commands.";

pub const OUTSIDE: &str = "This was sent to nobody. To answer a customer, write in their thread, or reply to one of their messages; !help tells more.";

pub const UNKNOWN_THREAD: &str = "This was sent to nobody: the thread belongs to no conversation. Please answer in the thread under a customer's card.";

pub const UNDECRYPTABLE: &str = "A message of yours could not be decrypted and was not sent. If it does not go out within a minute, please write it again.";

pub const READABLE_NOW: &str =
    "A message of yours can be read only now and was not sent, because you may have written it again. It says:";

/// What an operator's message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// `!name rest`; also what only looks like a command.
    Command {
        name: String,
        rest: String,
    },
    Note(String),
    EmptyNote,
    /// Begins with `/`: some apps strip one slash of two, so it can never be trusted to be words.
    Slash,
    /// For the customer.
    Words,
}

/// Tells what stays inside from what goes out. In doubt it stays inside.
#[must_use]
pub fn read(text: &str) -> Said {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c)).trim_end();
    if text.starts_with(['/', '／']) {
        return Said::Slash;
    }
    let Some(command) = text.strip_prefix(['!', '！']) else { return Said::Words };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    match (name.to_lowercase().as_str(), rest.trim()) {
        ("note", "") => Said::EmptyNote,
        ("note", note) => Said::Note(note.to_owned()),
        (name, rest) => Said::Command { name: name.to_owned(), rest: rest.to_owned() },
    }
}

/// At a desk whose platform has commands of its own: there `/close` is `!close`, also as `/close@the_bot`.
#[must_use]
pub fn read_with_slashes(text: &str) -> Said {
    let said = read(text);
    if said != Said::Slash {
        return said;
    }
    let Some((_, text)) = text.split_once(['/', '／']) else { return said };
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let name = word.split('@').next().unwrap_or_default().to_lowercase();
    if name == "note" || Command::named(&name).is_some() { read(&format!("!{name} {rest}")) } else { said }
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The head of a conversation's thread. It holds clock times, so that it stays true without edits.
#[must_use]
pub fn card(conversation: &Conversation, identity: &Identity, window: Window, timezone: &TimeZone) -> String {
    let known = if conversation.previous.is_some() { "has written before" } else { "new" };
    let mut card = format!("{} · {} · {known}\n", name(identity), identity.channel);
    match &conversation.blocked {
        Some(blocked) => card.push_str(&blocked_state(blocked, timezone)),
        None => card.push_str(&state(conversation, timezone)),
    }
    let open = conversation.blocked.is_none() && conversation.state == ConversationState::Open;
    if let Some(line) = window::line(window, timezone).filter(|_| open) {
        card.push_str(&format!("\n{line}"));
    }
    if !conversation.held.is_empty() {
        card.push_str("\nAn answer waits until they write again");
    }
    if !conversation.undelivered.is_empty() {
        card.push_str("\nAn answer was not delivered: see the thread");
    }
    if let Some(origin) = &conversation.origin {
        card.push_str(&format!("\nCame from: {origin}"));
    }
    card
}

fn state(conversation: &Conversation, timezone: &TimeZone) -> String {
    let clock = |at| clock(at, timezone);
    match (&conversation.state, conversation.waiting_since) {
        (ConversationState::Closed { at, by: Some(by) }, _) => format!("Closed {} by {}", clock(*at), one_line(by)),
        (ConversationState::Closed { at, by: None }, _) => format!("Closed {}: nothing more was said", clock(*at)),
        (ConversationState::Open, Some(since)) => format!("Waiting since {}", clock(since)),
        (ConversationState::Open, None) => match (conversation.last_human_at, conversation.read_at) {
            (Some(at), Some(read)) => format!("Answered {}, read {}", clock(at), clock(read)),
            (Some(at), None) => format!("Answered {}", clock(at)),
            (None, _) => "Open".to_owned(),
        },
    }
}

/// Counted up to here: a flood needs no more edits of the card.
const COUNTED: u64 = 100;

fn blocked_state(blocked: &Blocked, timezone: &TimeZone) -> String {
    let state = format!("Blocked {} by {}", clock(blocked.at, timezone), one_line(&blocked.by));
    match blocked.messages {
        0 => state,
        1 => format!("{state}\n1 message since then"),
        COUNTED.. => format!("{state}\n{COUNTED} messages or more since then"),
        count => format!("{state}\n{count} messages since then"),
    }
}

/// What `!unblock` says of a customer who has written meanwhile.
#[must_use]
pub fn unblocked(blocked: &Blocked, first_at: Timestamp, timezone: &TimeZone) -> String {
    let (shown, first) = (blocked.latest.len(), clock(first_at, timezone));
    match blocked.messages {
        1 => format!("Unblocked. One message came meanwhile, {first}:"),
        count if usize::try_from(count).is_ok_and(|count| count > shown) => {
            format!("Unblocked. {count} messages came meanwhile, the first {first}. The latest {shown}:")
        }
        count => format!("Unblocked. {count} messages came meanwhile, the first {first}:"),
    }
}

/// `!waiting`: a line for each customer, longest first.
#[must_use]
pub fn waiting(queue: &Queue, timezone: &TimeZone) -> String {
    let head = match queue.total {
        0 => return "Nobody waits for an answer.".to_owned(),
        1 => "One customer waits for an answer:".to_owned(),
        total => format!("{total} customers wait for an answer, longest first:"),
    };
    let mut lines = vec![head];
    lines.extend(queue.first.iter().map(|waiter| waiting_line(waiter, timezone)));
    let more = queue.total.saturating_sub(queue.first.len());
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

fn waiting_line(waiter: &Waiter, timezone: &TimeZone) -> String {
    let identity = &waiter.identity;
    let mut line = format!("{} · {} · since {}", name(identity), identity.channel, clock(waiter.since, timezone));
    if let Some(words) = &waiter.words {
        let words = if words.is_deleted() { "(deleted)".to_owned() } else { words.current().readable() };
        line.push_str(&format!(": {}", shortened(&words, 80)));
    }
    line
}

#[must_use]
pub fn clock(at: Timestamp, timezone: &TimeZone) -> String {
    at.to_zoned(timezone.clone()).strftime("%a %-d %b, %H:%M").to_string()
}

/// A customer's words for the desk: text only, and always begun with the customer's name, so that a desk without
/// threads still shows who speaks.
#[must_use]
pub fn customers_words(identity: &Identity, content: &Content, forwarded: bool) -> String {
    let mark = if forwarded { " (forwarded)" } else { "" };
    format!("{}{mark}: {}", name(identity), content.readable())
}

/// What to call a customer: what their platform shows, in one short line.
#[must_use]
pub fn name(identity: &Identity) -> String {
    let name = one_line(&identity.name);
    match (name.is_empty(), &identity.username) {
        (false, _) => name,
        (true, Some(username)) => one_line(username),
        (true, None) => "Customer".to_owned(),
    }
}

/// The beginning of a text, in one line.
#[must_use]
pub fn excerpt(text: &str) -> String {
    shortened(text, 200)
}

fn shortened(text: &str, longest: usize) -> String {
    let line = flat(text);
    if line.chars().count() <= longest {
        return line;
    }
    line.chars().take(longest - 1).chain(['…']).collect()
}

/// A name, short and in one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    flat(text).chars().take(40).collect::<String>().trim().to_owned()
}

fn flat(text: &str) -> String {
    let visible: String = text.chars().map(|c| if is_invisible(c) { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[must_use]
pub fn signature(sign: &str, operator: &str) -> String {
    sign.replace("{{ operator }}", &one_line(operator)).replace("{{operator}}", &one_line(operator))
}

#[must_use]
pub fn in_a_thread(command: &str) -> String {
    format!("!{command} is about one conversation: write it in that customer's thread.")
}

#[must_use]
pub fn unread(why: &str) -> String {
    format!("What was written here while {why} was not read: nothing of it went to a customer. Please write it again.")
}

#[must_use]
pub fn unknown_command(name: &str) -> String {
    if name.is_empty() {
        return "Not sent: what begins with ! stays here. !help lists the commands.".to_owned();
    }
    format!("Not sent: there is no command !{}. !help lists them.", excerpt(name))
}

/// The story of the automatic texts, newest first.
#[must_use]
pub fn why(ledger: &[LedgerEntry], timezone: &TimeZone) -> String {
    if ledger.is_empty() {
        return "Nothing was sent automatically here, and nothing was due.".to_owned();
    }
    // A plan is told only while it is all there is to tell.
    let told = ledger.iter().enumerate().filter(|(index, entry)| *index == 0 || entry.verdict != Verdict::Planned);
    let lines = told
        .map(|(_, entry)| format!("{}: {}: {}", clock(entry.at, timezone), kind(entry.kind), verdict(&entry.verdict)));
    lines.collect::<Vec<_>>().join("\n")
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::FirstContact => "first acknowledgement",
        Kind::FirstContactClosed => "first acknowledgement, outside the opening hours",
        Kind::AfterHours => "notice outside the opening hours",
        Kind::Invitation => "invitation",
    }
}

fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Planned => "waits until the customer has finished writing",
        Verdict::Said => "sent",
        Verdict::Silent { reason } => silence(*reason),
    }
}

fn silence(reason: Silence) -> &'static str {
    match reason {
        Silence::AlreadyAcknowledged => "not sent: they got one before",
        Silence::KnownBefore => "not sent: the business knew them before",
        Silence::HumanPresent => "not sent: a person answered a moment ago",
        Silence::Answered => "not sent: a person answered first",
        Silence::NoticeThisPeriod => "not sent: they were told since we closed",
        Silence::SameWords => "not sent: they have read the same words in the last days",
        Silence::Budget => "not sent: three automatic texts in 24 hours are enough",
        Silence::Old => "not sent: the message was old when it came in",
        Silence::NotNews => "not sent: we have opened meanwhile",
        Silence::OnlyThanks => "not sent: a thank-you needs no notice",
        Silence::NotAPerson => "not sent: a program wrote",
        Silence::Blocked => "not sent: blocked",
        Silence::SwitchedOff => "not sent: switched off in the config",
        Silence::Expired => "not sent: it would have been too late",
        Silence::Uncertain => "perhaps sent, and not repeated",
        Silence::Refused => "not sent: the platform refused it",
        Silence::Dropped => "not sent: the owner took it out of the queue",
        Silence::Closed => "not sent: the conversation was closed",
        Silence::HoursChanged => "not sent: the hours were changed before it went out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_looks_like_a_command_stays_inside() {
        let inside =
            ["!close", " !close", "\u{200b}!close", "！close", "!", "!!! great", "/help", "//help", " /me", "!note x"];
        for text in inside {
            assert_ne!(read(text), Said::Words, "{text:?}");
        }
        for text in ["Yes!", "5/6", "Hello\n!close", "note", "¡Hola!"] {
            assert_eq!(read(text), Said::Words, "{text:?}");
        }
    }

    #[test]
    fn a_slash_is_a_command_only_where_the_platform_has_them_and_only_a_known_one() {
        let command = |name: &str, rest: &str| Said::Command { name: name.into(), rest: rest.into() };
        assert_eq!(read("/close"), Said::Slash);
        assert_eq!(read_with_slashes("/close"), command("close", ""));
        assert_eq!(read_with_slashes(" ／Hours@the_bot closed until 15:00"), command("hours", "closed until 15:00"));
        assert_eq!(read_with_slashes("/note@the_bot the cake is paid"), Said::Note("the cake is paid".into()));
        assert_eq!(read_with_slashes("/note"), Said::EmptyNote);
        for words in ["//close", "/", "/ close", "/me", "/start", "/closed", "/@bot", "/!close"] {
            assert_eq!(read_with_slashes(words), Said::Slash, "{words}");
        }
        assert_eq!(read_with_slashes("!close"), command("close", ""));
        assert_eq!(read_with_slashes("5/6"), Said::Words);
    }

    #[test]
    fn the_help_names_every_command() {
        for command in Command::ALL {
            assert!(help(false, true).contains(&format!("!{}", command.name())), "{command:?}");
            assert_eq!(Command::named(command.name()), Some(command));
        }
    }

    #[test]
    fn a_flood_of_a_blocked_customer_ends_the_edits_of_the_card() {
        let state = |messages| {
            let at = Timestamp::UNIX_EPOCH;
            let blocked = Blocked { at, by: "ann\n".into(), messages, first_at: Some(at), latest: Vec::new() };
            blocked_state(&blocked, &TimeZone::UTC)
        };
        assert_eq!(state(0), "Blocked Thu 1 Jan, 00:00 by ann");
        assert_eq!(state(99), "Blocked Thu 1 Jan, 00:00 by ann\n99 messages since then");
        assert_eq!(state(100), "Blocked Thu 1 Jan, 00:00 by ann\n100 messages or more since then");
        assert_eq!(state(100), state(1_000_000));
    }

    #[test]
    fn a_note_keeps_its_words() {
        assert_eq!(read("!note  the cake is paid "), Said::Note("the cake is paid".into()));
        assert_eq!(read("!NOTE paid"), Said::Note("paid".into()));
        assert_eq!(read("!note"), Said::EmptyNote);
    }

    #[test]
    fn a_name_cannot_break_out_of_its_line() {
        assert_eq!(one_line("Anna\n\u{202e}@room   Ann:"), "Anna @room Ann:");
    }
}
