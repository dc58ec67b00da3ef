//! `!template`: a message that the platform approved beforehand, which it takes at any time.

use std::sync::Arc;

use frontdesk_core::{Argument, Content, Inbound};
use jiff::SignedDuration;

use super::Draft;
use crate::{
    desk,
    dispatcher::{
        automatic,
        draft::{customer, row},
        templates::{Templates, fill},
        window,
    },
    notices::Lang,
    store::{Author, MessageRecord, MessageRef, Purpose, RowOp, TemplateUsed},
};

/// The list is read again for a name that is not in it, no oftener than this.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(60);
/// A command waits for the list no longer than this.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// Whether the command should wait until the list was read: it never was, or does not have the name.
pub(in crate::dispatcher) fn must_wait(draft: &mut Draft<'_>, rest: &str) -> bool {
    let Some(identity) = &draft.case.identity else { return false };
    if window::length(draft.policy, identity).is_none() || draft.now.duration_since(draft.at) > PATIENCE {
        return false;
    }
    let templates = of_the_channel(draft);
    let lately = templates.tried_at.is_some_and(|tried| draft.at.duration_since(tried) < READ_AGAIN);
    let name = desk::first_phrase(rest).map(|(name, _)| name);
    let name = name.as_deref().map(|name| name.split(':').next().unwrap_or(name).to_owned());
    let known = match &name {
        Some(name) => templates.all.iter().any(|template| template.name == *name),
        None => templates.tried_at.is_some(),
    };
    if known || lately {
        return false;
    }
    draft.out.templates = Some(identity.channel.clone());
    true
}

struct Chosen {
    used: TemplateUsed,
    /// What the customer reads.
    text: String,
}

/// Sends the template, where all is well; nothing happens else.
pub(in crate::dispatcher) fn send(draft: &mut Draft<'_>, inbound: &Inbound, rest: &str, source: &MessageRef) -> bool {
    let Ok(Some(chosen)) = choose(draft, rest) else { return false };
    let Some(conversation) = draft.case.conversation.as_ref().map(|conversation| conversation.id) else { return false };
    let author = Author::Operator { id: inbound.from.id.clone(), name: inbound.from.name.clone() };
    let mut record = draft.record(conversation, author, Content::text(&chosen.text), Some(source.clone()));
    record.sent_at = inbound.sent_at;
    record.template = Some(chosen.used.clone());
    push(draft, &record, chosen.used.clone());
    draft.out.messages.push(record);
    let line = format!("Sent as `{}` ({}): {}", chosen.used.name, chosen.used.language, chosen.text);
    draft.tell(line, Purpose::Reply, None);
    draft.answered();
    if let Some(identity) = &mut draft.case.identity {
        identity.conversation = Some(conversation);
    }
    true
}

/// The row of a template; also for `!retry`.
pub(super) fn push(draft: &mut Draft<'_>, record: &MessageRecord, used: TemplateUsed) {
    let Some(target) = draft.case.identity.as_ref().map(customer) else { return };
    let TemplateUsed { name, language, arguments } = used;
    let op = RowOp::Template { name, language, arguments };
    let mut row = row(target, Purpose::Answer, op, Some(record.conversation), Some(record.key));
    row.give_up_at = draft.give_up_at(&row.target);
    row.sender = draft.sender(&record.author);
    draft.out.rows.push(row);
}

/// The list, or why nothing was sent.
pub(super) fn template(draft: &mut Draft<'_>, rest: &str) {
    let text = match choose(draft, rest) {
        Ok(Some(_)) => return,
        Ok(None) => of_the_channel(draft).list(&wishes(draft)),
        Err(problem) => problem,
    };
    draft.tell(text, Purpose::Reply, None);
}

/// `None` where no name was written. An error is a sentence for the operator.
fn choose(draft: &Draft<'_>, rest: &str) -> Result<Option<Chosen>, String> {
    let Some(identity) = &draft.case.identity else { return Ok(None) };
    if window::length(draft.policy, identity).is_none() {
        return Err("This customer's messenger needs no approved messages: write to them as usual.".to_owned());
    }
    if draft.blocked() {
        return Err(desk::BLOCKED.to_owned());
    }
    let Some(mut words) = desk::phrases(rest) else {
        return Err("Not sent: a quote has no end. Words that belong together are written in \"quotes\".".to_owned());
    };
    if words.is_empty() {
        return Ok(None);
    }
    let templates = of_the_channel(draft);
    let template =
        templates.choose(&words.remove(0), &wishes(draft)).map_err(|problem| format!("Not sent: {problem}"))?;
    let (arguments, text): (Vec<Argument>, String) = fill(template, words)?;
    let used = TemplateUsed { name: template.name.clone(), language: template.language.clone(), arguments };
    Ok(Some(Chosen { used, text }))
}

fn of_the_channel(draft: &Draft<'_>) -> Arc<Templates> {
    let channel = draft.case.identity.as_ref().map(|identity| &identity.channel);
    channel.and_then(|channel| draft.policy.templates.get(channel)).cloned().unwrap_or_default()
}

/// The customer's language, then the default.
fn wishes(draft: &Draft<'_>) -> Vec<Lang> {
    let (Some(contact), Some(identity)) = (&draft.case.contact, &draft.case.identity) else { return Vec::new() };
    let app = identity.language.as_ref().and_then(|code| code.parse().ok());
    let theirs = [contact.language.clone(), contact.detected.clone(), app].into_iter().flatten();
    theirs
        .chain([automatic::language(draft, contact, identity).0])
        .chain(draft.policy.languages.first().cloned())
        .collect()
}
