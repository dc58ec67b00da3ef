//! Keys: one tree, a byte for the table, then numbers (big-endian, so that they sort) and names.

use frontdesk_core::{ChannelId, DeskName, EventKey, PlatformId, PlatformUser, ThreadId};
use jiff::Timestamp;

use super::super::{
    ContactId, ConversationId, IdentityId, InboxSeq, MessageKey, MessageRef, Place, RowNumber, Target, Timer,
};

pub(super) type Key = Vec<u8>;

/// Keys beyond this keep their beginning and a fingerprint, so that no page of the tree grows into a blob.
const LONGEST: usize = 384;

/// The first byte of a key. On disk: never give a number to something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Table {
    Meta = 1,
    /// Pieces of long values, by the key of the value.
    Pieces = 2,
    /// What [`super::tidy`] removes and when: time, key.
    Expires = 3,
    Accounts = 4,
    Cursors = 5,
    /// Events that were accepted: channel, event key.
    Seen = 6,
    Inbox = 7,
    Parked = 8,
    /// What is parked, by the lane it keeps back: lane, sequence.
    ParkedLanes = 9,
    Contacts = 10,
    Identities = 11,
    /// Identities by channel and user.
    Users = 12,
    /// Identities by channel and another name of the user.
    Aliases = 13,
    Conversations = 14,
    /// Open conversations that wait for an answer: desk, conversation.
    Waiting = 15,
    Messages = 16,
    /// Our message by the platform's name for it.
    Bindings = 17,
    /// The platform's names of our message: message, place.
    Names = 18,
    Marks = 19,
    /// The thread of a conversation: conversation, desk.
    Threads = 20,
    /// The conversation of a thread: desk, thread.
    ThreadOwners = 21,
    Timers = 22,
    /// Contact, newest first.
    Ledger = 23,
    /// When an operator got a hint: desk, user.
    Hints = 24,
    Outbox = 25,
    /// Rows whose send may give a message a name that is not recorded yet, by the place they go to: place, number.
    Unrecorded = 26,
    /// Rows that open a thread: conversation, desk.
    Openings = 27,
    /// Our message by the number of the row that carried it.
    Carried = 28,
    /// The messages of a conversation, oldest first: conversation, message.
    History = 29,
    /// People the business knew before: channel, name.
    Known = 32,
    /// Rows that wait until the customer writes again: identity, number.
    Held = 33,
    /// Identities by what people are called: the name in small letters, a zero byte, identity.
    Called = 34,
}

enum Part<'a> {
    Tag(u8),
    Number(u64),
    Name(&'a str),
}

use Part::{Name, Number, Tag};

pub(super) fn all(table: Table) -> Key {
    vec![table as u8]
}

pub(super) fn meta(name: &str) -> Key {
    key(Table::Meta, &[Name(name)])
}

/// What operators set with `!hours`.
pub(super) fn hours_set() -> Key {
    meta("hours")
}

pub(super) fn piece(owner: &[u8], number: u32) -> Key {
    [&[Table::Pieces as u8], owner, &number.to_be_bytes()].concat()
}

pub(super) fn expires(at: Timestamp, what: &[u8]) -> Key {
    [&[Table::Expires as u8], &time(at).to_be_bytes()[..], what].concat()
}

/// The end of what is due at `at`, exclusive.
pub(super) fn expires_until(at: Timestamp) -> Key {
    [&[Table::Expires as u8], &(time(at).saturating_add(1)).to_be_bytes()[..]].concat()
}

/// The key inside a key of [`Table::Expires`].
pub(super) fn expired(key: &[u8]) -> &[u8] {
    key.get(9..).unwrap_or_default()
}

pub(super) fn account(channel: &ChannelId) -> Key {
    key(Table::Accounts, &[Name(channel.as_str())])
}

pub(super) fn cursor(channel: &ChannelId) -> Key {
    key(Table::Cursors, &[Name(channel.as_str())])
}

pub(super) fn seen(channel: &ChannelId, event: &EventKey) -> Key {
    key(Table::Seen, &[Name(channel.as_str()), Name(event.as_str())])
}

pub(super) fn inbox(seq: InboxSeq) -> Key {
    key(Table::Inbox, &[Number(seq.0)])
}

pub(super) fn parked(seq: InboxSeq) -> Key {
    key(Table::Parked, &[Number(seq.0)])
}

/// Everything that is parked in the lane of a chat.
pub(super) fn parked_chat(place: &Place) -> Key {
    let mut parts = vec![Tag(0)];
    parts.extend(place_parts(place));
    key(Table::ParkedLanes, &parts)
}

/// Everything that is parked in the lane of a message at a desk.
pub(super) fn parked_message(desk: &DeskName, message: &PlatformId) -> Key {
    key(Table::ParkedLanes, &[Tag(3), Name(desk.as_str()), Name(message.as_str())])
}

/// Everything that is parked in the lane of a desk's thread, or of its room outside threads.
pub(super) fn parked_thread(desk: &DeskName, thread: Option<&ThreadId>) -> Key {
    let desk = Name(desk.as_str());
    match thread {
        None => key(Table::ParkedLanes, &[Tag(1), desk]),
        Some(thread) => key(Table::ParkedLanes, &[Tag(2), desk, Name(thread.as_str())]),
    }
}

