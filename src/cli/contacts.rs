use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use super::{
    FOUND,
    list::{Lines, Listed},
    tool::{Link, Progress, block_on, print, print_json},
};
use crate::{
    config::Place,
    tools::{Acquaintance, Done, Request},
};

/// People in one request.
const AT_ONCE: usize = 500;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Name people whom the business knows already: they are never greeted like strangers
    ///
    /// A CSV file whose first line names its columns: `channel` (such as telegram.shop) and `user` (the platform's user
    /// id, @username, or a phone number with its +), and, if you like, `name` and `language` (such as de).
    Import {
        file: PathBuf,
        /// Print the result as JSON for programs
        #[arg(long)]
        json: bool,
    },
}

pub fn contacts(args: &Args, place: &Place) -> anyhow::Result<ExitCode> {
    let Command::Import { file, json } = &args.command;
    let lines = Lines::open(file, place)?;
    let result = block_on(import(lines, &file.display().to_string(), place))?;
    if *json {
        print_json(&result)?;
    } else {
        let Imported { new, already, bad } = result;
        let were = |count: usize| if count == 1 { "was" } else { "were" };
        print(format_args!("{new} new, {already} {} known already", were(already)))?;
        if bad > 0 {
            eprintln!("{bad} {} left out, as said above; correct the file and import it again.", were(bad));
        }
    }
    Ok(if result.bad > 0 { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
struct Imported {
    new: usize,
    already: usize,
    bad: usize,
}

async fn import(lines: Lines<'_>, file: &str, place: &Place) -> anyhow::Result<Imported> {
    let mut link = Link::open_or_make(place).await?;
    let (mut imported, mut batch) = (Imported::default(), Vec::new());
    let mut progress = Progress::new();
    for line in lines {
        match line? {
            Listed::Person(person) => batch.push(person),
            Listed::Bad { line, problem } => {
                imported.bad += 1;
                eprintln!("{file}:{line}: {problem}");
            }
        }
        if batch.len() == AT_ONCE {
            know(&mut link, &mut batch, &mut imported).await?;
            progress.tell(format_args!("{} so far", imported.new + imported.already));
        }
    }
    know(&mut link, &mut batch, &mut imported).await?;
    Ok(imported)
}

async fn know(link: &mut Link, batch: &mut Vec<Acquaintance>, imported: &mut Imported) -> anyhow::Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let people = std::mem::take(batch);
    if let Done::Known { new, already } = link.ask(Request::Know { people }, |_| Ok(())).await? {
        imported.new += new;
        imported.already += already;
    }
    Ok(())
}
