use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use jiff::Timestamp;

use super::tool::{Link, Progress, block_on, clock, megabytes, print};
use crate::{
    config::Place,
    tools::{self, Answer, Done, Request, Wanted},
};

#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to write; it must not be there yet
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// A file that `frontdesk backup` wrote
    file: PathBuf,
}

pub fn backup(args: &BackupArgs, place: &Place) -> anyhow::Result<ExitCode> {
    // The program that writes it may have been started elsewhere.
    let file = std::path::absolute(&args.file).with_context(|| format!("{} is no path", args.file.display()))?;
    let done = block_on(async {
        let mut link = Link::open(place).await?;
        let mut progress = Progress::new();
        let each = |answer| {
            if let Answer::Progress { bytes } = answer {
                progress.tell(format_args!("{} so far", megabytes(bytes)));
            }
            Ok(())
        };
        link.ask(Request::Backup { file }, each).await
    })?;
    if let Done::Saved { records, bytes, at } = done {
        let (size, at) = (megabytes(bytes), clock(at, &place.timezone));
        print(format_args!("{}: {records} records, {size}, begun {at}", args.file.display()))?;
        print("It holds messages, names and keys: keep it where only you can read it.")?;
    }
    Ok(ExitCode::SUCCESS)
}

pub fn restore(args: &RestoreArgs, place: &Place) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::new();
    let wanted = Wanted {
        data: &place.data,
        desks: place.desks.clone(),
        timezone: place.timezone.clone(),
        at: Timestamp::now(),
    };
    let summary = tools::restore(&args.file, &wanted, |done, of| {
        progress.tell(format_args!("{} of {}", megabytes(done), megabytes(of)));
    })?;
    drop(progress);
    let made = clock(summary.made_at, &place.timezone);
    print(format_args!("{} is restored from the backup of {made}.", place.data.display()))?;
    let restored = summary.restored;
    if restored.uncertain + restored.repeated > 0 {
        print(format_args!(
            "Of what waited then, {} for customers may have arrived since (answers are put before the operators), and \
             {} for the desk go out once more, marked.",
            restored.uncertain, restored.repeated
        ))?;
    }
    print("Start frontdesk: it logs in to Matrix as a new device, and tells the desk.")?;
    Ok(ExitCode::SUCCESS)
}
