//! A row in the platform's words.

use frontdesk_core::{Address, Content, Op, Outbound, OutboxKey, Part, Post, Style};

use super::Outbox;
use crate::store::{Purpose, Row, RowOp, Target, Ticket};

impl Outbox {
    /// The row in the platform's words; `None` when what it changes is not there.
    pub(super) fn outbound(&self, ticket: &Ticket) -> Option<Outbound> {
        let row = &ticket.row;
        let subject = |piece: usize| ticket.subject.get(piece).cloned();
        let post = |content: &Content, style: Style| Post {
            content: if row.possibly_repeated { marked(content) } else { content.clone() },
            style,
            reply_to: ticket.reply_to.clone(),
            mentions: Vec::new(),
        };
        let op = match &row.what.op {
            RowOp::OpenThread { content, .. } => Op::OpenThread(post(content, Style::Notice)),
            RowOp::Post { content, style, mentions, .. } => {
                Op::Post(Post { mentions: mentions.clone(), ..post(content, *style) })
            }
            // Twice the same edit reads like one.
            RowOp::Edit { content, style, .. } => {
                let post = Post { content: content.clone(), style: *style, reply_to: None, mentions: Vec::new() };
                Op::Edit { id: subject(0)?, post }
            }
            RowOp::Delete { piece, .. } => Op::Delete { id: subject(*piece)? },
            RowOp::React { emoji, .. } => Op::React { id: subject(0)?, emoji: emoji.clone() },
            RowOp::Template { name, language, arguments } => {
                Op::Template { name: name.clone(), language: language.clone(), arguments: arguments.clone() }
            }
        };
        let key = OutboxKey { instance: self.store.instance(), number: row.number.0 };
        Some(Outbound { key, to: ticket.address.clone(), op, written_at: row.written_at })
    }
}

impl Ticket {
    /// A post for a thread that is not open (any more).
    pub(super) fn thread_is_missing(&self) -> bool {
        let in_thread = matches!(self.row.what.target, Target::Thread(..));
        let posts = matches!(self.row.what.op, RowOp::Post { .. } | RowOp::Template { .. });
        let missing = matches!(self.address, Address::Desk { thread: None, .. });
        in_thread && posts && missing
    }
}

fn marked(content: &Content) -> Content {
    if let Some((media, caption)) = content.file() {
        let caption = caption.map_or_else(|| REPEATED.to_owned(), |caption| format!("{REPEATED} {caption}"));
        return Content { parts: vec![Part::Media { media: media.clone(), caption: Some(caption) }] };
    }
    let mut parts = vec![Part::Text { text: REPEATED.to_owned() }];
    parts.extend(content.parts.iter().cloned());
    Content { parts }
}

const REPEATED: &str = "(possibly repeated)";
const NOT_SHOWN: &str = "cannot be shown here";

/// What a desk's platform refuses is shown as plain text, and if that is refused too, as a line that says so.
pub(super) fn simplify(row: &mut Row, reason: &str) -> bool {
    let (RowOp::Post { content, .. } | RowOp::OpenThread { content, .. } | RowOp::Edit { content, .. }) =
        &mut row.what.op
    else {
        return false;
    };
    let readable: String = content.readable().chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let what = if row.what.purpose == Purpose::Relay { "A message of the customer" } else { "A line of the program" };
    let instead = format!("({what} {NOT_SHOWN}: ");
    if readable.starts_with(&instead) {
        return false;
    }
    let plain = Content::text(readable);
    let next = if *content == plain { Content::text(format!("{instead}{reason})")) } else { plain };
    *content = next;
    true
}
