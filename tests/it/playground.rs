//! The far sides without the program: to try it by hand. Not a test.
//!
//! ```sh
//! PLAYGROUND=shop cargo test --test it playground -- --ignored --nocapture
//! ```
//!
//! writes `frontdesk.toml` into that folder, then reads lines: `c Anna Hello` is a customer's message, `o Anna Hi` an
//! operator's answer in Anna's thread, `chat Anna` and `room` show what is seen.

use std::{collections::BTreeMap, fs, path::PathBuf};

use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use crate::program::{PATIENCE, Shop};

#[tokio::test]
#[ignore = "needs a person: see the top of the file"]
async fn playground() {
    let folder = PathBuf::from(std::env::var("PLAYGROUND").expect("PLAYGROUND names a folder"));
    let shop = Shop::new().await;
    fs::create_dir_all(&folder).unwrap();
    fs::copy(shop.folder.path().join("frontdesk.toml"), folder.join("frontdesk.toml")).unwrap();
    println!("{} is ready; start the program there", folder.join("frontdesk.toml").display());
    let mut customers: BTreeMap<String, i64> = BTreeMap::new();
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        match words.as_slice() {
            ["c", name, text] => {
                let next = 1000 + i64::try_from(customers.len()).unwrap();
                let id =
                    *customers.entry((*name).to_owned()).or_insert_with(|| shop.telegram.user(next, name, Some("en")));
                shop.telegram.says(id, text);
            }
            ["o", name, text] => {
                let room = shop.room().await;
                let thread = shop.thread(&room, name).await;
                shop.ann.say_in_thread(&room, &thread, text).await;
            }
            ["chat", name] => {
                let received = customers.get(*name).map(|id| shop.telegram.received(*id)).unwrap_or_default();
                received.iter().for_each(|sent| println!("  {name} reads: {}", sent.text));
            }
            ["room"] => println!("{}", shop.ann.transcript(&shop.room().await)),
            ["wait", text] => {
                shop.ann.wait_for_text(&shop.room().await, text, PATIENCE).await;
            }
            _ => println!("c NAME TEXT | o NAME TEXT | chat NAME | room | wait WORD"),
        }
    }
}
