// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who a client says it is: the presence member in `channel_data`, the user in `user_data`.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Text, compact, object};
use crate::limits::Limits;

/// The id of a user: non-empty, at most `limits.user_id` characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

/// A member of a presence channel as the signed `channel_data` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Numbers are taken as their text.
    pub user_id: UserId,
    /// `user_info` as compact JSON; `None` when there was none.
    pub user_info: Option<Arc<str>>,
}

/// A signed-in user as the signed `user_data` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who it is, and the `user_info` that presence channels show.
    pub member: Member,
    /// Whose coming and going the user wants to hear; at most `limits.watchlist` ids.
    pub watchlist: Vec<UserId>,
    /// How many ids the list had before it was cut to the limit.
    pub watchlist_asked: usize,
}

/// Why `channel_data` or `user_data` was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Not a JSON object of the expected shape.
    #[error("{field} is not valid: {reason}")]
    Json {
        /// `channel_data` or `user_data`.
        field: &'static str,
        /// What the parser stumbled over.
        reason: String,
    },
    /// No id, or one that is neither a string nor a number, or an empty one.
    #[error("{field} needs `{key}`, a non-empty string{}", if *key == "user_id" { " or a number" } else { "" })]
    NoId {
        /// `channel_data` or `user_data`.
        field: &'static str,
        /// `user_id` or `id`.
        key: &'static str,
    },
    /// The id cannot stand in a channel's name.
    #[error("{field} has a {key} with a control character in it")]
    Control {
        /// `channel_data` or `user_data`.
        field: &'static str,
        /// `user_id` or `id`.
        key: &'static str,
    },
    /// The id is longer than `limits.user_id`.
    #[error("the user id has {length} characters, at most {limit} are allowed (limits.user_id)")]
    IdTooLong {
        /// Of this id.
        length: usize,
        /// `limits.user_id`.
        limit: usize,
    },
    /// `user_info` is larger than `limits.user_info_bytes`.
    #[error("user_info has {bytes} bytes, at most {limit} are allowed (limits.user_info_bytes)")]
    InfoTooLarge {
        /// Of this one, as compact JSON.
        bytes: usize,
        /// `limits.user_info_bytes`.
        limit: usize,
    },
}

impl UserId {
    /// Takes an id that somebody sent; `field` and `key` name it in errors.
    fn parse(
        id: &str,
        field: &'static str,
        key: &'static str,
        limits: &Limits,
    ) -> Result<UserId, UserError> {
        if id.is_empty() {
            return Err(UserError::NoId { field, key });
        }
        if id.contains(char::is_control) {
            return Err(UserError::Control { field, key });
        }
        let length = id.chars().count();
        if length > limits.user_id {
            return Err(UserError::IdTooLong { length, limit: limits.user_id });
        }
        Ok(UserId(id.into()))
    }

    /// An id taken from a path or a watchlist, where any text is an id, if only of nobody.
    pub fn of(id: &str) -> UserId {
        UserId(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Member {
    /// Reads `channel_data` of a presence subscription (protocol section 3).
    pub fn parse(channel_data: &str, limits: &Limits) -> Result<Member, UserError> {
        const FIELD: &str = "channel_data";
        #[derive(Deserialize)]
        struct ChannelData<'a> {
            #[serde(borrow)]
            user_id: Option<&'a RawValue>,
            #[serde(borrow)]
            user_info: Option<&'a RawValue>,
        }
        let data: ChannelData<'_> = object(channel_data)
            .map_err(|e| UserError::Json { field: FIELD, reason: e.to_string() })?;
        let missing = UserError::NoId { field: FIELD, key: "user_id" };
        let id = data.user_id.ok_or_else(|| missing.clone())?.get();
        let user_id = match id.as_bytes()[0] {
            b'"' => {
                let text: Text<'_> = serde_json::from_str(id)
                    .map_err(|e| UserError::Json { field: FIELD, reason: e.to_string() })?;
                UserId::parse(text.as_str(), FIELD, "user_id", limits)?
            }
            b'-' | b'0'..=b'9' => UserId::parse(id, FIELD, "user_id", limits)?,
            _ => return Err(missing),
        };
        Ok(Member { user_id, user_info: info(data.user_info, limits)? })
    }
}

impl User {
    /// Reads `user_data` of a sign-in (protocol section 5).
    pub fn parse(user_data: &str, limits: &Limits) -> Result<User, UserError> {
        const FIELD: &str = "user_data";
        #[derive(Deserialize)]
        struct UserData<'a> {
            #[serde(borrow)]
            id: Option<Text<'a>>,
            #[serde(borrow)]
            user_info: Option<&'a RawValue>,
            #[serde(borrow, default)]
            watchlist: Option<Vec<Text<'a>>>,
        }
        let data: UserData<'_> = object(user_data)
            .map_err(|e| UserError::Json { field: FIELD, reason: e.to_string() })?;
        let id = data.id.ok_or(UserError::NoId { field: FIELD, key: "id" })?;
        let user_id = UserId::parse(id.as_str(), FIELD, "id", limits)?;
        let watchlist = data.watchlist.unwrap_or_default();
        Ok(User {
            member: Member { user_id, user_info: info(data.user_info, limits)? },
            watchlist_asked: watchlist.len(),
            watchlist: watchlist
                .iter()
                .take(limits.watchlist)
                .map(|id| UserId::of(id.as_str()))
                .collect(),
        })
    }
}

fn info(raw: Option<&RawValue>, limits: &Limits) -> Result<Option<Arc<str>>, UserError> {
    let Some(raw) = raw else { return Ok(None) };
    let text = compact(raw.get());
    if text.len() > limits.user_info_bytes {
        return Err(UserError::InfoTooLarge { bytes: text.len(), limit: limits.user_info_bytes });
    }
    Ok((text != "null").then(|| text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(data: &str) -> Result<Member, UserError> {
        Member::parse(data, &Limits::default())
    }

    #[test]
    fn p032_a_numeric_id_is_its_text() {
        assert_eq!(member(r#"{"user_id":10}"#).unwrap().user_id.as_str(), "10");
        assert_eq!(member(r#"{"user_id":"10"}"#).unwrap().user_id.as_str(), "10");
    }

    #[test]
    fn p034_bad_channel_data_says_what_is_wrong() {
        for (bad, word) in [
            ("", "channel_data"),
            ("[]", "channel_data"),
            ("{}", "user_id"),
            (r#"{"user_id":""}"#, "user_id"),
            (r#"{"user_id":true}"#, "user_id"),
            (r#"{"user_id":null}"#, "user_id"),
            (r#"{"user_id":{"a":1}}"#, "user_id"),
            (&format!(r#"{{"user_id":"{}"}}"#, "x".repeat(129)), "limits.user_id"),
            (
                &format!(r#"{{"user_id":1,"user_info":"{}"}}"#, "x".repeat(1023)),
                "limits.user_info_bytes",
            ),
        ] {
            let error = member(bad).unwrap_err().to_string();
            assert!(error.contains(word), "{bad}: {error}");
        }
    }

    #[test]
    fn p059_a_watchlist_is_cut_at_its_limit() {
        let ids: Vec<String> = (0..101).map(|i| format!("\"u{i}\"")).collect();
        let data = format!(r#"{{"id":"me","watchlist":[{}]}}"#, ids.join(","));
        let user = User::parse(&data, &Limits::default()).unwrap();
        assert_eq!((user.watchlist.len(), user.watchlist_asked), (100, 101));
    }
}
