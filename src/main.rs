use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::Parser;
use frontdesk::cli::{Cli, FOUND};
use tracing_subscriber::EnvFilter;

/// matrix-sdk calls each 404 an error, also where it only asks whether something is there; what matters of a request that
/// failed is told by us.
const DEFAULT_FILTER: &str = "warn,frontdesk=info,matrix_sdk::http_client=off";

fn main() -> ExitCode {
    let cli = Cli::parse();
    trace();
    cli.execute().unwrap_or_else(|error| {
        eprintln!("frontdesk: {error:#}");
        ExitCode::from(FOUND)
    })
}

/// Logs go to stderr: what concerns the owner, unless `FRONTDESK_LOG` or `RUST_LOG` asks for more.
fn trace() {
    let asked = ["FRONTDESK_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|filter| !filter.is_empty()));
    let filter = EnvFilter::new(asked.as_deref().unwrap_or(DEFAULT_FILTER));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}
