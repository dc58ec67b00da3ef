//! The whole program as a child process, between stand-ins of the customers' messengers and a real Synapse.

use std::{
    fs::{self, File},
    io::Read,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    botapi::BotApi,
    graph::Graph,
    operator::Operator,
    synapse::{Account, Synapse},
};

pub const PATIENCE: Duration = Duration::from_secs(120);

/// A shop: its bot, its homeserver with an operator, and the folder the program runs in.
pub struct Shop {
    pub telegram: BotApi,
    /// Only where it was asked for.
    pub whatsapp: Option<Graph>,
    pub ann: Operator,
    pub folder: TempDir,
    account: Account,
    pub http: SocketAddr,
    pub alias: String,
    running: Option<Child>,
}

impl Shop {
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// With more lines for the config.
    pub async fn with(more: &str) -> Self {
        Self::reaching(&Synapse::shared().await.url(), more).await
    }

    /// With a WhatsApp number beside the bot.
    pub async fn with_whatsapp() -> Self {
        let graph = Graph::start().await;
        let mut shop = Self::with(&graph.lines("shop", &graph.number())).await;
        graph.calls_hook(&format!("http://{}/hooks/whatsapp/shop", shop.http));
        shop.whatsapp = Some(graph);
        shop
    }

    pub fn graph(&self) -> &Graph {
        self.whatsapp.as_ref().expect("a shop with WhatsApp")
    }

    /// The program reaches the shared homeserver at this address (a proxy's); the operator always goes straight to it.
    pub async fn reaching(homeserver: &str, more: &str) -> Self {
        let synapse = Synapse::shared().await;
        let telegram = BotApi::start().await;
        let (bot, account) = (synapse.register("frontdesk").await, synapse.register("ann").await);
        let ann = Operator::login(synapse, &account).await;
        ann.accept_invites(true).await;
        let folder = tempfile::tempdir().unwrap();
        let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let alias = format!("#desk-{}:{}", bot.localpart, synapse.server_name());
        let config = format!(
            r#"
            [business]
            name = "Blue Door Bakery"
            timezone = "Europe/Berlin"
            [replies]
            ack_delay_secs = 2
            [telegram.shop]
            token = "{token}"
            api_url = "{api}"
            [matrix.desk]
            homeserver = "{homeserver}"
            user = "{user}"
            password = "{password}"
            [desks.main]
            channel = "matrix.desk"
            room = "{alias}"
            operators = ["{operator}"]
            [http]
            listen = "{http}"
            {more}
            "#,
            token = telegram.token(),
            api = telegram.url(),
            user = bot.user_id,
            password = bot.password,
            operator = ann.user_id(),
        );
        fs::write(folder.path().join("frontdesk.toml"), config).unwrap();
        Self { telegram, whatsapp: None, ann, folder, account, http, alias, running: None }
    }

    /// Starts the program; see [`Shop::ready`].
    pub fn start(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        self.running = Some(self.spawn());
    }

    fn spawn(&self) -> Child {
        self.command().spawn().unwrap()
    }

    /// The program in the shop's folder, with its words in the shop's log.
    pub fn command(&self) -> Command {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        command
            .current_dir(self.folder.path())
            .env_remove("FRONTDESK_CONFIG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command
    }

    /// A second program on the same folder; what it says and how it ends.
    pub async fn second(&self) -> (ExitStatus, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let status = ended(&mut child, Duration::from_secs(20)).await;
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }

    /// Until `/readyz` answers 200.
    pub async fn ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.get("/readyz").await.is_none_or(|(status, _)| status != 200) {
            assert!(Instant::now() < deadline, "not ready: {:?}\n{}", self.get("/readyz").await, self.log());
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn up(&mut self) {
        self.start();
        self.ready().await;
    }

    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("it runs").id()
    }

    /// As a power cut would, short of the disk.
    pub fn kill(&mut self) {
        let mut child = self.running.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; how it ended, and after how long.
    pub async fn stop(&mut self) -> (ExitStatus, Duration) {
        let mut child = self.running.take().expect("it runs");
        let began = Instant::now();
        let sent = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
        assert!(sent.success());
        let status = ended(&mut child, Duration::from_secs(20)).await;
        (status, began.elapsed())
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        let child = self.running.as_ref().expect("it runs");
        let sent = Command::new("kill").arg("-HUP").arg(child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Until the program has logged this.
    pub async fn logs(&self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < deadline, "never logged: {words}\n{}", self.log());
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Status and body; `None` while nobody listens.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        let ask = async {
            let mut stream = TcpStream::connect(self.http).await.ok()?;
            let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.ok()?;
            let status = answer.split_whitespace().nth(1)?.parse().ok()?;
            Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
        };
        timeout(Duration::from_secs(5), ask).await.ok().flatten()
    }

    /// The desk's room, once the operator is in it.
    pub async fn room(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(room) = self.ann.resolve(&self.alias).await {
                self.ann.wait_for_member(&room, self.ann.user_id(), "join", PATIENCE).await;
                return room;
            }
            assert!(Instant::now() < deadline, "no room was made\n{}", self.log());
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Until the operator's own homeserver shows that somebody else has read this message.
    pub async fn receipt(&self, room: &str, event: &str) {
        let synapse = Synapse::shared().await;
        let token = synapse.access_token(&self.account).await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, answer) = synapse.request("GET", "/_matrix/client/v3/sync?timeout=0", Some(&token), None).await;
            let ephemeral =
                answer["rooms"]["join"][room]["ephemeral"]["events"].as_array().cloned().unwrap_or_default();
            let readers = ephemeral.iter().filter_map(|it| it["content"][event]["m.read"].as_object());
            if readers.flat_map(|readers| readers.keys()).any(|reader| reader != self.ann.user_id()) {
                return;
            }
            assert!(Instant::now() < deadline, "no receipt: {ephemeral:?}\n{}", self.log());
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Until the keys of what the operator has written so far are in the backup of the desk's account.
    pub async fn backed_up(&self) {
        let file = self.folder.path().join("data/matrix/desk/session.json");
        let session: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let token = session["access_token"].as_str().unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let path = "/_matrix/client/v3/room_keys/version";
            let (_, backup) = Synapse::shared().await.request("GET", path, Some(token), None).await;
            // One for what we write in the room, one for what the operator does.
            if backup["count"].as_u64().is_some_and(|keys| keys >= 2) {
                return;
            }
            assert!(Instant::now() < deadline, "not backed up: {backup}\n{}", self.log());
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The thread under the card that begins with this name.
    pub async fn thread(&self, room: &str, customer: &str) -> String {
        let begins = format!("{customer} · ");
        self.ann
            .wait_for(room, "a card", PATIENCE, |event| {
                event.thread_root().is_none() && event.body().starts_with(&begins)
            })
            .await
            .event_id
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("what the program logged:\n{}", self.log());
        }
    }
}

async fn ended(child: &mut Child, limit: Duration) -> ExitStatus {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "the program did not end within {limit:?}");
        sleep(Duration::from_millis(20)).await;
    }
}
