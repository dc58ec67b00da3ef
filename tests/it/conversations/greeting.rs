use std::sync::Arc;

use frontdesk::store::{Case, Contact, Decide, Decision, Fact, Identity, IdentityId, InboxRow, Store, sled::SledStore};
use frontdesk_core::{Event, Inbound, Message, Side};
use insta::assert_snapshot;
use jiff::Timestamp;

use super::MONDAY;
use crate::world::{OTHER, SHOP, World};

/// Writes down that whoever the facts are from is one contact, as linking them will.
struct Link;

impl Decide for Link {
    fn decide(&self, case: Case, row: &InboxRow, _: Timestamp) -> Decision {
        let Fact::Inbound { channel, inbound } = &row.fact else { panic!("only people") };
        let mut ids = case.ids;
        ids.identity.0 += 1;
        let first = ids.identity.0 == 1;
        ids.contact.0 = 1;
        let identity = Identity {
            id: ids.identity,
            contact: ids.contact,
            channel: channel.clone(),
            user: inbound.from.id.clone(),
            address: inbound.at.clone(),
            name: inbound.from.name.clone(),
            first_name: inbound.from.first_name.clone(),
            username: None,
            language: None,
            unreachable: false,
            conversation: None,
            origin: None,
            heard_at: None,
            former: Vec::new(),
        };
        let contact = Contact {
            id: ids.contact,
            identities: if first { vec![ids.identity] } else { vec![IdentityId(1), ids.identity] },
            first_heard_at: row.at,
            acknowledged_at: None,
            human_at: None,
            notice_at: None,
            automatic: Vec::new(),
            language: None,
            detected: None,
            blocked: false,
        };
        Decision { ids, identity: Some(identity), contact: Some(contact), ..Decision::default() }
    }
}

/// Anna on both messengers is one person.
async fn linked() -> World {
    let mut world = World::at(MONDAY).await;
    world.kill().await;
    let store = SledStore::open(&world.path).unwrap();
    for (channel, platform) in [(SHOP, &world.shop), (OTHER, &world.other)] {
        let quiet = Event::Unsupported { kind: "a call".into(), raw: serde_json::json!({}).into() };
        let event: Inbound = world.customer(platform, "Anna", quiet);
        assert_eq!(event.side, Side::Customer);
        store.accept(&channel.into(), world.now(), vec![event], None).await.unwrap();
        store.dispatch(world.now(), false, 8, Arc::new(Link)).await.unwrap();
    }
    drop(store);
    world.start().await;
    world
}

#[tokio::test(start_paused = true)]
async fn two_messengers_of_one_contact_greet_them_once() {
    let world = linked().await;
    world.says("Anna", "Hello").await;
    world.says_on(&world.other, "Anna", "Hello").await;
    world.secs(120).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"Anna: Hello");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
    ");
    for thread in
        world.desk.posts().iter().filter_map(|post| post.thread.clone()).collect::<std::collections::BTreeSet<_>>()
    {
        let why = Message::text(world.desk.next("o"), "!why");
        world.writes("ann", Some(thread), why).await;
    }
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: not sent: they got one before
          Mon 23 Nov, 10:00: first acknowledgement: sent
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: not sent: they got one before
          Mon 23 Nov, 10:00: first acknowledgement: sent
    ");
}

#[tokio::test(start_paused = true)]
async fn an_answer_on_one_messenger_makes_the_greeting_on_the_other_needless() {
    let world = linked().await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Good morning").await;
    world.says_on(&world.other, "Anna", "Hello here too").await;
    world.secs(120).await;
    assert_eq!(World::chat_on(&world.other, "Anna"), "Anna: Hello here too\n");
}
