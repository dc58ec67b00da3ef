#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn buckets() -> Buckets {
    Buckets { pair: "pair".into(), account: "account".into() }
}

/// As it looks to the caller: certain or not, about what.
fn verdict(error: SendError) -> String {
    match error {
        SendError::Refused { scope, .. } => format!("{scope:?}"),
        SendError::RetryAfter { after, bucket } => format!("{} s of the {}", after.as_secs(), bucket.unwrap()),
        SendError::Transient(_) => "Transient".into(),
        SendError::Uncertain(_) => "Uncertain".into(),
        SendError::WindowClosed => "WindowClosed".into(),
        SendError::Moved(_) => "Moved".into(),
    }
}

fn of(code: i64, status: u16) -> String {
    let error = json!({ "message": "(#1) words", "type": "OAuthException", "code": code });
    verdict(send_error(ApiError::Graph { status, error, patience: None }, &buckets()))
}

#[test]
fn metas_codes_decide_what_is_certain() {
    let cases: &[(&[i64], &str)] = &[
        (&[4, 80007], "300 s of the account"),
        (&[130429], "5 s of the account"),
        (&[131056], "6 s of the pair"),
        (&[131048], "900 s of the account"),
        (&[131057], "60 s of the account"),
        (&[131026, 131049, 131050, 130472, 131062], "Recipient"),
        (&[131047], "WindowClosed"),
        (&[131051, 131053, 132000, 132001, 132015], "Content"),
        (&[0, 190, 3, 10, 200, 250, 299, 131031, 368, 131042, 133010], "Account"),
        (&[131000, 131016, 1, 2], "Uncertain"),
        (&[100, 131009, 424242], "Content"),
    ];
    for (codes, expected) in cases {
        for code in *codes {
            assert_eq!(of(*code, 400), *expected, "{code}");
        }
    }
}

#[test]
fn an_unknown_code_of_a_failing_server_decides_nothing() {
    assert_eq!(
        (of(424242, 500), of(424242, 503), of(424242, 400)),
        ("Uncertain".into(), "Uncertain".into(), "Content".into())
    );
    assert_eq!(of(424242, 429), "30 s of the account");
    // What is refused in so many words was refused.
    assert_eq!(of(131047, 500), "WindowClosed");
}

#[test]
fn a_subcode_tells_a_wrong_number_from_a_wrong_message() {
    let error = |subcode: Option<i64>| {
        let error = json!({ "code": 100, "error_subcode": subcode, "message": "Unsupported" });
        verdict(send_error(ApiError::Graph { status: 400, error, patience: None }, &buckets()))
    };
    assert_eq!((error(Some(33)), error(None)), ("Account".into(), "Content".into()));
}

#[test]
fn metas_own_patience_counts_where_it_is_longer() {
    let error = json!({ "code": 130429 });
    let error = ApiError::Graph { status: 400, error, patience: Some(Duration::from_secs(77)) };
    assert_eq!(verdict(send_error(error, &buckets())), "77 s of the account");
}

#[test]
fn what_never_left_is_certain_and_what_broke_is_not() {
    assert_eq!(verdict(send_error(ApiError::Unreached("no".into()), &buckets())), "Transient");
    assert_eq!(verdict(send_error(ApiError::Broken("no".into()), &buckets())), "Uncertain");
    assert_eq!(verdict(unseen(ApiError::Broken("no".into()), &buckets())), "Transient");
}

#[test]
fn metas_words_are_shown_without_numbers_of_people() {
    let error = json!({ "code": 424242, "error_data": { "details": "Recipient +16505551234 of 10 is odd\n" } });
    let trouble = trouble(&error, None);
    assert_eq!(trouble.sentence, "WhatsApp did not deliver it (error 424242): Recipient +(number) of 10 is odd");
    assert_eq!(super::trouble(&json!("what?"), None).sentence, "WhatsApp did not deliver it: no reason was given");
}
