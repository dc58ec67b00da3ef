//! What the owner's tools read, and what they bring along.

use async_trait::async_trait;
use frontdesk_core::{ChannelId, PlatformUser};
use jiff::{SignedDuration, Timestamp};
use tokio::task::spawn_blocking;

use super::{
    super::{
        Archive, Contact, Conversation, ConversationId, Copied, Identity, IdentityId, Ids, Known, KnownAs, MessageKey,
        MessageRecord, Page, StoreError, Take,
    },
    SledStore, copy,
    keys::{self, Table},
    retire,
    txn::Txn,
};

/// Conversations that are looked at for one page.
const LOOKED_AT: u64 = 1000;
/// Waiting conversations that are sorted; a desk that is further behind has other worries.
const WAITING: usize = 10_000;

#[async_trait]
impl Archive for SledStore {
    async fn conversation(&self, id: ConversationId) -> Result<Option<(Conversation, Identity)>, StoreError> {
        self.committer.read(move |txn| conversation(txn, id)).await
    }

    async fn conversations(&self, before: Option<ConversationId>, limit: usize) -> Result<Page, StoreError> {
        self.committer.read(move |txn| page(txn, before, limit)).await
    }

    async fn waiting_longest(&self, limit: usize) -> Result<Vec<(Conversation, Identity)>, StoreError> {
        self.committer.read(move |txn| waiting(txn, limit)).await
    }

    async fn history(
        &self,
        conversation: ConversationId,
        after: Option<MessageKey>,
        limit: usize,
    ) -> Result<Vec<MessageRecord>, StoreError> {
        self.committer.read(move |txn| history(txn, conversation, after, limit)).await
    }

    async fn know(&self, people: Vec<(KnownAs, Known)>) -> Result<usize, StoreError> {
        self.committer.step(move |txn| know(txn, people)).await
    }

    async fn copy(&self, take: Take) -> Result<Copied, StoreError> {
        let disk = self.committer.disk();
        spawn_blocking(move || copy::copy(&disk, take)).await.unwrap_or(Err(StoreError::Stopped))
    }

    async fn retire(&self, at: Timestamp, keep: SignedDuration) -> Result<bool, StoreError> {
        let instance = self.instance;
        self.committer.step(move |txn| retire::retire(txn, instance, at, keep)).await
    }
}

fn conversation(txn: &Txn, id: ConversationId) -> Result<Option<(Conversation, Identity)>, StoreError> {
    let Some(conversation) = txn.get::<Conversation>(&keys::conversation(id))? else { return Ok(None) };
    let identity = txn.get::<Identity>(&keys::identity(conversation.identity))?;
    let identity = identity.ok_or_else(|| txn.damaged(format!("conversation {id} is with nobody")))?;
    Ok(Some((conversation, identity)))
}

/// By number, because numbers are given out in order and the newest is known.
fn page(txn: &Txn, before: Option<ConversationId>, limit: usize) -> Result<Page, StoreError> {
    let newest = match before {
        Some(before) => before.0.saturating_sub(1),
        None => txn.get::<Ids>(&keys::meta("ids"))?.unwrap_or_default().conversation.0,
    };
    let mut page = Page::default();
    for number in (1..=newest).rev() {
        if page.found.len() == limit || newest - number == LOOKED_AT {
            page.before = Some(ConversationId(number + 1));
            break;
        }
        page.found.extend(conversation(txn, ConversationId(number))?);
    }
    Ok(page)
}

fn waiting(txn: &Txn, limit: usize) -> Result<Vec<(Conversation, Identity)>, StoreError> {
    let mut found = Vec::new();
    for key in txn.keys(&keys::all(Table::Waiting), WAITING)? {
        if let Some(number) = keys::last_number(&key) {
            found.extend(conversation(txn, ConversationId(number))?);
        }
    }
    found.sort_by_key(|(conversation, _)| (conversation.waiting_since, conversation.id));
    found.truncate(limit);
    Ok(found)
}

fn history(
    txn: &Txn,
    id: ConversationId,
    after: Option<MessageKey>,
    limit: usize,
) -> Result<Vec<MessageRecord>, StoreError> {
    let found = txn.scan::<()>(&keys::history_of(id), after.map(|after| keys::history(id, after)), limit)?;
    let keys = found.iter().filter_map(|(key, ())| keys::last_number(key));
    let messages = keys.map(|number| txn.get(&keys::message(MessageKey(number))));
    messages.filter_map(Result::transpose).collect()
}

fn know(txn: &mut Txn, people: Vec<(KnownAs, Known)>) -> Result<usize, StoreError> {
    let mut new = 0;
    for (KnownAs { channel, name }, known) in people {
        let key = keys::known(&channel, &name);
        if txn.has(&key)? {
            continue;
        }
        greeted(txn, &channel, &name, &known)?;
        txn.put(key, &known)?;
        new += 1;
    }
    Ok(new)
}

/// Somebody who has written already is not greeted any more.
fn greeted(txn: &mut Txn, channel: &ChannelId, name: &str, known: &Known) -> Result<(), StoreError> {
    let user = txn.get::<IdentityId>(&keys::user(channel, &PlatformUser::from(name)))?;
    let identity = match user {
        Some(id) => Some(id),
        None => txn.get::<IdentityId>(&keys::alias(channel, name))?,
    };
    let Some(identity) = identity.map(|id| txn.get::<Identity>(&keys::identity(id))).transpose()?.flatten() else {
        return Ok(());
    };
    let key = keys::contact(identity.contact);
    let Some(contact) = txn.get::<Contact>(&key)? else { return Ok(()) };
    if contact.acknowledged_at.is_some() {
        return Ok(());
    }
    txn.put(key, &Contact { acknowledged_at: Some(known.at), ..contact })
}
