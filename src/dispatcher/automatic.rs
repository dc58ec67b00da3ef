//! Which automatic text is due, and every reason for silence. Whatever is decided stands in the ledger.

use frontdesk_core::{Content, Inbound, MediaKind, Message, Part, PersonKind, Style};
use jiff::{SignedDuration, Timestamp};

use super::{
    Draft,
    draft::{customer, row, said_today},
    later,
};
use crate::{
    desk,
    notices::{self, Facts, Kind, Lang},
    store::{
        Author, AutomaticSent, Contact, ConversationState, Decision, Identity, Pending, Purpose, RowOp, Silence, Timer,
        TimerKind, Verdict,
    },
};

/// A burst of messages is waited for this long at most.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(45);
/// An acknowledgement that is later than this is no acknowledgement.
const STILL_FRESH: SignedDuration = SignedDuration::from_mins(10);
/// A message that is older than this when it comes in is not news.
const NEWS: SignedDuration = SignedDuration::from_mins(30);
/// All kinds together, in 24 hours: stops any loop.
const BUDGET: usize = 3;

/// A message came in: plans what should be said when the customer falls silent.
pub(super) fn consider(draft: &mut Draft<'_>, inbound: &Inbound, message: &Message) {
    let at = draft.at;
    if let Some(pending) = draft.case.conversation.as_ref().and_then(|conversation| conversation.pending.clone()) {
        let latest = pending.since.checked_add(LONGEST_WAIT).unwrap_or(at);
        let due = later(at, draft.policy.replies.ack_delay).min(latest);
        plan(draft, pending.kind, pending.since, due);
        return;
    }
    let Some(kind) = wanted(draft) else { return };
    match reason_for_silence(draft, kind, inbound, message) {
        Some(reason) => draft.silent(kind, reason),
        None => {
            draft.ledger(kind, Verdict::Planned);
            plan(draft, kind, at, later(at, draft.policy.replies.ack_delay));
        }
    }
}

/// Remembers what the customer writes in, where that is sure, until something else is. Forwarded words are not theirs.
pub(super) fn hear(draft: &mut Draft<'_>, inbound: &Inbound, message: &Message) {
    let languages = &draft.policy.languages;
    if languages.len() < 2 || inbound.from.kind != PersonKind::Human || message.notice || message.forwarded {
        return;
    }
    let Some(lang) = notices::detect(&message.content.words(), languages) else { return };
    if let Some(contact) = &mut draft.case.contact {
        contact.detected = Some(lang);
    }
}

/// `/start` and the like: says what to write and the hours; no thread, no alert.
pub(super) fn invite(draft: &mut Draft<'_>, inbound: &Inbound) {
    let silence = if inbound.from.kind != PersonKind::Human {
        Some(Silence::NotAPerson)
    } else if old(draft, inbound) {
        Some(Silence::Old)
    } else {
        draft.case.contact.as_ref().and_then(|contact| {
            if contact.blocked {
                Some(Silence::Blocked)
            } else if !stranger(draft, contact) {
                Some(Silence::AlreadyAcknowledged)
            } else if said_today(contact, draft.at) >= BUDGET {
                Some(Silence::Budget)
            } else {
                None
            }
        })
    };
    match silence {
        Some(reason) => draft.silent(Kind::Invitation, reason),
        None => {
            let since = draft.at;
            say(draft, Kind::Invitation, since);
        }
    }
}

/// The customer has been silent for long enough.
pub(super) fn due(mut draft: Draft<'_>, timer: &Timer) -> Decision {
    draft.at = draft.now;
    let pending = match &mut draft.case.conversation {
        Some(conversation) if conversation.pending.as_ref().is_some_and(|it| it.timer == timer.id) => {
            conversation.pending.take()
        }
        Some(_) | None => None,
    };
    if let Some(pending) = pending {
        let kind = kind_now(&draft, pending.kind);
        match reason_for_silence_now(&draft, kind, &pending, timer) {
            Some(reason) => draft.silent(kind, reason),
            None => say(&mut draft, kind, pending.since),
        }
    }
    draft.finish()
}

/// What this message calls for, before any reason for silence.
fn wanted(draft: &Draft<'_>) -> Option<Kind> {
    let contact = draft.case.contact.as_ref()?;
    let closed = !draft.policy.hours.is_open(draft.at, &draft.overrides);
    match (stranger(draft, contact), closed && draft.policy.replies.after_hours) {
        (true, false) => Some(Kind::FirstContact),
        (true, true) => Some(Kind::FirstContactClosed),
        (false, true) => Some(Kind::AfterHours),
        (false, false) => None,
    }
}

