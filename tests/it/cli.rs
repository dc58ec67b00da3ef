//! The command line, as a shell sees it: what is printed where, and the exit status.

use std::{fs, path::Path, process::Command};

use insta::assert_snapshot;
use tempfile::TempDir;

const EXAMPLE: &str = include_str!("../../config/frontdesk.toml");
const TOKEN: &str = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc";

/// A folder to run in, with the secrets of the example in the environment.
struct Shell {
    folder: TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn with(config: &str) -> Self {
        let shell = Self::new();
        fs::write(shell.folder.path().join("frontdesk.toml"), config).unwrap();
        shell
    }

    fn run(&self, arguments: &str) -> String {
        self.run_with(arguments, &[])
    }

    /// Everything printed, marked with where to, and the exit status.
    fn run_with(&self, arguments: &str, environment: &[(&str, &Path)]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env_remove("FRONTDESK_CONFIG")
            .env("TELEGRAM_TOKEN", TOKEN)
            .env("WHATSAPP_TOKEN", "EAAstandInStandInStandInStandIn")
            .env("WHATSAPP_APP_SECRET", "0123456789abcdef0123456789abcdef")
            .env("WHATSAPP_VERIFY_TOKEN", "open sesame")
            .env("MATRIX_PASSWORD", "hunter2")
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let marked = |mark: &str, bytes: &[u8]| -> String {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let secrets = ["AAEh", "EAAstandIn", "0123456789abcdef", "open sesame", "hunter2"];
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "a secret is shown: {text}");
            text.lines().map(|line| format!("{mark} {line}").trim_end().to_owned() + "\n").collect()
        };
        let status = output.status.code().unwrap();
        format!("{}{}= {status}", marked(">", &output.stdout), marked("!", &output.stderr))
    }
}

