use std::time::Duration;

use frontdesk::{
    store::ConversationId,
    tools::{Answer, Request},
};
use insta::assert_snapshot;

use crate::world::{MONDAY, World};

/// What is left of a conversation's words.
async fn words(world: &World, number: u64) -> Vec<String> {
    let answers = world.tool(Request::Messages { conversation: ConversationId(number) }).await;
    let text = |answer: &Answer| match answer {
        Answer::Message(line) => Some(line.text.clone()),
        Answer::Conversation(_) | Answer::Row(_) | Answer::Progress { .. } | Answer::Done(_) | Answer::Failed(_) => {
            None
        }
    };
    answers.iter().filter_map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn after_two_years_the_words_of_a_closed_conversation_are_gone_and_nobody_is_greeted_again() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    world.answers("ann", "Anna", "Rye is ready.").await;
    world.answers("ann", "Anna", "!close").await;
    world.says("Ben", "I still wait").await;
    world.secs(30).await;
    let said = |chat: String| chat.matches("frontdesk: Hi ").count();
    assert_eq!((words(&world, 1).await.len(), words(&world, 2).await.len()), (4, 2));

    // Time passes fast while it is off.
    world.kill().await;
    world.passes(Duration::from_secs(729 * 24 * 3600)).await;
    world.start().await;
    world.secs(5).await;
    assert_eq!(words(&world, 1).await.len(), 4);
    world.kill().await;
    world.passes(Duration::from_secs(2 * 24 * 3600)).await;
    world.start().await;
    world.secs(5).await;
    assert_eq!(words(&world, 1).await, Vec::<String>::new());
    assert_eq!(words(&world, 2).await[0], "I still wait", "it is not closed");

    world.says("Anna", "Hello again").await;
    world.secs(60).await;
    world.answers("ann", "Anna", "Welcome back").await;
    assert_eq!(said(world.chat("Anna")), 1, "{}", world.chat("Anna"));
    assert!(world.chat("Anna").ends_with("Anna: Hello again\nfrontdesk: Welcome back\n"));
    let room = world.room();
    let card: String = room.lines().skip_while(|line| !line.contains("Anna · telegram.shop · has written")).collect();
    assert_snapshot!(card.split("Answered").next().unwrap(), @"notice: frontdesk: Anna · telegram.shop · has written before  ");
}
