//! Groups the steps that wait and commits them together: one batch, one sync, then everyone is answered.
//!
//! There is no task that would have to be stopped: the first step that waits brings a worker onto the blocking threads,
//! which goes when nothing waits any more. So the database closes with its last user, and tests with a paused clock see
//! no time pass during a commit.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{Semaphore, oneshot},
    task::spawn_blocking,
};

use super::{super::StoreError, disk::Disk, room::Need, txn::Txn};

/// Steps in one commit.
const GROUP: usize = 64;
/// Steps that wait; who comes later waits outside.
const QUEUE: usize = 256;

/// Does its work, and says afterwards how the commit went.
type Step = Box<dyn FnOnce(&mut Txn) -> Answer + Send>;
type Answer = Box<dyn FnOnce(&Result<(), StoreError>) + Send>;

pub(super) struct Committer {
    disk: Arc<Disk>,
    queue: Arc<Mutex<Queue>>,
    room: Arc<Semaphore>,
}

#[derive(Default)]
struct Queue {
    steps: VecDeque<Step>,
    /// A worker is on its way or at work.
    worked: bool,
}

impl Committer {
    pub(super) fn new(disk: Arc<Disk>) -> Self {
        Self { disk, queue: Arc::default(), room: Arc::new(Semaphore::new(QUEUE)) }
    }

    /// [`Committer::step_in`] for what goes on with what was taken in.
    pub(super) async fn step<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Txn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.step_in(Need::Next, work).await
    }

    /// Carries out a step after all that came before it, if there is room for it. It is on disk when this returns; when
    /// it fails, or the commit does, nothing of it is. It is carried out as well when the caller goes away.
    pub(super) async fn step_in<T: Send + 'static>(
        &self,
        need: Need,
        work: impl FnOnce(&mut Txn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        self.enqueue(Box::new(move |txn| {
            let outcome = txn.attempt(|txn| txn.room(need).and_then(|()| work(txn)));
            Box::new(move |committed| {
                drop(room);
                // Nobody listens when the caller went away.
                let _ = answer.send(committed.clone().and(outcome));
            })
        }));
        answered.await.unwrap_or_else(|_| Err(self.disk.healthy().err().unwrap_or(StoreError::Stopped)))
    }

    /// Reads what is committed.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Txn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let disk = Arc::clone(&self.disk);
        spawn_blocking(move || disk.view(read)).await.unwrap_or(Err(StoreError::Stopped))
    }

    pub(super) fn room(&self, need: Need) -> Result<(), StoreError> {
        self.disk.healthy().and_then(|()| self.disk.room.check(need))
    }

    /// See [`super::room::Room::put_aside`].
    pub(super) async fn put_aside(&self) {
        let disk = Arc::clone(&self.disk);
        let _ = spawn_blocking(move || disk.room.put_aside()).await;
    }

    pub(super) fn disk(&self) -> Arc<Disk> {
        Arc::clone(&self.disk)
    }

    fn enqueue(&self, step: Step) {
        let mut queue = lock(&self.queue);
        queue.steps.push_back(step);
        let worked = std::mem::replace(&mut queue.worked, true);
        drop(queue);
        if !worked {
            let worker = Worker { disk: Arc::clone(&self.disk), queue: Arc::clone(&self.queue), done: false };
            spawn_blocking(move || worker.work());
        }
    }
}

struct Worker {
    disk: Arc<Disk>,
    queue: Arc<Mutex<Queue>>,
    done: bool,
}

impl Worker {
    fn work(mut self) {
        while let Some(group) = self.group() {
            // What panicked, if anything can, is answered by its dropped channels.
            let _ = catch_unwind(AssertUnwindSafe(|| commit(&self.disk, group)));
        }
    }

    /// What waits; `None` when nothing does, and then the next step brings a worker of its own.
    fn group(&mut self) -> Option<Vec<Step>> {
        let mut queue = lock(&self.queue);
        let size = queue.steps.len().min(GROUP);
        self.done = size == 0;
        queue.worked = !self.done;
        (!self.done).then(|| queue.steps.drain(..size).collect())
    }
}

/// A worker whose runtime stops before it began leaves nothing that would wait for it.
impl Drop for Worker {
    fn drop(&mut self) {
        if !self.done {
            let mut queue = lock(&self.queue);
            queue.worked = false;
            let left = std::mem::take(&mut queue.steps);
            drop(queue);
            drop(left);
        }
    }
}

fn commit(disk: &Disk, group: Vec<Step>) {
    // On what may never have reached the disk nothing is built; the dropped steps say so.
    if disk.healthy().is_err() {
        return;
    }
    let mut txn = Txn::new(disk);
    let answers: Vec<Answer> = group.into_iter().map(|step| step(&mut txn)).collect();
    let committed = disk.commit(txn.into_changes());
    for answer in answers {
        answer(&committed);
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
