use frontdesk_core::{Content, MediaKind, MediaRef, Part};

use crate::wire::{Contact, File, Location, Message, Venue};

/// What the message says, or why it says nothing.
pub(crate) fn content(message: &Message) -> Result<Content, Wordless> {
    if let Some(text) = &message.text {
        return Ok(Content::text(text));
    }
    if let Some(media) = media(message) {
        return Ok(one(Part::Media { media, caption: message.caption.clone() }));
    }
    if let Some(venue) = &message.venue {
        return Ok(one(venue_part(venue)));
    }
    if let Some(location) = &message.location {
        return Ok(one(location_part(location, None)));
    }
    if let Some(contact) = &message.contact {
        return Ok(one(contact_part(contact)));
    }
    other(message)
}

/// A message that nobody wrote: the app itself tells of something (a pin, a timer, a call).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wordless {
    pub kind: String,
}

/// What says nothing about the content. In the order of the official documentation.
const ENVELOPE: &[&str] = &[
    "direct_messages_topic",
    "sender_chat",
    "sender_boost_count",
    "sender_business_bot",
    "sender_tag",
    "guest_query_id",
    "is_automatic_forward",
    "external_reply",
    "quote",
    "reply_to_story",
    "reply_to_checklist_task_id",
    "reply_to_poll_option_id",
    "via_bot",
    "guest_bot_caller_user",
    "guest_bot_caller_chat",
    "has_protected_content",
    "is_from_offline",
    "is_paid_post",
    "media_group_id",
    "author_signature",
    "paid_star_count",
    "entities",
    "link_preview_options",
    "suggested_post_info",
    "effect_id",
    "caption_entities",
    "show_caption_above_media",
    "has_media_spoiler",
    "reply_markup",
];

/// What the app tells and no person wrote. Anything that is in neither list is shown to people, because it may be
/// what a customer sent: better a line too many than a customer unheard.
const SERVICE: &[&str] = &[
    "new_chat_members",
    "left_chat_member",
    "chat_owner_left",
    "chat_owner_changed",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "pinned_message",
    "gift_upgrade_sent",
    "connected_website",
    "write_access_allowed",
    "proximity_alert_triggered",
    "boost_added",
    "chat_background_set",
    "checklist_tasks_done",
    "checklist_tasks_added",
    "direct_message_price_changed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "giveaway_created",
    "giveaway_completed",
    "managed_bot_created",
    "paid_message_price_changed",
    "poll_option_added",
    "poll_option_deleted",
    "suggested_post_approved",
    "suggested_post_approval_failed",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "video_chat_scheduled",
    "video_chat_started",
    "video_chat_ended",
    "video_chat_participants_invited",
];

fn other(message: &Message) -> Result<Content, Wordless> {
    let mut kinds = message.rest.keys().map(String::as_str).filter(|key| !ENVELOPE.contains(key));
    let Some(kind) = kinds.next() else {
        return Err(Wordless { kind: "message".into() });
    };
    if SERVICE.contains(&kind) {
        return Err(Wordless { kind: kind.into() });
    }
    let mut parts = vec![Part::Other { kind: kind.replace('_', " ") }];
    parts.extend(message.caption.clone().map(|text| Part::Text { text }));
    Ok(Content { parts })
}

/// An animation comes with a `document` too, and a live photo with a `photo`.
fn media(message: &Message) -> Option<MediaRef> {
    let sizes = message.photo.as_deref().unwrap_or_default();
    let largest = sizes.iter().max_by_key(|size| size.file_size);
    let kinds = [
        (largest, MediaKind::Image, Some("image/jpeg")),
        (message.animation.as_ref(), MediaKind::Animation, None),
        (message.video.as_ref(), MediaKind::Video, None),
        (message.video_note.as_ref(), MediaKind::Video, Some("video/mp4")),
        (message.audio.as_ref(), MediaKind::Audio, None),
        (message.voice.as_ref(), MediaKind::Voice, Some("audio/ogg")),
        (message.sticker.as_ref(), MediaKind::Sticker, message.sticker.as_ref().map(sticker_mime)),
        (message.document.as_ref(), MediaKind::File, None),
    ];
    kinds.into_iter().find_map(|(file, kind, mime)| Some(media_ref(file?, kind, mime)))
}

fn media_ref(file: &File, kind: MediaKind, mime: Option<&str>) -> MediaRef {
    MediaRef {
        kind,
        reference: file.file_id.clone(),
        name: file.file_name.clone().or_else(|| file.emoji.clone()),
        mime: file.mime_type.clone().or_else(|| mime.map(str::to_owned)),
        size: file.file_size,
        duration_secs: file.duration,
    }
}

fn sticker_mime(sticker: &File) -> &'static str {
    match (sticker.is_animated, sticker.is_video) {
        (true, _) => "application/x-tgsticker",
        (false, true) => "video/webm",
        (false, false) => "image/webp",
    }
}

fn venue_part(venue: &Venue) -> Part {
    let name = [venue.title.as_str(), venue.address.as_str()].into_iter().filter(|text| !text.is_empty());
    location_part(&venue.location, Some(name.collect::<Vec<_>>().join(", ")))
}

fn location_part(location: &Location, name: Option<String>) -> Part {
    Part::Location { latitude: location.latitude.to_string(), longitude: location.longitude.to_string(), name }
}

fn contact_part(contact: &Contact) -> Part {
    let name = match &contact.last_name {
        Some(last) => format!("{} {last}", contact.first_name),
        None => contact.first_name.clone(),
    };
    Part::Contact { name, phones: vec![contact.phone_number.clone()] }
}

fn one(part: Part) -> Content {
    Content { parts: vec![part] }
}
