use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::Subcommand;
use jiff::tz::TimeZone;

use super::{
    USAGE,
    tool::{Link, block_on, clock, print, print_json, visible},
};
use crate::{
    config::Place,
    store::{Purpose, RowNumber, Verb},
    tools::{Answer, Done, Request, RowLine, Waits},
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what waits to be sent, and why it waits
    List {
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
        /// Print a line of JSON for each
        #[arg(long)]
        json: bool,
    },
    /// Try to send now, instead of after the pause that follows a failure
    Retry {
        /// The number that `outbox list` shows
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        number: Option<u64>,
        /// Everything that pauses
        #[arg(long)]
        all: bool,
        /// Also what may have arrived already: it may then arrive twice
        #[arg(long)]
        again: bool,
    },
    /// Never send it; the conversation is told
    Drop {
        /// The number that `outbox list` shows
        number: u64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub fn outbox(args: &Args, place: &Place) -> anyhow::Result<ExitCode> {
    // Nobody waits, and no store is held open, while a person thinks.
    if let Command::Drop { number, yes: false } = args.command
        && let Some(code) = refused(RowNumber(number))?
    {
        return Ok(code);
    }
    block_on(async {
        let mut link = Link::open(place).await?;
        match args.command {
            Command::List { limit, json } => list(&mut link, place, limit, json).await?,
            Command::Retry { number, again, .. } => retry(&mut link, number.map(RowNumber), again).await?,
            Command::Drop { number, .. } => discard(&mut link, RowNumber(number)).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(link: &mut Link, place: &Place, limit: u32, json: bool) -> anyhow::Result<()> {
    let mut count = 0;
    let each = |answer| {
        let Answer::Row(line) = answer else { return Ok(()) };
        count += 1;
        if json { print_json(&line) } else { print(row(&line, &place.timezone)) }
    };
    let done = link.ask(Request::Rows { limit: limit as usize }, each).await?;
    match done {
        Done::Listed { more: true } => eprintln!("There are more; --limit shows them."),
        _ if count == 0 => eprintln!("Nothing waits to be sent."),
        _ => {}
    }
    Ok(())
}

async fn retry(link: &mut Link, number: Option<RowNumber>, again: bool) -> anyhow::Result<()> {
    let running = link.is_running();
    let done = link.ask(Request::Retry { row: number, again }, |_| Ok(())).await?;
    let when = if running { "now" } else { "as soon as frontdesk runs" };
    match done {
        Done::Retried { rows: 0 } => print("Nothing pauses after a failure.")?,
        Done::Retried { rows: 1 } => print(format_args!("It is tried {when}."))?,
        Done::Retried { rows } => print(format_args!("{rows} are tried {when}."))?,
        Done::Listed { .. } | Done::Dropped | Done::Known { .. } | Done::Saved { .. } => {}
    }
    Ok(())
}

/// How it ends when nobody says that it is to be dropped.
fn refused(number: RowNumber) -> anyhow::Result<Option<ExitCode>> {
    if !io::stdin().is_terminal() {
        eprintln!("What is dropped is never sent; add --yes if that is what you want.");
        return Ok(Some(ExitCode::from(USAGE)));
    }
    if confirmed(number)? {
        return Ok(None);
    }
    print("Nothing is dropped.")?;
    Ok(Some(ExitCode::SUCCESS))
}

async fn discard(link: &mut Link, number: RowNumber) -> anyhow::Result<()> {
    link.ask(Request::Drop { row: number }, |_| Ok(())).await?;
    print("It is not sent any more; its conversation is told.")?;
    Ok(())
}

fn confirmed(number: RowNumber) -> io::Result<bool> {
    eprint!("{number} is then never sent. Write yes to drop it: ");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}

/// `    17  answer to Anna on telegram.shop, since 2026-11-23 10:00: Rye is ready.` and, below, why it waits.
fn row(line: &RowLine, timezone: &TimeZone) -> String {
    let purpose = match line.purpose {
        Purpose::Relay => "customer's message",
        Purpose::Answer => "answer",
        Purpose::Automatic(_) => "automatic text",
        Purpose::Card => "card",
        Purpose::Failure => "failure notice",
        Purpose::Reply => "notice",
    };
    let verb = match line.verb {
        Verb::Post => "",
        Verb::Edit => " (a change)",
        Verb::Delete => " (a deletion)",
        Verb::React => " (a reaction)",
    };
    let (number, to, text) = (line.row, visible(&line.to), visible(&line.text));
    let since = clock(line.written_at, timezone);
    format!("{number:>6}  {purpose}{verb} to {to}, since {since}: {text}\n        {}", why(line, timezone))
}

fn why(line: &RowLine, timezone: &TimeZone) -> String {
    let tried = match line.attempts {
        0 => String::new(),
        1 => "failed once; ".to_owned(),
        times => format!("failed {times} times; "),
    };
    let waits = match &line.waits {
        Waits::Sending => "is being sent".to_owned(),
        Waits::Next => "is next".to_owned(),
        Waits::Behind { row } => format!("{row} goes first"),
        Waits::Until { at } => {
            format!("is tried again at {}", at.to_zoned(timezone.clone()).strftime("%Y-%m-%d %H:%M:%S"))
        }
        Waits::Interrupted => {
            "was interrupted in the middle: it may have arrived, and is looked for at the start".to_owned()
        }
        Waits::WindowClosed => "the customer has to write first".to_owned(),
        Waits::Guard => "is held for a person to look at".to_owned(),
        Waits::NotRunning => "frontdesk does not run".to_owned(),
    };
    format!("{tried}{waits}")
}
