// SPDX-License-Identifier: MIT OR Apache-2.0
//! The signature of the HTTP API (protocol.md, section 6), for requests the bench makes itself.
//! Keyed once per run, so that signing costs the load generator two short hashes per publish.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::io::Write as _;

/// The credentials every target of the bench is started with.
pub(crate) mod app {
    /// Application id.
    pub(crate) const ID: &str = "bench-app";
    /// Application key.
    pub(crate) const KEY: &str = "bench-key";
    /// Application secret. It guards nothing: servers of the bench listen on loopback only.
    pub(crate) const SECRET: &str = "bench-secret";
}

/// Signs calls for one app.
pub(crate) struct Signer {
    keyed: Hmac<Sha256>,
    key: String,
}

impl Signer {
    /// A signer for the app with `key` and `secret`.
    pub(crate) fn new(key: &str, secret: &str) -> Self {
        let keyed =
            Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
        Self { keyed, key: key.to_owned() }
    }

    /// Appends the signed query of a `POST` of `body` to `path`, without the question mark.
    /// `timestamp` is in seconds since 1970. `scratch` is overwritten.
    pub(crate) fn query(
        &self,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
        (path, body): (&str, &[u8]),
        timestamp: u64,
    ) {
        let from = out.len();
        let digest: [u8; 16] = Md5::digest(body).into();
        write!(out, "auth_key={}&auth_timestamp={timestamp}&auth_version=1.0&body_md5=", self.key)
            .expect("a Vec takes every byte");
        push_hex(out, &digest);

        scratch.clear();
        write!(scratch, "POST\n{path}\n").expect("a Vec takes every byte");
        scratch.extend_from_slice(&out[from..]);
        let mut mac = self.keyed.clone();
        mac.update(scratch);
        let signature: [u8; 32] = mac.finalize().into_bytes().into();
        out.extend_from_slice(b"&auth_signature=");
        push_hex(out, &signature);
    }
}

fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 0x0f)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P-061, the worked example of the documentation.
    #[test]
    fn the_worked_example_is_signed_as_documented() {
        let signer = Signer::new("278d425bdf160c739803", "7ad3773142a6692b25b8");
        let body = br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
        let (mut out, mut scratch) = (Vec::new(), Vec::new());
        signer.query(&mut out, &mut scratch, ("/apps/3/events", body), 1_353_088_179);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0\
             &body_md5=ec365a775a4cd0599faeb73354201b6f\
             &auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"
        );
    }
}
