//! The contract of all adapters, for people of each kind.

use frontdesk_core::{
    SendErrorKind,
    contract::{self, Counterpart, FarSide, Trouble},
};

use super::*;

const SKIPPED: [&str; 6] = [
    "a repeated send of one key is seen once, where it may be repeated",
    "what does not work for now is said to be so",
    "a chat that moved has its new address",
    "a send that was never made is not found",
    "a desk opens a thread and posts in it",
    "an answer in a thread names its desk and thread",
];

#[tokio::test]
async fn it_passes_the_contract_of_all_adapters() {
    let graph = Graph::start().await;
    let anna = graph.known_as("Anna", Some(PHONE), Some(USER));
    contract::assert_kept(&WhatsAppSide::new(graph, anna, USER), &SKIPPED).await;
}

/// As they were before there were user ids.
#[tokio::test]
async fn it_passes_the_contract_for_people_who_are_only_a_number() {
    let graph = Graph::start().await;
    let anna = graph.person("Anna", PHONE);
    contract::assert_kept(&WhatsAppSide::new(graph, anna, PHONE), &SKIPPED).await;
}

#[tokio::test]
async fn it_passes_the_contract_for_people_without_a_number() {
    let graph = Graph::start().await;
    let anna = graph.known_as("Anna", None, Some(USER));
    contract::assert_kept(&WhatsAppSide::new(graph, anna, USER), &SKIPPED).await;
}

struct WhatsAppSide {
    graph: Graph,
    anna: Person,
    /// What she is known by.
    id: &'static str,
    line: Line,
    /// So many calls and deliveries have failed before the last trouble.
    troubles: AtomicUsize,
}

impl WhatsAppSide {
    /// Anna has written before: within her 24 hours.
    fn new(graph: Graph, anna: Person, id: &'static str) -> Self {
        let line = Line::new(&graph);
        graph.says(anna, "Hello, I am Anna");
        Self { graph, anna, id, line, troubles: AtomicUsize::new(0) }
    }

    fn met(&self) -> usize {
        self.graph.failed_calls() + self.graph.snags_met()
    }
}

#[async_trait]
impl FarSide for WhatsAppSide {
    async fn adapter(&self) -> Arc<dyn Adapter> {
        self.line.adapter(&self.graph)
    }

    fn person(&self) -> Counterpart {
        Counterpart { id: self.id.into(), name: "Anna".into(), at: Address::chat(self.id), side: Side::Customer }
    }

    async fn says(&self, text: &str) {
        self.graph.says(self.anna, text);
    }

    async fn sees(&self) -> Vec<String> {
        self.graph.received(self.anna).into_iter().map(|sent| sent.text).collect()
    }

    async fn provoke(&self, trouble: Trouble) -> bool {
        self.troubles.store(self.met(), SeqCst);
        let fault = match trouble {
            Trouble::AnswerLost => Fault::after(Answer::Reset),
            Trouble::AnswerHangs => Fault::after(Answer::Silence(Duration::from_secs(60))),
            Trouble::DeliveryBreaks => return self.snags(Snag::Breaks),
            Trouble::DeliveryHangs => return self.snags(Snag::Hangs),
            Trouble::DeliveryReversed => {
                self.graph.reverses_next();
                return true;
            }
            Trouble::SendFails(kind) => match failure(kind) {
                Some(answer) => Fault::before(answer),
                None => return false,
            },
        };
        self.graph.fail_next("messages", 1, fault);
        true
    }

    async fn is_met(&self) -> bool {
        self.met() > self.troubles.load(SeqCst)
    }
}

impl WhatsAppSide {
    fn snags(&self, snag: Snag) -> bool {
        self.graph.snags(snag);
        true
    }
}

/// How the real server says it; a customer's new number is told by a webhook, not by a send.
fn failure(kind: SendErrorKind) -> Option<Answer> {
    let answer = match kind {
        SendErrorKind::RetryAfter => {
            Answer::Says(400, r#"{ "error": { "code": 131056, "message": "(#131056) pair rate limit hit" } }"#)
        }
        // Only what never left is certain to work again; that has a test of its own.
        SendErrorKind::Transient => return None,
        SendErrorKind::Uncertain => Answer::Reset,
        SendErrorKind::WindowClosed => {
            Answer::Says(400, r#"{ "error": { "code": 131047, "message": "(#131047) Re-engagement message" } }"#)
        }
        SendErrorKind::Moved => return None,
        SendErrorKind::Refused(RefusedScope::Content) => {
            Answer::Says(400, r#"{ "error": { "code": 131051, "message": "(#131051) Unsupported message type" } }"#)
        }
        SendErrorKind::Refused(RefusedScope::Recipient) => {
            Answer::Says(400, r#"{ "error": { "code": 131026, "message": "(#131026) Message undeliverable" } }"#)
        }
        SendErrorKind::Refused(RefusedScope::Account) => {
            Answer::Says(401, r#"{ "error": { "code": 190, "message": "Invalid OAuth access token" } }"#)
        }
    };
    Some(answer)
}
