// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Secret`]: an app's secret, and the only code that signs or checks with it.
//!
//! It never prints its text: `Debug` shows nothing, there is no `Display`. Signatures are
//! compared in constant time, over the bytes as they were received.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Lower-case hexadecimal of an HMAC-SHA256.
pub const SIGNATURE_LEN: usize = 64;

/// The secret of an app, keyed once and ready to sign.
#[derive(Clone)]
pub struct Secret {
    text: Box<str>,
    mac: Hmac<Sha256>,
}

impl Secret {
    /// Takes the text of the config.
    pub fn new(text: &str) -> Secret {
        let mac = Hmac::new_from_slice(text.as_bytes()).expect("HMAC takes keys of any length");
        Secret { text: text.into(), mac }
    }

    /// The text itself, for the credentials page of development mode and the client commands.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The signature of the parts, one after the other.
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; SIGNATURE_LEN] {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        let mut hex = [0; SIGNATURE_LEN];
        hex_lower(&mac.finalize().into_bytes(), &mut hex);
        hex
    }

    /// The signature as text.
    pub fn sign_text(&self, parts: &[&[u8]]) -> String {
        self.sign(parts).iter().map(|&b| char::from(b)).collect()
    }

    /// Whether `claimed` is the signature of the parts.
    pub fn verifies(&self, parts: &[&[u8]], claimed: &[u8]) -> bool {
        self.sign(parts).ct_eq(claimed).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Writes bytes as lower-case hexadecimal; `out` is twice as long as `bytes`.
pub(crate) fn hex_lower(bytes: &[u8], out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("7ad3773142a6692b25b8")), "Secret");
    }

    #[test]
    fn only_the_exact_bytes_verify() {
        let secret = Secret::new("s");
        let good = secret.sign_text(&[b"a", b"b"]);
        assert!(secret.verifies(&[b"ab"], good.as_bytes()));
        assert!(!secret.verifies(&[b"ab"], good.to_uppercase().as_bytes()));
        assert!(!secret.verifies(&[b"ab"], &good.as_bytes()[..63]));
        assert!(!secret.verifies(&[b"ab"], b""));
        assert!(!secret.verifies(&[b"abc"], good.as_bytes()));
    }
}
