use std::{io, process::ExitCode};

use clap::Subcommand;
use jiff::{Timestamp, tz::TimeZone};

use super::tool::{Link, block_on, clock, print, print_json, visible};
use crate::{
    config::Place,
    store::ConversationId,
    tools::{Answer, By, ChangeLine, ConversationLine, Done, MessageLine, Request, Standing, What},
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the conversations: first those that wait for an answer, longest first
    List {
        /// Closed ones too
        #[arg(long)]
        all: bool,
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
        /// Print a line of JSON for each
        #[arg(long)]
        json: bool,
    },
    /// Show what was said in a conversation: both sides, notes, automatic texts, and what became of them
    Show {
        /// The conversation's number, as `inbox list` shows it
        number: u64,
        /// Print a line of JSON for each message
        #[arg(long)]
        json: bool,
    },
    /// Print all conversations and their messages, a line of JSON each
    Export,
}

pub fn inbox(args: &Args, place: &Place) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut link = Link::open(place).await?;
        match args.command {
            Command::List { all, limit, json } => list(&mut link, place, all, limit, json).await,
            Command::Show { number, json } => show(&mut link, place, ConversationId(number), json).await,
            Command::Export => link.ask(Request::Export, |answer| print_json(&answer)).await.map(drop),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn list(link: &mut Link, place: &Place, all: bool, limit: u32, json: bool) -> anyhow::Result<()> {
    let request = Request::Conversations { closed: all, limit: limit as usize };
    let mut count = 0;
    let each = |answer| {
        let Answer::Conversation(line) = answer else { return Ok(()) };
        count += 1;
        if json { print_json(&line) } else { print(conversation(&line, &place.timezone)) }
    };
    let done = link.ask(request, each).await?;
    match done {
        Done::Listed { more: true } => eprintln!("There are more; --limit shows them."),
        _ if count == 0 && all => eprintln!("Nobody has written yet."),
        _ if count == 0 => eprintln!("No conversation is open; --all shows the closed ones too."),
        _ => {}
    }
    Ok(())
}

async fn show(link: &mut Link, place: &Place, number: ConversationId, json: bool) -> anyhow::Result<()> {
    let each = |answer: Answer| match (&answer, json) {
        (Answer::Conversation(_) | Answer::Message(_), true) => print_json(&answer),
        (Answer::Conversation(line), false) => print(conversation(line, &place.timezone)),
        (Answer::Message(line), false) => message(line, &place.timezone),
        (Answer::Row(_) | Answer::Progress { .. } | Answer::Done(_) | Answer::Failed(_), _) => Ok(()),
    };
    link.ask(Request::Messages { conversation: number }, each).await.map(drop)
}

/// `   12  Anna  telegram.shop  waiting since 2026-11-23 10:00`.
fn conversation(line: &ConversationLine, timezone: &TimeZone) -> String {
    let at = |at: &Timestamp| clock(*at, timezone);
    let state = match &line.state {
        Standing::WaitingSince(since) => format!("waiting since {}", at(since)),
        Standing::AnsweredAt(answered) => format!("answered {}", at(answered)),
        Standing::Open => "open".to_owned(),
        Standing::ClosedAt(closed) => format!("closed {}", at(closed)),
    };
    let missing = match line.undelivered {
        0 => String::new(),
        1 => "; an answer was not delivered".to_owned(),
        count => format!("; {count} answers were not delivered"),
    };
    let (number, name, channel) = (line.conversation, visible(&line.customer), &line.channel);
    format!("{number:>6}  {name}  {channel}  {state}{missing}")
}

fn message(line: &MessageLine, timezone: &TimeZone) -> io::Result<()> {
    let name = visible(line.name.as_deref().unwrap_or_default());
    let who = match line.by {
        By::Customer => name,
        By::Operator => format!("{name} (to the customer)"),
        By::Note => format!("{name} (inside)"),
        By::Business => "on the phone".to_owned(),
        By::Automatic => "automatic".to_owned(),
    };
    let text = visible(&line.text).replace('\n', "\n                    ");
    print(format_args!("{}  {who}: {text}", clock(line.at, timezone)))?;
    line.changes.iter().try_for_each(|it| print(format_args!("                    {}", change(it, timezone))))
}

fn change(change: &ChangeLine, timezone: &TimeZone) -> String {
    let what = match &change.what {
        What::Edited { text } => format!("changed to: {}", visible(text).replace('\n', "\n                    ")),
        What::Deleted => "deleted".to_owned(),
        What::Sent => "sent".to_owned(),
        What::Delivered => "delivered".to_owned(),
        What::Read => "read".to_owned(),
        What::Failed { reason } => format!("not delivered: {reason}"),
        What::Uncertain => "perhaps not delivered".to_owned(),
    };
    format!("{what} ({})", clock(change.at, timezone))
}
