//! From the config to the parts. With `config`, the only place that names kinds of channels.

use std::{collections::BTreeMap, sync::Arc};

use frontdesk_core::{Adapter, ChannelId};

use crate::{
    config::{ChannelKind, Config},
    dispatcher::{Desk, Policy},
};

/// An adapter for each channel, built with its desks.
pub(crate) fn adapters(config: &Config) -> anyhow::Result<BTreeMap<ChannelId, Arc<dyn Adapter>>> {
    let shared = Shared::default();
    let build = |(id, kind): (&ChannelId, &ChannelKind)| Ok((id.clone(), adapter(config, &shared, id, kind)?));
    config.channels.iter().map(|channel| (&channel.id, &channel.kind)).map(build).collect()
}

/// What the channels of one kind have in common.
#[derive(Default)]
struct Shared {
    #[cfg(feature = "whatsapp")]
    numbers: Arc<frontdesk_whatsapp::Numbers>,
}

fn adapter(config: &Config, shared: &Shared, id: &ChannelId, kind: &ChannelKind) -> anyhow::Result<Arc<dyn Adapter>> {
    // The owner's name for it.
    let name = id.as_str().rsplit('.').next().unwrap_or(id.as_str());
    // Without the channels that need them.
    let _ = (config, shared, name);
    match kind {
        #[cfg(feature = "telegram")]
        ChannelKind::Telegram(telegram) => {
            let adapter = frontdesk_telegram::TelegramAdapter::new(telegram).map_err(anyhow::Error::msg)?;
            Ok(Arc::new(adapter))
        }
        #[cfg(feature = "whatsapp")]
        ChannelKind::WhatsApp(whatsapp) => {
            let numbers = Arc::clone(&shared.numbers);
            let adapter = frontdesk_whatsapp::WhatsAppAdapter::new(name, whatsapp.clone(), numbers);
            Ok(Arc::new(adapter.map_err(anyhow::Error::msg)?))
        }
        #[cfg(feature = "matrix")]
        ChannelKind::Matrix(matrix) => {
            let desks = config.desks.iter().filter(|desk| desk.channel == *id).map(|desk| match &desk.kind {
                crate::config::DeskKind::Matrix(desk) => desk.clone(),
            });
            let data = config.data.join("matrix").join(name);
            Ok(Arc::new(frontdesk_matrix::MatrixAdapter::new(matrix.clone(), desks.collect(), data)))
        }
    }
}

/// What the owner wrote, as far as decisions need it.
pub(super) fn policy(config: &Config, adapters: &BTreeMap<ChannelId, Arc<dyn Adapter>>) -> Policy {
    let desk = |desk: &crate::config::Desk| Desk {
        name: desk.name.clone(),
        channel: desk.channel.clone(),
        operators: desk.operators.clone(),
        sign: desk.sign.clone(),
    };
    Policy {
        business: config.business.name.clone(),
        languages: config.business.languages.clone(),
        hours: config.hours.clone(),
        replies: config.replies.clone(),
        conversations: config.conversations.clone(),
        desks: config.desks.iter().map(desk).collect(),
        channels: adapters.iter().map(|(id, adapter)| (id.clone(), adapter.capabilities())).collect(),
        templates: BTreeMap::new(),
    }
}
