//! The whole program, lost with its machine and made again from a backup.

use std::{fs, process::Command};

use crate::program::{PATIENCE, Shop};

const ANNA: i64 = 4711;
const BEN: i64 = 4712;

/// A command in the shop's folder, while the program runs or not.
async fn frontdesk(shop: &Shop, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command.args(arguments).current_dir(shop.folder.path()).env_remove("FRONTDESK_CONFIG");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

#[tokio::test]
async fn the_program_goes_on_from_a_backup_as_a_new_device() {
    let mut shop = Shop::new().await;
    shop.up().await;
    let room = shop.room().await;
    shop.telegram.user(ANNA, "Anna", Some("en"));
    shop.telegram.user(BEN, "Ben", Some("en"));
    shop.telegram.says(ANNA, "Do you have rye bread?");
    let thread = shop.thread(&room, "Anna").await;
    shop.ann.wait_for_text(&room, "Sent automatically", PATIENCE).await;
    let saved = frontdesk(&shop, &["backup", "saved"]).await;
    assert!(saved.contains("saved: ") && saved.contains(" records"), "{saved}");
    // What comes after the backup is not in it, and is not done a second time.
    shop.ann.say_in_thread(&room, &thread, "Yes, until six.").await;
    shop.telegram.wait_received(ANNA, 2, PATIENCE).await;

    shop.kill();
    fs::rename(shop.folder.path().join("data"), shop.folder.path().join("lost")).unwrap();
    let restored = frontdesk(&shop, &["restore", "saved"]).await;
    assert!(restored.contains("data is restored from the backup of "), "{restored}");
    shop.telegram.says(BEN, "Is the cake ready?");
    shop.up().await;
    shop.ann.wait_for_text(&room, "frontdesk was restored from a backup of ", PATIENCE).await;
    let ben = shop.thread(&room, "Ben").await;
    let asked = shop.ann.wait_for_text(&room, "Is the cake ready?", PATIENCE).await;
    assert!(asked.encrypted, "by the new device too");
    shop.ann.say_in_thread(&room, &thread, "Anything else?").await;
    shop.ann.say_in_thread(&room, &ben, "At noon.").await;
    shop.telegram.wait_received(ANNA, 3, PATIENCE).await;
    shop.telegram.wait_received(BEN, 2, PATIENCE).await;
    let said: Vec<_> = shop.telegram.received(ANNA).into_iter().skip(1).map(|sent| sent.text).collect();
    assert_eq!(said, ["Yes, until six.", "Anything else?"]);
    assert!(frontdesk(&shop, &["inbox", "list"]).await.contains("Anna"));
}
