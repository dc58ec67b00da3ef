//! Independent readers of what the program writes: libraries that Synapse brings along.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::synapse;

/// Runs a script that reads `input` and prints JSON.
pub fn run(script: &str, input: &str) -> Value {
    let mut child = Command::new(synapse::python())
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{input}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
