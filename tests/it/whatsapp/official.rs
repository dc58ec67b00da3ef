//! Meta's own examples, as they come: each twice, in disorder, and each then there once.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::graph::official;

/// The number that most of them are for; the others are for one of the same app.
const NUMBER: &str = "106540352242922";

#[tokio::test]
async fn every_example_delivered_twice_and_shuffled_is_there_once() {
    let Some(examples) = official("meta-webhook-examples.json") else { return };
    assert_eq!(examples.len(), 16);
    for seed in 0..5 {
        let shop = Shop::open().await;
        assert_eq!(shop.graph.number(), NUMBER);
        shop.graph.brings(Manner::Stormy(fastrand::Rng::with_seed(seed)));
        let mut expected = BTreeSet::new();
        for (name, example) in &examples {
            for change in example["entry"].as_array().unwrap().iter().flat_map(|it| it["changes"].as_array().unwrap()) {
                let field = change["field"].as_str().unwrap();
                shop.graph.raw_change(field, change["value"].clone());
                let id = change["value"]["messages"][0]["id"].as_str();
                expected.insert(id.map_or_else(|| name.clone(), str::to_owned));
            }
        }
        let events = shop.events().await;
        let once: BTreeMap<_, _> = events.iter().map(|inbound| (inbound.key.as_str(), inbound)).collect();
        // A number that changed is told as a new name and a new address.
        let once: BTreeMap<_, _> = once.into_iter().filter(|(key, _)| !key.ends_with("#address")).collect();
        // Some of the examples share the id of a message: for the platform they are one.
        assert_eq!(once.len(), expected.len(), "{:#?}", once.keys());
        assert!(events.len() > once.len(), "nothing came twice");
    }
}

/// Each for itself: what it says is shown.
#[tokio::test]
async fn every_example_is_shown_for_what_it_is() {
    let Some(examples) = official("meta-webhook-examples.json") else { return };
    let expected = [
        ("Text Message", "Does it come in another color?"),
        ("Text Message with Context (Product Inquiry)", "di9ozbzfi4"),
        ("Text Message from Click to WhatsApp Ad", "Chat with us"),
        ("Reaction Message", "reaction: 👍"),
        ("Image Message", "[picture] Taj Mahal"),
        ("Location Message", "Philz Coffee"),
        ("Contact Sharing Message", "Lucía Gómez"),
        ("Unsupported Message", "Message type is currently not supported"),
        ("Button Message", "Unsubscribe"),
        ("Interactive List Reply Message", "Priority Mail Express"),
        ("Interactive Button Reply Message", "Cancel"),
        ("Order Message", "nqryix03ez"),
        ("System Message", "16505551234 is 12195555358 now"),
        ("Group Create Message", "unsupported: "),
        ("Group Settings Update", "unsupported: "),
        ("Group Remove Participants", "unsupported: "),
    ];
    let (shown, all): (BTreeSet<&str>, BTreeSet<&str>) =
        (expected.iter().map(|(name, _)| *name).collect(), examples.keys().map(String::as_str).collect());
    assert_eq!(shown, all);
    for (name, words) in expected {
        let shop = Shop::open().await;
        // As the bytes came.
        let body = examples[name].to_string();
        let (status, said) = shop.graph.post_signed(shop.graph.app_secret(), body.as_bytes()).await;
        assert_eq!(status, 200, "{name}: {said}");
        let shown = lines(&shop.receiving.inbox.stored());
        assert_eq!(shown.len(), if name == "System Message" { 2 } else { 1 }, "{name}: {shown:?}");
        assert!(shown[0].contains(words), "{name}: {shown:?}");
    }
}
