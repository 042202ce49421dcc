// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signatures that clients present: of a subscription (protocol section 3) and of a sign-in (5).
//!
//! A refusal says which string had to be signed, never the signature that was expected.

use crate::secret::Secret;

/// An app's key with its secret, as far as checking a client's signature needs them.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// The public half.
    pub key: &'a str,
    /// The other half.
    pub secret: &'a Secret,
}

/// Why a client's `auth` was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There was none.
    #[error("this needs `auth`: \"KEY:SIGNATURE\" from your auth endpoint")]
    Missing,
    /// Not of the form KEY:SIGNATURE.
    #[error("`auth` must be \"KEY:SIGNATURE\", with the signature as 64 lower-case hex digits")]
    Form,
    /// Signed with the credentials of another app.
    #[error("`auth` names another key than the one this connection uses")]
    OtherKey,
    /// Of the right form, but wrong.
    #[error(
        "the signature is wrong: it must be the hex HMAC-SHA256, with the app's secret, of {signed:?}"
    )]
    Wrong {
        /// The string that had to be signed, cut to a printable length.
        signed: String,
    },
}

/// How much of the string to be signed an error shows.
const SHOWN: usize = 512;

impl Credentials<'_> {
    /// Checks `auth` of a subscription: over `socket_id:channel`, or over
    /// `socket_id:channel:channel_data` whenever the subscribe message carries `channel_data`.
    pub fn check_subscription(
        &self,
        auth: Option<&str>,
        socket_id: &str,
        channel: &str,
        channel_data: Option<&str>,
    ) -> Result<(), AuthError> {
        match channel_data {
            None => self.check(auth, &[socket_id, ":", channel]),
            Some(data) => self.check(auth, &[socket_id, ":", channel, ":", data]),
        }
    }

    /// Checks `auth` of a sign-in: over `socket_id::user::user_data`.
    pub fn check_signin(
        &self,
        auth: &str,
        socket_id: &str,
        user_data: &str,
    ) -> Result<(), AuthError> {
        self.check(Some(auth), &[socket_id, "::user::", user_data])
    }

    /// The `auth` that a backend would answer for that subscription.
    pub fn authorize(&self, socket_id: &str, channel: &str, channel_data: Option<&str>) -> String {
        let mut parts = vec![socket_id.as_bytes(), b":", channel.as_bytes()];
        if let Some(data) = channel_data {
            parts.extend([&b":"[..], data.as_bytes()]);
        }
        format!("{}:{}", self.key, self.secret.sign_text(&parts))
    }

    fn check(&self, auth: Option<&str>, parts: &[&str]) -> Result<(), AuthError> {
        let auth = auth.filter(|auth| !auth.is_empty()).ok_or(AuthError::Missing)?;
        let (key, signature) = auth.split_once(':').ok_or(AuthError::Form)?;
        if key != self.key {
            return Err(AuthError::OtherKey);
        }
        let bytes: smallvec::SmallVec<[&[u8]; 5]> = parts.iter().map(|p| p.as_bytes()).collect();
        if self.secret.verifies(&bytes, signature.as_bytes()) {
            return Ok(());
        }
        Err(AuthError::Wrong { signed: parts.concat().chars().take(SHOWN).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The worked examples of the public documentation of auth signatures.
    const KEY: &str = "278d425bdf160c739803";
    const SECRET: &str = "7ad3773142a6692b25b8";

    fn with<T>(test: impl FnOnce(Credentials<'_>) -> T) -> T {
        test(Credentials { key: KEY, secret: &Secret::new(SECRET) })
    }

    #[test]
    fn p028_the_worked_example_of_a_private_channel() {
        let auth =
            format!("{KEY}:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4");
        with(|app| {
            assert_eq!(app.authorize("1234.1234", "private-foobar", None), auth);
            assert_eq!(
                app.check_subscription(Some(&auth), "1234.1234", "private-foobar", None),
                Ok(())
            );
        });
    }

    #[test]
    fn p028_the_worked_example_of_a_presence_channel() {
        let data = r#"{"user_id":10,"user_info":{"name":"Mr. Channels"}}"#;
        let auth =
            format!("{KEY}:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80");
        with(|app| {
            let check =
                |data| app.check_subscription(Some(&auth), "1234.1234", "presence-foobar", data);
            assert_eq!(check(Some(data)), Ok(()));
            assert!(matches!(check(None), Err(AuthError::Wrong { .. })));
        });
    }

    #[test]
    fn p028_the_worked_example_of_a_sign_in() {
        let data = r#"{"id":"12345"}"#;
        let auth =
            format!("{KEY}:4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba");
        with(|app| assert_eq!(app.check_signin(&auth, "1234.1234", data), Ok(())));
    }

    #[test]
    fn p024_every_other_signature_is_refused_and_none_is_revealed() {
        with(|app| {
            let good = app.authorize("1.2", "private-a", None);
            let signature = good.split(':').nth(1).expect("a signature").to_owned();
            let check = |auth: &str, socket: &str, channel: &str| {
                app.check_subscription(Some(auth), socket, channel, None)
            };
            assert_eq!(check(&good, "1.2", "private-a"), Ok(()));
            for (auth, socket, channel) in [
                (good.clone(), "1.3", "private-a"),
                (good.clone(), "1.2", "private-b"),
                (format!("other:{signature}"), "1.2", "private-a"),
                (good[..good.len() - 1].to_owned(), "1.2", "private-a"),
                (format!("{KEY}:{}", signature.to_uppercase()), "1.2", "private-a"),
                (signature.clone(), "1.2", "private-a"),
                (String::new(), "1.2", "private-a"),
            ] {
                let error = check(&auth, socket, channel).unwrap_err().to_string();
                assert!(!error.contains(&signature[..16]), "{error}");
            }
        });
    }
}
