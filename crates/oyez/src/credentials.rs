// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`NewApp`]: fresh credentials, from the operating system's random source.

use std::fmt;

use oyez_protocol::secret::Secret;

/// Bytes of a key: enough that two never meet.
const KEY_BYTES: usize = 10;

/// Characters of a secret: more than 128 bits, so that nobody guesses it.
const SECRET_LEN: usize = 22;

/// Ids have seven digits. The official Python library accepts nothing but digits.
const IDS: std::ops::Range<u64> = 1_000_000..10_000_000;

/// An app that did not exist before. It prints as the `[[apps]]` block of a config file, with its
/// secret; `Debug` leaves the secret out.
#[derive(Clone, Debug)]
pub struct NewApp {
    /// What a person calls it; a comment in the block.
    pub name: Option<AppName>,
    /// In the path of the HTTP API.
    pub id: String,
    /// What pages hold.
    pub key: String,
    /// What only backends hold.
    pub secret: Secret,
}

/// A name on one line, of printable characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppName(String);

/// The text is no [`AppName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 80 printable characters on one line")]
pub struct AppNameError;

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("no random numbers from the operating system: {0}")]
pub struct NoRandomness(getrandom::Error);

impl NewApp {
    /// Makes one.
    pub fn generate(name: Option<AppName>) -> Result<NewApp, NoRandomness> {
        let number = u64::from_be_bytes(random()?);
        Ok(NewApp {
            name,
            id: (IDS.start + number % (IDS.end - IDS.start)).to_string(),
            key: hex(&random::<KEY_BYTES>()?),
            secret: Secret::new(&letters(SECRET_LEN)?),
        })
    }
}

impl AppName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<AppName, AppNameError> {
        let fits = (1..=80).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if fits { Ok(AppName(text.to_owned())) } else { Err(AppNameError) }
    }
}

impl fmt::Display for NewApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[[apps]]")?;
        if let Some(AppName(name)) = &self.name {
            write!(f, "                  # {name}")?;
        }
        let NewApp { id, key, secret, .. } = self;
        write!(f, "\nid = {id:?}\nkey = {key:?}\nsecret = {:?}\n", secret.reveal())
    }
}

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Letters and digits, all equally likely.
fn letters(count: usize) -> Result<String, NoRandomness> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(count);
    while text.len() < count {
        // Six bits choose one of 64; the two without a letter are drawn again.
        let [byte] = random::<1>()?;
        text.extend(ALPHABET.get(usize::from(byte & 63)).map(|&letter| char::from(letter)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_on_its_line() {
        assert!(AppName::parse("Café 7").is_ok());
        for bad in ["", "a\nb", "a\u{1b}[2J", &"a".repeat(81)] {
            assert_eq!(AppName::parse(bad), Err(AppNameError), "{bad:?}");
        }
    }

    #[test]
    fn credentials_have_their_form_and_never_repeat() {
        let apps: Vec<_> = (0..100).map(|_| NewApp::generate(None).expect("randomness")).collect();
        for app in &apps {
            assert!(app.id.len() == 7 && app.id.bytes().all(|b| b.is_ascii_digit()), "{}", app.id);
            assert!(app.key.len() == 20 && app.key.bytes().all(|b| b.is_ascii_hexdigit()));
            let secret = app.secret.reveal();
            assert!(
                secret.len() == SECRET_LEN && secret.bytes().all(|b| b.is_ascii_alphanumeric())
            );
        }
        let distinct: std::collections::HashSet<_> =
            apps.iter().map(|app| app.secret.reveal()).collect();
        assert_eq!(distinct.len(), apps.len());
    }

    #[test]
    fn debug_leaves_the_secret_out() {
        let app = NewApp::generate(None).expect("randomness");
        assert!(!format!("{app:?}").contains(app.secret.reveal()));
        assert!(app.to_string().contains(app.secret.reveal()));
    }
}
