//! The operators' commands: one function each, early returns with a sentence for the person.

use frontdesk_core::Inbound;

use super::{Draft, draft::customer, operator::signed};
use crate::{
    desk,
    store::{Author, Purpose, Target},
};

/// A command in a conversation's thread.
pub(super) fn run(draft: &mut Draft<'_>, inbound: &Inbound, word: &str, rest: &str) {
    match word {
        "help" => help(draft),
        "close" => close(draft, inbound),
        "why" => why(draft),
        "retry" => retry(draft),
        "hours" => hours(draft, rest),
        unknown => draft.tell(desk::unknown_command(unknown), Purpose::Reply, None),
    }
}

/// A command outside the threads, about no conversation.
pub(super) fn run_outside(draft: &mut Draft<'_>, target: Target, word: &str) {
    let text = match word {
        "help" => desk::HELP.to_owned(),
        "hours" => coming_days(draft),
        "note" | "close" | "why" | "retry" => {
            format!("!{word} is about one conversation: write it in that customer's thread.")
        }
        unknown => desk::unknown_command(unknown),
    };
    draft.tell_at(target, text, Purpose::Reply, None);
}

fn help(draft: &mut Draft<'_>) {
    draft.tell(desk::HELP, Purpose::Reply, None);
}

fn close(draft: &mut Draft<'_>, inbound: &Inbound) {
    let undelivered = draft.case.conversation.as_ref().map_or(0, |conversation| conversation.undelivered.len());
    if undelivered > 0 {
        let line = "An answer of this conversation was not delivered; !retry sends it again, also now.";
        draft.tell(line, Purpose::Reply, None);
    }
    draft.close(Some(inbound.from.name.clone()));
}

fn why(draft: &mut Draft<'_>) {
    let text = desk::why(&draft.case.ledger, draft.policy.timezone());
    draft.tell(text, Purpose::Reply, None);
}

fn hours(draft: &mut Draft<'_>, rest: &str) {
    if !rest.is_empty() {
        let line = "!hours shows the coming days. Changing them from here is not built yet; they stand in the config.";
        draft.tell(line, Purpose::Reply, None);
        return;
    }
    let text = coming_days(draft);
    draft.tell(text, Purpose::Reply, None);
}

fn coming_days(draft: &Draft<'_>) -> String {
    draft.policy.hours.overview(draft.now, 7, &[])
}

/// Appends the same messages once more, or only the missing piece of one; what is sent is what they say by now.
fn retry(draft: &mut Draft<'_>) {
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
    for (piece, message) in again {
        let Author::Operator { name, .. } = &message.author else { continue };
        match piece {
            Some(piece) => draft.post_pieces(&target, Purpose::Answer, vec![piece], message, true),
            None => {
                let text = signed(draft, &desk, name, &message.current().words());
                draft.post(&target, Purpose::Answer, &text, message);
            }
        }
    }
    draft.answered();
}
