#![allow(clippy::unwrap_used, clippy::expect_used)]

use insta::assert_snapshot;
use jiff::SignedDuration;

use super::Config;

const EXAMPLE: &str = include_str!("../../config/frontdesk.toml");
const WHATSAPP_TOKEN: &str = "EAAstandInStandInStandInStandIn";
const TOKEN: &str = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc";

/// The example, with the secrets in it.
fn example() -> String {
    EXAMPLE
        .replace("{ env = \"TELEGRAM_TOKEN\" }", &format!("\"{TOKEN}\""))
        .replace("{ env = \"WHATSAPP_TOKEN\" }", &format!("\"{WHATSAPP_TOKEN}\""))
        .replace("{ env = \"WHATSAPP_APP_SECRET\" }", "\"0123456789abcdef0123456789abcdef\"")
        .replace("{ env = \"WHATSAPP_VERIFY_TOKEN\" }", "\"open sesame\"")
        .replace("{ env = \"MATRIX_PASSWORD\" }", "\"hunter2\"")
}

/// What is wrong with the example after one change.
fn changed(from: &str, to: &str) -> String {
    let example = example();
    assert!(example.contains(from), "the example has no `{from}`");
    problems(&example.replacen(from, to, 1))
}

fn problems(text: &str) -> String {
    match Config::parse(text, "frontdesk.toml") {
        Ok(_) => String::new(),
        Err(problems) => {
            let text = problems.to_string();
            let secrets = ["AAEh", "hunter2", "EAAstandIn", "0123456789abcdef", "open sesame"];
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "a secret is shown: {text}");
            text
        }
    }
}

#[test]
fn the_example_has_no_problem() {
    assert_eq!(problems(&example()), "");
    let config = Config::parse(&example(), "frontdesk.toml").unwrap();
    assert_eq!(config.business.name, "Blue Door Bakery");
    assert!(!config.hours.is_always());
    let channels: Vec<&str> = config.channels.iter().map(|channel| channel.id.as_str()).collect();
    assert_eq!(channels, ["telegram.shop", "whatsapp.shop", "matrix.desk"]);
    assert_eq!(config.desks[0].operators, ["@ann:example.org".into()]);
}

