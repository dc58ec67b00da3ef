//! What the owner's tools need of a config: where things lie, and how they are called. No secret is read.

use std::path::PathBuf;

use frontdesk_core::{ChannelId, DeskName};
use jiff::tz::TimeZone;

use super::{channels, policy, reader::Reader, server};

/// Where a business keeps its data, and the names in it.
#[derive(Clone, Debug)]
pub struct Place {
    pub data: PathBuf,
    pub timezone: TimeZone,
    /// Those that customers write to.
    pub channels: Vec<ChannelId>,
    /// With their channels.
    pub desks: Vec<(DeskName, ChannelId)>,
}

/// Overlooks mistakes in what it does not need.
pub(super) fn place(reader: &mut Reader<'_>) -> Option<Place> {
    let business = policy::business(reader);
    let data = server::store(reader);
    let channels = channels::customer_channels(reader);
    let desks = channels::desk_channels(reader);
    Some(Place { data: data?, timezone: business?.timezone, channels, desks })
}
