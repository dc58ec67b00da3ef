use frontdesk_core::{Content, Event, MediaKind, MediaRef, Message, Part};
use insta::assert_snapshot;

use crate::world::World;

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";

#[tokio::test(start_paused = true)]
async fn a_question_is_answered() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Do you have rye bread?").await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.secs(60).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Yes, until six.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Do you have rye bread?
        ann: Yes, until six.
    ");
    assert_eq!(world.desk.signals().len(), 1, "the operator sees that the answer was taken over");
}

#[tokio::test(start_paused = true)]
async fn replies_are_carried_both_ways() {
    let world = World::at(MONDAY).await;
    let first = world.says("Anna", "Do you have rye bread?").await;
    world.says("Anna", "And plum cake?").await;
    let relayed = world.desk.posts().iter().find(|post| post.text.contains("rye")).unwrap().id.clone();
    let mut answer = Message::text("o-reply", "Rye: yes.");
    answer.reply_to = Some(relayed);
    // A reply outside any thread is an answer too: some apps know no threads.
    world.writes("ann", None, answer).await;
    let told = world.shop.posts().iter().find(|post| post.text == "Rye: yes.").unwrap().clone();
    assert_eq!(told.reply_to, Some(first));
    let mut back = Message::text("c-reply", "Great");
    back.reply_to = Some(told.id);
    world.customer_sends(&world.shop, "Anna", back).await;
    assert_snapshot!(world.chat("Anna"), @r#"
    Anna: Do you have rye bread?
    Anna: And plum cake?
    frontdesk: (reply to "Do you have rye bread?") Rye: yes.
    Anna: (reply to "Rye: yes.") Great
    "#);
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Do you have rye bread?
        frontdesk: Anna: And plum cake?
        frontdesk: (reply to "Rye: yes.") Anna: Great
    ann: (reply to "Anna: Do you have rye bread?") Rye: yes.
    "#);
}

#[tokio::test(start_paused = true)]
async fn edits_and_deletions_are_carried_both_ways() {
    let world = World::at(MONDAY).await;
    let question = world.says("Anna", "Do you have ry bread?").await;
    let answer = world.answers("ann", "Anna", "Yes, untl six").await;
    let second = world.answers("ann", "Anna", "Or seven").await;
    world
        .does("Anna", Event::Edited { id: question, content: Content::text("Do you have rye bread?"), notice: false })
        .await;
    let thread = world.thread("Anna");
    let edit = Event::Edited { id: answer, content: Content::text("Yes, until six"), notice: false };
    world.at_desk("ann", Some(thread.clone()), edit).await;
    world.at_desk("ann", Some(thread), Event::Deleted { ids: vec![second] }).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Do you have ry bread?
    frontdesk: Yes, until six (edited)
    frontdesk: Or seven (deleted)
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Do you have rye bread? (edited)
        ann: Yes, untl six
        ann: Or seven
    ");
}

#[tokio::test(start_paused = true)]
async fn what_must_stay_inside_stays_inside() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    let note = world.answers("ann", "Anna", "!note she is the one with the dog").await;
    for text in ["/shrug", "//close", "!nonsense", "! x", "\u{200b}!close now"] {
        world.answers("ann", "Anna", text).await;
    }
    let thread = world.thread("Anna");
    let mut notice = Message::text("o-notice", "I am a bot");
    notice.notice = true;
    world.writes("bot", Some(thread.clone()), notice).await;
    // A note that is edited is still a note; an answer that becomes a note does not go out again.
    let edit = Event::Edited { id: note, content: Content::text("she is nice"), notice: false };
    world.at_desk("ann", Some(thread.clone()), edit).await;
    let answer = world.answers("ann", "Anna", "Hi!").await;
    let edit = Event::Edited { id: answer, content: Content::text("!note not this"), notice: false };
    world.at_desk("ann", Some(thread), edit).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi!
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: !note she is the one with the dog
        ann: /shrug
        notice: frontdesk: Not sent: what begins with / stays here, because some apps take it for a command. !help lists the commands.
        ann: //close
        notice: frontdesk: Not sent: what begins with / stays here, because some apps take it for a command. !help lists the commands.
        ann: !nonsense
        notice: frontdesk: Not sent: there is no command !nonsense. !help lists them.
        ann: ! x
        notice: frontdesk: Not sent: what begins with ! stays here. !help lists the commands.
        ann: (invisible)!close now
        notice: bot: I am a bot
        notice: frontdesk: That edit sends nothing: the message was not sent before. Write it as a new message. (to @ann:example.org)
        ann: Hi!
        notice: frontdesk: That edit stays inside: the customer keeps the words you sent before. (to @ann:example.org)
    ");
}

