//! A real Matrix server for the tests: Synapse from PyPI, in a virtual environment below the target folder.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::python;

/// What the virtual environment holds. A change installs it anew.
const PACKAGES: [&str; 2] = ["matrix-synapse==1.163.*", "matrix-nio[e2e]==0.26.*"];
const READY_WITHIN: Duration = Duration::from_secs(90);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Synapse ends with its standard input, so with this process, however that ends.
const BOOT: &str = "
import os, shutil, sys, threading
config, throw_away = sys.argv[1:3]
def watch():
    sys.stdin.buffer.read()
    if throw_away == 'yes':
        shutil.rmtree(os.path.dirname(config), ignore_errors=True)
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
sys.argv = ['synapse', '-c', config]
from synapse.app.homeserver import main
main()
";

/// A running server. One that a test started on its own stops when it is dropped.
pub struct Synapse {
    port: u16,
    home: Home,
    process: Mutex<Option<Child>>,
}

enum Home {
    Own(TempDir),
    /// Removed by the server's own process, because nothing here is dropped at the end of all tests.
    Shared(PathBuf),
}

#[derive(Clone, Debug)]
pub struct Account {
    /// `@ann.1:example.org`: the name the test gave, and a number that makes it unique.
    pub user_id: String,
    pub localpart: String,
    pub password: String,
}

impl Synapse {
    /// The server that all tests of this run share. The first caller waits until it is ready (and, once, until it
    /// is installed).
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Synapse> = OnceCell::const_new();
        SHARED.get_or_init(|| blocking(|| Self::start(Home::shared()))).await
    }

    /// A server for one test, to be stopped and started again.
    pub async fn start_own() -> Self {
        blocking(|| Self::start(Home::own())).await
    }

    /// For `homeserver`, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn server_name(&self) -> &'static str {
        "example.org"
    }

    /// A new account. Its name is unique on this server: the test's own and a number.
    pub async fn register(&self, name: &str) -> Account {
        static ACCOUNTS: AtomicUsize = AtomicUsize::new(1);
        let localpart = format!("{name}.{}", ACCOUNTS.fetch_add(1, Ordering::Relaxed));
        let password = format!("{localpart}-secret");
        let body = json!({ "auth": { "type": "m.login.dummy" }, "username": localpart, "password": password,
            "inhibit_login": true });
        let (status, answer) = self.request("POST", "/_matrix/client/v3/register", None, Some(body)).await;
        assert_eq!(status, 200, "Synapse did not register {localpart}: {answer}");
        let user_id = answer["user_id"].as_str().expect("a user id").to_owned();
        Account { user_id, localpart, password }
    }

    /// An access token of a new device.
    pub async fn access_token(&self, account: &Account) -> String {
        let body = json!({ "type": "m.login.password", "password": account.password,
            "identifier": { "type": "m.id.user", "user": account.localpart } });
        let (status, answer) = self.request("POST", "/_matrix/client/v3/login", None, Some(body)).await;
        assert_eq!(status, 200, "Synapse did not log {} in: {answer}", account.localpart);
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// One plain request: what the server itself says of a room.
    pub async fn request(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> (u16, Value) {
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n{authorization}\
             Content-Length: {length}\r\n\r\n{body}"
        );
        let port = self.port;
        blocking(move || exchange(port, &head))
            .await
            .unwrap_or_else(|error| panic!("Synapse: {method} {path}: {error}"))
    }

    /// Ends the server at once, as if its machine had failed.
    pub async fn stop(&self) {
        let child = self.process.lock().unwrap().take();
        blocking(move || child.into_iter().for_each(end)).await;
    }

    /// Starts it again on the same port with the same data.
    pub async fn start_again(&self) {
        let (port, folder) = (self.port, self.home.path().to_owned());
        let child = blocking(move || launch(port, &folder, false)).await.unwrap_or_else(|error| panic!("{error}"));
        *self.process.lock().unwrap() = Some(child);
    }

    /// Another program can take the free port first: then once more.
    fn start(home: Home) -> Self {
        let mut last = String::new();
        for _ in 0..3 {
            let port = free_port();
            write_config(home.path(), port);
            match launch(port, home.path(), matches!(home, Home::Shared(_))) {
                Ok(child) => return Self { port, home, process: Mutex::new(Some(child)) },
                Err(error) => last = error,
            }
        }
        panic!("{last}")
    }
}

