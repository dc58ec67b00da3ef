use std::time::Duration;

use frontdesk_core::{Bucket, RefusedScope, SendError};
use serde_json::Value;

use crate::{
    api::ApiError,
    wire::{text, written},
};

/// What an error of Meta's means, and what people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub class: Class,
    pub sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Not carried out; the same works after so many seconds.
    Later(u64, Paced),
    /// The customer has to write first.
    Window,
    /// Never, for this message.
    Content,
    /// Never, for this customer.
    Recipient,
    /// Nothing, for anybody, until a person does something.
    Alarm,
    /// Perhaps carried out.
    Doubt,
}

/// What waits together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paced {
    Pair,
    Account,
}

/// The buckets of one send.
pub(crate) struct Buckets {
    pub pair: Bucket,
    pub account: Bucket,
}

/// What a failed send means.
pub(crate) fn send_error(error: ApiError, buckets: &Buckets) -> SendError {
    let (trouble, patience) = match error {
        ApiError::Unreached(what) => return SendError::Transient(what),
        ApiError::Broken(what) => return SendError::Uncertain(what),
        ApiError::Graph { status, error, patience } => (trouble(&error, Some(status)), patience),
    };
    let refused = |scope, reason| SendError::Refused { scope, reason };
    match trouble.class {
        Class::Later(secs, paced) => {
            let bucket = match paced {
                Paced::Pair => &buckets.pair,
                Paced::Account => &buckets.account,
            };
            let after = Duration::from_secs(secs).max(patience.unwrap_or_default());
            SendError::RetryAfter { after, bucket: Some(bucket.clone()) }
        }
        Class::Window => SendError::WindowClosed,
        Class::Content => refused(RefusedScope::Content, trouble.sentence),
        Class::Recipient => refused(RefusedScope::Recipient, trouble.sentence),
        Class::Alarm => refused(RefusedScope::Account, trouble.sentence),
        Class::Doubt => SendError::Uncertain(trouble.sentence),
    }
}

/// What a failed call means that nobody can see: nothing is lost by making it again.
pub(crate) fn unseen(error: ApiError, buckets: &Buckets) -> SendError {
    match send_error(error, buckets) {
        SendError::Uncertain(what) => SendError::Transient(what),
        other => other,
    }
}

/// `status` is that of the answer which the error was; `None` where a webhook brought it.
pub(crate) fn trouble(error: &Value, status: Option<u16>) -> Trouble {
    let number = |path: &str| written(error, path).and_then(|code| code.parse::<i64>().ok());
    let (code, subcode) = (number("/code"), number("/error_subcode"));
    let fits = |row: &&Row| {
        code.is_some_and(|code| (row.codes.0..=row.codes.1).contains(&code))
            && row.subcode.is_none_or(|wanted| subcode == Some(wanted))
    };
    if let Some(row) = TROUBLES.iter().find(fits) {
        return Trouble { class: row.class, sentence: row.sentence.to_owned() };
    }
    let words = words(error);
    let number = code.map(|code| format!(" (error {code})")).unwrap_or_default();
    match status {
        Some(500..) => Trouble { class: Class::Doubt, sentence: format!("WhatsApp failed{number}: {words}") },
        Some(429) => Trouble { class: Class::Later(30, Paced::Account), sentence: TOO_FAST.to_owned() },
        Some(_) => Trouble { class: Class::Content, sentence: format!("WhatsApp did not take this{number}: {words}") },
        None => Trouble { class: Class::Content, sentence: format!("WhatsApp did not deliver it{number}: {words}") },
    }
}

/// Meta's own words, without what may be a customer's number.
fn words(error: &Value) -> String {
    let paths = ["/error_data/details", "/error_user_msg", "/message", "/title"];
    let words = paths.iter().find_map(|path| text(error, path)).unwrap_or("no reason was given");
    let mut plain = String::new();
    let mut digits = String::new();
    for c in words.chars().take(300).chain(['\n']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        plain.push_str(if digits.len() > 6 { "(number)" } else { &digits });
        digits.clear();
        plain.push(if c.is_control() { ' ' } else { c });
    }
    plain.trim().to_owned()
}

struct Row {
    /// From and to, both included.
    codes: (i64, i64),
    /// `None`: whatever it is.
    subcode: Option<i64>,
    class: Class,
    sentence: &'static str,
}

const fn row(code: i64, class: Class, sentence: &'static str) -> Row {
    Row { codes: (code, code), subcode: None, class, sentence }
}

const TOO_FAST: &str = "WhatsApp did not deliver it, because too much was sent at once. Try it again in a while.";
const TOKEN: &str = "WhatsApp does not accept the access token: it has expired or was withdrawn. Make one that never \
                     expires for a system user (Meta Business settings > System users > Generate token, with \
                     whatsapp_business_messaging and whatsapp_business_management), and put it where `access_token` \
                     looks for it";
const RIGHTS: &str = "the access token may not use this phone number: in Meta Business settings give the system user the \
                      app and the WhatsApp account with full control, and make a new token with \
                      whatsapp_business_messaging and whatsapp_business_management";
const TEMPLATE: &str = "WhatsApp has no approved template of this name in this language. `!template` lists those that \
                        can be sent.";
