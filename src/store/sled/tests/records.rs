//! The form of every stored record. A change here means that an old database is read differently: add fields with a
//! default, or raise the version.

use frontdesk_core::{AccountId, Argument, DeliveryState, MemberChange, OutboxKey, Prepared, Style};
use serde::{Serialize, de::DeserializeOwned};

use super::*;
use crate::store::sled::{codec, disk::Header, outbox::Carried};

/// What lies on disk; it must also be read back as what it was.
fn on_disk<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> String {
    let bytes = codec::encode(value).unwrap();
    assert_eq!(&codec::decode::<T>(&bytes).unwrap(), value);
    String::from_utf8(bytes).unwrap().replace('\u{1}', "1 ")
}

fn full_row() -> Row {
    let RowOp::Post { content, .. } = post("hello") else { panic!("a post") };
    let op = RowOp::Post { content, style: Style::Words, reply_to: Some(MessageKey(1)), mentions: vec!["@ann".into()] };
    Row {
        number: RowNumber(8),
        order: 7,
        written_at: at(0),
        what: NewRow {
            purpose: Purpose::Automatic(crate::notices::Kind::AfterHours),
            conversation: Some(ConversationId(1)),
            sender: Some("@ann".into()),
            expires_at: Some(at(9)),
            unless_answered: Some(at(2)),
            give_up_at: Some(at(10)),
            piece: true,
            ..new_row(Target::Thread(ConversationId(1), desk()), op, Some(MessageKey(2)))
        },
        state: RowState::Held { reason: HoldReason::WindowClosed },
        attempts: 3,
        not_before: Some(at(4)),
        prepared: Prepared(serde_json::json!({ "mxc": "a" })),
        possibly_repeated: true,
        reopened: 1,
        delay_told: true,
    }
}