/// A blocked customer wrote: the silence is told once, not for every message of a flood.
pub(super) fn blocked(draft: &mut Draft<'_>) {
    let silence = Verdict::Silent { reason: Silence::Blocked };
    let told = draft.case.ledger.first().is_some_and(|entry| entry.verdict == silence);
    if let Some(kind) = wanted(draft).filter(|_| !told) {
        draft.ledger(kind, silence);
    }
}

fn stranger(draft: &Draft<'_>, contact: &Contact) -> bool {
    match (contact.acknowledged_at.max(contact.human_at), draft.policy.replies.again_after) {
        (None, _) => true,
        (Some(at), Some(again)) => later(at, again) <= draft.at,
        (Some(_), None) => false,
    }
}

fn reason_for_silence(draft: &Draft<'_>, kind: Kind, inbound: &Inbound, message: &Message) -> Option<Silence> {
    let contact = draft.case.contact.as_ref()?;
    if inbound.from.kind != PersonKind::Human || message.notice {
        return Some(Silence::NotAPerson);
    }
    if old(draft, inbound) {
        return Some(Silence::Old);
    }
    if said_today(contact, draft.at) >= BUDGET {
        return Some(Silence::Budget);
    }
    let present = draft.policy.replies.human_present;
    if contact.human_at.is_some_and(|human| later(human, present) > draft.at) {
        return Some(Silence::HumanPresent);
    }
    if kind != Kind::AfterHours {
        return None;
    }
    if says_nothing(&message.content) {
        return Some(Silence::OnlyThanks);
    }
    let told = contact.notice_at?;
    let opened_since = draft.policy.hours.was_open_between(told, draft.at, &draft.overrides);
    (!opened_since).then_some(Silence::NoticeThisPeriod)
}

fn old(draft: &Draft<'_>, inbound: &Inbound) -> bool {
    inbound.sent_at.is_some_and(|sent| draft.at.duration_since(sent) > NEWS)
}

/// Only thanks, an emoji or a sticker: nobody waits for an answer.
fn says_nothing(content: &Content) -> bool {
    content.parts.iter().all(|part| match part {
        Part::Text { text } => notices::only_thanks(text),
        Part::Media { media, caption } => media.kind == MediaKind::Sticker && caption.is_none(),
        Part::Location { .. } | Part::Contact { .. } | Part::Other { .. } => false,
    })
}

fn plan(draft: &mut Draft<'_>, kind: Kind, since: Timestamp, due: Timestamp) {
    let Some(id) = draft.case.conversation.as_ref().map(|conversation| conversation.id) else { return };
    let timer = draft.timer(TimerKind::Automatic, due, id);
    if let Some(conversation) = &mut draft.case.conversation {
        conversation.pending = Some(Pending { timer, kind, since });
    }
}

/// The kind as it is by now: the shop may have opened while we waited.
fn kind_now(draft: &Draft<'_>, kind: Kind) -> Kind {
    let open = draft.policy.hours.is_open(draft.now, &draft.overrides);
    match kind {
        Kind::FirstContactClosed if open => Kind::FirstContact,
        Kind::FirstContact | Kind::FirstContactClosed | Kind::AfterHours | Kind::Invitation => kind,
    }
}

fn reason_for_silence_now(draft: &Draft<'_>, kind: Kind, pending: &Pending, timer: &Timer) -> Option<Silence> {
    let (contact, conversation) = (draft.case.contact.as_ref()?, draft.case.conversation.as_ref()?);
    if contact.blocked || draft.case.identity.as_ref().is_some_and(|identity| identity.unreachable) {
        return Some(Silence::Blocked);
    }
    if contact.human_at.is_some_and(|human| human >= pending.since) {
        return Some(Silence::Answered);
    }
    if conversation.state != ConversationState::Open {
        return Some(Silence::Closed);
    }
    if said_today(contact, draft.now) >= BUDGET {
        return Some(Silence::Budget);
    }
    if kind == Kind::AfterHours {
        let told = contact.notice_at.is_some_and(|told| told >= pending.since);
        let opened = draft.policy.hours.was_open_between(pending.since, draft.now, &draft.overrides);
        return if opened {
            Some(Silence::NotNews)
        } else if draft.now.duration_since(timer.due) > NEWS {
            Some(Silence::Expired)
        } else if told {
            Some(Silence::NoticeThisPeriod)
        } else {
            None
        };
    }
    if !stranger(draft, contact) {
        return Some(Silence::AlreadyAcknowledged);
    }
    (draft.now.duration_since(timer.due) > STILL_FRESH).then_some(Silence::Expired)
}

