// SPDX-License-Identifier: MIT OR Apache-2.0
//! However a stream is cut into reads, it says the same (RFC 6455 5.4: frames have no meaning,
//! and packets even less).

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A limit that some of the messages below exceed.
const LIMIT: usize = 300;

fn data_frames() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => "[a-z]{0,9}".prop_map(String::into_bytes),
        4 => "\\PC{0,6}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..6),
        1 => (100..140usize).prop_map(|len| vec![b'x'; len]),
    ];
    let control = proptest::option::weighted(0.2, prop::sample::select(vec![PING, PONG]));
    let first = prop::sample::select(vec![TEXT, TEXT, TEXT, BINARY]);
    (first, vec((piece, control), 1..4)).prop_map(|(first, pieces)| {
        let last = pieces.len() - 1;
        let mut out = Vec::new();
        for (at, (payload, control)) in pieces.into_iter().enumerate() {
            out.extend(control.into_iter().flat_map(|control| frame(control, "between")));
            let fin = if at == last { LAST } else { MORE };
            out.extend(frame(if at == 0 { first & 0x0f | fin } else { fin }, payload));
        }
        out
    })
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let spice = prop_oneof![
        12 => data_frames(),
        1 => vec(any::<u8>(), 0..20),
        1 => vec(any::<u8>(), 0..30).prop_map(|payload| frame(CLOSE, payload)),
        1 => Just(frame(CLOSE, b"\x03\xe8bye")),
    ];
    vec(spice, 1..8).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn byte_by_byte_says_the_same(stream in stream()) {
        let whole = hear_pieces([&stream[..]], LIMIT);
        prop_assert_eq!(hear_pieces(stream.chunks(1), LIMIT), whole);
    }

    #[test]
    fn any_cuts_say_the_same(stream in stream(), cuts in vec(1..40usize, 1..10)) {
        let whole = hear_pieces([&stream[..]], LIMIT);
        let mut rest = &stream[..];
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(hear_pieces(pieces, LIMIT), whole);
    }

    #[test]
    fn unmasking_in_parts_is_unmasking_at_once(
        bytes in vec(any::<u8>(), 0..100), key: [u8; 4], at in 0..100usize,
    ) {
        let at = at.min(bytes.len());
        let expected: Vec<_> = bytes.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k).collect();
        let mut parts = bytes;
        let (first, second) = parts.split_at_mut(at);
        unmask(first, key, 0);
        unmask(second, key, at);
        prop_assert_eq!(parts, expected);
    }
}

#[test]
fn every_cut_in_two_says_the_same() {
    let stream = [
        frame(TEXT, "plain"),
        frame(TEXT_MORE, "κόσ"),
        frame(PING, "between"),
        frame(MORE, ""),
        frame(LAST, "με"),
        frame(BINARY, vec![9; 200]),
        frame(PONG, [1; 125]),
        frame(CLOSE, b"\x0f\xa1bye"),
        frame(TEXT, "ignored"),
    ]
    .concat();
    let whole = hear(&stream);
    assert_eq!((whole.said.len(), whole.fault), (6, None));
    for at in 0..=stream.len() {
        let (first, second) = stream.split_at(at);
        assert_eq!(hear_pieces([first, second], ROOMY), whole, "cut at {at}");
    }
}
