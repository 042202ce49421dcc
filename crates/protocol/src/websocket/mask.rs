// SPDX-License-Identifier: MIT OR Apache-2.0
//! Masking (RFC 6455 5.3): XOR with a key of four bytes, undone by doing it again.

/// The key of a client's frame.
pub(super) type MaskKey = [u8; 4];

/// Removes the mask in place from bytes of a payload that begin at `position` of that payload.
pub(super) fn unmask(bytes: &mut [u8], key: MaskKey, position: usize) {
    let [a, b, c, d]: MaskKey =
        std::array::from_fn(|at| key[(position % key.len() + at) % key.len()]);
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    // Whole words first: the compiler makes vector instructions of this loop.
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(word.to_ne_bytes()) {
        *byte ^= key;
    }
}
