// SPDX-License-Identifier: MIT OR Apache-2.0
//! What strangers send, made up by a fuzzer.
//!
//! A target is a function that takes any bytes and panics when a promise is broken. To add one:
//! a module with such a function, a row in [`Target::ALL`], and a folder of its name in `seeds/`
//! with some inputs. `cargo test` runs every target over its seeds, `fuzz/run` fuzzes.

mod channel;
mod handshake;
mod journal;
mod json;
mod message;
mod reference;
mod signature;
mod trigger;
mod truth;
mod user;
mod value;
mod websocket;

use oyez_protocol::api::ApiError;
use oyez_protocol::limits::Limits;

/// One thing to fuzz.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Also the name of its folder in `seeds/`.
    pub name: &'static str,
    /// Tries one input; panics when it finds a fault.
    pub run: fn(&[u8]),
}

impl Target {
    /// Every target, in the order in which they are run.
    pub const ALL: &'static [Self] = &[
        Self { name: "channel", run: channel::run },
        Self { name: "handshake", run: handshake::run },
        Self { name: "journal", run: journal::run },
        Self { name: "message", run: message::run },
        Self { name: "signature", run: signature::run },
        Self { name: "trigger", run: trigger::run },
        Self { name: "truth", run: truth::run },
        Self { name: "user", run: user::run },
        Self { name: "value", run: value::run },
        Self { name: "websocket", run: websocket::run },
    ];

    /// The target of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|target| target.name == name)
    }
}

/// The settings at the front of an input, one byte each, so that the fuzzer may change them.
struct Settings<'a> {
    rest: &'a [u8],
}

impl<'a> Settings<'a> {
    fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// The next byte, or 0 when there is none.
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        first
    }

    /// One of several values.
    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[usize::from(self.byte()) % values.len()]
    }
}

/// A refusal is no longer than this, however long what was refused.
const REFUSAL_BYTES: usize = 8 * 1024;

/// Limits that a fuzzer finds soon.
fn tight_limits() -> Limits {
    Limits {
        channel_name: 30,
        event_name: 16,
        event_data_bytes: 24,
        event_channels: 3,
        batch_events: 2,
        user_id: 5,
        user_info_bytes: 12,
        watchlist: 2,
        truth_bytes: 24,
        patch_operations: 2,
        idempotency_key: 4,
        ..Limits::default()
    }
}

/// A refusal of the HTTP API says so in JSON, shortly.
fn assert_is_refusal(error: &ApiError) {
    assert!((400..500).contains(&error.code.status()), "{error:?}");
    let body = error.body();
    assert!(body.len() <= REFUSAL_BYTES, "{} bytes", body.len());
    let body: serde_json::Value = serde_json::from_slice(&body).expect("valid JSON");
    assert_eq!(body["error"], error.text);
    assert_eq!(body["code"], error.code.name());
    assert_eq!(body.get("field").and_then(|field| field.as_str()), error.field.as_deref());
}

/// Where to cut a stream: lengths of pieces that follow from one byte. 0 cuts after every byte.
fn piece_lengths(seed: u8) -> impl Iterator<Item = usize> {
    let mut state = u32::from(seed);
    std::iter::from_fn(move || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(u32::from(seed) * 12_345);
        Some(1 + (state >> 16) as usize % 23)
    })
}

/// A stream cut into pieces.
fn pieces(stream: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    piece_lengths(seed).map_while(move |length| {
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn seeds() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
    }

    #[test]
    fn every_target_passes_its_seeds() {
        for target in Target::ALL {
            let files = std::fs::read_dir(seeds().join(target.name)).expect("a folder of seeds");
            let mut count = 0;
            for file in files {
                let path = file.expect("a seed").path();
                println!("{}", path.display());
                (target.run)(&std::fs::read(path).expect("a readable seed"));
                count += 1;
            }
            assert!(count > 0, "{} has no seeds", target.name);
        }
    }

    #[test]
    fn every_folder_of_seeds_is_a_target() {
        let folders: BTreeSet<_> = std::fs::read_dir(seeds())
            .expect("the folder of seeds")
            .map(|entry| entry.expect("an entry"))
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().into_string().expect("a plain name"))
            .collect();
        let names: BTreeSet<_> = Target::ALL.iter().map(|target| target.name.to_owned()).collect();
        assert_eq!(folders, names);
    }

    #[test]
    fn pieces_make_the_stream() {
        let stream: Vec<u8> = (0..=255).collect();
        for seed in 0..=255 {
            assert_eq!(pieces(&stream, seed).flatten().copied().collect::<Vec<_>>(), stream);
        }
    }
}