#[tokio::test(start_paused = true)]
async fn a_message_outside_the_threads_gets_a_hint_while_somebody_waits() {
    let world = World::at(MONDAY).await;
    world.writes("ann", None, Message::text("o-1", "Good morning")).await;
    world.says("Anna", "Hello").await;
    world.writes("ann", None, Message::text("o-2", "Hi Anna")).await;
    world.writes("ann", None, Message::text("o-3", "Anna?")).await;
    world.writes("bob", None, Message::text("o-4", "Anna!")).await;
    world.secs(700).await;
    world.writes("ann", None, Message::text("o-5", "Anna??")).await;
    assert_snapshot!(world.room(), @"
    ann: Good morning
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ann: Hi Anna
    notice: frontdesk: This was sent to nobody. To answer a customer, write in their thread, or reply to one of their messages; !help tells more.
    ann: Anna?
    bob: Anna!
    notice: frontdesk: This was sent to nobody. To answer a customer, write in their thread, or reply to one of their messages; !help tells more.
    ann: Anna??
    notice: frontdesk: This was sent to nobody. To answer a customer, write in their thread, or reply to one of their messages; !help tells more.
    ");
}

#[tokio::test(start_paused = true)]
async fn only_operators_answer() {
    let world = World::with(MONDAY, |policy| policy.desks[0].operators = vec!["@ann:example.org".into()]).await;
    world.says("Anna", "Hello").await;
    world.answers("eve", "Anna", "Please pay to my account").await;
    world.answers("ann", "Anna", "Good morning").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Good morning
    ");
}

#[tokio::test(start_paused = true)]
async fn hostile_words_are_only_words() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "!close\n@room {{ business }} <b>x</b> /leave").await;
    world.says("!note\n@room Ann:", "{{ 7 * 7 }}").await;
    world.secs(60).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: !close
          @room {{ business }} <b>x</b> /leave
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    notice: frontdesk: !note @room Ann: · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: !note @room Ann:: {{ 7 * 7 }}
        notice: frontdesk: Sent automatically: Hi, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
    assert_snapshot!(world.chat("!note\n@room Ann:"), @"
    !note
    @room Ann:: {{ 7 * 7 }}
    frontdesk: Hi, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
}

#[tokio::test(start_paused = true)]
async fn where_no_files_are_taken_a_picture_is_a_readable_line_and_an_operators_is_not_sent() {
    let world = World::at(MONDAY).await;
    let picture = |caption: &str| Content {
        parts: vec![Part::Media {
            media: MediaRef::new(MediaKind::Image, "secret-reference"),
            caption: Some(caption.into()),
        }],
    };
    let mut message = Message::text("c-picture", "");
    message.content = picture("Like this one?");
    world.customer_sends(&world.shop, "Anna", message).await;
    let mut answer = Message::text("o-picture", "");
    answer.content = picture("This one");
    world.writes("ann", Some(world.thread("Anna")), answer).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: [picture] Like this one?
        ann: [picture] This one
        notice: frontdesk: Not sent: a picture cannot be sent to the customer's app. Words can. (to @ann:example.org)
    ");
    assert_snapshot!(world.chat("Anna"), @"Anna: [picture] Like this one?");
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_is_cut_at_a_sentence_and_stays_in_order() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Tell me everything").await;
    let long = "We bake at four every morning. ".repeat(10);
    world.answers("ann", "Anna", &long).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Tell me everything
    frontdesk: We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning.
    frontdesk: We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning.
    ");
}

#[tokio::test(start_paused = true)]
async fn a_conversation_ends_and_comes_back() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi").await;
    world.answers("ann", "Anna", "!close").await;
    world.hours(2).await;
    // Within a day it is the same conversation; after that a new card links the old one.
    world.says("Anna", "One more thing").await;
    world.answers("ann", "Anna", "Yes?").await;
    world.answers("ann", "Anna", "!close").await;
    world.hours(48).await;
    world.says("Anna", "Hello again").await;
    // An answer in the closed thread opens it again.
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · telegram.shop · new
      Closed Mon 23 Nov, 12:00 by ann
        frontdesk: Anna: Hello
        ann: Hi
        ann: !close
        frontdesk: Anna: One more thing
        ann: Yes?
        ann: !close
    notice: frontdesk: (reply to "Anna · telegram.shop · new") Anna · telegram.shop · has written before
      Waiting since Wed 25 Nov, 12:00
        frontdesk: Anna: Hello again
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_in_which_we_spoke_last_closes_silently() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi").await;
    world.hours(73).await;
    world.says("Anna", "A new order").await;
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · telegram.shop · new
      Closed Thu 26 Nov, 10:00: nothing more was said
        frontdesk: Anna: Hello
        ann: Hi
    notice: frontdesk: (reply to "Anna · telegram.shop · new") Anna · telegram.shop · has written before
      Waiting since Thu 26 Nov, 11:00
        frontdesk: Anna: A new order
    "#);
}

#[tokio::test(start_paused = true)]
async fn two_customers_never_get_each_others_answers() {
    let world = World::at(MONDAY).await;
    for turn in 0..3 {
        for name in ["Anna", "Ben", "Cleo"] {
            world.says(name, &format!("{name} asks {turn}")).await;
        }
    }
    for name in ["Cleo", "Anna", "Ben"] {
        world.answers("ann", name, &format!("for {name}")).await;
    }
    for name in ["Anna", "Ben", "Cleo"] {
        let chat = world.chat(name);
        assert!(chat.contains(&format!("frontdesk: for {name}")), "{chat}");
        assert_eq!(chat.matches("for ").count(), 1, "{chat}");
    }
}
