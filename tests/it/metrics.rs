//! `/metrics`, read by an independent parser: the numbers after a conversation are those of the conversation.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use frontdesk_core::{RefusedScope, SendError};
use insta::assert_snapshot;

use crate::{
    fake::Fault,
    program::{PATIENCE, Shop},
    python,
    world::World,
};

/// Refuses what is not OpenMetrics to the letter: names, units, suffixes, the end mark.
const PARSE: &str = "
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
found = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    for sample in family.samples:
        labels = ','.join(f'{key}={value}' for key, value in sorted(sample.labels.items()))
        found[sample.name + ('{' + labels + '}' if labels else '')] = sample.value
print(json.dumps(found))
";

fn parse(text: &str) -> BTreeMap<String, f64> {
    serde_json::from_value(python::run(PARSE, text)).unwrap()
}

/// What was counted, and how it is now; what is measured only by how often.
fn counted(samples: &BTreeMap<String, f64>) -> String {
    let measured = ["_bucket", "_sum", "_created", "process_", "store_step", "longest_wait"];
    let mut lines = String::new();
    for (name, value) in samples.iter().filter(|(name, _)| !measured.iter().any(|part| name.contains(part))) {
        let _ = writeln!(lines, "{name} {value}");
    }
    lines
}

impl World {
    async fn measured(&self) -> BTreeMap<String, f64> {
        parse(&self.scrape.as_ref().unwrap().text().await.unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_conversation_the_numbers_are_those_of_the_conversation() {
    let world = World::at("2026-11-23T10:00[Europe/Berlin]").await;
    world.says("Anna", "Do you have rye bread?").await;
    world.secs(20).await;
    world.answers("ann", "Anna", "Yes").await;
    world.says("Anna", "Thanks, and rolls?").await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(30), bucket: None }));
    world.answers("ann", "Anna", "They come at three").await;
    world.secs(60).await;
    let refused = SendError::refused(RefusedScope::Recipient, "The customer has blocked the bot.");
    world.shop.fail_next(Fault::Before(refused));
    world.answers("ann", "Anna", "Shall I keep some?").await;
    world.secs(20).await;
    world.says("Ben", "Hello").await;
    world.secs(5).await;
    assert_snapshot!(counted(&world.measured().await), @"
    frontdesk_automatic_said_total{kind=first_contact} 1
    frontdesk_build_info{version=0.1.0} 1
    frontdesk_channel_ready{channel=matrix.desk} 1
    frontdesk_channel_ready{channel=telegram.shop} 1
    frontdesk_channel_ready{channel=whatsapp.shop} 1
    frontdesk_conversations_waiting 2
    frontdesk_delivery_duration_seconds_count{channel=matrix.desk} 13
    frontdesk_delivery_duration_seconds_count{channel=telegram.shop} 3
    frontdesk_events_accepted_total{channel=matrix.desk} 3
    frontdesk_events_accepted_total{channel=telegram.shop} 3
    frontdesk_facts_decided_total 11
    frontdesk_inbox_facts 0
    frontdesk_messages_total{channel=matrix.desk,outcome=sent,purpose=card} 7
    frontdesk_messages_total{channel=matrix.desk,outcome=sent,purpose=failure} 2
    frontdesk_messages_total{channel=matrix.desk,outcome=sent,purpose=relay} 3
    frontdesk_messages_total{channel=matrix.desk,outcome=sent,purpose=reply} 1
    frontdesk_messages_total{channel=telegram.shop,outcome=failed,purpose=answer} 1
    frontdesk_messages_total{channel=telegram.shop,outcome=sent,purpose=answer} 2
    frontdesk_messages_total{channel=telegram.shop,outcome=sent,purpose=automatic} 1
    frontdesk_outbox_oldest_seconds 0
    frontdesk_outbox_rows{state=queued} 0
    frontdesk_outbox_rows{state=sending} 0
    frontdesk_outbox_rows{state=waiting} 0
    frontdesk_parked_facts 0
    frontdesk_send_duration_seconds_count{channel=matrix.desk} 13
    frontdesk_send_duration_seconds_count{channel=telegram.shop} 5
    frontdesk_send_failures_total{channel=telegram.shop,reason=rate_limited} 1
    frontdesk_send_failures_total{channel=telegram.shop,reason=refused} 1
    frontdesk_store_writable 1
    ");
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_shown_with_its_age() {
    let world = World::at("2026-11-23T10:00[Europe/Berlin]").await;
    world.says("Anna", "Hello").await;
    world.secs(20).await;
    for _ in 0..20 {
        world.shop.fail_next(Fault::Before(SendError::Transient("no connection".into())));
    }
    world.answers("ann", "Anna", "Hello Anna").await;
    world.says("Anna", "Are you there?").await;
    world.secs(90).await;
    let samples = world.measured().await;
    assert_eq!(samples["frontdesk_outbox_rows{state=waiting}"], 1.0);
    let (age, wait) = (samples["frontdesk_outbox_oldest_seconds"], samples["frontdesk_longest_wait_seconds"]);
    assert!((90.0..95.0).contains(&age), "{age}");
    assert!((89.0..age).contains(&wait), "{wait} of {age}");
    assert!(samples["frontdesk_send_failures_total{channel=telegram.shop,reason=transient}"] >= 5.0);
}

#[tokio::test]
async fn the_program_serves_them_without_anything_of_a_customer() {
    let mut shop = Shop::new().await;
    shop.up().await;
    let room = shop.room().await;
    shop.telegram.user(4711, "Anna", Some("en"));
    shop.telegram.says(4711, "Do you have rye bread?");
    shop.thread(&room, "Anna").await;
    shop.telegram.wait_received(4711, 1, PATIENCE).await;
    let (status, text) = shop.get("/metrics").await.unwrap();
    assert_eq!(status, 200);
    for secret in ["Anna", "4711", "rye", shop.telegram.token(), shop.ann.user_id()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let samples = parse(&text);
    assert_eq!(samples["frontdesk_build_info{version=0.1.0}"], 1.0);
    assert_eq!(samples["frontdesk_channel_ready{channel=telegram.shop}"], 1.0);
    assert_eq!(samples["frontdesk_channel_ready{channel=matrix.desk}"], 1.0);
    assert_eq!(samples["frontdesk_store_writable"], 1.0);
    assert_eq!(samples["frontdesk_conversations_waiting"], 1.0);
    assert!(samples["frontdesk_store_step_duration_seconds_count{step=accept}"] >= 1.0);
    let memory = samples["process_resident_memory_bytes"];
    assert!((1e6..1e9).contains(&memory), "{memory}");
}
