use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::FOUND;
use crate::{app, config::Config};

/// For how long what runs may take to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs until it is asked to stop, by Ctrl-C or SIGTERM; the second time, or when it takes too long, it stops anyway.
/// Nothing that was accepted is lost by that: it is on disk.
pub fn run(file: PathBuf, config: Config) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads of the program cannot be started")?;
    let result = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::select! {
            result = app::run(file, config, stop.clone()) => result.map(|()| ExitCode::SUCCESS),
            code = stopped_anyway(stop) => code,
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(500));
    result
}

/// Returns only if the program did not stop in time after it was asked to.
async fn stopped_anyway(stop: CancellationToken) -> anyhow::Result<ExitCode> {
    asked_to_stop().await?;
    tracing::info!("stopping; again to stop at once");
    stop.cancel();
    tokio::select! {
        asked = asked_to_stop() => asked?,
        () = tokio::time::sleep(PATIENCE) => tracing::warn!("this takes too long: stopping anyway"),
    }
    Ok(ExitCode::from(FOUND))
}

#[cfg(unix)]
async fn asked_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.context("Ctrl-C cannot be listened for"),
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() -> anyhow::Result<()> {
    tokio::signal::ctrl_c().await.context("Ctrl-C cannot be listened for")
}
