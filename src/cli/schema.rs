use std::process::ExitCode;

use crate::config;

/// Needs no config file: one is about to be written.
pub fn schema() -> ExitCode {
    println!("{:#}", config::schema());
    ExitCode::SUCCESS
}
