use std::{path::Path, process::ExitCode};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::FOUND;
use crate::config::{Config, Problems};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

/// Prints every problem, or what the config sets up. Secrets are read and never shown.
pub fn check(args: &Args, file: &Path) -> ExitCode {
    match Config::load(file) {
        Ok(config) if args.json => println!("{:#}", summary_json(&config, file)),
        Ok(config) => println!("{}", summary(&config, file)),
        Err(problems) => {
            if args.json {
                println!("{:#}", json!({ "ok": false, "file": file, "problems": problems.list() }));
            } else {
                eprintln!("{}", found(&problems));
            }
            return ExitCode::from(FOUND);
        }
    }
    ExitCode::SUCCESS
}

fn found(problems: &Problems) -> String {
    match problems.list().len() {
        1 => format!("{problems}\n1 problem"),
        count => format!("{problems}\n{count} problems"),
    }
}

fn summary(config: &Config, file: &Path) -> String {
    let business = &config.business;
    let channels = config.channels.iter().map(|channel| channel.id.to_string());
    let desks = config.desks.iter().map(|desk| format!("{} on {}", desk.name, desk.channel));
    let rows = [
        ("business", business.name.clone()),
        ("time zone", zone(config).to_owned()),
        ("languages", list(business.languages.iter().map(ToString::to_string))),
        ("hours", config.hours.state(Timestamp::now(), &[])),
        ("channels", list(channels)),
        ("desks", list(desks)),
        ("listens on", config.http.listen.to_string()),
        ("keeps data in", config.data.display().to_string()),
    ];
    let rows = rows.map(|(name, value)| format!("  {name:<14} {value}"));
    format!("{}: all is well\n{}", file.display(), rows.join("\n"))
}

fn summary_json(config: &Config, file: &Path) -> Value {
    let business = &config.business;
    let desk = |desk: &crate::config::Desk| json!({ "name": desk.name, "channel": desk.channel });
    json!({
        "ok": true,
        "file": file,
        "problems": [],
        "business": business.name,
        "timezone": zone(config),
        "languages": business.languages,
        "open": config.hours.is_open(Timestamp::now(), &[]),
        "channels": config.channels.iter().map(|channel| channel.id.as_str()).collect::<Vec<_>>(),
        "desks": config.desks.iter().map(desk).collect::<Vec<_>>(),
        "listen": config.http.listen,
        "data": config.data,
    })
}

fn zone(config: &Config) -> &str {
    config.business.timezone.iana_name().unwrap_or("unknown")
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