impl Drop for Synapse {
    fn drop(&mut self) {
        if let Some(child) = self.process.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take() {
            end(child);
        }
    }
}

/// The interpreter that has Synapse and the operators' library; installs them the first time (one to two minutes).
pub fn python() -> PathBuf {
    python::interpreter("synapse-venv", &PACKAGES)
}

impl Home {
    fn own() -> Self {
        Self::Own(
            tempfile::Builder::new().prefix("synapse-").tempdir_in(python::target().join("tmp")).expect("a folder"),
        )
    }

    fn shared() -> Self {
        let Self::Own(folder) = Self::own() else { unreachable!("own() makes Own") };
        Self::Shared(folder.keep())
    }

    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Shared(folder) => folder,
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback");
    listener.local_addr().expect("a bound port").port()
}

fn write_config(folder: &Path, port: u16) {
    let limits = json!({ "per_second": 100_000, "burst_count": 100_000 });
    let config = json!({
        "server_name": "example.org",
        "public_baseurl": format!("http://127.0.0.1:{port}/"),
        "listeners": [{ "port": port, "type": "http", "bind_addresses": ["127.0.0.1"],
            "resources": [{ "names": ["client"] }] }],
        "database": { "name": "sqlite3", "args": { "database": folder.join("homeserver.db") } },
        "media_store_path": folder.join("media"),
        "signing_key_path": folder.join("signing.key"),
        "macaroon_secret_key": "of no value",
        "form_secret": "of no value",
        "report_stats": false,
        "suppress_key_server_warning": true,
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "enable_registration": true,
        "enable_registration_without_verification": true,
        "bcrypt_rounds": 4,
        "presence": { "enabled": false },
        "filter_timeline_limit": 5000,
        "rc_message": limits,
        "rc_registration": limits,
        "rc_login": { "address": limits, "account": limits, "failed_attempts": limits },
        "rc_admin_redaction": limits,
        "rc_joins": { "local": limits, "remote": limits },
        "rc_joins_per_room": limits,
        "rc_invites": { "per_room": limits, "per_user": limits, "per_issuer": limits },
        "rc_room_creation": limits,
    });
    // JSON is YAML.
    fs::write(folder.join("homeserver.yaml"), config.to_string()).expect("a writable folder");
    let key = format!("ed25519 a_1 {}\n", "A".repeat(43));
    fs::write(folder.join("signing.key"), key).expect("a writable folder");
}

/// Starts the server and waits until it answers.
fn launch(port: u16, folder: &Path, throw_away: bool) -> Result<Child, String> {
    let log = File::options().append(true).create(true).open(folder.join("synapse.log")).expect("a writable folder");
    let mut child = Command::new(python())
        .args(["-c", BOOT])
        .arg(folder.join("homeserver.yaml"))
        .arg(if throw_away { "yes" } else { "no" })
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("a file handle"))
        .stderr(log)
        .spawn()
        .map_err(|error| format!("Synapse did not start: {error}"))?;
    let deadline = Instant::now() + READY_WITHIN;
    while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
        if exchange(port, "GET /_matrix/client/versions HTTP/1.0\r\n\r\n").is_ok_and(|(status, _)| status == 200) {
            return Ok(child);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = fs::read_to_string(folder.join("synapse.log")).unwrap_or_default();
    let tail: Vec<_> = log.lines().rev().take(30).collect();
    let tail: Vec<_> = tail.into_iter().rev().collect();
    end(child);
    Err(format!("Synapse does not answer on port {port}. The end of its log:\n{}", tail.join("\n")))
}

fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// HTTP/1.0: the answer ends with the connection.
fn exchange(port: u16, request: &str) -> Result<(u16, Value), String> {
    let answer = (|| {
        let mut tcp = TcpStream::connect(("127.0.0.1", port))?;
        tcp.set_read_timeout(Some(ANSWER_WITHIN))?;
        tcp.write_all(request.as_bytes())?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    })();
    let answer = answer.map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("an answer without an end of its head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("an answer without a status")?;
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
