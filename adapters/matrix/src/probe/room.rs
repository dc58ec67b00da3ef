//! A desk's room, as it is or as it would be made.

use frontdesk_core::Finding;
use matrix_sdk::ruma::{RoomAliasId, events::room::join_rules::RoomJoinRulesEventContent};
use serde_json::Value;

use super::Asker;
use crate::{
    config::DeskConfig,
    desk::{check_closed, check_makeable},
};

/// A state event that a room has or has not.
type State = Result<Option<Value>, String>;

pub(super) async fn probe(asker: &Asker<'_>, desk: &DeskConfig) -> Vec<Finding> {
    let room = match resolve(asker, desk).await {
        Ok(Some(id)) => Room { asker, desk, id },
        Ok(None) => return vec![missing(asker, desk)],
        Err(problem) => return vec![Finding::error(of(desk, &problem))],
    };
    let findings = match room.membership().await {
        Ok(Some(membership)) if membership == "join" => room.inside().await,
        Ok(membership) => Ok(vec![room.outside(membership.as_deref())]),
        Err(problem) => Err(problem),
    };
    findings.unwrap_or_else(|problem| vec![Finding::warning(of(desk, &problem))])
}

/// `None` where there is no such alias.
async fn resolve(asker: &Asker<'_>, desk: &DeskConfig) -> Result<Option<String>, String> {
    let room = desk.room.as_str();
    if room.starts_with('!') {
        return Ok(Some(room.to_owned()));
    }
    let (status, answer) = asker.get(&["v3", "directory", "room", room]).await?;
    match (answer["room_id"].as_str(), status.as_u16()) {
        (Some(id), _) => Ok(Some(id.to_owned())),
        (None, 404) => Ok(None),
        (None, _) => Err(format!("the homeserver cannot look for {room} ({status}); check `room`, or try again later")),
    }
}

fn of(desk: &DeskConfig, text: &str) -> String {
    format!("the desk {}: {text}", desk.name)
}

fn missing(asker: &Asker<'_>, desk: &DeskConfig) -> Finding {
    let makeable = match <&RoomAliasId>::try_from(&*desk.room) {
        Ok(alias) => check_makeable(desk, alias, &asker.config.user),
        Err(_) => Err(format!("there is no room {}; name another, or an alias for a room to be made", desk.room)),
    };
    match makeable {
        Ok(()) => Finding::ok(of(desk, &format!("{} will be made at the first run", desk.room))),
        Err(problem) => Finding::error(of(desk, &problem)),
    }
}

struct Room<'a> {
    asker: &'a Asker<'a>,
    desk: &'a DeskConfig,
    id: String,
}

