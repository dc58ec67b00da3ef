//! The power fails: what was confirmed is on the disk, and the database opens.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use fastrand::Rng;

use self::{
    replay::{Disk, Fate},
    trace::{Record, Trace},
    workload::Confirmed,
};

mod full;
mod replay;
mod trace;
mod workload;

/// How often the power is cut in an ordinary run; `FRONTDESK_CUTS` sets another number.
const CUTS: usize = 64;
/// The program is started so often on the same disk: closed in order, killed in the middle, and killed again.
const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_confirmed_survives_a_power_cut_at_any_moment() {
    let Some(recorded) = Recorded::shared() else { return };
    let cuts = std::env::var("FRONTDESK_CUTS").map_or(CUTS, |cuts| cuts.parse().expect("a number of cuts"));
    let outcome = recorded.cut(cuts, |_| true).await;
    println!("{outcome}");
    assert!(outcome.bad.is_empty(), "{outcome}");
    assert_eq!(outcome.cuts, cuts);
}

/// The same disk, if the store did not call `sync_data` after each commit: what sled syncs by itself is not enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_syncing_the_data_a_power_cut_would_be_seen_to_lose_some() {
    let Some(recorded) = Recorded::shared() else { return };
    let outcome = recorded.cut(20, |record| !matches!(record, Record::Sync { data: true, .. })).await;
    println!("{outcome}");
    assert!(outcome.bad.len() > 5, "the cuts find nothing: {outcome}");
}

/// Not a test of its own: what the traced process does.
#[test]
#[ignore = "started by the tests of power cuts"]
fn the_traced_program() {
    let Some(plan) = std::env::var_os("FRONTDESK_POWER") else { return };
    let (store, notes) = (PathBuf::from(plan), PathBuf::from(std::env::var_os("FRONTDESK_NOTES").unwrap()));
    let round = std::env::var("FRONTDESK_ROUND").unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(workload::run(&store, &notes, round, round > 0));
}

/// What the program did to its disk.
struct Recorded {
    /// The inode of the disk's own folder.
    root: u64,
    trace: Trace,
}

fn record() -> Recorded {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Trace::recorder(folder.path());
    fs::create_dir(folder.path().join("disk")).unwrap();
    for round in 0..ROUNDS {
        let output = program(folder.path(), &recorder, round).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() || (round > 0 && !said.contains("panicked")), "round {round}: {said}");
    }
    let disk = folder.path().join("disk");
    let recorded =
        Recorded { root: fs::metadata(&disk).unwrap().ino(), trace: Trace::read(&folder.path().join("trace")) };
    recorded.check(&disk);
    recorded
}

/// What works on `disk` in a folder, under the recorder.
fn program(folder: &Path, recorder: &Path, round: usize) -> Command {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "power::the_traced_program", "--ignored", "--nocapture"]);
    program.env("LD_PRELOAD", recorder).env("FRONTDESK_TRACED", folder.join("disk"));
    program.env("FRONTDESK_TRACE", folder.join("trace")).env("FRONTDESK_NOTES", folder.join("notes"));
    program.env("FRONTDESK_POWER", folder.join("disk/store")).env("FRONTDESK_ROUND", round.to_string());
    program
}

impl Recorded {
    /// One recording for all tests; `None` where programs cannot be traced.
    fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Recorded> = OnceLock::new();
        if !Trace::POSSIBLE {
            eprintln!("skipped: power cuts are only imagined on Linux with glibc");
            return None;
        }
        Some(SHARED.get_or_init(record))
    }

    /// Without a cut the replay gives what really lies there: nothing was written past the recorder.
    fn check(&self, real: &Path) {
        let mut disk = Disk::new(&self.trace, self.root);
        self.trace.records.iter().for_each(|record| disk.apply(record));
        let replayed = tempfile::tempdir().unwrap();
        disk.after_cut(replayed.path(), Fate::Everything, &mut Rng::with_seed(0));
        let (real, replayed) = (tree(real), tree(replayed.path()));
        let names = |tree: &[(PathBuf, Vec<u8>)]| tree.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(names(&real), names(&replayed));
        assert!(real == replayed, "the replay gives other bytes than those on the disk");
    }

    /// Cuts the power at `cuts` moments of a disk that carries out those records that it is to.
    async fn cut(&self, cuts: usize, carries_out: impl Fn(&Record) -> bool) -> Cuts {
        let seed = std::env::var("FRONTDESK_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
        let mut rng = Rng::with_seed(seed);
        let moments = self.moments(cuts, &mut rng);
        let mut disk = Disk::new(&self.trace, self.root);
        let mut confirmed = Confirmed::default();
        let mut outcome = Cuts { seed, cuts: 0, events: 0, bad: Vec::new() };
        let mut moments = moments.into_iter().peekable();
        for (at, record) in self.trace.records.iter().enumerate() {
            if let Record::Note(line) = record {
                confirmed.note(line);
            }
            if carries_out(record) {
                disk.apply(record);
            }
            while moments.next_if_eq(&at).is_some() {
                let (fate, left) = (Fate::random(&mut rng), tempfile::tempdir().unwrap());
                disk.after_cut(left.path(), fate, &mut rng);
                outcome.cuts += 1;
                outcome.events += confirmed.events();
                if let Err(problem) = workload::examine(&left.path().join("store"), &confirmed).await {
                    outcome.bad.push(format!("after record {at}, {fate:?}: {problem}"));
                }
            }
        }
        outcome
    }

    /// Most of them right after something was confirmed, some anywhere, and some while the store is first made.
    fn moments(&self, cuts: usize, rng: &mut Rng) -> Vec<usize> {
        let notes = self.trace.records.iter().enumerate().filter(|(_, record)| matches!(record, Record::Note(_)));
        let notes: Vec<usize> = notes.map(|(at, _)| at).collect();
        let moment = |n: usize| match n % 8 {
            0 => rng.usize(..notes[0]),
            1 | 2 => rng.usize(notes[0]..self.trace.records.len()),
            _ => notes[rng.usize(..notes.len())],
        };
        let mut moments: Vec<usize> = (0..cuts).map(moment).collect();
        moments.sort_unstable();
        moments
    }
}

struct Cuts {
    seed: u64,
    cuts: usize,
    /// Confirmed events, over all cuts.
    events: usize,
    bad: Vec<String>,
}

impl std::fmt::Display for Cuts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, cuts, events, bad } = self;
        writeln!(f, "{cuts} power cuts with {events} confirmed events: {} bad (FRONTDESK_SEED={seed})", bad.len())?;
        bad.iter().take(10).try_for_each(|bad| writeln!(f, "  {bad}"))
    }
}

/// Every file below a folder with its bytes, in order; without the reserve, whose room is taken without a write.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        for entry in fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => left.push(path),
                false if path.ends_with("reserve") => {}
                false => files.push((path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap())),
            }
        }
    }
    files.sort();
    files
}
