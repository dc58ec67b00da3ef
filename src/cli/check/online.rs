//! Asks each platform about its account, all at once. Works whether or not the program runs: no store is opened.

use std::time::Duration;

use anyhow::Context;
use frontdesk_core::{ChannelId, Finding, Severity};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{app::build, config::Config};

/// A platform that takes longer than this over all questions is no use now.
const PATIENCE: Duration = Duration::from_secs(45);

/// What was found out about each channel, in the order of the file.
pub(super) type Findings = Vec<(ChannelId, Vec<Finding>)>;

pub(super) fn probe(config: &Config) -> anyhow::Result<Findings> {
    let adapters = build::adapters(config)?;
    let probes = config.channels.iter().filter_map(|channel| Some((&channel.id, adapters.get(&channel.id)?)));
    let probes = probes.map(|(id, adapter)| async move {
        let late = || vec![Finding::error(format!("no answer within {} seconds", PATIENCE.as_secs()))];
        (id.clone(), timeout(PATIENCE, adapter.probe()).await.unwrap_or_else(|_| late()))
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    Ok(runtime.context("the threads of the program cannot be started")?.block_on(join_all(probes)))
}

/// Nothing is so wrong that a message would not get through.
pub(super) fn is_well(findings: &[(ChannelId, Vec<Finding>)]) -> bool {
    let mut all = findings.iter().flat_map(|(_, findings)| findings);
    all.all(|finding| match finding.severity {
        Severity::Ok | Severity::Warning => true,
        Severity::Error => false,
    })
}

pub(super) fn shown(findings: &[(ChannelId, Vec<Finding>)]) -> String {
    let channel = |(channel, findings): &(ChannelId, Vec<Finding>)| {
        let lines = findings.iter().map(|Finding { severity, text }| format!("\n  {:<8} {text}", word(*severity)));
        format!("{channel}{}", lines.collect::<String>())
    };
    findings.iter().map(channel).collect::<Vec<_>>().join("\n")
}

pub(super) fn json(findings: &[(ChannelId, Vec<Finding>)]) -> Value {
    findings.iter().map(|(channel, findings)| json!({ "channel": channel, "findings": findings })).collect()
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Warning => "warning",
        Severity::Error => "ERROR",
    }
}
