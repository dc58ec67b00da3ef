//! A model beside the real thing: whatever the order of steps, the store holds what plain maps would hold.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Act {
    /// Events with these keys, by customer.
    Accept(Vec<(u8, u8)>),
    /// With this limit; events with this key are parked.
    Dispatch(usize, Option<u8>),
    /// The oldest row but so many.
    Settle(usize, bool),
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => prop::collection::vec((0..3_u8, 0..12_u8), 0..8).prop_map(Act::Accept),
        4 => (1..6_usize, prop::option::of(0..12_u8)).prop_map(|(limit, park)| Act::Dispatch(limit, park)),
        3 => (0..3_usize, any::<bool>()).prop_map(|(row, sent)| Act::Settle(row, sent)),
        1 => Just(Act::Restart),
    ]
}

/// A fact as the model names it: a customer's event, or how a row ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Event(u8, u8),
    Failed(u64),
}

#[derive(Default)]
struct Model {
    seen: BTreeSet<(u8, u8)>,
    inbox: Vec<Name>,
    parked: Vec<Name>,
    decided: Vec<Name>,
    rows: Vec<u64>,
    last_row: u64,
    customers: BTreeSet<u8>,
}

impl Model {
    fn accept(&mut self, events: &[(u8, u8)]) -> usize {
        let new = events.iter().filter(|event| self.seen.insert(**event)).collect::<Vec<_>>();
        self.inbox.extend(new.iter().map(|(who, key)| Name::Event(*who, *key)));
        new.len()
    }

    fn dispatch(&mut self, limit: usize, park: Option<u8>) -> usize {
        let mut handled = 0;
        let mut kept = Vec::new();
        for name in std::mem::take(&mut self.parked) {
            if handled == limit || waits(&kept, &name) || parks(park, &name) {
                kept.push(name);
            } else {
                self.decide(name);
                handled += 1;
            }
        }
        let taken = (limit - handled).min(self.inbox.len());
        for name in self.inbox.drain(..taken).collect::<Vec<_>>() {
            if waits(&kept, &name) || parks(park, &name) {
                kept.push(name);
            } else {
                self.decide(name);
                handled += 1;
            }
        }
        self.parked = kept;
        handled
    }

    fn decide(&mut self, name: Name) {
        if let Name::Event(who, _) = name {
            // A card for a new customer, and the words.
            let rows = if self.customers.insert(who) { 2 } else { 1 };
            self.rows.extend(self.last_row + 1..=self.last_row + rows);
            self.last_row += rows;
        }
        self.decided.push(name);
    }

    fn settle(&mut self, index: usize, sent: bool) -> Option<u64> {
        let row = (index < self.rows.len()).then(|| self.rows.remove(index))?;
        if !sent {
            self.inbox.push(Name::Failed(row));
        }
        Some(row)
    }
}

fn waits(parked: &[Name], name: &Name) -> bool {
    let same = |other: &Name| matches!((other, name), (Name::Event(a, _), Name::Event(b, _)) if a == b);
    parked.iter().any(same)
}

fn parks(park: Option<u8>, name: &Name) -> bool {
    matches!(name, Name::Event(_, key) if Some(*key) == park)
}

fn event((who, key): (u8, u8)) -> Inbound {
    writes(&format!("customer-{who}"), &format!("{who}-{key}"))
}

fn name(row: &InboxRow) -> Name {
    match &row.fact {
        Fact::Inbound { inbound, .. } => {
            let (who, key) = inbound.key.as_str().split_once('-').unwrap();
            Name::Event(who.parse().unwrap(), key.parse().unwrap())
        }
        Fact::Settled { settled } => Name::Failed(settled.key.number),
        Fact::Due { .. } | Fact::Notice { .. } => panic!("neither timers nor notices here: {row:?}"),
    }
}

async fn compare(acts: Vec<Act>) {
    let home = Home::new();
    let mut store = home.open();
    let mut model = Model::default();
    let decided = Arc::new(Mutex::new(Vec::new()));
    for act in acts {
        match act {
            Act::Accept(events) => {
                let count = take_in(&store, events.iter().copied().map(event).collect()).await;
                assert_eq!(count, model.accept(&events));
            }
            Act::Dispatch(limit, park) => {
                let notes = Arc::clone(&decided);
                let decide = judge(move |case, row| {
                    let name = name(row);
                    if parks(park, &name) {
                        return Decision { park: true, ..Decision::default() };
                    }
                    notes.lock().unwrap().push(name);
                    front_desk(case, row)
                });
                let done = store.dispatch(at(1), true, limit, decide).await.unwrap();
                assert_eq!(done.handled, model.dispatch(limit, park));
                assert_eq!((done.parked, done.more), (model.parked.len(), !model.inbox.is_empty()));
                assert_eq!(*decided.lock().unwrap(), model.decided);
            }
            Act::Settle(index, sent) => {
                let Some(row) = model.settle(index, sent) else { continue };
                let outcome = if sent { Outcome::Sent { sent: Sent::one(row.to_string()) } } else { Outcome::Expired };
                store.settle(RowNumber(row), at(2), outcome).await.unwrap();
            }
            Act::Restart => {
                drop(store);
                store = home.open();
            }
        }
        let rows: Vec<_> = store.rows(None, 1000).await.unwrap().iter().map(|row| row.number.0).collect();
        assert_eq!(rows, model.rows);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(acts in prop::collection::vec(act(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare(acts));
    }
}
