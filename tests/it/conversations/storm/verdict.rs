//! What must be true of both sides in the end. A problem begins with the name of the rule.

use std::time::Duration;

use frontdesk_core::ThreadId;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{
    play::{Answer, CUSTOMERS, Last, Played, card_of},
    script::{How, Where},
};
use crate::fake::Post;

const HOUR: Duration = Duration::from_secs(3600);

/// While answers still wait for somebody to send them again.
pub fn before_retry(played: &Played) -> Vec<String> {
    let mut problems = Vec::new();
    for answer in played.answers.iter().filter(|it| !it.deleted) {
        for piece in answer.pieces() {
            if delivered(played, answer, &piece).is_empty() && !warned(played, answer) {
                problems.push(format!("answer vanished: {piece} of {} is nowhere, and nobody is told", show(answer)));
            }
        }
        late_edit(played, answer, &mut problems);
    }
    for who in 0..CUSTOMERS.len() {
        card(played, who, &mut problems);
    }
    problems
}

pub fn at_the_end(played: &Played) -> Vec<String> {
    let mut problems = Vec::new();
    for answer in &played.answers {
        reached(played, answer, &mut problems);
    }
    for said in &played.said {
        relayed(played, said, &mut problems);
    }
    order_at_desk(played, &mut problems);
    order_of_answers(played, &mut problems);
    for side in [Where::Shop, Where::Other] {
        let posts = ours(&played.platform(side).posts());
        for post in &posts {
            outgoing(played, side, post, &mut problems);
        }
    }
    for who in 0..CUSTOMERS.len() {
        automatic(played, who, &mut problems);
    }
    problems
}

fn ours(posts: &[Post]) -> Vec<Post> {
    posts.iter().filter(|post| post.author == "frontdesk").cloned().collect()
}

fn show(answer: &Answer) -> String {
    format!("{} to customer {}", answer.mark, answer.who)
}

/// Where words of the answer stand in its customer's chat.
fn delivered(played: &Played, answer: &Answer, words: &str) -> Vec<Post> {
    let (name, side) = CUSTOMERS[answer.who];
    let posts = ours(&played.platform(side).posts());
    posts.into_iter().filter(|post| post.chat == name && post.text.contains(words)).collect()
}

/// The operator sees that the answer was not delivered, or perhaps not.
fn warned(played: &Played, answer: &Answer) -> bool {
    let posts = played.world.desk.posts();
    posts.iter().any(|post| post.id == answer.id && !post.reactions.is_empty())
}

/// What the program says in the customer's threads.
fn told(played: &Played, who: usize, words: &str) -> bool {
    let threads = played.threads(who);
    let posts = played.world.desk.posts();
    posts.iter().any(|post| {
        post.notice && post.text.contains(words) && post.thread.as_ref().is_some_and(|it| threads.contains(it))
    })
}

fn late_edit(played: &Played, answer: &Answer, problems: &mut Vec<String>) {
    let (Some(text), 2..) = (answer.texts.last(), answer.texts.len()) else { return };
    let posts = delivered(played, answer, &answer.mark);
    let told = warned(played, answer) || told(played, answer.who, "customer keeps") || told_of_change(played, answer);
    if let Some(post) = posts.iter().find(|post| !post.deleted && post.text != *text).filter(|_| !told) {
        let rule = if answer.long { "long edit" } else { "edit lost" };
        problems.push(format!("{rule}: {} reads {:?} instead of {text:?}", show(answer), post.text));
    }
}

fn told_of_change(played: &Played, answer: &Answer) -> bool {
    told(played, answer.who, "did not reach the customer") || told(played, answer.who, "customer's app cannot")
}

fn reached(played: &Played, answer: &Answer, problems: &mut Vec<String>) {
    if answer.deleted {
        let posts = delivered(played, answer, &answer.mark);
        let seen = posts.iter().any(|post| !post.deleted);
        if seen && !warned(played, answer) && !told_of_change(played, answer) {
            let rule = if answer.long { "long deletion" } else { "deletion lost" };
            problems.push(format!("{rule}: {}", show(answer)));
        }
        return;
    }
    for piece in answer.pieces() {
        arrived(played, answer, &piece, problems);
    }
}

fn arrived(played: &Played, answer: &Answer, piece: &str, problems: &mut Vec<String>) {
    let posts = delivered(played, answer, piece);
    if posts.is_empty() {
        problems.push(format!("answer lost: {piece} of {} did not arrive even with !retry", show(answer)));
    } else if warned(played, answer) && !answer.thread.as_ref().is_some_and(|thread| played.lost.contains(thread)) {
        problems.push(format!("warning stays: {} arrived in the end", show(answer)));
    }
    for pair in posts.windows(2) {
        let between = |at: &Instant| pair[0].at <= *at && *at <= pair[1].at;
        if !played.retries.iter().any(|(who, at)| *who == answer.who && between(at)) {
            problems.push(format!("answer repeated: {} without !retry", show(answer)));
        }
    }
    let side = CUSTOMERS[answer.who].1;
    let unsure = played.faults.iter().filter(|(at, _, how)| *at == side && matches!(how, How::AnswerLost)).count();
    // The pieces of a long answer are sent again together.
    if !answer.long && posts.len() > 1 + unsure + played.kills {
        problems.push(format!("answer repeated: {} {} times", show(answer), posts.len()));
    }
}