pub(super) fn parked_in(lane: &[u8], seq: InboxSeq) -> Key {
    [lane, &seq.0.to_be_bytes()].concat()
}

pub(super) fn contact(id: ContactId) -> Key {
    key(Table::Contacts, &[Number(id.0)])
}

pub(super) fn identity(id: IdentityId) -> Key {
    key(Table::Identities, &[Number(id.0)])
}

pub(super) fn user(channel: &ChannelId, user: &PlatformUser) -> Key {
    key(Table::Users, &[Name(channel.as_str()), Name(user.as_str())])
}

pub(super) fn alias(channel: &ChannelId, name: &str) -> Key {
    key(Table::Aliases, &[Name(channel.as_str()), Name(name)])
}

pub(super) fn conversation(id: ConversationId) -> Key {
    key(Table::Conversations, &[Number(id.0)])
}

pub(super) fn waiting_at(desk: &DeskName) -> Key {
    key(Table::Waiting, &[Name(desk.as_str())])
}

pub(super) fn waiting(desk: &DeskName, id: ConversationId) -> Key {
    [waiting_at(desk), id.0.to_be_bytes().to_vec()].concat()
}

/// The conversation of a key of [`Table::Waiting`].
pub(super) fn waiting_conversation(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

pub(super) fn message(id: MessageKey) -> Key {
    key(Table::Messages, &[Number(id.0)])
}

pub(super) fn history(conversation: ConversationId, message: MessageKey) -> Key {
    key(Table::History, &[Number(conversation.0), Number(message.0)])
}

pub(super) fn binding(name: &MessageRef) -> Key {
    message_ref(Table::Bindings, name)
}

pub(super) fn mark(name: &MessageRef) -> Key {
    message_ref(Table::Marks, name)
}

pub(super) fn names(id: MessageKey, place: &Place) -> Key {
    let mut parts = vec![Number(id.0)];
    parts.extend(place_parts(place));
    key(Table::Names, &parts)
}

pub(super) fn thread(conversation: ConversationId, desk: &DeskName) -> Key {
    key(Table::Threads, &[Number(conversation.0), Name(desk.as_str())])
}

pub(super) fn thread_owner(desk: &DeskName, thread: &ThreadId) -> Key {
    key(Table::ThreadOwners, &[Name(desk.as_str()), Name(thread.as_str())])
}

pub(super) fn timer(timer: &Timer) -> Key {
    key(Table::Timers, &[Number(time(timer.due)), Number(timer.id.0)])
}

pub(super) fn ledger_of(contact: ContactId) -> Key {
    key(Table::Ledger, &[Number(contact.0)])
}

/// Counted down, so that a scan begins with the newest.
pub(super) fn ledger(contact: ContactId, count: u64) -> Key {
    key(Table::Ledger, &[Number(contact.0), Number(u64::MAX - count)])
}

pub(super) fn ledger_count(key: &[u8]) -> u64 {
    last_number(key).map_or(0, |down| u64::MAX - down)
}

pub(super) fn hint(desk: &DeskName, user: &PlatformUser) -> Key {
    key(Table::Hints, &[Name(desk.as_str()), Name(user.as_str())])
}

pub(super) fn row(number: RowNumber) -> Key {
    key(Table::Outbox, &[Number(number.0)])
}

pub(super) fn unrecorded_customer(identity: IdentityId) -> Key {
    key(Table::Unrecorded, &[Tag(0), Number(identity.0)])
}

pub(super) fn unrecorded_desk(desk: &DeskName) -> Key {
    key(Table::Unrecorded, &[Tag(1), Name(desk.as_str())])
}

pub(super) fn unrecorded(target: &Target, number: RowNumber) -> Key {
    let place = match target {
        Target::Customer(identity) => unrecorded_customer(*identity),
        Target::Thread(_, desk) | Target::Desk(desk) => unrecorded_desk(desk),
    };
    [place, number.0.to_be_bytes().to_vec()].concat()
}

/// Every row that waits until this customer writes again.
pub(super) fn held_of(identity: IdentityId) -> Key {
    key(Table::Held, &[Number(identity.0)])
}

pub(super) fn held(identity: IdentityId, row: RowNumber) -> Key {
    key(Table::Held, &[Number(identity.0), Number(row.0)])
}

/// Of a name its beginning counts, so that the key is never too long.
const CALLED: usize = 120;

/// Everybody whose name begins like this, in small letters; also in the middle of a word.
pub(super) fn called_like(name: &str) -> Key {
    let end = (0..=CALLED.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    [&[Table::Called as u8], name[..end].as_bytes()].concat()
}

pub(super) fn called(name: &str, id: IdentityId) -> Key {
    [called_like(name), vec![0], id.0.to_be_bytes().to_vec()].concat()
}

pub(super) fn opening(conversation: ConversationId, desk: &DeskName) -> Key {
    key(Table::Openings, &[Number(conversation.0), Name(desk.as_str())])
}

pub(super) fn carried(number: u64) -> Key {
    key(Table::Carried, &[Number(number)])
}

pub(super) fn known(channel: &ChannelId, name: &str) -> Key {
    key(Table::Known, &[Name(channel.as_str()), Name(name)])
}

/// Everything that is kept about a conversation's messages, oldest first.
pub(super) fn history_of(conversation: ConversationId) -> Key {
    key(Table::History, &[Number(conversation.0)])
}

/// The platforms' names of a message, at every place.
pub(super) fn names_of(message: MessageKey) -> Key {
    key(Table::Names, &[Number(message.0)])
}

/// The threads of a conversation, at every desk.
pub(super) fn threads_of(conversation: ConversationId) -> Key {
    key(Table::Threads, &[Number(conversation.0)])
}

/// The binding of a name that stands under a key of [`Table::Names`], which holds the place. `None` where the place was
/// too long to be kept whole.
pub(super) fn binding_of(names: &[u8], id: &PlatformId) -> Option<Key> {
    let place = names.get(9..).filter(|_| names.len() < LONGEST)?;
    let mut binding = vec![Table::Bindings as u8];
    binding.extend_from_slice(place);
    append_name(&mut binding, id.as_str());
    Some(bounded(binding))
}

/// The first key after everything that begins with `prefix`.
pub(super) fn end_of(prefix: &[u8]) -> Key {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![u8::MAX; LONGEST]
}

pub(super) fn last_number(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

fn message_ref(table: Table, name: &MessageRef) -> Key {
    let mut parts = place_parts(&name.place);
    parts.push(Name(name.id.as_str()));
    key(table, &parts)
}

fn place_parts(place: &Place) -> Vec<Part<'_>> {
    match place {
        Place::Chat { channel, scope: None, chat } => vec![Tag(0), Name(channel.as_str()), Name(chat.as_str())],
        Place::Chat { channel, scope: Some(scope), chat } => {
            vec![Tag(1), Name(channel.as_str()), Name(scope), Name(chat.as_str())]
        }
        Place::Desk { desk } => vec![Tag(2), Name(desk.as_str())],
    }
}

/// Microseconds, moved so that times before 1970 sort first.
fn time(at: Timestamp) -> u64 {
    at.as_microsecond().cast_unsigned() ^ (1 << 63)
}

fn key(table: Table, parts: &[Part]) -> Key {
    let mut key = vec![table as u8];
    for part in parts {
        match part {
            Tag(tag) => key.push(*tag),
            Number(number) => key.extend_from_slice(&number.to_be_bytes()),
            Name(name) => append_name(&mut key, name),
        }
    }
    bounded(key)
}

fn append_name(key: &mut Key, name: &str) {
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    key.extend_from_slice(&length.to_be_bytes());
    key.extend_from_slice(name.as_bytes());
}

fn bounded(mut key: Key) -> Key {
    if key.len() > LONGEST {
        let fingerprint = fingerprint(&key).to_be_bytes();
        key.truncate(LONGEST - fingerprint.len());
        key.extend_from_slice(&fingerprint);
    }
    key
}

/// FNV-1a, 128 bits: the same in every version of the program.
fn fingerprint(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_sort_as_they_count() {
        assert!(inbox(InboxSeq(255)) < inbox(InboxSeq(256)));
        let before = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_secs(1);
        assert!(expires(before, b"x") < expires(Timestamp::UNIX_EPOCH, b"a"));
        assert!(ledger(ContactId(1), 2) < ledger(ContactId(1), 1));
        assert_eq!(ledger_count(&ledger(ContactId(1), 7)), 7);
    }

    #[test]
    fn names_that_only_differ_in_where_they_are_cut_have_different_keys() {
        let key = |channel: &str, event: &str| seen(&ChannelId::from(channel), &EventKey::from(event));
        assert_ne!(key("ab", "c"), key("a", "bc"));
    }

    #[test]
    fn a_very_long_name_gives_a_bounded_key_of_its_own() {
        let key = |tail: &str| seen(&"web.site".into(), &EventKey::from("x".repeat(100_000) + tail));
        assert_eq!(key("a").len(), LONGEST);
        assert_ne!(key("a"), key("b"));
    }

    #[test]
    fn a_message_s_name_leads_to_its_binding() {
        let place = Place::Chat { channel: "telegram.shop".into(), scope: Some("b".into()), chat: "anna".into() };
        for id in ["7".to_owned(), "x".repeat(1000)] {
            let name = MessageRef { place: place.clone(), id: id.as_str().into() };
            assert_eq!(binding_of(&names(MessageKey(3), &place), &name.id), Some(binding(&name)));
        }
        let long = Place::Desk { desk: "d".repeat(1000).as_str().into() };
        assert_eq!(binding_of(&names(MessageKey(3), &long), &"7".into()), None);
    }

    #[test]
    fn the_end_of_a_prefix_is_after_all_that_begins_with_it() {
        assert_eq!(end_of(&[1, 2]), [1, 3]);
        assert_eq!(end_of(&[1, 255]), [2]);
    }
}
