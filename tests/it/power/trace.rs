//! What a program changed in one folder, in order: recorded by `trace.c`, read here.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

/// What was recorded; the bytes that were written stay in one place.
pub struct Trace {
    pub records: Vec<Record>,
    bytes: Vec<u8>,
}

/// Files and folders go by their inode.
#[derive(Debug)]
pub enum Record {
    Create {
        inode: u64,
        folder: u64,
        name: String,
    },
    MakeFolder {
        inode: u64,
        folder: u64,
        name: String,
    },
    Write {
        inode: u64,
        offset: u64,
        bytes: Range<usize>,
    },
    Truncate {
        inode: u64,
        length: u64,
    },
    /// `data`: by `fdatasync`, which leaves out the times of the file.
    Sync {
        inode: u64,
        data: bool,
    },
    Rename {
        folder: u64,
        from: String,
        to: String,
    },
    Unlink {
        folder: u64,
        name: String,
    },
    /// A line that the program wrote about itself.
    Note(String),
}

impl Trace {
    /// Whether programs can be traced on this machine.
    pub const POSSIBLE: bool = cfg!(all(target_os = "linux", target_env = "gnu"));

    /// Compiles the recorder into `folder`.
    pub fn recorder(folder: &Path) -> PathBuf {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/power/trace.c");
        let library = folder.join("trace.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&library);
        let output = compiler.args([source, "-ldl", "-lpthread"]).output().expect("a C compiler named cc");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        library
    }

    pub fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("a trace");
        let (mut records, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let (record, end) = parse(&bytes, at);
            records.push(record);
            at = end;
        }
        Self { records, bytes }
    }

    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }
}

/// The record at `at`, and where the next one begins.
fn parse(bytes: &[u8], at: usize) -> (Record, usize) {
    const HEAD: usize = 6 * size_of::<u64>();
    let field = |n: usize| u64::from_le_bytes(bytes[at + n * 8..][..8].try_into().unwrap());
    let [op, inode, other, offset] = [0, 1, 2, 3].map(field);
    let [names, length] = [4, 5].map(|n| usize::try_from(field(n)).unwrap());
    let payload = at + HEAD + names..at + HEAD + names + length;
    let text = String::from_utf8(bytes[at + HEAD..][..names].to_vec()).unwrap();
    let mut names = text.split_terminator('\0').map(str::to_owned);
    let mut name = || names.next().expect("a name");
    let end = payload.end;
    let record = match op {
        1 => Record::Create { inode, folder: other, name: name() },
        2 => Record::MakeFolder { inode, folder: other, name: name() },
        3 => Record::Write { inode, offset, bytes: payload },
        4 => Record::Truncate { inode, length: offset },
        5 => Record::Sync { inode, data: other == 1 },
        6 => {
            assert_eq!(inode, other, "moved from one folder to another: the replay does not know that");
            Record::Rename { folder: inode, from: name(), to: name() }
        }
        7 => Record::Unlink { folder: inode, name: name() },
        8 => Record::Note(String::from_utf8(bytes[payload].to_vec()).unwrap().trim_end().to_owned()),
        unknown => panic!("a record of kind {unknown}"),
    };
    (record, end)
}
