use serde::{Deserialize, Serialize};

/// How a channel is, as its adapter sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum ChannelHealth {
    Connecting,
    /// Connected, but there is a backlog to read.
    Connected,
    /// Connected, everything read, and its desks' rooms are ready.
    CaughtUp,
    /// What is wrong and what to do about it.
    Failing {
        problem: String,
    },
}

/// One line of `check --online`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    /// What was found and, unless all is well, what to do about it.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Ok,
    Warning,
    Error,
}
