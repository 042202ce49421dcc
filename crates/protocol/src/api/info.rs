// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Info`]: what a caller wants to be told of a channel.

use super::fields::At;
use super::{ApiError, ErrorCode};
use crate::channel::{Access, ChannelName};

/// The attributes that a call asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Distinct users, on presence channels.
    pub user_count: bool,
    /// Connections.
    pub subscription_count: bool,
    /// The remembered event.
    pub cache: bool,
    /// The place in the channel's log, on channels with memory.
    pub position: bool,
}

/// Which call asks: each has attributes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfoOf {
    /// A publish.
    Publish,
    /// The list of channels.
    List,
    /// One channel.
    Channel,
}

impl InfoOf {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            InfoOf::Publish => &["user_count", "subscription_count", "position"],
            InfoOf::List => &["user_count", "subscription_count"],
            InfoOf::Channel => &["user_count", "subscription_count", "cache", "position"],
        }
    }
}

/// How much of an unknown attribute an error shows.
const SHOWN: usize = 64;

impl Info {
    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        *self == Info::default()
    }

    /// Reads a list like `user_count,subscription_count`.
    pub fn parse(list: &str, of: InfoOf) -> Result<Info, ApiError> {
        Info::parse_at(At::Body, list, of)
    }

    pub(super) fn parse_at(at: At, list: &str, of: InfoOf) -> Result<Info, ApiError> {
        let mut info = Info::default();
        for attribute in list.split(',').map(str::trim).filter(|a| !a.is_empty()) {
            let known = of.allowed().contains(&attribute);
            match attribute {
                "user_count" => info.user_count = true,
                "subscription_count" => info.subscription_count = true,
                "cache" if known => info.cache = true,
                "position" if known => info.position = true,
                _ => {
                    let field = at.field("info");
                    let shown: String = attribute.chars().take(SHOWN).collect();
                    let allowed = of.allowed().join(", ");
                    let text = format!("`{field}` asks for {shown:?}: this call knows {allowed}");
                    return Err(ApiError::at(ErrorCode::BadInfo, field, text));
                }
            }
        }
        Ok(info)
    }

    /// Whether that channel has what is asked for: users are counted on presence channels only.
    pub(super) fn check(&self, at: At, channel: &ChannelName) -> Result<(), ApiError> {
        if self.user_count && channel.kind().access != Access::Presence {
            let field = at.field("info");
            let text = format!(
                "`{field}` asks for user_count, which only presence channels have: {channel} is none"
            );
            return Err(ApiError::at(ErrorCode::BadInfo, field, text));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p070_each_attribute_and_each_unknown_one() {
        let all = Info { user_count: true, subscription_count: true, cache: true, position: true };
        let parse = Info::parse;
        let list = "user_count, cache,subscription_count,position";
        assert_eq!(parse(list, InfoOf::Channel), Ok(all));
        assert!(parse("position", InfoOf::Publish).is_ok_and(|info| info.position));
        assert_eq!(parse("", InfoOf::Channel), Ok(Info::default()));
        assert_eq!(parse(" , ", InfoOf::List), Ok(Info::default()));
        for (list, of, named) in [
            ("cache", InfoOf::Publish, "\"cache\""),
            ("cache", InfoOf::List, "\"cache\""),
            ("user_count,position", InfoOf::List, "\"position\""),
            ("user_count,positions", InfoOf::Channel, "\"positions\""),
            ("User_Count", InfoOf::Channel, "\"User_Count\""),
            ("user_count;cache", InfoOf::Channel, "\"user_count;cache\""),
        ] {
            let error = parse(list, of).expect_err("refused");
            assert_eq!((error.code, error.field.as_deref()), (ErrorCode::BadInfo, Some("info")));
            assert!(error.text.contains(named), "{error}");
        }
    }
}
