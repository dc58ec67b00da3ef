//! `check --online`, against a set-up that is right and others that lack something.

use frontdesk_core::Severity;

use super::*;

/// The severity and the words of each finding.
async fn findings(adapter: &dyn Adapter) -> Vec<(Severity, String)> {
    adapter.probe().await.into_iter().map(|finding| (finding.severity, finding.text)).collect()
}

#[tokio::test]
async fn a_probe_tries_the_token_the_number_the_webhook_and_the_secret() {
    let shop = Shop::open().await;
    let well = findings(&*shop.receiving.adapter).await;
    assert!(well.iter().all(|(severity, _)| *severity == Severity::Ok), "{well:?}");
    let words = well.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
    assert!(words.contains("Blue Door Bakery") && words.contains("/hooks/whatsapp/shop"), "{words}");
    let before = shop.receiving.inbox.offered().len();
    assert_eq!(before, 0, "the call to the hook has left something");
}

#[tokio::test]
async fn a_probe_finds_what_is_missing_and_says_what_to_click() {
    let shop = Shop::open().await;
    let wrong = async |key: &str, value: &str| {
        let mut table = shop.graph.table(&shop.graph.number());
        table[key] = value.into();
        let found = findings(&*adapter_with(table)).await;
        assert!(!format!("{found:?}").contains(value) || key == "phone_number_id", "a secret is shown: {found:?}");
        found
    };
    let errors = |found: Vec<(Severity, String)>| {
        let errors = found.into_iter().filter(|(severity, _)| *severity == Severity::Error);
        errors.map(|(_, text)| text).collect::<Vec<_>>().join("\n")
    };
    assert!(errors(wrong("access_token", "EAAJanotherAnotherAnotherAnother").await).contains("Generate token"));
    let other_secret = errors(wrong("app_secret", "00000000000000000000000000000000").await);
    assert!(other_secret.contains("app_secret") && other_secret.contains("App settings"), "{other_secret}");
    assert!(errors(wrong("phone_number_id", "999999999999999").await).contains("API Setup"));

    shop.graph.set_subscribed(false);
    assert!(errors(findings(&*shop.receiving.adapter).await).contains("subscribed_apps"));
    shop.graph.set_subscribed(true);
    shop.graph.set_fields(&["account_update"]);
    assert!(errors(findings(&*shop.receiving.adapter).await).contains("`messages`"));
    shop.graph.set_fields(&["messages"]);
    shop.graph.calls_hook("http://127.0.0.1:9/hooks/whatsapp/shop");
    assert!(errors(findings(&*shop.receiving.adapter).await).contains("cannot be reached"));
    shop.graph.calls_hook("https://other.example/webhook");
    assert!(errors(findings(&*shop.receiving.adapter).await).contains("other.example"));
}
