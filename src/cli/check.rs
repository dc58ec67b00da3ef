mod online;

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
    /// Try each account, too: its credentials, rights and rooms
    #[arg(long)]
    online: bool,
}

/// Prints every problem, or what the config sets up. Secrets are read and never shown.
pub fn check(args: &Args, file: &Path) -> anyhow::Result<ExitCode> {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(problems) if args.json => {
            println!("{:#}", json!({ "ok": false, "file": file, "problems": problems.list() }));
            return Ok(ExitCode::from(FOUND));
        }
        Err(problems) => {
            eprintln!("{}", found(&problems));
            return Ok(ExitCode::from(FOUND));
        }
    };
    let findings = if args.online { Some(online::probe(&config)?) } else { None };
    let well = findings.as_deref().is_none_or(online::is_well);
    if args.json {
        let mut summary = summary_json(&config, file);
        if let Some(findings) = &findings {
            summary["ok"] = json!(well);
            summary["online"] = online::json(findings);
        }
        println!("{summary:#}");
    } else {
        println!("{}", summary(&config, file));
        findings.iter().for_each(|findings| println!("{}", online::shown(findings)));
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
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
