//! The operators' commands: one function each, early returns with a sentence for the person.

use frontdesk_core::{DeskName, Inbound};

use super::{Draft, draft::customer, operator::signed, window};
use crate::{
    desk::{self, Command},
    store::{Author, MessageRef, Purpose, Target},
};

mod block;
mod hours;
mod lang;
mod template;
mod waits;
mod write;

pub(super) use template::{must_wait, send};
pub(super) use write::wanted;

/// A command in a conversation's thread.
pub(super) fn run(draft: &mut Draft<'_>, name: &DeskName, inbound: &Inbound, word: &str, rest: &str) {
    match Command::named(word) {
        Some(Command::Close) => close(draft, inbound),
        Some(Command::Why) => why(draft),
        Some(Command::Retry) => retry(draft),
        Some(Command::Block) => block::block(draft, inbound),
        Some(Command::Unblock) => block::unblock(draft),
        Some(Command::Lang) => lang::lang(draft, rest),
        Some(Command::Template) => template::template(draft, rest),
        Some(Command::Drop) => waits::drop_held(draft),
        Some(Command::Write) => draft.tell(OUTSIDE, Purpose::Reply, None),
        Some(Command::Help | Command::Waiting | Command::Hours) | None => {
            let text = of_the_desk(draft, name, inbound, word, rest);
            draft.tell(text, Purpose::Reply, None);
        }
    }
}

const OUTSIDE: &str = "Nothing was sent: !write is about another customer. Write it in the room, outside the threads.";

/// A command outside the threads, about no conversation.
pub(super) fn run_outside(
    draft: &mut Draft<'_>,
    name: &DeskName,
    inbound: &Inbound,
    word: &str,
    rest: &str,
    source: MessageRef,
) {
    if Command::named(word) == Some(Command::Write) {
        if let Some(text) = write::write(draft, name, inbound, rest, source) {
            draft.tell_at(Target::Desk(name.clone()), text, Purpose::Reply, None);
        }
        return;
    }
    let text = of_the_desk(draft, name, inbound, word, rest);
    draft.tell_at(Target::Desk(name.clone()), text, Purpose::Reply, None);
}

/// What is about no conversation reads the same in a thread and outside.
fn of_the_desk(draft: &mut Draft<'_>, name: &DeskName, inbound: &Inbound, word: &str, rest: &str) -> String {
    match Command::named(word) {
        Some(Command::Help) => desk::help(draft.policy.has_slashes(name), draft.policy.has_windows()),
        Some(Command::Waiting) => desk::waiting(&draft.case.queue, draft.policy.timezone()),
        Some(Command::Hours) => hours::hours(draft, name, inbound, rest),
        Some(
            Command::Close
            | Command::Why
            | Command::Retry
            | Command::Block
            | Command::Unblock
            | Command::Lang
            | Command::Template
            | Command::Drop,
        ) => desk::in_a_thread(word),
        Some(Command::Write) => OUTSIDE.to_owned(),
        None if word == "note" => desk::in_a_thread(word),
        None => desk::unknown_command(word),
    }
}

fn close(draft: &mut Draft<'_>, inbound: &Inbound) {
    let undelivered = draft.case.conversation.as_ref().map_or(0, |conversation| conversation.undelivered.len());
    if undelivered > 0 {
        let line = "An answer of this conversation was not delivered; !retry sends it again, also now.";
        draft.tell(line, Purpose::Reply, None);
    }
    if draft.case.conversation.as_ref().is_some_and(|conversation| !conversation.held.is_empty()) {
        let line = "An answer still waits until they write again, and then goes out; !drop takes it back.";
        draft.tell(line, Purpose::Reply, None);
    }
    draft.close(Some(inbound.from.name.clone()));
}

fn why(draft: &mut Draft<'_>) {
    let text = desk::why(&draft.case.ledger, draft.policy.timezone());
    draft.tell(text, Purpose::Reply, None);
}

/// Appends the same messages once more, or only the missing piece of one; what is sent is what they say by now.
fn retry(draft: &mut Draft<'_>) {
    if draft.blocked() {
        draft.tell("Not sent: this customer is blocked. !unblock first, then !retry.", Purpose::Reply, None);
        return;
    }
    let messages = std::mem::take(&mut draft.case.undelivered);
    let (Some(identity), Some(conversation)) = (draft.case.identity.clone(), &mut draft.case.conversation) else {
        return;
    };
    let (missing, desk) = (std::mem::take(&mut conversation.undelivered), conversation.desk.clone());
    let again = missing.into_iter().filter_map(|it| {
        let message = messages.iter().find(|message| message.key == it.message && !message.is_deleted())?;
        Some((it.piece, message))
    });
    let again: Vec<_> = again.collect();
    if again.is_empty() {
        draft.tell("Nothing waits to be sent again here.", Purpose::Reply, None);
        return;
    }
    let target = customer(&identity);
    let mut waits = false;
    for (piece, message) in again {
        let Author::Operator { name, .. } = &message.author else { continue };
        if let Some(used) = message.template.clone() {
            template::push(draft, message, used);
            continue;
        }
        waits |= window::too_late(draft, message);
        match piece {
            Some(piece) => draft.post_pieces(&target, Purpose::Answer, vec![piece], message, true),
            None => {
                let text = signed(draft, &desk, name, &message.current().words());
                draft.post(&target, Purpose::Answer, &text, message);
            }
        }
    }
    if !waits {
        draft.answered();
    }
}