#[test]
fn without_a_config_it_says_what_to_do() {
    assert_snapshot!(Shell::new().run(""), @"
    ! There is no config file yet: no ./frontdesk.toml, and neither --config nor $FRONTDESK_CONFIG names one.
    !
    ! Copy the annotated example, config/frontdesk.toml, to ./frontdesk.toml, and put in the name of your business,
    ! your Telegram bot and the Matrix room where you answer. Then:
    !
    !     frontdesk check    finds every mistake in it
    !     frontdesk          starts
    !
    ! (Trying it without a file, with a chat in the browser, comes in a later version.)
    = 2
    ");
}

#[test]
fn check_says_what_a_good_config_sets_up() {
    // Without hours: what is printed does not depend on the day.
    let (start, end) = (EXAMPLE.find("[hours]").unwrap(), EXAMPLE.find("[replies]").unwrap());
    let config = format!("{}{}", &EXAMPLE[..start], &EXAMPLE[end..]);
    assert_snapshot!(Shell::with(&config).run("check"), @"
    > frontdesk.toml: all is well
    >   business       Blue Door Bakery
    >   time zone      Europe/Berlin
    >   languages      en, de
    >   hours          open now, day and night: no hours are set
    >   channels       telegram.shop, whatsapp.shop, matrix.desk
    >   desks          main on matrix.desk
    >   listens on     127.0.0.1:8080
    >   keeps data in  data
    = 0
    ");
    assert_snapshot!(Shell::with(&config).run("check --json"), @r#"
    > {
    >   "business": "Blue Door Bakery",
    >   "channels": [
    >     "telegram.shop",
    >     "whatsapp.shop",
    >     "matrix.desk"
    >   ],
    >   "data": "data",
    >   "desks": [
    >     {
    >       "channel": "matrix.desk",
    >       "name": "main"
    >     }
    >   ],
    >   "file": "frontdesk.toml",
    >   "languages": [
    >     "en",
    >     "de"
    >   ],
    >   "listen": "127.0.0.1:8080",
    >   "ok": true,
    >   "open": true,
    >   "problems": [],
    >   "timezone": "Europe/Berlin"
    > }
    = 0
    "#);
}

#[test]
fn check_finds_nothing_wrong_with_the_example() {
    let found = Shell::with(EXAMPLE).run("check");
    assert!(found.contains("all is well") && found.ends_with("= 0"), "{found}");
}

#[test]
fn check_prints_every_problem_to_stderr() {
    let config = EXAMPLE.replace("Europe/Berlin", "Europe/Berln").replace("[\"09:00-13:00\"]", "[\"9-13\"]");
    assert_snapshot!(Shell::with(&config).run("check"), @r#"
    ! frontdesk.toml:13: business.timezone: `Europe/Berln` is not a time zone; did you mean `Europe/Berlin`?
    ! frontdesk.toml:24: hours.saturday: `9-13` is not a span of time; write it as "09:00-13:00"
    ! 2 problems
    = 1
    "#);
    assert_snapshot!(Shell::with(&config).run("check --json"), @r#"
    > {
    >   "file": "frontdesk.toml",
    >   "ok": false,
    >   "problems": [
    >     {
    >       "file": "frontdesk.toml",
    >       "key": "business.timezone",
    >       "line": 13,
    >       "text": "`Europe/Berln` is not a time zone; did you mean `Europe/Berlin`?"
    >     },
    >     {
    >       "file": "frontdesk.toml",
    >       "key": "hours.saturday",
    >       "line": 24,
    >       "text": "`9-13` is not a span of time; write it as \"09:00-13:00\""
    >     }
    >   ]
    > }
    = 1
    "#);
}

#[test]
fn run_refuses_a_bad_config() {
    let config = EXAMPLE.replace("timezone", "timezon");
    assert_snapshot!(Shell::with(&config).run(""), @"
    ! frontdesk.toml:13: business.timezon: unknown key; did you mean `timezone`?
    ! Correct the file; `frontdesk check` reads it again.
    = 1
    ");
}

#[test]
fn the_config_is_the_one_that_is_named() {
    let shell = Shell::with("not a config");
    let other = shell.folder.path().join("other.toml");
    fs::write(&other, EXAMPLE).unwrap();
    assert!(shell.run("check --config other.toml").ends_with("= 0"));
    assert!(shell.run("--config other.toml check").ends_with("= 0"));
    assert!(shell.run_with("check", &[("FRONTDESK_CONFIG", &other)]).ends_with("= 0"));
    assert_snapshot!(shell.run_with("check --config nowhere.toml", &[("FRONTDESK_CONFIG", &other)]), @"
    ! nowhere.toml: cannot be read: No such file or directory (os error 2); --config FILE names another one
    ! 1 problem
    = 1
    ");
}

#[test]
fn hours_shows_the_days_from_a_moment_on() {
    let shell = Shell::with(EXAMPLE);
    assert_snapshot!(shell.run("hours --at 2026-12-23T10:00 --days 6"), @"
    > open now, until 18:00
    > Wed 2026-12-23  09:00-18:00               today
    > Thu 2026-12-24  closed (Christmas)
    > Fri 2026-12-25  closed (Christmas)
    > Sat 2026-12-26  closed (Christmas)
    > Sun 2026-12-27  closed
    > Mon 2026-12-28  09:00-12:30, 13:30-18:00
    = 0
    ");
    assert_snapshot!(shell.run("hours --at 2026-12-24T11:00:00Z --days 2 --json"), @r#"
    > {
    >   "at": "2026-12-24T11:00:00Z",
    >   "days": [
    >     {
    >       "date": "2026-12-24",
    >       "exception": true,
    >       "name": "Christmas",
    >       "open": []
    >     },
    >     {
    >       "date": "2026-12-25",
    >       "exception": true,
    >       "name": "Christmas",
    >       "open": []
    >     }
    >   ],
    >   "open": false,
    >   "since": "2026-12-23T17:00:00Z",
    >   "timezone": "Europe/Berlin",
    >   "until": "2026-12-28T08:00:00Z"
    > }
    = 0
    "#);
}

#[test]
fn hours_needs_no_secret_and_check_does() {
    let shell = Shell::with(&EXAMPLE.replace("TELEGRAM_TOKEN", "FRONTDESK_TEST_NOT_SET"));
    assert!(shell.run("hours --days 1").ends_with("= 0"));
    let found = shell.run("check");
    assert!(found.contains("the environment variable FRONTDESK_TEST_NOT_SET is not set"), "{found}");
    assert!(found.ends_with("= 1"), "{found}");
}

#[test]
fn what_is_no_command_is_usage() {
    let shell = Shell::with(EXAMPLE);
    assert_snapshot!(shell.run("chek"), @"
    ! error: unrecognized subcommand 'chek'
    !
    !   tip: some similar subcommands exist: 'schema', 'check'
    !
    ! Usage: frontdesk [OPTIONS] [COMMAND]
    !
    ! For more information, try '--help'.
    = 2
    ");
    assert_snapshot!(shell.run("hours --days 0"), @"
    ! error: invalid value '0' for '--days <DAYS>': 0 is not in 1..=366
    !
    ! For more information, try '--help'.
    = 2
    ");
    assert_snapshot!(shell.run("hours --at tomorrow"), @r#"
    ! --at is no time; write it like "2026-12-24 10:00" or "2026-12-24T09:00:00Z"
    = 2
    "#);
    assert!(shell.run("--version").starts_with("> frontdesk "));
}

#[test]
fn check_finds_a_config_without_a_desk_or_customers_and_a_token_in_the_wrong_place() {
    let config = format!(
        "[business]\nname = \"Shop\"\ntimezone = \"Europe/Berlin\"\n[telegram.shop]\ntoken = {{ file = \"{TOKEN}\" }}\n\
         [matrix]\n[desks]\n"
    );
    assert_snapshot!(Shell::with(&config).run("check"), @r#"
    ! frontdesk.toml:5: telegram.shop.token: expected the path of a file, such as { file = "/run/secrets/telegram" }
    ! frontdesk.toml:7: desks: no place where you answer; add [desks.main] with a channel and a room
    ! 2 problems
    = 1
    "#);
    let config = "[business]\nname = \"Shop\"\ntimezone = \"Europe/Berlin\"\n[telegram]\n";
    assert_snapshot!(Shell::with(config).run("check"), @"
    ! frontdesk.toml:4: telegram: no channel that customers can write to; add one with [telegram.shop] and its token
    ! frontdesk.toml: desks: no place where you answer; add [desks.main] with a channel and a room
    ! 2 problems
    = 1
    ");
}

#[test]
fn preview_shows_each_text_open_and_closed_and_without_a_name() {
    let shell = Shell::with(&EXAMPLE.replace("TELEGRAM_TOKEN", "FRONTDESK_TEST_NOT_SET"));
    assert_snapshot!(shell.run("preview --at 2026-12-23T10:00 --lang en"), @"
    > en, open (Wed 2026-12-23 10:00)
    >   first_contact
    >     | Hi Anna, thank you for writing to Blue Door Bakery. A person reads every message.
    >     to somebody whose name is not known:
    >     | Hi, thank you for writing to Blue Door Bakery. A person reads every message.
    >   invitation
    >     | Hi Anna, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message. Today we are open 09:00–18:00.
    >     to somebody whose name is not known:
    >     | Hi, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message. Today we are open 09:00–18:00.
    >
    > en, closed (Wed 2026-12-23 18:00)
    >   first_contact_closed
    >     | Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived. We are closed at the moment and open again on Monday at 09:00; one of us will answer you here after that.
    >     to somebody whose name is not known:
    >     | Hi, thank you for writing to Blue Door Bakery. Your message has arrived. We are closed at the moment and open again on Monday at 09:00; one of us will answer you here after that.
    >   after_hours
    >     | Hi Anna, we are closed at the moment and open again on Monday at 09:00. Your message is waiting for us here.
    >     to somebody whose name is not known:
    >     | Hi, we are closed at the moment and open again on Monday at 09:00. Your message is waiting for us here.
    >   invitation
    >     | Hi Anna, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message. We are closed at the moment and open again on Monday at 09:00.
    >     to somebody whose name is not known:
    >     | Hi, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message. We are closed at the moment and open again on Monday at 09:00.
    = 0
    ");
    let german = shell.run("preview --at 2026-12-24T10:00 --lang de");
    assert!(german.starts_with("> de, closed (Thu 2026-12-24 10:00)\n>   first_contact_closed\n"), "{german}");
    assert!(german.contains("\n> de, open (Mon 2026-12-28 09:00)\n>   first_contact\n"), "{german}");
    let both = shell.run("preview --at 2026-12-23T10:00 --json");
    let printed: String = both.lines().filter_map(|line| line.strip_prefix("> ")).collect();
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let texts = printed["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 2 * 5, "{both}");
    assert_eq!(texts[0]["text"], "Hi Anna, thank you for writing to Blue Door Bakery. A person reads every message.");
    assert_eq!(
        texts[0]["text_without_name"],
        "Hi, thank you for writing to Blue Door Bakery. A person reads every message."
    );
}

#[test]
fn preview_says_nothing_about_hours_where_there_are_none_to_tell() {
    let quiet = EXAMPLE.replace("# after_hours = true", "after_hours = false #");
    let said = Shell::with(&quiet).run("preview --at 2026-12-24T10:00 --lang en");
    assert!(said.starts_with("> en, closed (Thu 2026-12-24 10:00)\n>   first_contact\n"), "{said}");
    assert!(!said.contains("first_contact_closed") && !said.contains("after_hours"), "{said}");
    let (start, end) = (EXAMPLE.find("[hours]").unwrap(), EXAMPLE.find("[replies]").unwrap());
    let always = format!("{}{}", &EXAMPLE[..start], &EXAMPLE[end..]);
    let said = Shell::with(&always).run("preview --lang en");
    assert!(said.starts_with("> en, open (") && !said.contains("closed"), "{said}");
    assert_snapshot!(Shell::with(EXAMPLE).run("preview --lang fr"), @"
    ! `fr` is not one of business.languages, which are en, de
    = 2
    ");
}

#[test]
fn the_schema_needs_no_config() {
    let printed = Shell::new().run("schema");
    assert!(printed.contains("\"title\": \"The config of frontdesk\"") && printed.ends_with("= 0"), "{printed}");
}