const PARAMETERS: &str = "The template takes other parameters than these. `!template` shows what it takes.";
const HICCUP: &str = "Something went wrong at WhatsApp and it was not delivered. Try it again.";

/// From the Cloud API's list of error codes. The first row that fits counts.
const TROUBLES: &[Row] = {
    use Class::{Alarm, Content, Doubt, Later, Recipient, Window};
    use Paced::{Account, Pair};
    &[
        row(0, Alarm, TOKEN),
        row(190, Alarm, TOKEN),
        row(3, Alarm, RIGHTS),
        row(10, Alarm, RIGHTS),
        Row { codes: (200, 299), subcode: None, class: Alarm, sentence: RIGHTS },
        row(131005, Alarm, RIGHTS),
        Row {
            codes: (100, 100),
            subcode: Some(33),
            class: Alarm,
            sentence: "WhatsApp does not know this phone_number_id, or the access token may not see it: compare it with \
                       WhatsApp > API Setup in Meta's app dashboard, and give the system user the WhatsApp account",
        },
        row(
            33,
            Alarm,
            "this phone number was deleted at Meta: add it again in WhatsApp Manager, and write its new \
             phone_number_id",
        ),
        row(
            368,
            Alarm,
            "Meta has blocked the WhatsApp account for a while because of its rules: see Account quality in Meta \
             Business settings for the reason and how to appeal",
        ),
        row(
            131031,
            Alarm,
            "Meta has locked the WhatsApp account: see Account quality in Meta Business settings for the reason and how \
             to appeal",
        ),
        row(
            131042,
            Alarm,
            "Meta cannot charge for messages: open WhatsApp Manager > Overview > Payment settings, and add or mend the \
             payment method",
        ),
        row(
            131045,
            Alarm,
            "the phone number is not registered for the Cloud API: register it in WhatsApp Manager > Phone numbers",
        ),
        row(
            133010,
            Alarm,
            "the phone number is not registered for the Cloud API: register it in WhatsApp Manager > Phone numbers",
        ),
        row(131037, Alarm, "Meta has not approved the number's display name yet: see WhatsApp Manager > Phone numbers"),
        row(4, Later(300, Account), TOO_FAST),
        row(80007, Later(300, Account), TOO_FAST),
        row(130429, Later(5, Account), TOO_FAST),
        row(131056, Later(6, Pair), TOO_FAST),
        row(
            131048,
            Later(900, Account),
            "WhatsApp holds back what this number sends, because people blocked it or reported it. Try it again later, \
             and see the quality of the number in WhatsApp Manager.",
        ),
        row(131057, Later(60, Account), "WhatsApp is working on this number just now. Try it again in a few minutes."),
        row(133004, Later(60, Account), "WhatsApp was not there for a moment. Try it again in a few minutes."),
        row(131047, Window, "The customer has to write again before WhatsApp lets us answer."),
        row(
            131026,
            Recipient,
            "WhatsApp cannot deliver to this customer: they may have no WhatsApp (any more), an old version of it, or \
             have blocked us. Try another way to reach them.",
        ),
        row(131021, Recipient, "This is our own number: WhatsApp does not send to oneself."),
        row(
            131030,
            Recipient,
            "The number at Meta is a test number, and this customer is not on its list: add them under WhatsApp > API \
             Setup in Meta's app dashboard.",
        ),
        row(
            131049,
            Recipient,
            "WhatsApp did not deliver it, because this customer gets enough advertising already. Wait a day, or wait \
             until they write.",
        ),
        row(131050, Recipient, "The customer does not want advertising from us on WhatsApp. Wait until they write."),
        row(
            130472,
            Recipient,
            "WhatsApp did not deliver it, because this customer is part of an experiment of Meta's with advertising. \
             Wait until they write.",
        ),
        row(130497, Recipient, "WhatsApp does not let this business write to people in the customer's country."),
        row(
            131062,
            Recipient,
            "This kind of template needs the customer's phone number, and WhatsApp does not tell it. Send another one, \
             or ask them for their number.",
        ),
        row(131051, Content, "WhatsApp does not take messages of this kind."),
        row(
            131053,
            Content,
            "WhatsApp could not take the file: it may be broken, or of another type than its name says. Save it anew \
             and send it again.",
        ),
        row(131052, Content, "WhatsApp could not fetch the file. Ask the customer to send it again."),
        row(132000, Content, PARAMETERS),
        row(132012, Content, PARAMETERS),
        row(132018, Content, PARAMETERS),
        row(132001, Content, TEMPLATE),
        row(132005, Content, "With these parameters the template is too long. Make them shorter."),
        row(132007, Content, "The template is against WhatsApp's rules. Send another one."),
        row(
            132015,
            Content,
            "WhatsApp has paused this template, because people did not like it. Send another one, or wait until it is \
             released in WhatsApp Manager.",
        ),
        row(132016, Content, "WhatsApp has taken this template away for good. Send another one."),
        row(1, Doubt, HICCUP),
        row(2, Doubt, HICCUP),
        row(131000, Doubt, HICCUP),
        row(131016, Doubt, HICCUP),
    ]
};

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