/// `since` is when the customer wrote what is answered here.
fn say(draft: &mut Draft<'_>, kind: Kind, since: Timestamp) {
    let (Some(identity), Some(contact)) = (draft.case.identity.clone(), draft.case.contact.as_ref()) else { return };
    let (now, policy) = (draft.now, draft.policy);
    let next_opening = policy.hours.next_opening(now, &draft.overrides);
    let display = identity.first_name.as_deref().unwrap_or(&identity.name);
    let text = policy.replies.wording.render(
        kind,
        &language(draft, contact, &identity).0,
        &Facts::at(now, &policy.hours, &draft.overrides, &policy.business, Some(display)),
    );
    let fingerprint = notices::fingerprint(&text);
    let repeated = contact
        .automatic
        .iter()
        .any(|sent| sent.fingerprint == fingerprint && later(sent.at, policy.replies.repeat_after) > now);
    if repeated {
        // The words would be the same: the contact has been told, so the period counts as told.
        note_said(draft, kind, None);
        draft.silent(kind, Silence::SameWords);
        return;
    }
    note_said(draft, kind, Some(fingerprint));
    draft.ledger(kind, Verdict::Said);

    let message = draft.case.conversation.as_ref().map(|conversation| conversation.id).map(|conversation| {
        let mut record = draft.record(conversation, Author::Automatic { kind }, Content::text(&text), None);
        record.at = now;
        let key = record.key;
        draft.out.messages.push(record);
        key
    });
    let conversation = draft.case.conversation.as_ref().map(|conversation| conversation.id);
    let op = RowOp::Post { content: Content::text(text), style: Style::Words, reply_to: None, mentions: Vec::new() };
    let mut row = row(customer(&identity), Purpose::Automatic(kind), op, conversation, message);
    row.unless_answered = Some(since);
    row.expires_at = Some(expiry(kind, now, next_opening));
    draft.out.rows.push(row);
}

/// Marks the contact as told. A wording that did not go out counts for the period, not for the budget.
fn note_said(draft: &mut Draft<'_>, kind: Kind, fingerprint: Option<u64>) {
    let now = draft.now;
    let closed = !draft.policy.hours.is_open(now, &draft.overrides);
    let Some(contact) = &mut draft.case.contact else { return };
    if kind != Kind::AfterHours {
        contact.acknowledged_at = Some(now);
    }
    if closed && kind != Kind::FirstContact {
        contact.notice_at = Some(now);
    }
    if let Some(fingerprint) = fingerprint {
        contact.automatic.push(AutomaticSent { at: now, kind, fingerprint });
        let excess = contact.automatic.len().saturating_sub(Contact::KEPT);
        contact.automatic.drain(..excess);
    }
}

fn expiry(kind: Kind, now: Timestamp, next_opening: Option<Timestamp>) -> Timestamp {
    let fresh = now.checked_add(STILL_FRESH).unwrap_or(Timestamp::MAX);
    match kind {
        Kind::AfterHours | Kind::FirstContactClosed => next_opening.unwrap_or(fresh),
        Kind::FirstContact | Kind::Invitation => fresh,
    }
}

/// Why a customer is written to in a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// An operator said so.
    Set,
    /// They write in it.
    Detected,
    /// Their app is set to it.
    App,
    /// Nothing else fits: the first in the config.
    First,
}

pub(super) fn language(draft: &Draft<'_>, contact: &Contact, identity: &Identity) -> (Lang, Chosen) {
    let languages = &draft.policy.languages;
    let app: Option<Lang> = identity.language.as_ref().and_then(|code| code.parse().ok());
    let wishes = [
        (contact.language.as_ref(), Chosen::Set),
        (contact.detected.as_ref(), Chosen::Detected),
        (app.as_ref(), Chosen::App),
    ];
    let fits = wishes.into_iter().find_map(|(wish, why)| Some((notices::fitting(languages, wish?)?.clone(), why)));
    fits.unwrap_or_else(|| (languages.first().cloned().unwrap_or_else(Lang::english), Chosen::First))
}

/// An automatic text did not go out: takes back what counted on it.
pub(super) fn unsaid(draft: &mut Draft<'_>, kind: Kind, reason: Silence) {
    draft.silent(kind, reason);
    let Some(contact) = &mut draft.case.contact else { return };
    let Some(index) = contact.automatic.iter().rposition(|sent| sent.kind == kind) else { return };
    let said = contact.automatic.remove(index);
    if contact.acknowledged_at == Some(said.at) {
        // Whom a person has answered meanwhile is no stranger.
        contact.acknowledged_at = contact.human_at;
    }
    if contact.notice_at == Some(said.at) {
        contact.notice_at = None;
    }
}

/// A line for the operators about a text that did go out.
pub(super) fn said_line(content: &Content) -> String {
    format!("Sent automatically: {}", desk::excerpt(&content.readable()))
}
