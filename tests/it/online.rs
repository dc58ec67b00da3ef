//! `check --online` against the Bot API stand-in and a real Synapse.

use std::{fs, time::Duration};

use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    botapi::{Answer, BotApi, Fault},
    operator::{NewRoom, Operator},
    program::Shop,
    synapse::{Account, Synapse},
};

/// What an owner has: a bot, an account on a homeserver, and an operator there.
struct Accounts {
    telegram: BotApi,
    synapse: &'static Synapse,
    bot: Account,
    ann: Operator,
    folder: tempfile::TempDir,
}

impl Accounts {
    async fn new() -> Self {
        let synapse = Synapse::shared().await;
        let (bot, ann) = (synapse.register("frontdesk").await, synapse.register("ann").await);
        let ann = Operator::login(synapse, &ann).await;
        let folder = tempfile::tempdir().unwrap();
        Self { telegram: BotApi::start().await, synapse, bot, ann, folder }
    }

    fn alias(&self) -> String {
        format!("#desk-{}:{}", self.bot.localpart, self.synapse.server_name())
    }

    fn config(&self) -> String {
        format!(
            r#"
            [business]
            name = "Blue Door Bakery"
            timezone = "Europe/Berlin"
            [telegram.shop]
            token = "{}"
            api_url = "{}"
            [matrix.desk]
            homeserver = "{}"
            user = "{}"
            password = "{}"
            [desks.main]
            channel = "matrix.desk"
            room = "{}"
            operators = ["{}"]
            "#,
            self.telegram.token(),
            self.telegram.url(),
            self.synapse.url(),
            self.bot.user_id,
            self.bot.password,
            self.alias(),
            self.ann.user_id(),
        )
    }

    /// The findings, without names that differ from run to run, and the exit status.
    async fn check(&self, config: &str) -> String {
        fs::write(self.folder.path().join("frontdesk.toml"), config).unwrap();
        let said = check(self.folder.path(), &[]).await;
        self.plain(&said)
    }

    fn plain(&self, said: &str) -> String {
        let online = said.split_once("telegram.shop\n").map_or(said, |(_, online)| online);
        assert!(!said.contains("AAEstand") && !said.contains("-secret"), "a secret is shown: {said}");
        online
            .replace(self.ann.user_id(), "@ann")
            .replace(&self.bot.user_id, "@frontdesk")
            .replace(&self.alias(), "#desk")
            .replace(self.synapse.url().as_str(), "HOMESERVER")
    }

    async fn devices(&self) -> Vec<Value> {
        let token = self.synapse.access_token(&self.bot).await;
        let (_, answer) = self.synapse.request("GET", "/_matrix/client/v3/devices", Some(&token), None).await;
        answer["devices"].as_array().unwrap().clone()
    }
}

