//! `!block` and `!unblock`: nobody at the desk hears from the customer, and the customer never hears of it.

use frontdesk_core::Inbound;

use super::Draft;
use crate::{
    desk,
    dispatcher::{draft::thread, window},
    store::{Blocked, Conversation, ConversationState, Identity, MessageRecord, Purpose, Silence},
};

pub(super) fn block(draft: &mut Draft<'_>, inbound: &Inbound) {
    if draft.blocked() {
        let by = blocked_in(draft).map(|blocked| desk::one_line(&blocked.by));
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        draft.tell(format!("This customer is blocked already{by}. !unblock ends it."), Purpose::Reply, None);
        return;
    }
    let (Some(contact), Some(identity)) = (&mut draft.case.contact, &mut draft.case.identity) else { return };
    let Some(id) = draft.case.conversation.as_ref().map(|conversation| conversation.id) else { return };
    contact.blocked = true;
    // What they write from now on is kept here.
    identity.conversation = Some(id);
    let name = desk::name(identity);
    draft.cancel_pending(Silence::Blocked);
    draft.close(Some(inbound.from.name.clone()));
    let (at, by) = (draft.at, inbound.from.name.clone());
    if let Some(conversation) = &mut draft.case.conversation {
        conversation.blocked = Some(Blocked { at, by: by.clone(), messages: 0, first_at: None, latest: Vec::new() });
    }
    if let Some(latest) = draft.case.latest.take() {
        close_latest(draft, latest, by);
    }
    let line = format!(
        "{name} is blocked: what they write is kept but not shown, and nothing is sent to them automatically. They are \
         not told. !unblock ends it."
    );
    draft.tell(line, Purpose::Reply, None);
}

/// The customer's newer conversation, when an older thread is where they were blocked.
fn close_latest(draft: &mut Draft<'_>, latest: Conversation, by: String) {
    let at = draft.at;
    if latest.state != ConversationState::Open {
        return;
    }
    if let Some(pending) = &latest.pending {
        draft.silent(pending.kind, Silence::Blocked);
    }
    draft.also(Conversation {
        state: ConversationState::Closed { at, by: Some(by) },
        waiting_since: None,
        pending: None,
        idle: None,
        ..latest
    });
}

pub(super) fn unblock(draft: &mut Draft<'_>) {
    if !draft.blocked() {
        draft.tell("This customer is not blocked.", Purpose::Reply, None);
        return;
    }
    if let Some(contact) = &mut draft.case.contact {
        contact.blocked = false;
    }
    let here = draft.case.conversation.as_ref().is_some_and(|conversation| conversation.blocked.is_some());
    if !here && draft.case.latest.is_some() {
        draft.tell(
            "Unblocked. What they wrote meanwhile is in the thread in which they were blocked.",
            Purpose::Reply,
            None,
        );
        if let Some(conversation) = draft.case.conversation.take() {
            draft.also(conversation);
        }
        draft.case.conversation = draft.case.latest.take();
    }
    // What waited for them to write may go.
    window::opened(draft);
    let blocked = draft.case.conversation.as_mut().and_then(|conversation| conversation.blocked.take());
    let Some((blocked, first_at)) = blocked.and_then(|blocked| blocked.first_at.map(|at| (blocked, at))) else {
        draft.tell("Unblocked. They wrote nothing meanwhile.", Purpose::Reply, None);
        return;
    };
    if let Some(conversation) = &mut draft.case.conversation {
        conversation.state = ConversationState::Open;
        conversation.waiting_since = Some(first_at);
    }
    let line = desk::unblocked(&blocked, first_at, draft.policy.timezone());
    draft.tell(line, Purpose::Reply, None);
    show(draft);
}

/// What was held back, as if it came in now.
fn show(draft: &mut Draft<'_>) {
    let held = std::mem::take(&mut draft.case.held);
    let (Some(identity), Some(target)) = (draft.case.identity.clone(), draft.case.conversation.as_ref().map(thread))
    else {
        return;
    };
    for message in held {
        draft.post(&target, Purpose::Relay, &words(&identity, &message), &message);
    }
}

fn words(identity: &Identity, message: &MessageRecord) -> String {
    if message.is_deleted() {
        return format!("{}: (deleted by the customer)", desk::name(identity));
    }
    desk::customers_words(identity, message.current(), false)
}

fn blocked_in<'a>(draft: &'a Draft<'_>) -> Option<&'a Blocked> {
    let mut both = draft.case.conversation.iter().chain(&draft.case.latest);
    both.find_map(|conversation| conversation.blocked.as_ref())
}
