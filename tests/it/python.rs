//! Libraries of other people, from PyPI, each set in a virtual environment of its own below the target folder.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::synapse;

/// Runs a script, with the libraries that Synapse brings along, that reads `input` and prints JSON.
pub fn run(script: &str, input: &str) -> Value {
    run_with(&synapse::python(), script, input)
}

/// The same with these packages, installed the first time.
pub fn run_in(venv: &str, packages: &[&str], script: &str, input: &str) -> Value {
    run_with(&interpreter(venv, packages), script, input)
}

fn run_with(python: &Path, script: &str, input: &str) -> Value {
    let mut child = Command::new(python)
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

/// The interpreter that has these packages; a change of them installs all anew.
pub fn interpreter(venv: &str, packages: &[&str]) -> PathBuf {
    let venv = target().join(venv);
    let (python, stamp, wanted) = (venv.join("bin/python"), venv.join("installed"), packages.join("\n"));
    let lock = File::create(venv.with_extension("lock")).expect("a writable target folder");
    lock.lock().expect("the lock of the virtual environment");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    eprintln!("installing {} for the tests into {} (once)", packages.join(" and "), venv.display());
    let _ = fs::remove_dir_all(&venv);
    install(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    install(Command::new(&python).args(pip).args(packages));
    fs::write(stamp, wanted).expect("a writable target folder");
    python
}

/// Runs one step, or says what the machine lacks.
fn install(step: &mut Command) {
    let failed = match step.output() {
        Ok(output) if output.status.success() => return,
        Ok(output) => format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        Err(error) => error.to_string(),
    };
    panic!(
        "the tests need programs from PyPI (a real Matrix server among them) and could not install them.\n{step:?}\n\
         {failed}\nThey need python3 (3.10 or newer) with venv and pip (on Debian: apt install python3-venv) and \
         access to PyPI."
    );
}

pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("tmp is inside the target folder").to_owned()
}