#[test]
fn what_the_example_shows_behind_a_number_sign_is_what_holds_without_it() {
    let shown: String = example()
        .lines()
        .map(|line| {
            let key = line.strip_prefix("# ").filter(|key| key.split(' ').nth(1) == Some("="));
            // These have no default.
            key.filter(|key| !key.starts_with("again_after") && !key.starts_with("recovery_key")).unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(problems(&shown), "");
    let (shown, silent) = (Config::parse(&shown, "a").unwrap(), Config::parse(&example(), "a").unwrap());
    assert_eq!(format!("{:?}", shown.replies), format!("{:?}", silent.replies));
    assert_eq!(format!("{:?}", shown.conversations), format!("{:?}", silent.conversations));
    assert_eq!(format!("{:?}", shown.channels), format!("{:?}", silent.channels));
    assert_eq!((shown.http.listen, shown.data), (silent.http.listen, silent.data));
    assert_eq!(shown.desks[0].sign.as_deref(), Some("{{ operator }}"));
}

#[test]
fn a_config_has_the_units_that_its_keys_name() {
    let text = example().replace(
        "[conversations]",
        "[conversations]\nreopen_within_hours = 2\nclose_idle_days = 2\ngive_up_after_hours = 5",
    );
    let text = text.replace("[replies]", "[replies]\nack_delay_secs = 1\nhuman_present_mins = 1\nagain_after_days = 1");
    let config = Config::parse(&text, "frontdesk.toml").unwrap();
    assert_eq!(config.replies.ack_delay, SignedDuration::from_secs(1));
    assert_eq!(config.replies.human_present, SignedDuration::from_mins(1));
    assert_eq!(config.replies.again_after, Some(SignedDuration::from_hours(24)));
    assert_eq!(config.conversations.reopen_within, SignedDuration::from_hours(2));
    assert_eq!(config.conversations.close_idle, SignedDuration::from_hours(48));
    assert_eq!(config.conversations.give_up_after, SignedDuration::from_hours(5));
}

#[test]
fn every_mistake_is_found_at_once_with_its_line_and_cure() {
    let text = r##"
[business]
nam = "Blue Door Bakery"
timezone = "Europe/Berln"
languages = ["en", "English please"]
[hours]
mondy = ["09:00-18:00"]
tuesday = "09:00-18:00"
wednesday = ["9-17", "25:00-26:00"]
thursday-saturday = ["09:00-12:00", "11:00-13:00"]
friday = []
[[hours.exceptions]]
from = 2026-12-24
to = "2026-12-20"
open = []
[[hours.exceptions]]
from = "2026-02-30"
opne = []
[replies]
ack_delay_secs = "10"
after_hours = 1
repeat_after_days = 0
[replies.text.en]
first_contct = "Hi"
after_hours = "Back {{ opnening }}"
[conversation]
close_idle_days = 3
[telegram.Shop]
tokn = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"
[whatsapp.shop]
[matrix.desk]
homeserver = 5
user = "@frontdesk:example.org"
password = "hunter2"
[desks.main]
channel = "matrix.dsk"
rom = "#frontdesk:example.org"
[http]
listen = "localhost:8080"
public_url = "https://chat.example"
[store]
url = "postgres://db"
"##;
    assert_snapshot!(problems(text), @r#"
    frontdesk.toml:3: business.nam: unknown key; did you mean `name`?
    frontdesk.toml:4: business.timezone: `Europe/Berln` is not a time zone; did you mean `Europe/Berlin`?
    frontdesk.toml:5: business.languages: `English please` is not a language tag; write it like "en" or "pt-br"
    frontdesk.toml:7: hours.mondy: `mondy` is not a day; did you mean `monday`?
    frontdesk.toml:8: hours.tuesday: expected a list of times, such as ["09:00-12:30", "13:30-18:00"]; [] is closed
    frontdesk.toml:9: hours.wednesday: `9-17` is not a span of time; write it as "09:00-17:00"
    frontdesk.toml:9: hours.wednesday: `25:00-26:00`: there is no 25:00; a day goes from 00:00 to 24:00
    frontdesk.toml:10: hours.thursday-saturday: thursday: 09:00-12:00 and 11:00-13:00 overlap
    frontdesk.toml:10: hours.thursday-saturday: saturday: 09:00-12:00 and 11:00-13:00 overlap
    frontdesk.toml:11: hours.friday: Friday is also in `thursday-saturday`; name each day once
    frontdesk.toml:12: hours.exceptions: the exception of 2026-12-24 to 2026-12-20: ends before it begins; exchange `from` and `to`
    frontdesk.toml:17: hours.exceptions.from: expected a date of the calendar as year-month-day, such as "2026-12-24"
    frontdesk.toml:18: hours.exceptions.opne: unknown key; did you mean `open`?
    frontdesk.toml:20: replies.ack_delay_secs: expected a whole number, found text
    frontdesk.toml:21: replies.after_hours: expected true or false, found a number
    frontdesk.toml:22: replies.repeat_after_days: 0 is out of bounds; expected 1 to 365 days
    frontdesk.toml:24: replies.text.en.first_contct: unknown key; did you mean `first_contact`?
    frontdesk.toml:25: replies.text.en.after_hours: there is no {{ opnening }}; there are {{ first_name }}, {{ business }}, {{ opening }}, {{ hours_today }}, {{ reply_time }}; did you mean {{ opening }}?
    frontdesk.toml:26: conversation: unknown key; did you mean `conversations`?
    frontdesk.toml:28: telegram.Shop: expected a name of 1 to 40 characters out of a-z, 0-9, _ and -
    frontdesk.toml:29: telegram.Shop.tokn: unknown key; did you mean `token`?
    frontdesk.toml:30: whatsapp.shop.phone_number_id: is missing; write the id (not the number itself) that Meta's app dashboard shows under WhatsApp > API Setup, about 15 digits
    frontdesk.toml:30: whatsapp.shop.access_token: is missing; write access_token = { env = "WHATSAPP_TOKEN" } and put there the token of a system user (Meta Business settings > System users > Generate token)
    frontdesk.toml:30: whatsapp.shop.app_secret: is missing; write app_secret = { env = "WHATSAPP_APP_SECRET" } and put there what Meta's app dashboard shows under App settings > Basic
    frontdesk.toml:30: whatsapp.shop.verify_token: is missing; write verify_token = { env = "WHATSAPP_VERIFY_TOKEN" } and put there a long random word of your own, the same that you give to Meta with the webhook's address
    frontdesk.toml:32: matrix.desk.homeserver: expected a text in quotes, found a number
    frontdesk.toml:36: desks.main.channel: there is no channel "matrix.dsk"; did you mean "matrix.desk"?
    frontdesk.toml:37: desks.main.rom: unknown key; did you mean `room`?
    frontdesk.toml:39: http.listen: expected an address and a port; write "127.0.0.1:8080" (this machine only) or "0.0.0.0:8080" (every network)
    frontdesk.toml:40: http.public_url: this is not built yet; take it out, or put a # before its lines
    frontdesk.toml:42: store.url: PostgreSQL is not built yet; write "sled:data"
    "#);
}

#[test]
fn an_empty_file_says_what_it_takes() {
    assert_snapshot!(problems(""), @r#"
    frontdesk.toml: business.name: is missing; write what customers call you, such as name = "Blue Door Bakery" under [business]
    frontdesk.toml: business.timezone: is missing; write where the business is, such as timezone = "Europe/Berlin" under [business]
    frontdesk.toml: telegram: no channel that customers can write to; add one with [telegram.shop] and its token
    frontdesk.toml: desks: no place where you answer; add [desks.main] with a channel and a room
    "#);
}

#[test]
fn a_slip_in_the_toml_is_found_with_its_column_and_a_hint() {
    let token = format!("\"{TOKEN}\"");
    let mut found = String::new();
    for (from, to) in [
        ("\"Blue Door Bakery\"", "Blue Door Bakery"),
        (token.as_str(), TOKEN),
        (token.as_str(), &token[..20]),
        ("\"hunter2\"", "\"hunter2"),
        ("[\"09:00-13:00\"]", "[\"09:00-13:00\""),
        ("[business]", "[business"),
        ("timezone = ", "timezone "),
        ("saturday = ", "monday = "),
    ] {
        found.push_str(&changed(from, to));
        found.push_str("\n\n");
    }
    assert_snapshot!(found, @r#"
    frontdesk.toml:12: column 8: this is not TOML: string values must be quoted, expected literal string; texts stand in quotes: key = "text"

    frontdesk.toml:69: column 9: this is not TOML: invalid time, expected minute; texts stand in quotes: key = "text"

    frontdesk.toml:69: column 29: this is not TOML: invalid basic string, expected `"`; is a quote missing?

    frontdesk.toml:88: column 56: this is not TOML: invalid basic string, expected `"`; is a quote missing?

    frontdesk.toml:27: column 1: this is not TOML: missing comma between array elements, expected `,`; is a ] missing in a line above?

    frontdesk.toml:11: column 10: this is not TOML: unclosed table, expected `]`

    frontdesk.toml:13: column 10: this is not TOML: key with no value, expected `=`; a line is `key = value`, `[table]`, or a # comment

    frontdesk.toml:24: column 1: this is not TOML: duplicate key; a key or table stands only once in a file: keep one
    "#);
}

#[test]
fn a_secret_of_the_wrong_form_is_not_repeated() {
    let token = format!("\"{TOKEN}\"");
    let mut found = String::new();
    for secret in [
        format!("[{token}]"),
        format!("{{ evn = {token} }}"),
        format!("{{ env = {token} }}"),
        "{ env = \"FRONTDESK_TEST_NOT_SET\" }".to_owned(),
        "{ file = \"/nowhere/token\" }".to_owned(),
        "123456789".to_owned(),
        "\"\"".to_owned(),
    ] {
        found.push_str(&changed(&format!("token = {token}"), &format!("token = {secret}")));
        found.push('\n');
    }
    found.push_str(&changed("[telegram.shop]", "[telegram]"));
    found.push('\n');
    found.push_str(&changed("[desks.main]", "[desks]"));
    found.push('\n');
    found.push_str(&changed("user = \"@frontdesk:example.org\"", "user = [\"hunter2\"]"));
    assert_snapshot!(found, @r#"
    frontdesk.toml:69: telegram.shop.token: expected a text, { env = "NAME" } or { file = "/path" }
    frontdesk.toml:69: telegram.shop.token: expected a text, { env = "NAME" } or { file = "/path" }
    frontdesk.toml:69: telegram.shop.token: expected the name of an environment variable, such as { env = "TELEGRAM_TOKEN" }
    frontdesk.toml:69: telegram.shop.token: the environment variable FRONTDESK_TEST_NOT_SET is not set
    frontdesk.toml:69: telegram.shop.token: the file /nowhere/token cannot be read: No such file or directory (os error 2)
    frontdesk.toml:69: telegram.shop.token: expected a text, { env = "NAME" } or { file = "/path" }
    frontdesk.toml:69: telegram.shop.token: the text is empty
    frontdesk.toml:68: telegram: each account has a name of yours: write [telegram.shop]
    frontdesk.toml:91: desks: each desk has a name of yours: write [desks.main]
    frontdesk.toml:91: desks: no place where you answer; add [desks.main] with a channel and a room
    frontdesk.toml:87: matrix.desk.user: expected a text in quotes, found a list
    "#);
}

#[test]
fn desks_are_checked_against_the_channels_and_each_other() {
    let desk = "[desks.main]                       # a room";
    let mut found = String::new();
    for (from, to) in [
        ("channel = \"matrix.desk\"", "channel = \"telegram.shop\""),
        ("channel = \"matrix.desk\"", ""),
        ("channel = \"matrix.desk\"", "channel = 5"),
        ("channel = \"matrix.desk\"", "channel = \"whatsapp.shop\""),
        ("# encrypted", "chat = -100 #"),
        (desk, "[desks.other]\nchannel = \"matrix.desk\"\nroom = \"#frontdesk:example.org\"\n[desks.main] #"),
        (desk, "[desks.\"Main desk\"] #"),
        ("[telegram.shop] ", "[matrix.shop] #"),
    ] {
        found.push_str(&changed(from, to));
        found.push_str("\n\n");
    }
    assert_snapshot!(found, @r#"
    frontdesk.toml:92: desks.main.channel: a desk on Telegram is not built yet; use a Matrix channel

    frontdesk.toml:91: desks.main.channel: is missing; write the channel that it is on, such as channel = "matrix.desk"

    frontdesk.toml:92: desks.main.channel: expected a text in quotes

    frontdesk.toml:92: desks.main.channel: WhatsApp has no place for a desk; use a Matrix channel

    frontdesk.toml:95: desks.main.chat: this is not built yet; take it out, or put a # before its lines

    frontdesk.toml:96: desks.main.room: the desk `other` is in this room already; each desk needs a room of its own

    frontdesk.toml:91: desks.Main desk: expected a name of 1 to 40 characters out of a-z, 0-9, _ and -

    frontdesk.toml:68: matrix.shop.homeserver: is missing; write the address, as in "https://matrix.example.org"
    frontdesk.toml:68: matrix.shop.user: is missing; write the whole id, as in "@frontdesk:example.org"
    "#);
}

#[test]
fn two_channels_with_one_whatsapp_number_are_refused() {
    let table = example();
    let (start, end) = (table.find("[whatsapp.shop]").unwrap(), table.find("# --- Where you answer").unwrap());
    let second = table[start..end].replace("[whatsapp.shop]", "[whatsapp.second]");
    assert_snapshot!(changed("# --- Where you answer", &format!("{second}\n# ---")), @"frontdesk.toml:84: whatsapp.second.phone_number_id: whatsapp.shop has this number already; each channel needs a number of its own");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let found = Config::load(std::path::Path::new("nowhere/frontdesk.toml")).err().unwrap().to_string();
    assert!(found.starts_with("nowhere/frontdesk.toml: cannot be read: "), "{found}");
}

#[test]
fn without_hours_it_is_always_open() {
    let text = example();
    let (start, end) = (text.find("[hours]").unwrap(), text.find("[replies]").unwrap());
    let config = Config::parse(&format!("{}{}", &text[..start], &text[end..]), "frontdesk.toml").unwrap();
    assert!(config.hours.is_always());
}