#[test]
fn the_inbox_keeps_its_form() {
    let inbound =
        Fact::Inbound { channel: shop(), inbound: from_desk(Some("t"), "1", Event::ThreadGone { thread: "t".into() }) };
    let row = |fact| InboxRow { seq: InboxSeq(3), at: at(0), fact, parked_since: Some(at(1)) };
    insta::assert_snapshot!(on_disk(&row(inbound)), @r#"
    1 {"seq":3,"at":"2027-01-15T08:00:00Z","fact":"inbound","channel":"telegram.shop","inbound":{"key":"1","side":{"desk":{"desk":"main","thread":"t"}},"from":{"id":"@ann:example.org","kind":"human","name":"Ann"},"at":{"desk":{"desk":"main","thread":"t"}},"event":{"event":"thread_gone","thread":"t"}},"parked_since":"2027-01-15T08:00:01Z"}
    "#);
    let settled = Settled {
        key: OutboxKey { instance: 10, number: 11 },
        target: Target::Customer(IdentityId(1)),
        purpose: Purpose::Answer,
        conversation: Some(ConversationId(1)),
        message: Some(MessageKey(2)),
        verb: Verb::Post,
        piece: Some("first".into()),
        outcome: Outcome::Sent { sent: Sent { thread: Some("t".into()), ids: vec!["m".into()] } },
    };
    insta::assert_snapshot!(on_disk(&row(Fact::Settled { settled })), @r#"1 {"seq":3,"at":"2027-01-15T08:00:00Z","fact":"settled","settled":{"key":"000000000000000a-b","target":{"customer":1},"purpose":"answer","conversation":1,"message":2,"verb":"post","piece":"first","outcome":{"outcome":"sent","sent":{"thread":"t","ids":["m"]}}},"parked_since":"2027-01-15T08:00:01Z"}"#);
    let timer = Timer { id: TimerId(4), due: at(5), kind: TimerKind::Automatic, conversation: ConversationId(1) };
    let notice = Fact::Notice { desk: desk(), text: "The config is read again.".into() };
    insta::assert_snapshot!(on_disk(&row(notice)), @r#"1 {"seq":3,"at":"2027-01-15T08:00:00Z","fact":"notice","desk":"main","text":"The config is read again.","parked_since":"2027-01-15T08:00:01Z"}"#);
    insta::assert_snapshot!(on_disk(&row(Fact::Due { timer })), @r#"
    1 {"seq":3,"at":"2027-01-15T08:00:00Z","fact":"due","timer":{"id":4,"due":"2027-01-15T08:00:05Z","kind":"automatic","conversation":1},"parked_since":"2027-01-15T08:00:01Z"}
    "#);
}

#[test]
fn events_keep_their_form() {
    let message = Message { reply_to: Some("1".into()), ..Message::text("2", "hello") };
    let chat = || Address::chat("anna");
    let events = [
        Event::Message(message.clone()),
        Event::Edited { id: "1".into(), content: Content::text("new"), notice: true },
        Event::Deleted { ids: vec!["1".into()] },
        Event::Reaction { id: "1".into(), emoji: Some("👍".to_owned()) },
        Event::Status { key: Some(OutboxKey { instance: 1, number: 2 }), id: None, state: DeliveryState::Read },
        Event::Echo(message),
        Event::Member { user: "@ann:example.org".into(), change: MemberChange::Invited },
        Event::IdentityMoved { from: "1".into(), to: "2".into() },
        Event::ChatMoved { from: chat(), to: chat() },
        Event::ThreadGone { thread: "t".into() },
        Event::Blocked,
        Event::Unblocked,
        Event::Known,
        Event::Started { payload: Some("window".to_owned()) },
        Event::Undecryptable { id: "1".into(), raw: serde_json::json!({ "a": 1 }).into() },
        Event::Unread { why: "the room was open".to_owned() },
        Event::Unsupported { kind: "poll".to_owned(), raw: serde_json::json!({ "a": 1 }).into() },
    ];
    insta::assert_snapshot!(events.map(|event| on_disk(&event)).join("\n"), @r#"
    1 {"event":"message","id":"2","content":{"parts":[{"part":"text","text":"hello"}]},"reply_to":"1","notice":false,"forwarded":false}
    1 {"event":"edited","id":"1","content":{"parts":[{"part":"text","text":"new"}]},"notice":true}
    1 {"event":"deleted","ids":["1"]}
    1 {"event":"reaction","id":"1","emoji":"👍"}
    1 {"event":"status","key":"0000000000000001-2","id":null,"state":{"state":"read"}}
    1 {"event":"echo","id":"2","content":{"parts":[{"part":"text","text":"hello"}]},"reply_to":"1","notice":false,"forwarded":false}
    1 {"event":"member","user":"@ann:example.org","change":"invited"}
    1 {"event":"identity_moved","from":"1","to":"2"}
    1 {"event":"chat_moved","from":{"chat":{"chat":"anna"}},"to":{"chat":{"chat":"anna"}}}
    1 {"event":"thread_gone","thread":"t"}
    1 {"event":"blocked"}
    1 {"event":"unblocked"}
    1 {"event":"known"}
    1 {"event":"started","payload":"window"}
    1 {"event":"undecryptable","id":"1","raw":"{\"a\":1}"}
    1 {"event":"unread","why":"the room was open"}
    1 {"event":"unsupported","kind":"poll","raw":"{\"a\":1}"}
    "#);
    let person = Person {
        first_name: Some("Anna".to_owned()),
        username: Some("anna".to_owned()),
        language: Some("de".to_owned()),
        aliases: vec!["+49 1".to_owned()],
        ..Person::human("anna", "Anna")
    };
    insta::assert_snapshot!(on_disk(&Inbound { from: person, sent_at: Some(at(-1)), ..writes("anna", "1") }), @r#"
    1 {"key":"1","side":"customer","from":{"id":"anna","kind":"human","name":"Anna","first_name":"Anna","username":"anna","language":"de","aliases":["+49 1"]},"at":{"chat":{"chat":"anna"}},"sent_at":"2027-01-15T07:59:59Z","event":{"event":"message","id":"1","content":{"parts":[{"part":"text","text":"words of 1"}]},"notice":false,"forwarded":false}}
    "#);
}

#[test]
fn outcomes_keep_their_form() {
    let outcomes = [
        Outcome::Failed { reason: "no".to_owned() },
        Outcome::Uncertain { reason: "perhaps".to_owned() },
        Outcome::Expired,
        Outcome::Answered,
        Outcome::Blocked,
        Outcome::HoursChanged,
        Outcome::Superseded,
        Outcome::Dropped,
        Outcome::TakenBack,
        Outcome::Held { reason: HoldReason::WindowClosed },
        Outcome::Delayed { reason: "late".to_owned() },
    ];
    insta::assert_snapshot!(outcomes.map(|outcome| on_disk(&outcome)).join("\n"), @r#"
    1 {"outcome":"failed","reason":"no"}
    1 {"outcome":"uncertain","reason":"perhaps"}
    1 {"outcome":"expired"}
    1 {"outcome":"answered"}
    1 {"outcome":"blocked"}
    1 {"outcome":"hours_changed"}
    1 {"outcome":"superseded"}
    1 {"outcome":"dropped"}
    1 {"outcome":"taken_back"}
    1 {"outcome":"held","reason":"window_closed"}
    1 {"outcome":"delayed","reason":"late"}
    "#);
}

#[test]
fn the_outbox_keeps_its_form() {
    insta::assert_snapshot!(on_disk(&full_row()), @r#"1 {"number":8,"order":7,"written_at":"2027-01-15T08:00:00Z","target":{"thread":[1,"main"]},"purpose":{"automatic":"after_hours"},"op":{"op":"post","content":{"parts":[{"part":"text","text":"hello"}]},"style":"words","reply_to":1,"mentions":["@ann"]},"conversation":1,"message":2,"sender":"@ann","expires_at":"2027-01-15T08:00:09Z","unless_answered":"2027-01-15T08:00:02Z","give_up_at":"2027-01-15T08:00:10Z","piece":true,"state":{"row":"held","reason":"window_closed"},"attempts":3,"not_before":"2027-01-15T08:00:04Z","prepared":{"mxc":"a"},"possibly_repeated":true,"reopened":1,"delay_told":true}"#);
    let content = || Content::text("hello");
    let ops = [
        RowOp::OpenThread { content: content(), reply_to: Some(MessageKey(1)) },
        RowOp::Edit { message: MessageKey(1), content: content(), style: Style::Notice },
        RowOp::Delete { message: MessageKey(1), piece: 0 },
        RowOp::React { message: MessageKey(1), emoji: Some("👀".to_owned()) },
        RowOp::Template {
            name: "again".to_owned(),
            language: "de".to_owned(),
            arguments: vec![Argument { name: None, text: "Anna".to_owned() }],
        },
    ];
    insta::assert_snapshot!(ops.map(|op| on_disk(&op)).join("\n"), @r#"
    1 {"op":"open_thread","content":{"parts":[{"part":"text","text":"hello"}]},"reply_to":1}
    1 {"op":"edit","message":1,"content":{"parts":[{"part":"text","text":"hello"}]},"style":"notice"}
    1 {"op":"delete","message":1,"piece":0}
    1 {"op":"react","message":1,"emoji":"👀"}
    1 {"op":"template","name":"again","language":"de","arguments":[{"text":"Anna"}]}
    "#);
    let purposes = [Purpose::Relay, Purpose::Answer, Purpose::Card, Purpose::Failure, Purpose::Reply];
    let targets = [Target::Customer(IdentityId(1)), Target::Desk(desk())];
    let states = [RowState::Queued, RowState::InFlight, RowState::Held { reason: HoldReason::Guard }];
    insta::assert_snapshot!([on_disk(&purposes.to_vec()), on_disk(&targets.to_vec()), on_disk(&states.to_vec())].join("\n"), @r#"
    1 ["relay","answer","card","failure","reply"]
    1 [{"customer":1},{"desk":"main"}]
    1 [{"row":"queued"},{"row":"in_flight"},{"row":"held","reason":"guard"}]
    "#);
    insta::assert_snapshot!(on_disk(&Carried { message: MessageKey(2), piece: None }), @r#"1 {"message":2}"#);
    let piece = Some(PieceMark::of("a piece"));
    insta::assert_snapshot!(on_disk(&Carried { message: MessageKey(2), piece }), @r#"
    1 {"message":2,"piece":15760166881652736358}
    "#);
}

#[test]
fn people_keep_their_form() {
    let contact = Contact {
        acknowledged_at: Some(at(1)),
        human_at: Some(at(2)),
        notice_at: Some(at(3)),
        detected: Some("de".parse().unwrap()),
        blocked: true,
        automatic: vec![AutomaticSent { at: at(3), kind: crate::notices::Kind::FirstContact, fingerprint: u64::MAX }],
        ..contact(1)
    };
    insta::assert_snapshot!(on_disk(&contact), @r#"
    1 {"id":1,"identities":[1],"first_heard_at":"2027-01-15T08:00:00Z","acknowledged_at":"2027-01-15T08:00:01Z","human_at":"2027-01-15T08:00:02Z","notice_at":"2027-01-15T08:00:03Z","automatic":[{"at":"2027-01-15T08:00:03Z","kind":"first_contact","fingerprint":18446744073709551615}],"language":null,"detected":"de","blocked":true}
    "#);
    let identity = Identity {
        address: Address::Chat { chat: "5".into(), scope: Some("business".to_owned()), thread: Some("6".into()) },
        first_name: Some("Anna".to_owned()),
        username: Some("anna".to_owned()),
        language: Some("de".to_owned()),
        origin: Some("shop-window".to_owned()),
        heard_at: Some(at(4)),
        ..identity(1, "anna")
    };
    insta::assert_snapshot!(on_disk(&identity), @r#"
    1 {"id":1,"contact":1,"channel":"telegram.shop","user":"anna","address":{"chat":{"chat":"5","scope":"business","thread":"6"}},"name":"anna","first_name":"Anna","username":"anna","language":"de","unreachable":false,"conversation":1,"origin":"shop-window","heard_at":"2027-01-15T08:00:04Z"}
    "#);
}

#[test]
fn conversations_keep_their_form() {
    let conversation = Conversation {
        state: ConversationState::Closed { at: at(9), by: Some("Ann".to_owned()) },
        previous: Some(ConversationId(1)),
        last_human_at: Some(at(4)),
        pending: Some(Pending { timer: TimerId(4), kind: crate::notices::Kind::AfterHours, since: at(1) }),
        idle: Some(TimerId(5)),
        undelivered: vec![Undelivered { message: MessageKey(3), piece: None }],
        taken_by: Some("@ann:example.org".into()),
        origin: Some("shop-window".to_owned()),
        tags: vec!["order".to_owned()],
        last_words: Some(MessageKey(6)),
        blocked: Some(Blocked {
            at: at(9),
            by: "Ann".to_owned(),
            messages: 1,
            first_at: Some(at(10)),
            latest: vec![MessageKey(6)],
        }),
        held: vec![MessageKey(3)],
        reminder: Some(TimerId(7)),
        read_at: Some(at(5)),
        ..conversation(2)
    };
    insta::assert_snapshot!(on_disk(&conversation), @r#"1 {"id":2,"identity":2,"contact":2,"desk":"main","state":{"state":"closed","at":"2027-01-15T08:00:09Z","by":"Ann"},"opened_at":"2027-01-15T08:00:00Z","previous":1,"waiting_since":"2027-01-15T08:00:00Z","last_customer_at":"2027-01-15T08:00:00Z","last_human_at":"2027-01-15T08:00:04Z","card":0,"card_text":"Anna waits","pending":{"timer":4,"kind":"after_hours","since":"2027-01-15T08:00:01Z"},"idle":5,"undelivered":[{"message":3,"piece":null}],"taken_by":"@ann:example.org","origin":"shop-window","tags":["order"],"last_words":6,"blocked":{"at":"2027-01-15T08:00:09Z","by":"Ann","messages":1,"first_at":"2027-01-15T08:00:10Z","latest":[6]},"held":[3],"reminder":7,"read_at":"2027-01-15T08:00:05Z"}"#);
    let binding = ThreadBinding { conversation: ConversationId(2), desk: desk(), thread: "t".into() };
    insta::assert_snapshot!(on_disk(&binding), @r#"1 {"conversation":2,"desk":"main","thread":"t"}"#);
    insta::assert_snapshot!(on_disk(&super::conversation(1).state), @r#"1 {"state":"open"}"#);
}

#[test]
fn messages_keep_their_form() {
    let change = |what| Change { at: at(2), what };
    let message = MessageRecord {
        author: Author::Operator { id: "@ann:example.org".into(), name: "Ann".to_owned() },
        sent_at: Some(at(-1)),
        reply_to: Some(MessageKey(1)),
        changes: vec![
            change(ChangeKind::Edited { content: Content::text("new") }),
            change(ChangeKind::Deleted),
            change(ChangeKind::Delivery { delivery: DeliveryState::Failed { reason: "no".to_owned() } }),
            change(ChangeKind::Uncertain),
        ],
        template: Some(TemplateUsed {
            name: "cake_ready".to_owned(),
            language: "en_US".to_owned(),
            arguments: vec![Argument { name: Some("who".to_owned()), text: "Anna".to_owned() }],
        }),
        ..record(2, ConversationId(1), Some(chat_ref("anna", "7")))
    };
    insta::assert_snapshot!(on_disk(&message), @r#"
    1 {"key":2,"conversation":1,"author":{"author":"operator","id":"@ann:example.org","name":"Ann"},"at":"2027-01-15T08:00:00Z","sent_at":"2027-01-15T07:59:59Z","content":{"parts":[{"part":"text","text":"words"}]},"reply_to":1,"source":{"place":{"place":"chat","channel":"telegram.shop","scope":null,"chat":"anna"},"id":"7"},"changes":[{"at":"2027-01-15T08:00:02Z","change":"edited","content":{"parts":[{"part":"text","text":"new"}]}},{"at":"2027-01-15T08:00:02Z","change":"deleted"},{"at":"2027-01-15T08:00:02Z","change":"delivery","delivery":{"state":"failed","reason":"no"}},{"at":"2027-01-15T08:00:02Z","change":"uncertain"}],"template":{"name":"cake_ready","language":"en_US","arguments":[{"name":"who","text":"Anna"}]}}
    "#);
    let authors = [
        Author::Customer,
        Author::Note { id: "@ann:example.org".into(), name: "Ann".to_owned() },
        Author::Business,
        Author::Automatic { kind: crate::notices::Kind::FirstContact },
        Author::Program,
    ];
    insta::assert_snapshot!(authors.map(|author| on_disk(&author)).join("\n"), @r#"
    1 {"author":"customer"}
    1 {"author":"note","id":"@ann:example.org","name":"Ann"}
    1 {"author":"business"}
    1 {"author":"automatic","kind":"first_contact"}
    1 {"author":"program"}
    "#);
    insta::assert_snapshot!(on_disk(&Mark::new(at(1), ChangeKind::Deleted)), @r#"
    1 {"at":"2027-01-15T08:00:01Z","change":"deleted"}
    "#);
    let of_an_operator = Mark { by: Some("ann".into()), told_at: Some(at(0)), ..Mark::new(at(1), ChangeKind::Deleted) };
    insta::assert_snapshot!(on_disk(&of_an_operator), @r#"
    1 {"at":"2027-01-15T08:00:01Z","change":"deleted","by":"ann","told_at":"2027-01-15T08:00:00Z"}
    "#);
}

#[test]
fn the_rest_keeps_its_form() {
    let entry = |verdict| LedgerEntry {
        contact: ContactId(1),
        conversation: Some(ConversationId(2)),
        at: at(1),
        kind: crate::notices::Kind::AfterHours,
        verdict,
    };
    insta::assert_snapshot!(on_disk(&entry(Verdict::Silent { reason: Silence::NoticeThisPeriod })), @r#"
    1 {"contact":1,"conversation":2,"at":"2027-01-15T08:00:01Z","kind":"after_hours","verdict":{"verdict":"silent","reason":"notice_this_period"}}
    "#);
    insta::assert_snapshot!(on_disk(&vec![Verdict::Planned, Verdict::Said]), @r#"
    1 [{"verdict":"planned"},{"verdict":"said"}]
    "#);
    let ids = Ids {
        contact: ContactId(1),
        identity: IdentityId(2),
        conversation: ConversationId(3),
        message: MessageKey(4),
        timer: TimerId(5),
    };
    insta::assert_snapshot!(on_disk(&ids), @r#"1 {"contact":1,"identity":2,"conversation":3,"message":4,"timer":5}"#);
    let set = crate::hours::Override { open: false, from: at(1), until: at(2) };
    let mut hours = HoursSet::default();
    hours.set(SetHours { set, by: "Ann".to_owned(), desk: desk() }, at(3));
    insta::assert_snapshot!(on_disk(&hours), @r#"
    1 {"sets":[{"open":false,"from":"2027-01-15T08:00:01Z","until":"2027-01-15T08:00:02Z","by":"Ann","desk":"main"}],"changed_at":"2027-01-15T08:00:03Z"}
    "#);
    insta::assert_snapshot!(on_disk(&Header { schema: 1, instance: u64::MAX }), @r#"
    1 {"schema":1,"instance":18446744073709551615}
    "#);
    insta::assert_snapshot!([on_disk(&AccountId::from("1")), on_disk(&Cursor::from("c")), on_disk(&at(0))].join("\n"), @r#"
    1 "1"
    1 "c"
    1 "2027-01-15T08:00:00Z"
    "#);
}

/// Records without the fields that later versions added.
#[test]
fn what_an_older_version_wrote_is_still_read() {
    let old = |json: &str| [&[1], json.as_bytes()].concat();
    let contact: Contact =
        codec::decode(&old(r#"{"id":1,"identities":[1],"first_heard_at":"2027-01-15T08:00:00Z"}"#)).unwrap();
    assert_eq!(contact, super::contact(1));
    let row = r#"{"number":1,"order":1,"written_at":"2027-01-15T08:00:00Z","target":{"customer":1},"purpose":"answer",
        "op":{"op":"delete","message":2},"state":{"row":"queued"}}"#;
    let row: Row = codec::decode(&old(row)).unwrap();
    assert_eq!((row.attempts, row.what.message, row.prepared), (0, None, Prepared::default()));
}
