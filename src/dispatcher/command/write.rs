//! `!write`: begins or goes on with a conversation, without waiting for the customer. Never with another one than meant:
//! where a name fits more than one, they are listed, and nothing is sent.

use frontdesk_core::{Address, ChannelId, Content, DeskName, Inbound, PlatformUser};

use super::Draft;
use crate::{
    desk,
    dispatcher::{Policy, customer::open_conversation, draft::customer},
    store::{Author, Contact, Identity, KnownAs, MessageRef, Met, Purpose, Wanted, known_name},
};

const FORMS: &str = "\
Write it like one of these, outside the threads:
!write Anna your cake is ready
!write \"Anna Berger\" your cake is ready
!write +4930123456 your cake is ready";

/// Whom a command is about.
pub(in crate::dispatcher) fn wanted(policy: &Policy, rest: &str) -> Option<Wanted> {
    let (customer, _) = desk::first_phrase(rest)?;
    if let Some((channel, name)) = on_a_channel(policy, &customer) {
        return Some(Wanted { names: both_forms(&channel, &name), called: None });
    }
    if is_phone(&customer) {
        let names = policy.channels.keys().flat_map(|channel| numbers(policy, channel, &customer));
        return Some(Wanted { names: names.collect(), called: None });
    }
    Some(Wanted { names: Vec::new(), called: Some(customer) })
}

/// What the operator reads in the room; empty when the thread says it all.
pub(super) fn write(
    draft: &mut Draft<'_>,
    name: &DeskName,
    inbound: &Inbound,
    rest: &str,
    source: MessageRef,
) -> Option<String> {
    let Some((customer, text)) = desk::first_phrase(rest) else { return Some(FORMS.to_owned()) };
    let text = text.trim().to_owned();
    let met = match chosen(draft, &customer) {
        Ok(met) => met,
        Err(problem) => return Some(format!("Nothing was sent. {problem}")),
    };
    draft.case.conversation = met.conversation;
    draft.case.contact = Some(met.contact);
    draft.case.identity = Some(met.identity);
    if draft.blocked() {
        let line = "Nothing was sent: this customer is blocked; !unblock in their thread ends it.".to_owned();
        draft.case.conversation = None;
        return Some(line);
    }
    open_conversation(draft, Some(name));
    begin(draft, inbound, &text, source);
    elsewhere(draft, name)
}

/// A conversation that is at another desk goes on there.
fn elsewhere(draft: &Draft<'_>, name: &DeskName) -> Option<String> {
    let (identity, conversation) = draft.case.identity.as_ref().zip(draft.case.conversation.as_ref())?;
    let who = desk::name(identity);
    (conversation.desk != *name)
        .then(|| format!("{who} has a conversation at the desk {}: see its thread there.", conversation.desk))
}

/// In the thread: first what happens, then it happens.
fn begin(draft: &mut Draft<'_>, inbound: &Inbound, text: &str, source: MessageRef) {
    let (Some(identity), Some(conversation)) = (draft.case.identity.clone(), draft.case.conversation.clone()) else {
        return;
    };
    let (who, by) = (desk::name(&identity), desk::one_line(&inbound.from.name));
    let mention = Some(inbound.from.id.clone());
    if draft.window_is_closed() {
        let words = if text.is_empty() { String::new() } else { format!(" Your words were: {text}") };
        let line = format!(
            "{by} wants to write to {who}. Nothing was sent: their messenger takes only an approved message before they \
             write themselves. !template lists them, !template NAME sends one.{words}"
        );
        draft.tell(line, Purpose::Reply, mention);
        return;
    }
    if text.is_empty() {
        draft.tell(format!("{by} wants to write to {who}: what you write here goes out now."), Purpose::Reply, mention);
        return;
    }
    draft.tell(format!("{by} writes to {who}, and it goes out now: {text}"), Purpose::Reply, None);
    let author = Author::Operator { id: inbound.from.id.clone(), name: inbound.from.name.clone() };
    let mut record = draft.record(conversation.id, author, Content::text(text), Some(source));
    record.sent_at = inbound.sent_at;
    let target = customer(&identity);
    let pieces = draft.answered_with(&target, &record, &record.content);
    draft.post(&target, Purpose::Answer, pieces, &record);
    draft.out.messages.push(record);
    draft.answered();
    if let Some(identity) = &mut draft.case.identity {
        identity.conversation = Some(conversation.id);
    }
}

/// The one customer who is meant. An error says why it cannot be told.
fn chosen(draft: &mut Draft<'_>, written: &str) -> Result<Met, String> {
    if !draft.case.looked_for {
        return Err("The message was changed before it could be read; please write it once more.".to_owned());
    }
    let mut people = std::mem::take(&mut draft.case.people);
    let named = on_a_channel(draft.policy, written).is_some() || is_phone(written);
    let exact = |met: &Met| named || same(&met.identity.name, written);
    match people.len() {
        1 if exact(&people[0]) => people.pop().ok_or_else(|| nobody(written)),
        0 if named => stranger(draft, written),
        0 => Err(nobody(written)),
        _ => Err(which(draft, written, &people)),
    }
}