impl Room<'_> {
    /// Ours. Of a room that we are not in, only its summary says whether we are invited.
    async fn membership(&self) -> Result<Option<String>, String> {
        let me = self.asker.config.user.as_str();
        if let Some(member) = self.state("m.room.member", me).await? {
            return Ok(member["membership"].as_str().map(str::to_owned));
        }
        let stable = ["v1", "room_summary", self.id.as_str()];
        let unstable = ["unstable", "im.nheko.summary", "summary", self.id.as_str()];
        for path in [stable.as_slice(), unstable.as_slice()] {
            let (status, summary) = self.asker.get(path).await?;
            if status.is_success() {
                return Ok(summary["membership"].as_str().map(str::to_owned));
            }
        }
        Ok(None)
    }

    fn outside(&self, membership: Option<&str>) -> Finding {
        let (room, me) = (&self.desk.room, &self.asker.config.user);
        match membership {
            Some("invite") => {
                Finding::ok(of(self.desk, &format!("{me} is invited to {room}, and accepts at the next run")))
            }
            Some("ban") => Finding::error(of(
                self.desk,
                &format!("{me} is banned from {room}; lift the ban and invite it, or name another room"),
            )),
            Some(_) | None => Finding::error(of(
                self.desk,
                &format!("{room} exists, but {me} is not in it; invite it there, or name another room"),
            )),
        }
    }

    async fn inside(&self) -> Result<Vec<Finding>, String> {
        let (desk, room) = (self.desk, &self.desk.room);
        if let Some(tombstone) = self.state("m.room.tombstone", "").await? {
            let next = tombstone["replacement_room"].as_str().unwrap_or("its successor");
            let text = format!("{room} has been replaced; invite us to {next} and write it as `room`");
            return Ok(vec![Finding::error(of(desk, &text))]);
        }
        let encrypted = self.state("m.room.encryption", "").await?.is_some();
        let how = if encrypted { "encrypted" } else { "not encrypted" };
        let mut findings = vec![Finding::ok(of(desk, &format!("we are in {room}, which is {how}")))];
        if !encrypted && desk.encrypted {
            let text = "what customers write lies readable on the homeserver: switch on encryption in the room's \
                        settings, or write encrypted = false";
            findings.push(Finding::warning(of(desk, text)));
        }
        let rule = self.state("m.room.join_rules", "").await?;
        let rule = rule.and_then(|rule| serde_json::from_value::<RoomJoinRulesEventContent>(rule).ok());
        if let Err(problem) = check_closed(desk, rule.map(|content| content.join_rule).as_ref()) {
            findings.push(Finding::error(of(desk, &problem)));
        }
        findings.extend(self.may_write(encrypted).await?);
        findings.push(self.operators().await?);
        Ok(findings)
    }

    async fn may_write(&self, encrypted: bool) -> Result<Option<Finding>, String> {
        let Some(levels) = self.state("m.room.power_levels", "").await? else { return Ok(None) };
        let me = self.asker.config.user.as_str();
        let kind = if encrypted { "m.room.encrypted" } else { "m.room.message" };
        let level = |value: &Value| value.as_i64();
        let needed = level(&levels["events"][kind]).or(level(&levels["events_default"])).unwrap_or(0);
        let ours = level(&levels["users"][me]).or(level(&levels["users_default"])).unwrap_or(0);
        // In the newest rooms who made one may do everything, and is in no list.
        if ours >= needed || self.maker().await?.as_deref() == Some(me) {
            return Ok(None);
        }
        Ok(Some(Finding::error(of(
            self.desk,
            &format!("we may not write in {}: give {me} the power level {needed} there", self.desk.room),
        ))))
    }

    /// Who made the room.
    async fn maker(&self) -> Result<Option<String>, String> {
        let mut address = self.asker.address(&["v3", "rooms", self.id.as_str(), "state", "m.room.create", ""]);
        address.set_query(Some("format=event"));
        let (_, event) = self.asker.get_at(address).await?;
        Ok(event["sender"].as_str().map(str::to_owned))
    }

    /// Whether somebody is there to answer.
    async fn operators(&self) -> Result<Finding, String> {
        let Some(operators) = &self.desk.operators else { return self.members().await };
        let (mut there, mut invited, mut absent) = (Vec::new(), Vec::new(), Vec::new());
        for operator in operators {
            let member = self.state("m.room.member", operator.as_str()).await?;
            let list = match member.as_ref().and_then(|member| member["membership"].as_str()) {
                Some("join") => &mut there,
                Some("invite") => &mut invited,
                Some(_) | None => &mut absent,
            };
            list.push(operator.as_str());
        }
        let parts = [("in it", &there), ("invited", &invited), ("neither in it nor invited", &absent)];
        let parts = parts.into_iter().filter(|(_, list)| !list.is_empty());
        let text = parts.map(|(what, list)| format!("{what}: {}", list.join(", "))).collect::<Vec<_>>().join("; ");
        let text = of(self.desk, &format!("of the operators are {text}"));
        if there.is_empty() {
            return Ok(Finding::warning(format!(
                "{text}. Nobody sees yet what customers write: accept the invitation"
            )));
        }
        if !absent.is_empty() {
            return Ok(Finding::warning(format!("{text}. Invite who is missing, where frontdesk may not")));
        }
        Ok(Finding::ok(text))
    }

    async fn members(&self) -> Result<Finding, String> {
        let (_, answer) = self.asker.get(&["v3", "rooms", self.id.as_str(), "joined_members"]).await?;
        let others = answer["joined"].as_object().map_or(0, |members| members.len().saturating_sub(1));
        Ok(match others {
            0 => Finding::warning(of(self.desk, "nobody else is in the room: invite who is to answer")),
            1 => Finding::ok(of(self.desk, "the other member of the room may answer")),
            _ => Finding::ok(of(self.desk, &format!("the {others} other members of the room may answer"))),
        })
    }

    /// `None` where there is none, or none that we may see.
    async fn state(&self, kind: &str, key: &str) -> State {
        let (status, content) = self.asker.get(&["v3", "rooms", self.id.as_str(), "state", kind, key]).await?;
        match status.as_u16() {
            200 => Ok(Some(content)),
            403 | 404 => Ok(None),
            _ => Err(format!("the homeserver does not say how {} is ({status}); check again later", self.desk.room)),
        }
    }
}
