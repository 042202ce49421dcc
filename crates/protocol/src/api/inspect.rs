// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the `GET` calls ask for in their query.

use super::fields::At;
use super::{ApiError, ErrorCode, Info, InfoOf, Query};
use crate::channel::ChannelName;

/// `GET /channels`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListChannels {
    /// Only channels whose names begin so; empty for all.
    pub prefix: String,
    /// What to say of each.
    pub info: Info,
}

/// The prefix that a list with `user_count` must be filtered by.
const PRESENCE: &str = "presence-";

impl ListChannels {
    /// Reads `filter_by_prefix` and `info`.
    pub fn parse(query: &Query<'_>) -> Result<ListChannels, ApiError> {
        let info = Info::parse(query.get("info").unwrap_or_default(), InfoOf::List)?;
        let prefix = query.get("filter_by_prefix").unwrap_or_default();
        if info.user_count && !prefix.starts_with(PRESENCE) {
            let text = "`info` asks for user_count, which only presence channels have: \
                        add filter_by_prefix=presence-";
            return Err(ApiError::at(ErrorCode::BadInfo, "info", text));
        }
        Ok(ListChannels { prefix: prefix.to_owned(), info })
    }
}

/// Reads `info` of `GET /channels/CH`.
pub fn channel_info(query: &Query<'_>, channel: &ChannelName) -> Result<Info, ApiError> {
    let info = Info::parse(query.get("info").unwrap_or_default(), InfoOf::Channel)?;
    info.check(At::Body, channel)?;
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(raw: &str) -> Query<'_> {
        Query::parse(raw).expect("well encoded")
    }

    #[test]
    fn p070_users_are_counted_on_presence_channels_only() {
        for (raw, ok) in [
            ("", true),
            ("info=subscription_count", true),
            ("info=user_count", false),
            ("info=user_count&filter_by_prefix=presen", false),
            ("info=user_count&filter_by_prefix=presence-", true),
            ("info=user_count&filter_by_prefix=presence-cache-", true),
            ("info=cache", false),
        ] {
            assert_eq!(ListChannels::parse(&query(raw)).is_ok(), ok, "{raw}");
        }
        let list = ListChannels::parse(&query("filter_by_prefix=a%2C")).expect("valid");
        assert_eq!(list.prefix, "a,");

        let info = |raw, name| {
            let name = ChannelName::parse(name, 164).expect("a name");
            channel_info(&query(raw), &name).map_err(|error| error.code)
        };
        assert_eq!(info("info=user_count", "room"), Err(ErrorCode::BadInfo));
        assert!(info("info=user_count", "presence-room").is_ok_and(|info| info.user_count));
        assert!(info("info=cache", "cache-room").is_ok_and(|info| info.cache));
    }
}