fn relayed(played: &Played, said: &super::play::Said, problems: &mut Vec<String>) {
    let posts = ours(&played.world.desk.posts());
    let relays: Vec<_> = posts.iter().filter(|post| !post.notice && post.text.contains(&said.mark)).collect();
    let [relay] = relays.as_slice() else {
        problems.push(format!("relay: {} is {} times at the desk", said.mark, relays.len()));
        return;
    };
    let card = posts.iter().find(|card| Some(card.id.as_str()) == relay.thread.as_ref().map(ThreadId::as_str));
    if card.and_then(card_of) != Some(said.who) {
        problems.push(format!("wrong thread: {} stands in {:?}", said.mark, relay.thread));
    }
    if !relay.text.starts_with(&format!("{}: ", CUSTOMERS[said.who].0)) {
        problems.push(format!("wrong name: {:?}", relay.text));
    }
    if let Some(edit) = &said.edited
        && !posts.iter().any(|post| post.text.contains(edit))
    {
        problems.push(format!("customer's edit lost: {edit}"));
    }
    if said.deleted && !posts.iter().any(|it| it.text.contains("deleted a message") && it.text.contains(&said.mark)) {
        problems.push(format!("customer's deletion lost: {}", said.mark));
    }
}

fn order_at_desk(played: &Played, problems: &mut Vec<String>) {
    let posts = ours(&played.world.desk.posts());
    let place = |mark: &str| posts.iter().position(|post| !post.notice && post.text.contains(mark));
    for who in 0..CUSTOMERS.len() {
        let said: Vec<_> = played.said.iter().filter(|said| said.who == who).collect();
        for pair in said.windows(2) {
            if place(&pair[0].mark) > place(&pair[1].mark) {
                problems.push(format!("order at the desk: {} after {}", pair[0].mark, pair[1].mark));
            }
        }
    }
}

/// One operator's answers in one thread arrive as they were written, but for what was sent again.
fn order_of_answers(played: &Played, problems: &mut Vec<String>) {
    let first = |answer: &Answer| delivered(played, answer, &answer.mark).first().map(|post| post.at);
    let retried = |answer: &Answer, at: Instant| {
        played.retries.iter().any(|(who, retry)| *who == answer.who && answer.at <= *retry && *retry <= at)
    };
    let arrived: Vec<_> = played.answers.iter().filter_map(|it| first(it).map(|at| (it, at))).collect();
    for (index, (early, at)) in arrived.iter().enumerate() {
        for (late, later) in &arrived[index + 1..] {
            let comparable = early.who == late.who && early.thread == late.thread && !retried(early, *at);
            if comparable && at > later {
                problems.push(format!("order of answers: {} after {}", show(early), late.mark));
            }
        }
    }
}

/// Whatever we write to a customer is an answer for just them, in words that an operator sent, or an automatic text.
fn outgoing(played: &Played, side: Where, post: &Post, problems: &mut Vec<String>) {
    if let Some(secret) = played.secrets.iter().find(|secret| post.text.contains(*secret)) {
        problems.push(format!("secret: {secret} reached {}: {:?}", post.chat, post.text));
    }
    let Some(answer) = played.answers.iter().find(|answer| post.text.contains(&answer.mark)) else {
        if !is_automatic(post) || post.text.contains('#') {
            problems.push(format!("inside words: {} got {:?}", post.chat, post.text));
        }
        if post.chat == "Robot" {
            problems.push("robot: a bot got an automatic text".to_owned());
        }
        return;
    };
    if CUSTOMERS[answer.who] != (post.chat.as_str(), side) {
        problems.push(format!("wrong customer: {} reached {} on {side:?}", show(answer), post.chat));
    }
    if !answer.texts.iter().any(|text| *text == post.text || answer.long && text.contains(&post.text)) {
        problems.push(format!("words: {} reads {:?}", show(answer), post.text));
    }
}

fn is_acknowledgement(post: &Post) -> bool {
    post.text.contains("thank you for writing to Blue Door") || is_invitation(post)
}

fn is_invitation(post: &Post) -> bool {
    post.text.contains("welcome to Blue Door")
}

fn is_notice(post: &Post) -> bool {
    post.text.contains("closed at the moment") && !is_invitation(post)
}

fn is_automatic(post: &Post) -> bool {
    is_acknowledgement(post) || is_notice(post)
}

