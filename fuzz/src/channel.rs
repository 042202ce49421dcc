// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `channel`: a name is one exactly when protocol section 3 says so, and makes of its
//! channel what its prefixes say.
//!
//! Input: a byte that is the limit, then the name.

use oyez_protocol::channel::{Access, ChannelKind, ChannelName, ChannelNameError};

use crate::{REFUSAL_BYTES, Settings};

pub(crate) fn run(data: &[u8]) {
    let mut settings = Settings::new(data);
    let limit = usize::from(settings.byte());
    let Ok(name) = std::str::from_utf8(settings.rest) else { return };
    match ChannelName::parse(name, limit) {
        Ok(channel) => {
            assert!(is_name(name, limit), "{name:?}");
            assert_eq!((channel.as_str(), channel.kind()), (name, kind(name)));
            assert_eq!(channel.user(), user(name));
            assert_eq!(channel.user().is_some(), channel.kind().access == Access::User);
            if let Some(id) = channel.user() {
                assert_eq!(ChannelName::of_user(id), channel);
            }
        }
        Err(error) => {
            assert!(!is_name(name, limit), "{name:?}");
            let is_character = matches!(error, ChannelNameError::Character { .. });
            assert_eq!(is_character, !name.is_empty() && name.chars().count() <= limit);
            assert!(error.to_string().len() <= REFUSAL_BYTES);
        }
    }
}

fn user(name: &str) -> Option<&str> {
    name.strip_prefix("#server-to-user-")
}

fn is_name(name: &str, limit: usize) -> bool {
    let length = name.chars().count();
    let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-=@,.;";
    let is_fit = match user(name) {
        None => name.chars().all(|c| allowed.contains(c)),
        Some(id) => !id.is_empty() && id.chars().all(|c| !c.is_control()),
    };
    length >= 1 && length <= limit && is_fit
}

/// One prefix after the other.
fn kind(name: &str) -> ChannelKind {
    if user(name).is_some() {
        return ChannelKind { access: Access::User, encrypted: false, cache: false };
    }
    let (access, rest) = match (name.strip_prefix("private-"), name.strip_prefix("presence-")) {
        (Some(rest), _) => (Access::Private, rest),
        (_, Some(rest)) => (Access::Presence, rest),
        _ => (Access::Public, name),
    };
    let inner = rest.strip_prefix("encrypted-").filter(|_| access == Access::Private);
    let cache = inner.unwrap_or(rest).starts_with("cache-");
    ChannelKind { access, encrypted: inner.is_some(), cache }
}
