// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`ChannelCommand`]: what a backend may tell a channel to do, beside publishing to it.
//!
//! Each is a call of its own, and also a plain trigger whose event is called `oyez:…` and whose
//! data is the JSON text of that call's body: not every server library can make other calls.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::fields::{At, json_object, utf8};
use super::truth::{self, TruthChange, Verb};
use super::{ApiError, ErrorCode, event_name};
use crate::json::object;
use crate::limits::Limits;

/// What to do with a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelCommand {
    /// Change its truth.
    Truth(TruthChange),
    /// Ask for its truth again.
    Changed(Changed),
    /// Forget an event.
    Forget(Forget),
}

/// `POST /channels/CH/changed`: what its truth is made of has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The version, of the source's own counting, that the truth must have reached.
    pub min_version: Option<u64>,
}

/// `POST /channels/CH/forget`: a remembered event shall not be shown to anybody any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forget {
    /// The event's name.
    pub event: String,
}

/// The names of triggers that are commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandName {
    Truth(Verb),
    Changed,
    Forget,
}

#[derive(Deserialize)]
struct ChangedBody<'a> {
    #[serde(borrow)]
    min_version: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ForgetBody<'a> {
    #[serde(borrow)]
    event: Option<&'a RawValue>,
}

const MIN_VERSION: &str = "a whole number from 0 to 18446744073709551615";
const EVENT: &str = "a string, the name of the event to forget";

impl Changed {
    /// Reads the body, which may be empty.
    pub fn parse(body: &[u8]) -> Result<Changed, ApiError> {
        let body = utf8(body)?;
        if body.trim_ascii().is_empty() {
            return Ok(Changed::default());
        }
        Changed::read(At::Body, json_object(body)?)
    }

    fn read(at: At, body: ChangedBody<'_>) -> Result<Changed, ApiError> {
        let Some(raw) = body.min_version else { return Ok(Changed::default()) };
        at.is_number("min_version", raw, MIN_VERSION)?;
        let bad =
            |_| at.bad("min_version", ErrorCode::BadNumber, format_args!("must be {MIN_VERSION}"));
        Ok(Changed { min_version: Some(raw.get().parse().map_err(bad)?) })
    }
}

impl Forget {
    /// Reads the body.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Forget, ApiError> {
        Forget::read(At::Body, &json_object(utf8(body)?)?, limits)
    }

    fn read(at: At, body: &ForgetBody<'_>, limits: &Limits) -> Result<Forget, ApiError> {
        let raw = body.event.ok_or_else(|| at.missing("event", EVENT))?;
        let name = at.string("event", raw, EVENT)?;
        event_name::check(at, "event", &name, limits)?;
        Ok(Forget { event: name.into_owned() })
    }
}

impl CommandName {
    const ALL: [CommandName; 6] = [
        CommandName::Truth(Verb::Set),
        CommandName::Truth(Verb::Merge),
        CommandName::Truth(Verb::Patch),
        CommandName::Truth(Verb::Delete),
        CommandName::Changed,
        CommandName::Forget,
    ];

    const fn name(self) -> &'static str {
        match self {
            CommandName::Truth(Verb::Set) => "oyez:set",
            CommandName::Truth(Verb::Merge) => "oyez:merge",
            CommandName::Truth(Verb::Patch) => "oyez:patch",
            CommandName::Truth(Verb::Delete) => "oyez:delete",
            CommandName::Changed => "oyez:changed",
            CommandName::Forget => "oyez:forget",
        }
    }

    /// Whether it has said all with its name.
    const fn stands_alone(self) -> bool {
        matches!(self, CommandName::Truth(Verb::Delete) | CommandName::Changed)
    }

    /// The command of that name; `None` when the name is none of Oyez'.
    pub(super) fn of(at: At, name: &str) -> Result<Option<CommandName>, ApiError> {
        if !name.starts_with("oyez:") {
            return Ok(None);
        }
        if let Some(command) = CommandName::ALL.into_iter().find(|known| known.name() == name) {
            return Ok(Some(command));
        }
        let names = CommandName::ALL.map(CommandName::name).join(", ");
        let text = format!(
            "is {:?}: of the names that begin with \"oyez:\" these are commands: {names}",
            event_name::shown(name)
        );
        Err(at.bad("name", ErrorCode::ReservedEventName, text))
    }

    /// Reads the data of such a trigger: the command, and the idempotency key that stood in it.
    pub(super) fn read(
        self,
        at: At,
        data: &str,
        limits: &Limits,
    ) -> Result<(ChannelCommand, Option<String>), ApiError> {
        let data = match data.trim_ascii() {
            "" | "null" if self.stands_alone() => "{}",
            _ => data,
        };
        match self {
            CommandName::Truth(verb) => {
                let body: truth::Body<'_> = self.body(at, data)?;
                let at = at.command();
                let change = body.change(at, Some(verb), limits)?;
                let key = body.idempotency_key.map(|raw| at.idempotency_key(raw, limits));
                Ok((ChannelCommand::Truth(change), key.transpose()?))
            }
            CommandName::Changed => {
                let body = self.body(at, data)?;
                Ok((ChannelCommand::Changed(Changed::read(at.command(), body)?), None))
            }
            CommandName::Forget => {
                let body: ForgetBody<'_> = self.body(at, data)?;
                let forget = Forget::read(at.command(), &body, limits)?;
                Ok((ChannelCommand::Forget(forget), None))
            }
        }
    }

    fn body<'a, T: Deserialize<'a>>(self, at: At, data: &'a str) -> Result<T, ApiError> {
        object(data).map_err(|error| {
            let text = format!("of {} is not valid JSON: {error}", self.name());
            at.bad("data", ErrorCode::BadJson, text)
        })
    }
}

#[cfg(test)]
mod tests;
