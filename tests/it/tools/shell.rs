//! The tools as a shell sees them: on the socket of a program that runs, and on the store of one that does not.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};

use frontdesk_core::SendError;
use insta::assert_snapshot;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::{
    fake::Fault,
    world::{MONDAY, World},
};

/// A folder with a config whose data are the world's.
struct Shell {
    folder: TempDir,
}

impl Shell {
    fn on(data: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        let config = format!(
            "[business]\nname = \"Blue Door Bakery\"\ntimezone = \"Europe/Berlin\"\n[telegram.shop]\ntoken = {{ env = \"NOT_SET\" }}\n\
             [matrix.desk]\n[desks.main]\nchannel = \"matrix.desk\"\n[store]\nurl = \"sled:{}\"\n",
            data.display()
        );
        fs::write(folder.path().join("frontdesk.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// What is printed, marked with where to, and the exit status.
    async fn run(&self, arguments: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path()).env_remove("FRONTDESK_CONFIG");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let marked = |mark: &str, bytes: &[u8]| -> String {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let text = text.replace(self.folder.path().to_str().unwrap(), "/here");
            text.lines().map(|line| format!("{mark} {line}").trim_end().to_owned() + "\n").collect()
        };
        let status = output.status.code().unwrap();
        format!("{}{}= {status}", marked(">", &output.stdout), marked("!", &output.stderr))
    }
}

/// Without the figures that differ from run to run.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for part in text.split_inclusive(char::is_whitespace) {
        let digits = part.chars().filter(char::is_ascii_digit).count();
        let is_time = digits >= 4 && part.contains([':', '-']) && !part.contains('/');
        if is_time {
            plain.extend(part.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }));
        } else {
            plain.push_str(part);
        }
    }
    plain
}

/// Anna has an answer and Ben waits; one more answer for Anna cannot go out.
async fn a_day(world: &World) {
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi Anna,\nhow can we help?").await;
    world.answers("ann", "Anna", "!note she likes rye").await;
    world.says("Ben", "Is \u{1b}[31mthe cake\u{1b}[0m ready?").await;
    for _ in 0..200 {
        world.shop.fail_next(Fault::Before(SendError::Transient("away".into())));
    }
    world.answers("ann", "Anna", "Rye is ready.").await;
}

