use super::{
    Bench, Trouble, ensure,
    sending::{NoMedia, send},
};
use crate::{Adapter, Outbound, Prepared, SendError, SendErrorKind, Sent};

/// A failure has its right name. What certainly was not carried out can be made again, and is then seen once.
pub(super) async fn fails_as(bench: &Bench<'_>, kind: SendErrorKind) -> Result<(), String> {
    let session = bench.session().await?;
    if !bench.provoke(Trouble::SendFails(kind)).await {
        return session.stop(bench).await;
    }
    let words = bench.words(&format!("{kind:?}"));
    let mut message = bench.post(1, &words);
    let outcome = attempt(&*session.adapter, &message).await;
    let Err(error) = outcome else { return Err(format!("{kind:?} was provoked, and it was sent")) };
    ensure(error.kind() == kind, || format!("{kind:?} was provoked, and it gave {error:?}"))?;
    let certain = match error {
        SendError::RetryAfter { after, .. } => {
            ensure(!after.is_zero(), || "patience for no time".into())?;
            true
        }
        SendError::Moved(to) => {
            message.to = to;
            true
        }
        SendError::Refused { reason, .. } => {
            ensure(reason.len() > 10, || format!("{reason:?} is no sentence for people"))?;
            true
        }
        SendError::Transient(_) | SendError::WindowClosed => true,
        SendError::Uncertain(_) => session.adapter.repeatable(&message),
    };
    if certain {
        send(&*session.adapter, &message).await?;
        bench.seen(&words).await?;
    }
    session.stop(bench).await
}

/// Where the answer is lost, only an adapter that recognises a repetition may say anything else than `Uncertain`.
pub(super) async fn lost_answer_is_uncertain(bench: &Bench<'_>) -> Result<(), String> {
    let session = bench.session().await?;
    let words = bench.words("Did this arrive?");
    let message = bench.post(1, &words);
    if !bench.provoke(Trouble::AnswerLost).await {
        return session.stop(bench).await;
    }
    let outcome = attempt(&*session.adapter, &message).await;
    let repeatable = session.adapter.repeatable(&message);
    let honest = matches!(outcome, Err(SendError::Uncertain(_))) || (repeatable && outcome.is_ok());
    ensure(honest, || format!("an answer that was lost gave {outcome:?}"))?;
    if repeatable {
        send(&*session.adapter, &message).await?;
    }
    bench.seen(&words).await?;
    session.stop(bench).await
}

/// Once, without patience.
pub(super) async fn attempt(adapter: &dyn Adapter, message: &Outbound) -> Result<Sent, SendError> {
    adapter.send(message, &Prepared::default(), &NoMedia).await
}

pub(super) fn outcome_of(outcome: &Result<Sent, SendError>) -> String {
    outcome.as_ref().map_or_else(|error| format!("{error:?}"), |sent| format!("{sent:?}"))
}
