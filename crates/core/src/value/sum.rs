// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`checksum`]: by which a client sees that its value is the server's (truth channels' `sum`).

use std::borrow::Cow;
use std::io::{self, Write};

use oyez_protocol::delta::Checksum;

use super::Value;
use super::tree::{Node, put};

const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

/// FNV-1a, 32 bits, over the canonical text (RFC 8785) in UTF-8.
///
/// In canonical text numbers are ECMAScript's of the nearest double and keys are sorted by their
/// UTF-16, so a client that knows nothing but doubles comes to the same sum. Equal values have
/// equal sums. The reverse does not hold: it notices accidents, not intent.
#[must_use]
pub fn checksum(value: &Value<'_>) -> Checksum {
    let mut sum = Fnv(FNV_OFFSET);
    write_canonical(&value.tree(), &mut sum);
    Checksum(sum.0)
}

/// Writes a value in its canonical form.
pub(super) fn write_canonical(node: &Node<'_>, out: &mut impl Write) {
    match node {
        Node::Null => put(out, b"null"),
        Node::Bool(true) => put(out, b"true"),
        Node::Bool(false) => put(out, b"false"),
        Node::Number(number) => {
            put(out, ryu_js::Buffer::new().format_finite(number.double()).as_bytes());
        }
        Node::String(string) => write_string(string, out),
        Node::Array(items) => {
            put(out, b"[");
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    put(out, b",");
                }
                write_canonical(item, out);
            }
            put(out, b"]");
        }
        Node::Object(members) => {
            let mut members: Vec<(&Cow<'_, str>, &Node<'_>)> = members.iter().collect();
            members.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            put(out, b"{");
            for (at, (key, member)) in members.into_iter().enumerate() {
                if at > 0 {
                    put(out, b",");
                }
                write_string(key, out);
                put(out, b":");
                write_canonical(member, out);
            }
            put(out, b"}");
        }
    }
}

/// serde_json escapes exactly what `JSON.stringify` does, in the same way.
fn write_string(text: &str, out: &mut impl Write) {
    serde_json::to_writer(out, text).expect("memory takes everything");
}

struct Fnv(u32);

impl Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(FNV_PRIME);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