#[tokio::test(start_paused = true)]
async fn a_store_at_rest_is_read_and_changed() {
    let mut world = World::at(MONDAY).await;
    a_day(&world).await;
    world.kill().await;
    let shell = Shell::on(world.folder());
    assert_snapshot!(shell.run("inbox list").await, @"
    >      2  Ben  telegram.shop  waiting since 2026-11-23 10:00
    >      1  Anna  telegram.shop  answered 2026-11-23 10:00
    = 0
    ");
    assert_snapshot!(shell.run("inbox show 1").await, @"
    >      1  Anna  telegram.shop  answered 2026-11-23 10:00
    > 2026-11-23 10:00  Anna: Hello
    > 2026-11-23 10:00  ann (to the customer): Hi Anna,
    >                     how can we help?
    >                     sent (2026-11-23 10:00)
    > 2026-11-23 10:00  ann (inside): !note she likes rye
    > 2026-11-23 10:00  ann (to the customer): Rye is ready.
    = 0
    ");
    assert_snapshot!(shell.run("inbox show 7").await, @"
    ! frontdesk: there is no conversation 7; `frontdesk inbox list --all` shows their numbers
    = 1
    ");
    assert_snapshot!(shell.run("outbox list").await, @"
    >      7  answer to Anna on telegram.shop, since 2026-11-23 10:00: Rye is ready.
    >         failed once; frontdesk does not run
    = 0
    ");
    assert_snapshot!(shell.run("outbox drop 9").await, @"
    ! What is dropped is never sent; add --yes if that is what you want.
    = 2
    ");
    assert_snapshot!(shell.run("outbox retry").await, @"
    ! error: the following required arguments were not provided:
    !   <NUMBER>
    !
    ! Usage: frontdesk outbox retry <NUMBER>
    !
    ! For more information, try '--help'.
    = 2
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_program_answers_on_its_socket() {
    let mut world = World::at(MONDAY).await;
    a_day(&world).await;
    let shell = Shell::on(world.folder());
    let socket = world.folder().join("control.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let listed = shell.run("inbox list --json").await;
    assert_eq!(listed.matches("\"waiting_since\"").count(), 1, "{listed}");
    let rows = shell.run("outbox list --json").await;
    let row: serde_json::Value = serde_json::from_str(rows.lines().next().unwrap().trim_start_matches("> ")).unwrap();
    assert_eq!((row["text"].as_str(), row["to"].as_str()), (Some("Rye is ready."), Some("Anna on telegram.shop")));
    let exported = shell.run("inbox export").await;
    assert_eq!(exported.matches("> {\"message\"").count(), 5, "{exported}");

    world.shop.heal();
    assert_snapshot!(shell.run("outbox retry --all").await, @"
    > It is tried now.
    = 0
    ");
    for _ in 0..120 {
        if shell.run("outbox list --json").await.starts_with("! Nothing waits") {
            break;
        }
        world.settle().await;
    }
    assert!(world.chat("Anna").ends_with("frontdesk: Rye is ready.\n"), "{}", world.chat("Anna"));
    assert_snapshot!(shell.run("outbox list").await, @"
    ! Nothing waits to be sent.
    = 0
    ");

    // After a kill a stale socket is left, and is replaced at the start.
    world.kill().await;
    assert!(shell.run("inbox list").await.ends_with("= 0"));
    world.start().await;
    assert!(shell.run("inbox list").await.ends_with("= 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_stands_nonsense_and_crowds() {
    let world = World::at(MONDAY).await;
    let socket = world.folder().join("control.sock");
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(UnixStream::connect(&socket).await.unwrap());
    }
    let mut late = UnixStream::connect(&socket).await.unwrap();
    let mut told = String::new();
    late.read_to_string(&mut told).await.unwrap();
    assert_snapshot!(told, @r#"{"failed":"too many tools ask at the same time; try again in a moment"}"#);

    let mut mad = idle.pop().unwrap();
    mad.write_all(b"{\"tool\":\"launch\"}\n").await.unwrap();
    let mut told = vec![0; 60];
    mad.read_exact(&mut told).await.unwrap();
    assert!(
        String::from_utf8(told).unwrap().starts_with("{\"failed\":\"the running frontdesk does not understand this: ")
    );
    // A line without an end is not read for ever.
    let endless = vec![b'x'; 2 * 1024 * 1024];
    let _ = mad.write_all(&endless).await;
    let ended = tokio::time::timeout(Duration::from_secs(20), async {
        while mad.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
    });
    ended.await.expect("the connection was ended");
    drop(idle);
    world.says("Anna", "Hello").await;
    assert!(world.room().contains("Anna: Hello"));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_people_is_imported_line_by_line() {
    let mut world = World::at(MONDAY).await;
    world.kill().await;
    // As the program makes it.
    fs::set_permissions(world.folder(), fs::Permissions::from_mode(0o700)).unwrap();
    let shell = Shell::on(world.folder());
    let list = "\u{feff}Channel;User;Name;Language;Since\ntelegram.shop;4242;\"Anna; the baker\";de;2019\n\
                telegram.shp;1;Ben\n\ntelegram.shop;;Cleo\ntelegram.shop;@ben_b;Ben;klingonisch\n\
                telegram.shop;+49 30 123456;\"Cleo\ntelegram.shop;77;Cleo;\nmatrix.desk;@ann:example.org;Ann\n";
    fs::write(shell.path("people.csv"), list).unwrap();
    assert_snapshot!(shell.run("contacts import people.csv").await, @r#"
    > 2 new, 0 were known already
    ! people.csv:3: there is no channel "telegram.shp"; did you mean "telegram.shop"?
    ! people.csv:5: `user` is missing, or is no user id: write the platform's user id, @username, or a phone number with its +
    ! people.csv:6: `klingonisch` is not a language tag; write it like "en" or "pt-br"
    ! people.csv:7: a quote is not closed; write "" for a quote inside quotes
    ! people.csv:9: customers cannot write to "matrix.desk"; the config has telegram.shop
    ! 5 were left out, as said above; correct the file and import it again.
    = 1
    "#);
    assert_snapshot!(shell.run("contacts import people.csv --json").await, @r#"
    > {"new":0,"already":2,"bad":5}
    ! people.csv:3: there is no channel "telegram.shp"; did you mean "telegram.shop"?
    ! people.csv:5: `user` is missing, or is no user id: write the platform's user id, @username, or a phone number with its +
    ! people.csv:6: `klingonisch` is not a language tag; write it like "en" or "pt-br"
    ! people.csv:7: a quote is not closed; write "" for a quote inside quotes
    ! people.csv:9: customers cannot write to "matrix.desk"; the config has telegram.shop
    = 1
    "#);
    fs::write(shell.path("names.csv"), "name,phone\nAnna,1\n").unwrap();
    assert_snapshot!(shell.run("contacts import names.csv").await, @"
    ! frontdesk: names.csv:1: the first line must name the columns: channel,user and, if you like, name,language
    = 1
    ");
    fs::write(shell.path("latin1.csv"), b"channel,user\ntelegram.shop,M\xfcller\ntelegram.shop,78\n").unwrap();
    assert_snapshot!(shell.run("contacts import latin1.csv").await, @r#"
    > 1 new, 0 were known already
    ! latin1.csv:2: this line is not UTF-8; save the file as "CSV UTF-8"
    ! 1 was left out, as said above; correct the file and import it again.
    = 1
    "#);
    world.start().await;
    world.says("77", "Hello").await;
    world.secs(60).await;
    assert_eq!(world.chat("77"), "77: Hello\n");
}

#[tokio::test(start_paused = true)]
async fn a_backup_is_written_once_and_restored_into_an_empty_folder_only() {
    let mut world = World::at(MONDAY).await;
    a_day(&world).await;
    world.kill().await;
    let key = world.folder().join("matrix/desk/recovery-key");
    fs::create_dir_all(key.parent().unwrap()).unwrap();
    fs::write(&key, "a key").unwrap();
    fs::write(world.folder().join("matrix/desk/session.json"), "the device's own").unwrap();
    let shell = Shell::on(world.folder());
    let saved = shell.run("backup saved").await;
    assert!(saved.starts_with("> saved: ") && saved.contains(" records, 0.0 MB, begun "), "{saved}");
    assert!(
        saved.ends_with("> It holds messages, names and keys: keep it where only you can read it.\n= 0"),
        "{saved}"
    );
    assert_eq!(fs::metadata(shell.path("saved")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_snapshot!(shell.run("backup saved").await, @"
    ! frontdesk: /here/saved is there already, and a backup overwrites nothing; choose another name
    = 1
    ");
    assert_snapshot!(shell.run("backup nowhere/saved").await, @"
    ! frontdesk: /here/nowhere/saved.part cannot be written: No such file or directory (os error 2); choose a folder that frontdesk can write to
    = 1
    ");
    let refused = shell.run("restore saved").await;
    assert!(refused.contains("is not empty, and what is in it must not mix with a backup") && refused.ends_with("= 1"));

    let whole = fs::read(shell.path("saved")).unwrap();
    let other = Shell::on(Path::new("data"));
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    for (name, bytes) in
        [("flipped", &flipped[..]), ("cut", &whole[..whole.len() - 9]), ("other", b"PK\x03\x04 a zip file")]
    {
        fs::write(other.path(name), bytes).unwrap();
    }
    for name in ["flipped", "cut"] {
        let said = other.run(&format!("restore {name}")).await;
        assert!(
            said.starts_with(&format!("! frontdesk: {name} is not whole: it is damaged, or cut off, after ")),
            "{said}"
        );
        assert!(said.ends_with("Nothing was restored; take another backup\n= 1"), "{said}");
    }
    assert_snapshot!(other.run("restore other").await, @"
    ! frontdesk: other is not a backup that this frontdesk can read; is it the right file, and is frontdesk up to date?
    = 1
    ");
    assert_snapshot!(other.run("restore nowhere").await, @"
    ! frontdesk: nowhere cannot be read: No such file or directory (os error 2)
    = 1
    ");
    assert!(!other.path("data").exists(), "nothing is half restored");

    fs::write(other.path("saved"), &whole).unwrap();
    assert_snapshot!(plain(&other.run("restore saved").await), @"
    > data is restored from the backup of 0000-00-00 00:00.
    > Of what waited then, 1 for customers may have arrived since (answers are put before the operators), and 0 for the desk go out once more, marked.
    > Start frontdesk: it logs in to Matrix as a new device, and tells the desk.
    = 0
    ");
    assert_eq!(fs::read_to_string(other.path("data/matrix/desk/recovery-key")).unwrap(), "a key");
    assert!(!other.path("data/matrix/desk/session.json").exists());
    assert_eq!(fs::metadata(other.path("data")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_snapshot!(plain(&other.run("inbox show 1").await), @"
    >      1  Anna  telegram.shop  answered 0000-00-00 00:00
    > 0000-00-00 00:00  Anna: Hello
    > 0000-00-00 00:00  ann (to the customer): Hi Anna,
    >                     how can we help?
    >                     sent (0000-00-00 00:00)
    > 0000-00-00 00:00  ann (inside): !note she likes rye
    > 0000-00-00 00:00  ann (to the customer): Rye is ready.
    = 0
    ");
    fs::create_dir(other.path("data/restoring")).unwrap();
    assert_snapshot!(other.run("inbox list").await, @"
    ! frontdesk: a restore into data did not finish; move that folder away and restore again
    = 1
    ");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_where_there_was_nothing() {
    let shell = Shell::on(Path::new("data"));
    assert_snapshot!(shell.run("inbox list").await, @"
    ! frontdesk: there is nothing in data yet; is this the folder that frontdesk is started from, and the right config?
    = 1
    ");
    assert!(!shell.path("data").exists());
    // But people can be named before the first start: that is when it matters.
    fs::write(shell.path("people.csv"), "channel,user\ntelegram.shop,4242\n").unwrap();
    assert_snapshot!(shell.run("contacts import people.csv").await, @"
    > 1 new, 0 were known already
    = 0
    ");
    assert_eq!(fs::metadata(shell.path("data")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_snapshot!(shell.run("inbox list --all").await, @"
    ! Nobody has written yet.
    = 0
    ");
}
