//! A room as text, for snapshots: threads with their answers, edits applied, reactions appended, and no id in it.
//!
//! ```text
//! [1] notice: frontdesk: Anna, telegram.shop
//!     [2] frontdesk: Anna: Do you have rye bread?
//!     [3] ann: Yes, from ten o'clock. (edited) {✅ frontdesk}
//! [4] bob: (reply to 2) I will ask.
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::TimelineEvent;

/// Messages in the order in which threads began; state is left out.
pub(super) fn of(timeline: &[TimelineEvent]) -> String {
    let redacted: BTreeSet<_> = timeline.iter().filter_map(|event| event.redacts.as_deref()).collect();
    let shown: Vec<_> = timeline.iter().filter(|event| is_shown(event)).collect();
    let known: BTreeSet<_> = shown.iter().map(|event| event.event_id.as_str()).collect();
    let root = |event: &TimelineEvent| event.thread_root().filter(|root| known.contains(root)).map(str::to_owned);
    let mut order = Vec::new();
    for top in shown.iter().filter(|event| root(event).is_none()) {
        order.push((*top, 0));
        let answers = shown.iter().filter(|event| root(event).as_deref() == Some(&top.event_id));
        order.extend(answers.map(|event| (*event, 1)));
    }
    let numbers = order.iter().enumerate().map(|(n, (event, _))| (event.event_id.as_str(), n + 1)).collect();
    let page = Page { timeline, redacted, numbers };
    order.iter().map(|(event, depth)| page.entry(event, *depth)).collect()
}

fn is_shown(event: &TimelineEvent) -> bool {
    let message = matches!(event.kind.as_str(), "m.room.message" | "m.room.encrypted" | "m.sticker");
    message && event.state_key.is_none() && event.replaces().is_none()
}

struct Page<'a> {
    timeline: &'a [TimelineEvent],
    redacted: BTreeSet<&'a str>,
    numbers: BTreeMap<&'a str, usize>,
}

impl Page<'_> {
    fn entry(&self, event: &TimelineEvent, depth: usize) -> String {
        let number = self.numbers[event.event_id.as_str()];
        let indent = "    ".repeat(depth);
        let label = match event.msgtype() {
            "m.text" | "" => String::new(),
            msgtype => format!("{}: ", msgtype.trim_start_matches("m.")),
        };
        let reply = event.reply_to().map(|to| match self.numbers.get(to) {
            Some(number) => format!("(reply to {number}) "),
            None => "(reply to something else) ".to_owned(),
        });
        let text = self.text(event).replace('\n', &format!("\n{indent}    "));
        let sender = short(&event.sender);
        format!("{indent}[{number}] {label}{sender}: {}{text}{}\n", reply.unwrap_or_default(), self.reactions(event))
    }

    fn text(&self, event: &TimelineEvent) -> String {
        if self.is_redacted(event) {
            return "(deleted)".into();
        }
        if event.undecryptable() {
            return "(cannot be decrypted)".into();
        }
        let edit = self.of_others(event).rfind(|edit| {
            edit.replaces() == Some(&event.event_id) && edit.sender == event.sender && edit.new_body().is_some()
        });
        match edit.and_then(TimelineEvent::new_body) {
            Some(body) => format!("{} (edited)", self.without_ids(body)),
            None => self.without_ids(event.body()),
        }
    }

    fn reactions(&self, event: &TimelineEvent) -> String {
        let all = self.of_others(event).filter_map(|other| Some((other.reaction()?, &other.sender)));
        let mine = all.filter(|((to, _), _)| *to == event.event_id);
        mine.map(|((_, key), sender)| format!(" {{{key} {}}}", short(sender))).collect()
    }

    /// Events that still stand.
    fn of_others<'a>(&'a self, event: &'a TimelineEvent) -> impl DoubleEndedIterator<Item = &'a TimelineEvent> {
        self.timeline.iter().filter(move |other| other.event_id != event.event_id && !self.is_redacted(other))
    }

    fn is_redacted(&self, event: &TimelineEvent) -> bool {
        let empty = event.content.as_object().is_none_or(serde_json::Map::is_empty);
        empty || self.redacted.contains(event.event_id.as_str())
    }

    /// `@ann.1:example.org` becomes `@ann`.
    fn without_ids(&self, text: &str) -> String {
        let people = self.timeline.iter().flat_map(|event| [Some(&event.sender), event.state_key.as_ref()]);
        let people: BTreeSet<_> = people.flatten().filter(|id| id.starts_with('@')).collect();
        // Backwards, so that @ann.12 goes before @ann.1.
        people.iter().rev().fold(text.to_owned(), |text, id| text.replace(id.as_str(), &format!("@{}", short(id))))
    }
}

/// The name that the test gave, without the number and the server.
fn short(user: &str) -> &str {
    let local = user.trim_start_matches('@').split(':').next().unwrap_or(user);
    match local.rsplit_once('.') {
        Some((name, number)) if number.parse::<u32>().is_ok() => name,
        _ => local,
    }
}
