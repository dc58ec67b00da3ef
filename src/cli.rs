//! The command line: one small function for each subcommand.
//!
//! Exit status: 0; 1 for what was found or went wrong; 2 for usage, which a missing config file is too.

mod backup;
mod check;
mod contacts;
mod hours;
mod inbox;
mod list;
mod outbox;
mod preview;
mod run;
mod schema;
mod tool;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::config::{Config, FILE, FILE_VARIABLE, Problems};

/// Something was found or went wrong.
pub const FOUND: u8 = 1;

/// The command cannot be understood or carried out as it was given.
pub const USAGE: u8 = 2;

/// One durable inbox for every messenger your customers use, one place for your people to answer.
#[derive(Debug, Parser)]
#[command(name = "frontdesk", version, about)]
pub struct Cli {
    /// The config file [default: $FRONTDESK_CONFIG, else ./frontdesk.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive and send until it is stopped (the default)
    Run,
    /// Look for mistakes in the config file, and say what it sets up
    Check(check::Args),
    /// Show the opening hours of the coming days
    Hours(hours::Args),
    /// Look into the conversations
    Inbox(inbox::Args),
    /// See to what waits to be sent
    Outbox(outbox::Args),
    /// Name the people whom the business knows already
    Contacts(contacts::Args),
    /// Copy everything that is kept into one file, also while frontdesk runs
    Backup(backup::BackupArgs),
    /// Make a new data folder from a backup
    Restore(backup::RestoreArgs),
    /// Show each automatic text as a customer would read it, now and when it is otherwise open or closed
    Preview(preview::Args),
    /// Print the JSON Schema of the config, for editors
    Schema,
}

impl Cli {
    /// Carries out the command.
    pub fn execute(self) -> anyhow::Result<ExitCode> {
        let command = self.command.unwrap_or(Command::Run);
        if let Command::Schema = command {
            return Ok(schema::schema());
        }
        let Some(file) = Config::find(self.config.as_deref()) else {
            return Ok(no_config());
        };
        match command {
            Command::Run => with(Config::load(&file), |config| run::run(file, config)),
            Command::Check(args) => check::check(&args, &file),
            Command::Hours(args) => with(Config::load_hours(&file), |hours| Ok(hours::hours(&args, &hours))),
            Command::Inbox(args) => with(Config::load_place(&file), |place| inbox::inbox(&args, &place)),
            Command::Outbox(args) => with(Config::load_place(&file), |place| outbox::outbox(&args, &place)),
            Command::Contacts(args) => with(Config::load_place(&file), |place| contacts::contacts(&args, &place)),
            Command::Backup(args) => with(Config::load_place(&file), |place| backup::backup(&args, &place)),
            Command::Restore(args) => with(Config::load_place(&file), |place| backup::restore(&args, &place)),
            Command::Preview(args) => with(Config::load_spoken(&file), |spoken| Ok(preview::preview(&args, &spoken))),
            Command::Schema => Ok(schema::schema()),
        }
    }
}

/// Goes on with what was read from the config, or prints what is wrong with it.
fn with<T>(read: Result<T, Problems>, command: impl FnOnce(T) -> anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    match read {
        Ok(read) => command(read),
        Err(problems) => {
            eprintln!("{problems}\nCorrect the file; `frontdesk check` reads it again.");
            Ok(ExitCode::from(FOUND))
        }
    }
}

fn no_config() -> ExitCode {
    eprintln!(
        "\
There is no config file yet: no ./{FILE}, and neither --config nor ${FILE_VARIABLE} names one.

Copy the annotated example, config/{FILE}, to ./{FILE}, and put in the name of your business,
your Telegram bot and the Matrix room where you answer. Then:

    frontdesk check    finds every mistake in it
    frontdesk          starts

(Trying it without a file, with a chat in the browser, comes in a later version.)"
    );
    ExitCode::from(USAGE)
}
