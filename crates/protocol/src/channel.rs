// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`ChannelName`] and [`ChannelKind`]: what a channel may be called and what its name decides.

use std::fmt;
use std::sync::Arc;

/// A valid channel name: 1 to `limits.channel_name` characters of `A–Z a–z 0–9 _ - = @ , . ;`,
/// or `#server-to-user-ID`. Case-sensitive. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(Arc<str>);

/// What a channel is, read off its name (protocol section 3, longest prefix first).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelKind {
    /// Who may subscribe.
    pub access: Access,
    /// Whether the data is a ciphertext that Oyez carries unread.
    pub encrypted: bool,
    /// Whether the last event is kept for whoever comes later.
    pub cache: bool,
}

/// Who may subscribe to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has a signature of the app.
    Private,
    /// The same, and its users see each other.
    Presence,
    /// The signed-in user of that id alone.
    User,
}

const PREFIXES: &[(&str, ChannelKind)] = {
    const fn kind(access: Access, encrypted: bool, cache: bool) -> ChannelKind {
        ChannelKind { access, encrypted, cache }
    }
    &[
        ("private-encrypted-cache-", kind(Access::Private, true, true)),
        ("private-encrypted-", kind(Access::Private, true, false)),
        ("private-cache-", kind(Access::Private, false, true)),
        ("private-", kind(Access::Private, false, false)),
        ("presence-cache-", kind(Access::Presence, false, true)),
        ("presence-", kind(Access::Presence, false, false)),
        ("cache-", kind(Access::Public, false, true)),
        (ChannelName::USER_PREFIX, kind(Access::User, false, false)),
    ]
};

/// Why a text is not a channel name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelNameError {
    /// Nothing between the quotes.
    #[error("a channel name must not be empty")]
    Empty,
    /// Longer than the limit.
    #[error(
        "a channel name has at most {limit} characters (limits.channel_name), this one has {length}"
    )]
    TooLong {
        /// Of this name.
        length: usize,
        /// `limits.channel_name`.
        limit: usize,
    },
    /// A character outside of the alphabet.
    #[error(
        "channel name {name:?} has a character that is not allowed: \
         use letters, digits and _ - = @ , . ; ('#' only in #server-to-user-ID)"
    )]
    Character {
        /// The name, cut to a printable length.
        name: String,
    },
}

impl ChannelName {
    /// The channel on which the backend reaches one signed-in user.
    pub const USER_PREFIX: &'static str = "#server-to-user-";

    /// Reads a name; `limit` is `limits.channel_name`.
    pub fn parse(name: &str, limit: usize) -> Result<ChannelName, ChannelNameError> {
        if name.is_empty() {
            return Err(ChannelNameError::Empty);
        }
        let is_fit = match name.strip_prefix(Self::USER_PREFIX) {
            // A user's id is the app's own: whatever it can sign in with may stand here.
            Some(id) => !id.is_empty() && !id.contains(char::is_control),
            None => name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-=@,.;".contains(&b)),
        };
        let length = name.chars().count();
        if length > limit {
            return Err(ChannelNameError::TooLong { length, limit });
        }
        if !is_fit {
            let name = name.chars().take(64).collect();
            return Err(ChannelNameError::Character { name });
        }
        Ok(ChannelName(name.into()))
    }

    /// The channel of that user: `#server-to-user-ID`.
    pub fn of_user(id: &str) -> ChannelName {
        ChannelName(format!("{}{id}", Self::USER_PREFIX).into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the name makes of the channel.
    pub fn kind(&self) -> ChannelKind {
        PREFIXES.iter().find(|(prefix, _)| self.0.starts_with(prefix)).map_or(
            ChannelKind { access: Access::Public, encrypted: false, cache: false },
            |(_, kind)| *kind,
        )
    }

    /// The id in `#server-to-user-ID`.
    pub fn user(&self) -> Option<&str> {
        self.0.strip_prefix(Self::USER_PREFIX)
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 164;

    fn kind(name: &str) -> ChannelKind {
        ChannelName::parse(name, LIMIT).expect("a valid name").kind()
    }

    #[test]
    fn p018_bad_names_are_refused_with_the_alphabet() {
        for bad in ["a b", "a#b", "#a", "#server-to-user-", "ä", "a/b", "a:b", "a\n", "a\"", "*"] {
            let error = ChannelName::parse(bad, LIMIT).unwrap_err();
            assert!(error.to_string().contains("_ - = @ , . ;"), "{bad:?}: {error}");
        }
    }

    #[test]
    fn p019_length_is_limited_at_its_edge() {
        assert!(ChannelName::parse(&"a".repeat(164), LIMIT).is_ok());
        let error = ChannelName::parse(&"a".repeat(165), LIMIT).unwrap_err();
        assert_eq!(error, ChannelNameError::TooLong { length: 165, limit: 164 });
        assert_eq!(ChannelName::parse("", LIMIT), Err(ChannelNameError::Empty));
    }

    #[test]
    fn every_user_that_can_sign_in_has_a_channel() {
        for id in ["7", "a b", "#1", "auth0|é", "x/y?z"] {
            let name = ChannelName::of_user(id);
            assert_eq!(ChannelName::parse(name.as_str(), LIMIT), Ok(name.clone()));
            assert_eq!(name.user(), Some(id));
        }
    }

    #[test]
    fn the_longest_prefix_decides() {
        use Access::*;
        for (name, access, encrypted, cache) in [
            ("LOBBY_7", Public, false, false),
            ("cache-x", Public, false, true),
            ("private-x", Private, false, false),
            ("private-cache-x", Private, false, true),
            ("private-encrypted-x", Private, true, false),
            ("private-encrypted-cache-x", Private, true, true),
            ("presence-x", Presence, false, false),
            ("presence-cache-x", Presence, false, true),
            ("#server-to-user-7", User, false, false),
            ("Private-x", Public, false, false),
        ] {
            assert_eq!(kind(name), ChannelKind { access, encrypted, cache }, "{name}");
        }
    }
}