/// What `check --online` prints in a folder, and how it ends.
async fn check(folder: &std::path::Path, more: &[&str]) -> String {
    let running = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
        .args(["check", "--online"])
        .args(more)
        .current_dir(folder)
        .env_remove("FRONTDESK_CONFIG")
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), running).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}= {}", text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_run_everything_is_tried_and_nothing_is_left_behind() {
    let accounts = Accounts::new().await;
    accounts.telegram.user(4711, "Anna", None);
    accounts.telegram.start_cmd(4711, None);
    assert_snapshot!(accounts.check(&accounts.config()).await, @"
      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook; 1 wait to be read
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ok       the password of @frontdesk is right
      ok       the desk main: #desk will be made at the first run
    = 0
    ");
    assert_eq!(accounts.ann.resolve(&accounts.alias()).await, None, "no room was made");
    assert!(!accounts.folder.path().join("data").exists(), "no folder was made");
    let devices = accounts.devices().await;
    assert!(!devices.iter().any(|device| device["device_id"] == "FRONTDESK_CHECK"), "{devices:?}");
    assert_eq!(accounts.telegram.unconfirmed().len(), 1, "no update was taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_wrong_is_said_with_its_cure() {
    let accounts = Accounts::new().await;
    let config = accounts.config();
    let changed = |from: &str, to: &str| {
        assert!(config.contains(from), "{from}");
        config.replace(from, to)
    };
    let mut said = String::new();
    for config in [
        changed(accounts.telegram.token(), "123456789:BBEanotherAnotherAnotherAnotherAnother"),
        changed(accounts.telegram.url(), "http://127.0.0.1:9"),
        changed(&accounts.bot.password, "wrong"),
        changed(&accounts.synapse.url(), "http://127.0.0.1:9"),
        changed(&accounts.synapse.url(), accounts.telegram.url()),
        changed(&format!("password = \"{}\"", accounts.bot.password), "token = \"syt_wrong\""),
        changed(&accounts.alias(), "#desk:elsewhere.example"),
        changed(&format!("operators = [\"{}\"]", accounts.ann.user_id()), ""),
    ] {
        said.push_str(&accounts.check(&config).await.replace(accounts.telegram.url(), "BOT-API"));
        said.push_str("\n\n");
    }
    assert_snapshot!(said, @"
      ERROR    Telegram does not accept the bot's token: copy it again from @BotFather (/mybots, API Token) to `token`, and check `api_url` if you changed it
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ok       the password of @frontdesk is right
      ok       the desk main: #desk will be made at the first run
    = 1

      ERROR    cannot reach Telegram (no connection: Connection refused (os error 111))
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ok       the password of @frontdesk is right
      ok       the desk main: #desk will be made at the first run
    = 1

      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ERROR    the homeserver refuses the password of @frontdesk; check `user` and `password`
    = 1

      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ERROR    cannot reach http://127.0.0.1:9/: no connection; is it running, and is `homeserver` right?
    = 1

      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ERROR    BOT-API/ does not answer like a Matrix homeserver (404 Not Found); check `homeserver`
    = 1

      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ERROR    the homeserver does not know the access token; make a new one for `token`, or use `password`
    = 1

      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ok       the password of @frontdesk is right
      ERROR    the desk main: the homeserver cannot look for #desk:elsewhere.example (502 Bad Gateway); check `room`, or try again later
    = 1

      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ok       the password of @frontdesk is right
      ERROR    the desk main: there is no room #desk, and one that we make could be entered by nobody; set `operators`, or make the room and invite @frontdesk
    = 1
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_html_is_no_bot_api() {
    let accounts = Accounts::new().await;
    accounts.telegram.fail_next("getMe", 1, Fault::before(Answer::Html(200)));
    let said = accounts.check(&accounts.config()).await;
    assert!(said.contains("ERROR    the answer was not one of the Bot API: check `api_url`\n"), "{said}");
    accounts.telegram.fail_next("getMe", 1, Fault::before(Answer::Html(502)));
    let said = accounts.check(&accounts.config()).await;
    assert!(said.contains("ERROR    ") && said.ends_with("= 1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_looked_at_from_inside_and_from_outside() {
    let accounts = Accounts::new().await;
    let (config, bot) = (accounts.config(), accounts.bot.user_id.clone());
    let local = accounts.alias()[1..].split(':').next().unwrap().to_owned();
    let room = NewRoom { alias: Some(local), encrypted: false, ..NewRoom::default() };
    let room = accounts.ann.create_room(room).await;
    let mut said = accounts.check(&config).await + "\n\n";
    accounts.ann.invite(&room, &bot).await;
    said.push_str(&(accounts.check(&config).await + "\n\n"));

    let token = accounts.synapse.access_token(&accounts.bot).await;
    let join = format!("/_matrix/client/v3/rooms/{room}/join");
    let (status, answer) = accounts.synapse.request("POST", &join, Some(&token), Some(json!({}))).await;
    assert_eq!(status, 200, "{answer}");
    accounts.ann.set_state(&room, "m.room.join_rules", "", json!({ "join_rule": "public" })).await;
    accounts.ann.set_state(&room, "m.room.power_levels", "", json!({ "events_default": 50 })).await;
    said.push_str(&(accounts.check(&config).await + "\n\n"));
    let anybody = config.replace(&format!("operators = [\"{}\"]", accounts.ann.user_id()), "encrypted = false");
    said.push_str(&accounts.check(&anybody).await);
    assert_snapshot!(said, @"
      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ok       the password of @frontdesk is right
      ERROR    the desk main: #desk exists, but @frontdesk is not in it; invite it there, or name another room
    = 1

      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ok       the password of @frontdesk is right
      ok       the desk main: @frontdesk is invited to #desk, and accepts at the next run
    = 0

      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ok       the password of @frontdesk is right
      ok       the desk main: we are in #desk, which is not encrypted
      warning  the desk main: what customers write lies readable on the homeserver: switch on encryption in the room's settings, or write encrypted = false
      ERROR    the desk main: we may not write in #desk: give @frontdesk the power level 50 there
      ok       the desk main: of the operators are in it: @ann
    = 1

      ok       the token belongs to the bot @frontdesk_test_bot (123456789)
      ok       nobody else receives its messages by a webhook, and none waits to be read
    matrix.desk
      ok       HOMESERVER/ is a Matrix homeserver
      ok       the password of @frontdesk is right
      ok       the desk main: we are in #desk, which is not encrypted
      ERROR    the desk main: #desk is public, so anybody could answer customers; make it invite-only, or set `operators`
      ERROR    the desk main: we may not write in #desk: give @frontdesk the power level 50 there
      ok       the desk main: the other member of the room may answer
    = 1
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_beside_the_running_program_and_for_programs() {
    let mut shop = Shop::new().await;
    shop.up().await;
    shop.room().await;
    let said = check(shop.folder.path(), &["--json"]).await;
    let (printed, status) = said.rsplit_once("= ").unwrap();
    let printed: Value = serde_json::from_str(printed).unwrap();
    assert_eq!((status, &printed["ok"]), ("0", &json!(true)), "{said}");
    let findings: Vec<&Value> =
        printed["online"].as_array().unwrap().iter().flat_map(|it| it["findings"].as_array().unwrap()).collect();
    assert!(findings.iter().all(|finding| finding["severity"] == "ok"), "{said}");
    assert!(findings.iter().any(|it| it["text"].as_str().unwrap().starts_with("logged in as ")), "{said}");
    assert!(findings.iter().any(|it| it["text"].as_str().unwrap().contains("which is encrypted")), "{said}");
    assert_eq!(shop.get("/readyz").await.unwrap().0, 200, "the program is not disturbed");
}