fn automatic(played: &Played, who: usize, problems: &mut Vec<String>) {
    let (name, side) = CUSTOMERS[who];
    let posts = ours(&played.platform(side).posts());
    let texts: Vec<_> = posts.iter().filter(|post| post.chat == name && is_automatic(post)).collect();
    if texts.iter().filter(|post| is_acknowledgement(post)).count() > 1 {
        problems.push(format!("two acknowledgements: customer {who}"));
    }
    for (index, post) in texts.iter().enumerate() {
        let later = &texts[index + 1..];
        if later.iter().any(|it| it.text == post.text && it.at - post.at < 7 * 24 * HOUR) {
            problems.push(format!("same words: customer {who} read {:?} twice", post.text));
        }
        if later.iter().filter(|it| it.at - post.at < 24 * HOUR).count() > 2 {
            problems.push(format!("budget: customer {who} got more than 3 in 24 hours"));
        }
        after_a_human(played, who, post, problems);
        in_time(played, who, post, problems);
    }
}

/// An acknowledgement never after a human's answer; a notice not in the quarter of an hour after one.
fn after_a_human(played: &Played, who: usize, post: &Post, problems: &mut Vec<String>) {
    let humans = played.human.iter().filter(|(whom, _)| *whom == who).map(|(_, at)| *at);
    for human in humans.filter(|human| *human + Duration::from_secs(1) < post.at) {
        let ago = post.at - human;
        if is_acknowledgement(post) || ago < Duration::from_secs(15 * 60) {
            problems.push(format!("after a human: {ago:?} after an answer customer {who} got {:?}", post.text));
        }
    }
}

fn in_time(played: &Played, who: usize, post: &Post, problems: &mut Vec<String>) {
    if is_notice(post) {
        let open = played.world.policy.hours.is_open(stamp(played, post.at), &[]);
        if open && played.world.policy.hours.is_open(stamp(played, post.at - Duration::from_secs(2)), &[]) {
            problems.push(format!("notice while open: customer {who} got {:?}", post.text));
        }
    }
    if is_invitation(post) {
        return;
    }
    let at: Vec<_> = played.said.iter().filter(|said| said.who == who).map(|said| said.at).collect();
    let Some(last) = at.iter().rfind(|at| **at < post.at) else {
        problems.push(format!("unasked: customer {who} got {:?}", post.text));
        return;
    };
    // What waited on the platform while the program was down came in at its start.
    let came_in = played.starts.iter().find(|start| **start >= *last).filter(|start| **start < post.at);
    let late = post.at - *came_in.unwrap_or(last).max(last);
    // One that tells the hours as well is good until they change.
    if is_acknowledgement(post) && !is_notice(post) && late > Duration::from_secs(12 * 60) {
        problems.push(format!("late: customer {who} was acknowledged after {late:?}"));
    }
    let mut begins = at.windows(2).filter(|pair| pair[1] <= *last && pair[1] - pair[0] > Duration::from_secs(10));
    let begin = begins.next_back().map_or(at[0], |pair| pair[1]);
    let calm = undisturbed(played, CUSTOMERS[who].1, post.at);
    if calm && post.at - *last < Duration::from_secs(9) && post.at - begin < Duration::from_secs(44) {
        problems.push(format!("hasty: customer {who} was still writing, {:?} ago", post.at - *last));
    }
}

/// Whether nothing has hindered a send: no fault so far, no start in the last hour.
fn undisturbed(played: &Played, side: Where, at: Instant) -> bool {
    let faults = played.faults.iter().filter(|(where_, when, _)| *where_ == side && *when <= at).count();
    let starts = played.starts.iter().skip(1).filter(|start| **start <= at && at - **start < HOUR).count();
    faults == 0 && starts == 0
}

fn stamp(played: &Played, at: Instant) -> Timestamp {
    played.world.now() - SignedDuration::try_from(at.elapsed()).unwrap()
}

/// The newest card says what is true.
fn card(played: &Played, who: usize, problems: &mut Vec<String>) {
    let posts = played.world.desk.posts();
    let cards: Vec<_> = posts.iter().filter(|post| card_of(post) == Some(who)).collect();
    let Some(card) = cards.last() else { return };
    // A card that cannot be changed any more is made anew with the next message.
    let refused = played.faults.iter().any(|(side, _, how)| *side == Where::Desk && matches!(how, How::Recipient));
    if refused || card.thread.as_ref().is_some_and(|thread| played.lost.contains(thread)) {
        return;
    }
    let waiting = played.answers.iter().any(|answer| answer.who == who && warned(played, answer));
    let says = |words: &str| card.text.contains(words);
    let fits = match played.last(who) {
        Last::Nothing | Last::Unclear => true,
        Last::Waits => says("\nWaiting since"),
        _ if waiting => true,
        Last::Answered(thread) if card.thread.as_ref() == Some(thread) => {
            says("\nAnswered") || says(": nothing more was said")
        }
        Last::Closed(thread) if card.thread.as_ref() == Some(thread) => says("\nClosed"),
        Last::Answered(_) | Last::Closed(_) => true,
    };
    if !fits {
        problems.push(format!("card: {:?} after {:?}", card.text, played.last(who)));
    }
    if cards.iter().any(|card| card.text.contains("not delivered")) != waiting && cards.len() == 1 {
        problems.push(format!("card: {:?}, and warnings: {waiting}", card.text));
    }
}
