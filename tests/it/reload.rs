//! The owner changes the config while the program runs.

use std::{fs, path::Path};

use frontdesk_core::SendError;
use insta::assert_snapshot;

use crate::{
    fake::Fault,
    program::{PATIENCE, Shop},
    world::World,
};

const CONFIG: &str = r##"
[business]
name = "Blue Door Bakery"
timezone = "Europe/Berlin"
[hours]
monday-friday = ["09:00-18:00"]
[telegram.shop]
token = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"
[matrix.desk]
homeserver = "https://matrix.example.org"
user = "@frontdesk:example.org"
password = "hunter2"
[desks.main]
channel = "matrix.desk"
room = "#frontdesk:example.org"
"##;

/// A Monday in a shop whose config lies in this folder, as `frontdesk.toml`.
async fn monday(folder: &Path) -> World {
    let file = folder.join("frontdesk.toml");
    fs::write(&file, CONFIG).unwrap();
    let mut world = World::at("2026-11-23T10:00[Europe/Berlin]").await;
    world.config = Some(file);
    world.restart().await;
    world
}

/// What the program told the desk, without the folder's name.
fn told(world: &World, folder: &Path) -> String {
    world.room().replace(&folder.display().to_string(), "FOLDER")
}

/// As editors do: a new file in the place of the old one.
fn replace(folder: &Path, config: &str) {
    let (new, file) = (folder.join("new"), folder.join("frontdesk.toml"));
    fs::write(&new, config).unwrap();
    fs::rename(new, file).unwrap();
}

#[tokio::test(start_paused = true)]
async fn hours_and_words_hold_from_when_the_file_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let world = monday(folder.path()).await;
    world.says("Anna", "Hello").await;
    world.secs(15).await;
    let texts =
        "[replies]\nack_delay_secs = 1\n[replies.text.en]\nfirst_contact_closed = \"Closed. Back {{ opening }}.\"\n";
    replace(folder.path(), &(CONFIG.replace("09:00-18:00", "14:00-18:00") + texts));
    world.secs(10).await;
    world.says("Ben", "Hello").await;
    world.secs(5).await;
    assert_snapshot!(format!("{}{}", world.chat("Anna"), world.chat("Ben")), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Ben: Hello
    frontdesk: Closed. Back today at 14:00.
    ");
    assert_eq!(told(&world, folder.path()).matches("config").count(), 0, "what is well is not told");
}

#[tokio::test(start_paused = true)]
async fn a_file_with_a_mistake_is_refused_and_told_once_and_so_is_its_cure() {
    let folder = tempfile::tempdir().unwrap();
    let world = monday(folder.path()).await;
    let file = folder.path().join("frontdesk.toml");
    let bad = CONFIG.replace("09:00-18:00", "9-18").replace("hunter2\"", "hunter2").replace("token = ", "tokn = ");
    fs::write(&file, bad).unwrap();
    world.secs(60).await;
    fs::write(&file, CONFIG.replace("09:00-18:00", "14-18").replace("name =", "nam =")).unwrap();
    world.secs(60).await;
    world.says("Anna", "Hello").await;
    world.secs(15).await;
    fs::write(&file, CONFIG.replace("09:00-18:00", "14:00-18:00") + "[http]\nlisten = \"127.0.0.1:9090\"\n").unwrap();
    world.secs(60).await;
    world.says("Ben", "Hello").await;
    world.secs(15).await;
    assert_snapshot!(told(&world, folder.path()), @r#"
    notice: frontdesk: The config was changed, and has a mistake. What held before holds on until it is mended:
      FOLDER/frontdesk.toml:12: column 20: this is not TOML: invalid basic string, expected `"`; is a quote
    notice: frontdesk: missing?
    notice: frontdesk: The config was changed, and has a mistake. What held before holds on until it is mended:
      FOLDER/frontdesk.toml:3: business.nam: unknown key; did you mean `name`?
    notice: frontdesk: FOLDER/frontdesk.toml:6: hours.monday-friday: `14-18` is not a span of time; write it as "14:00-18:00"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:02
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    notice: frontdesk: The config is read again: its hours and automatic texts hold from now on. The program has to be started again for what else has changed: [http].
    notice: frontdesk: Ben · telegram.shop · new
      Waiting since Mon 23 Nov, 10:03
        frontdesk: Ben: Hello
        notice: frontdesk: Sent automatically: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived. We are closed at the moment and open again today at 14:00; one of us will answer you here after that.
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_notice_to_the_desk_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = monday(folder.path()).await;
    for _ in 0..20 {
        world.desk.fail_next(Fault::Before(SendError::Transient("no connection".into())));
    }
    fs::write(folder.path().join("frontdesk.toml"), "not a config").unwrap();
    world.secs(5).await;
    assert_eq!(told(&world, folder.path()), "", "the desk could not be reached");
    world.config = None;
    world.desk.heal();
    world.restart().await;
    world.secs(5).await;
    assert_eq!(told(&world, folder.path()).matches("this is not TOML").count(), 1);
}

#[tokio::test]
async fn a_hangup_makes_the_program_read_its_file_again() {
    let mut shop = Shop::with("[hours]\nmonday-sunday = [\"00:00-24:00\"]").await;
    shop.up().await;
    let room = shop.room().await;
    let file = shop.folder.path().join("frontdesk.toml");
    let good = fs::read_to_string(&file).unwrap();
    replace(shop.folder.path(), &good.replace("00:00-24:00", "00:00-25:00"));
    shop.ann.wait_for_text(&room, "there is no 25:00", PATIENCE).await;
    replace(shop.folder.path(), &good.replace("ack_delay_secs = 2", "ack_delay_secs = 1"));
    shop.ann.wait_for_text(&room, "The config is read again", PATIENCE).await;
    shop.hang_up();
    shop.logs("asked to read the config again").await;
    assert_eq!(shop.get("/readyz").await.unwrap().0, 200, "it goes on");
    assert!(!shop.log().contains(shop.telegram.token()), "a token in the log");
}