fn nobody(written: &str) -> String {
    format!("There is no customer called `{}`. {FORMS}", desk::one_line(written))
}

fn which(draft: &Draft<'_>, written: &str, people: &[Met]) -> String {
    let mut lines = vec![format!("Which `{}`? One of these:", desk::one_line(written))];
    lines.extend(people.iter().map(|met| line(draft, met)));
    if people.len() >= crate::store::Case::PEOPLE {
        lines.push("and perhaps more".to_owned());
    }
    lines.join("\n")
}

fn line(draft: &Draft<'_>, met: &Met) -> String {
    let Identity { channel, user, .. } = &met.identity;
    let last = met.conversation.as_ref().map(|it| desk::clock(it.last_customer_at, draft.policy.timezone()));
    let last = last.map(|last| format!(" · last wrote {last}")).unwrap_or_default();
    let whom = format!("{channel}:{user}");
    let whom = if whom.contains(char::is_whitespace) { format!("\"{whom}\"") } else { whom };
    format!("{} · {channel}{last}: !write {whom} TEXT", desk::name(&met.identity))
}

/// A number that we do not know, on a channel that can begin with an approved message.
fn stranger(draft: &mut Draft<'_>, written: &str) -> Result<Met, String> {
    let on_one = on_a_channel(draft.policy, written);
    let number = on_one.as_ref().map_or(written, |(_, name)| name);
    if !is_phone(number) {
        return Err(format!("Nobody is known as `{}`.", desk::one_line(written)));
    }
    let number = known_name(number);
    let able = draft.policy.templates.iter().filter(|(_, templates)| !templates.all.is_empty());
    let able: Vec<&ChannelId> =
        able.map(|(id, _)| id).filter(|id| on_one.as_ref().is_none_or(|(wanted, _)| wanted == *id)).collect();
    match able.as_slice() {
        [] => Err(format!(
            "Nobody is known under {number}, and a number that is not known can be written to only on a channel with \
             approved messages."
        )),
        [channel] => Ok(new(draft, (*channel).clone(), &number)),
        many => {
            let forms = many.iter().map(|id| format!("!write {id}:{number} TEXT")).collect::<Vec<_>>().join("\n");
            Err(format!("Nobody is known under {number} yet. On which channel?\n{forms}"))
        }
    }
}

/// Heard of, and not a stranger when they answer: the business wrote first.
fn new(draft: &mut Draft<'_>, channel: ChannelId, number: &str) -> Met {
    draft.out.ids.contact.0 += 1;
    draft.out.ids.identity.0 += 1;
    let user = PlatformUser::from(number.trim_start_matches('+'));
    let contact = Contact {
        id: draft.out.ids.contact,
        identities: vec![draft.out.ids.identity],
        first_heard_at: draft.at,
        acknowledged_at: Some(draft.at),
        human_at: None,
        notice_at: None,
        automatic: Vec::new(),
        language: None,
        detected: None,
        blocked: false,
    };
    let identity = Identity {
        id: draft.out.ids.identity,
        contact: contact.id,
        channel,
        address: Address::chat(user.as_str()),
        user,
        name: number.to_owned(),
        first_name: None,
        username: None,
        language: None,
        unreachable: false,
        conversation: None,
        origin: None,
        heard_at: None,
        former: Vec::new(),
    };
    Met { identity, contact, conversation: None }
}

/// `telegram.shop:4711`.
fn on_a_channel(policy: &Policy, written: &str) -> Option<(ChannelId, String)> {
    let (channel, name) = written.split_once(':')?;
    let channel = ChannelId::from(channel);
    (policy.channels.contains_key(&channel) && !name.is_empty()).then(|| (channel, name.to_owned()))
}

/// Where people are known by their numbers, these may stand there without the plus; elsewhere bare digits are somebody
/// else's id.
fn numbers(policy: &Policy, channel: &ChannelId, number: &str) -> Vec<KnownAs> {
    let by_number = policy.templates.get(channel).is_some_and(|templates| !templates.all.is_empty())
        || policy.channels.get(channel).is_some_and(|can| can.reply_window.is_some());
    match by_number {
        true => both_forms(channel, number),
        false => vec![KnownAs { channel: channel.clone(), name: known_name(number) }],
    }
}

/// Platforms write a number with a plus or without.
fn both_forms(channel: &ChannelId, name: &str) -> Vec<KnownAs> {
    let known = known_name(name);
    let mut forms = vec![name.to_owned(), known.clone(), known.trim_start_matches('+').to_owned()];
    forms.dedup();
    forms.into_iter().map(|name| KnownAs { channel: channel.clone(), name }).collect()
}

fn is_phone(written: &str) -> bool {
    let known = known_name(written);
    known.starts_with('+') && known[1..].chars().all(|c| c.is_ascii_digit()) && known.len() > 7
}

fn same(a: &str, b: &str) -> bool {
    desk::one_line(a).to_lowercase() == desk::one_line(b).to_lowercase()
}
