use frontdesk::{
    store::KnownAs,
    tools::{Acquaintance, Answer, Done, Request},
};
use frontdesk_core::{Event, Message};
use insta::assert_snapshot;

use crate::world::{MONDAY, SHOP, World};

fn person(name: &str, language: Option<&str>) -> Acquaintance {
    let known_as = KnownAs { channel: SHOP.into(), name: name.to_owned() };
    Acquaintance { known_as, name: None, language: language.map(|it| it.parse().unwrap()) }
}

#[tokio::test(start_paused = true)]
async fn who_was_imported_is_not_greeted_and_why_says_so() {
    let world = World::at(MONDAY).await;
    let people = vec![person("Anna", None), person("@BEN_B", Some("de")), person("+49 30 123456", None)];
    let know = Request::Know { people };
    assert_eq!(world.tool(know.clone()).await, [Answer::Done(Done::Known { new: 3, already: 0 })]);
    assert_eq!(world.tool(know).await, [Answer::Done(Done::Known { new: 0, already: 3 })]);

    world.says("Anna", "Hello").await;
    world.secs(60).await;
    world.answers("ann", "Anna", "!why").await;
    assert_snapshot!(world.chat("Anna"), @"Anna: Hello");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: not sent: the business knew them before
    ");

    // Ben is known by his user name only, Cleo by her number; nobody knows Dora.
    let mut ben = world.customer(&world.shop, "Ben", Event::Message(Message::text("c-ben", "Hallo")));
    ben.from.username = Some("ben_b".to_owned());
    let mut cleo = world.customer(&world.shop, "Cleo", Event::Message(Message::text("c-cleo", "Hello")));
    cleo.from.aliases = vec!["+4930123456".to_owned()];
    world.shop.arrives(ben);
    world.shop.arrives(cleo);
    world.says("Dora", "Hello").await;
    world.secs(60).await;
    assert_eq!((world.chat("Ben"), world.chat("Cleo")), (String::new(), String::new()));
    assert_eq!(world.chat("Dora").matches("frontdesk: Hi Dora").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_was_imported_after_hours_is_told_the_hours_in_their_language() {
    let world = World::at("2026-11-23T20:00[Europe/Berlin]").await;
    world.tool(Request::Know { people: vec![person("Anna", Some("de"))] }).await;
    world.says("Anna", "Hallo").await;
    world.secs(60).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hallo
    frontdesk: Hallo Anna, im Moment haben wir geschlossen und sind morgen um 09:00 Uhr wieder da. Ihre Nachricht wartet hier auf uns.
    ");
}
