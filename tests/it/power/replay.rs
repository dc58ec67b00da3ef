//! A disk that lost its power: what the program had synced is there, and of the rest what chance kept.
//!
//! The model is as strict as disks are. A sync of a file settles its bytes and its length, not its name; a sync of a
//! folder settles the names in it. Of what is not settled, each block of a file shows what it held at some moment since
//! the last sync, whatever the other blocks show; so does the length; and so do the names in a folder, all of them at
//! one moment, because file systems keep a journal of those.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    ops::Range,
    path::Path,
};

use fastrand::Rng;

use super::trace::{Record, Trace};

pub struct Disk<'a> {
    trace: &'a Trace,
    nodes: Vec<Node>,
    /// What an inode's number stands for now; it is given out again when its file is gone.
    by_inode: HashMap<u64, usize>,
}

enum Node {
    File { settled: Vec<u8>, since: Vec<Change> },
    Folder { settled: Names, since: Vec<Names> },
}

type Names = BTreeMap<String, usize>;

#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Range<usize> },
    Truncate(usize),
}

/// How much of what is not synced is kept.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    Nothing,
    Everything,
    /// All up to one moment, of each file.
    UpTo,
    /// Each block of this size for itself.
    Blocks(usize),
}

impl Fate {
    pub fn random(rng: &mut Rng) -> Self {
        match rng.u32(..10) {
            0..3 => Self::Nothing,
            3 => Self::Everything,
            4 => Self::UpTo,
            5..8 => Self::Blocks(4096),
            _ => Self::Blocks(512),
        }
    }
}

impl<'a> Disk<'a> {
    /// `root` is the inode of the traced folder, which is empty and settled.
    pub fn new(trace: &'a Trace, root: u64) -> Self {
        let folder = Node::Folder { settled: Names::new(), since: Vec::new() };
        Self { trace, nodes: vec![folder], by_inode: HashMap::from([(root, 0)]) }
    }

    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Create { inode, folder, name } => {
                let made = self.add(*inode, Node::File { settled: Vec::new(), since: Vec::new() });
                self.rename(*folder, |names| _ = names.insert(name.clone(), made));
            }
            Record::MakeFolder { inode, folder, name } => {
                let made = self.add(*inode, Node::Folder { settled: Names::new(), since: Vec::new() });
                self.rename(*folder, |names| _ = names.insert(name.clone(), made));
            }
            Record::Write { inode, offset, bytes } => {
                self.change(*inode, Change::Write { offset: usize::try_from(*offset).unwrap(), bytes: bytes.clone() });
            }
            Record::Truncate { inode, length } => {
                self.change(*inode, Change::Truncate(usize::try_from(*length).unwrap()));
            }
            Record::Sync { inode, .. } => self.sync(*inode),
            Record::Rename { folder, from, to } => self.rename(*folder, |names| {
                let moved = names.remove(from).expect("a name that is there");
                names.insert(to.clone(), moved);
            }),
            Record::Unlink { folder, name } => self.rename(*folder, |names| _ = names.remove(name)),
            Record::Note(_) => {}
        }
    }

    /// Writes what is left after a cut at this moment into an empty folder.
    pub fn after_cut(&self, into: &Path, fate: Fate, rng: &mut Rng) {
        self.write_folder(0, into, fate, rng);
    }

    fn write_folder(&self, folder: usize, path: &Path, fate: Fate, rng: &mut Rng) {
        let Node::Folder { settled, since } = &self.nodes[folder] else { panic!("not a folder: {}", path.display()) };
        let moment = moment(fate, since.len(), rng);
        for (name, node) in if moment == 0 { settled } else { &since[moment - 1] } {
            let path = path.join(name);
            match &self.nodes[*node] {
                Node::File { settled, since } => fs::write(&path, self.content(settled, since, fate, rng)).unwrap(),
                Node::Folder { .. } => {
                    fs::create_dir(&path).unwrap();
                    self.write_folder(*node, &path, fate, rng);
                }
            }
        }
    }

    fn content(&self, settled: &[u8], since: &[Change], fate: Fate, rng: &mut Rng) -> Vec<u8> {
        let mut content = settled.to_vec();
        let kept = &since[..moment(fate, since.len(), rng)];
        match fate {
            Fate::Nothing | Fate::Everything | Fate::UpTo => {
                kept.iter().for_each(|change| apply(self.trace, &mut content, change));
            }
            Fate::Blocks(size) => {
                let seed = rng.u64(..);
                let moments = |block: usize| Rng::with_seed(seed ^ block as u64).usize(..=since.len());
                for (n, change) in since.iter().enumerate() {
                    self.apply_blocks(&mut content, change, size, |block| n < moments(block));
                }
                content.resize(length_at(settled.len(), kept), 0);
            }
        }
        content
    }

    /// Carries out a change in those blocks that keep it.
    fn apply_blocks(&self, content: &mut Vec<u8>, change: &Change, size: usize, keeps: impl Fn(usize) -> bool) {
        let (start, end, bytes) = match change {
            Change::Write { offset, bytes } => (*offset, offset + bytes.len(), Some(self.trace.bytes(bytes))),
            Change::Truncate(length) => (*length, content.len(), None),
        };
        let mut at = start;
        while at < end {
            let next = end.min((at / size + 1) * size);
            if keeps(at / size) {
                content.resize(content.len().max(next), 0);
                match bytes {
                    Some(bytes) => content[at..next].copy_from_slice(&bytes[at - start..next - start]),
                    None => content[at..next].fill(0),
                }
            }
            at = next;
        }
    }

    fn add(&mut self, inode: u64, node: Node) -> usize {
        self.nodes.push(node);
        self.by_inode.insert(inode, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn node(&mut self, inode: u64) -> &mut Node {
        let node = self.by_inode.get(&inode).expect("an inode that was recorded");
        &mut self.nodes[*node]
    }

    fn rename(&mut self, folder: u64, change: impl FnOnce(&mut Names)) {
        let Node::Folder { settled, since } = self.node(folder) else { panic!("not a folder") };
        let mut names = since.last().unwrap_or(settled).clone();
        change(&mut names);
        since.push(names);
    }

    fn change(&mut self, inode: u64, change: Change) {
        let Node::File { since, .. } = self.node(inode) else { panic!("not a file") };
        since.push(change);
    }

    fn sync(&mut self, inode: u64) {
        let trace = self.trace;
        match self.node(inode) {
            Node::Folder { settled, since } => {
                *settled = since.drain(..).next_back().unwrap_or(std::mem::take(settled))
            }
            Node::File { settled, since } => {
                for change in since.drain(..) {
                    apply(trace, settled, &change);
                }
            }
        }
    }
}

fn apply(trace: &Trace, content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, bytes } => {
            let end = offset + bytes.len();
            content.resize(content.len().max(end), 0);
            content[*offset..end].copy_from_slice(trace.bytes(bytes));
        }
        Change::Truncate(length) => content.resize(*length, 0),
    }
}

fn length_at(settled: usize, changes: &[Change]) -> usize {
    changes.iter().fold(settled, |length, change| match change {
        Change::Write { offset, bytes } => length.max(offset + bytes.len()),
        Change::Truncate(length) => *length,
    })
}

/// After how many of the changes.
fn moment(fate: Fate, changes: usize, rng: &mut Rng) -> usize {
    match fate {
        Fate::Nothing => 0,
        Fate::Everything => changes,
        Fate::UpTo | Fate::Blocks(_) => rng.usize(..=changes),
    }
}
