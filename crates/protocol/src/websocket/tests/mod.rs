// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client for the tests: it builds frames, right and wrong, and notes what a decoder heard.

mod autobahn;
mod autobahn_utf8;
mod bounds;
mod handshake;
mod splits;

use super::mask::unmask;
use super::{Decoder, Event, ProtocolError};

/// A limit that no ordinary test reaches.
const ROOMY: usize = 1 << 20;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// First bytes of frames.
const TEXT: u8 = 0x81;
const TEXT_MORE: u8 = 0x01;
const BINARY: u8 = 0x82;
const BINARY_MORE: u8 = 0x02;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// An event that owns what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

impl From<Event<'_>> for Said {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.to_owned()),
            Event::Binary(bytes) => Self::Binary(bytes.to_owned()),
            Event::Ping(payload) => Self::Ping(payload.to_owned()),
            Event::Pong(payload) => Self::Pong(payload.to_owned()),
            Event::Close(close) => {
                Self::Close(close.map(|close| (close.code, close.reason.to_owned())))
            }
        }
    }
}

fn text(text: &str) -> Said {
    Said::Text(text.to_owned())
}

fn closed(code: u16, reason: &str) -> Said {
    Said::Close(Some((code, reason.to_owned())))
}

/// Everything that came out of a stream of bytes: events, and the fault that ended them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Heard {
    said: Vec<Said>,
    fault: Option<ProtocolError>,
}

impl Heard {
    fn only(said: impl Into<Vec<Said>>) -> Self {
        Self { said: said.into(), fault: None }
    }

    fn then(said: impl Into<Vec<Said>>, fault: ProtocolError) -> Self {
        Self { said: said.into(), fault: Some(fault) }
    }

    fn fault(fault: ProtocolError) -> Self {
        Self::then([], fault)
    }
}

/// Feeds one piece as a worker does, until nothing more comes out.
fn feed(decoder: &mut Decoder, piece: &[u8], limit: usize, heard: &mut Heard) {
    let mut read = piece.to_vec();
    let mut input = &mut read[..];
    loop {
        match decoder.next(&mut input, limit) {
            Ok(Some(event)) => heard.said.push(event.into()),
            Ok(None) => break,
            Err(fault) => {
                assert_eq!(heard.fault, None, "a fault is reported once");
                heard.fault = Some(fault);
            }
        }
    }
    assert!(input.is_empty(), "None says that the input is consumed");
}

fn hear_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Heard {
    let mut decoder = Decoder::default();
    let mut heard = Heard::default();
    for piece in pieces {
        feed(&mut decoder, piece, limit, &mut heard);
    }
    if !decoder.is_within_message() {
        assert_eq!(decoder.heap_bytes(), 0, "nothing is kept when nothing is open");
    }
    heard
}

/// What a stream says: the same in one read, byte by byte, and in chops that fit no boundary.
fn hear(stream: &[u8]) -> Heard {
    hear_limited(stream, ROOMY)
}

fn hear_limited(stream: &[u8], limit: usize) -> Heard {
    let whole = hear_pieces([stream], limit);
    for chop in [1, 3, 997] {
        assert_eq!(hear_pieces(stream.chunks(chop), limit), whole, "in chops of {chop}");
    }
    whole
}

/// How many bytes of a stream the decoder needs before it sees the fault.
fn bytes_until_fault(stream: &[u8]) -> Option<usize> {
    let mut decoder = Decoder::default();
    let mut heard = Heard::default();
    stream
        .iter()
        .position(|&byte| {
            feed(&mut decoder, &[byte], ROOMY, &mut heard);
            heard.fault.is_some()
        })
        .map(|at| at + 1)
}

/// A masked frame with the shortest length.
fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut out = vec![first];
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        medium @ ..=0xffff => {
            out.push(0x80 | 126);
            out.extend((medium as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend((long as u64).to_be_bytes());
        }
    }
    out.extend(KEY);
    let start = out.len();
    out.extend(payload);
    unmask(&mut out[start..], KEY, 0);
    out
}

/// A text message with each of its bytes in a frame of its own.
fn text_in_octets(payload: &[u8]) -> Vec<u8> {
    let (last, rest) = payload.split_last().expect("a message of some bytes");
    let mut out = Vec::new();
    for (at, byte) in rest.iter().enumerate() {
        out.extend(frame(if at == 0 { TEXT_MORE } else { MORE }, [*byte]));
    }
    out.extend(frame(if rest.is_empty() { TEXT } else { LAST }, [*last]));
    out
}
