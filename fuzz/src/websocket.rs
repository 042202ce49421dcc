// SPDX-License-Identifier: MIT OR Apache-2.0
//! Target `websocket`: the decoder says what the reference says, however the stream is cut, and
//! holds no more than the limit allows.
//!
//! Input: three bytes of settings (raw stream or script, limit, cuts), then the stream. A script
//! is a row of frames, each as first byte, length, payload; masks and lengths are put right, so
//! that the fuzzer gets past them.

use oyez_protocol::websocket::{Decoder, Event};

use crate::reference::{self, Heard, Said};
use crate::{Settings, pieces};

const LIMITS: [usize; 4] = [300, 10, 3000, 100_000];
/// What a decoder may hold beside a message.
const OVERHEAD: usize = 512;

pub(crate) fn run(data: &[u8]) {
    let mut settings = Settings::new(data);
    let scripted = settings.pick(&[false, true]);
    let limit = settings.pick(&LIMITS);
    let cuts = settings.byte();
    let stream = if scripted { frames(&mut settings) } else { settings.rest.to_vec() };

    let expected = reference::hear(&stream, limit);
    assert_eq!(hear([&stream[..]], limit), expected, "in one read");
    assert_eq!(hear(pieces(&stream, cuts), limit), expected, "in pieces");
}

fn hear<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Heard {
    let mut decoder = Decoder::default();
    let mut heard = Heard::default();
    for piece in pieces {
        let mut read = piece.to_vec();
        let mut input = &mut read[..];
        loop {
            match decoder.next(&mut input, limit) {
                Ok(Some(event)) => heard.said.push(said(event)),
                Ok(None) => break,
                Err(fault) => {
                    assert_eq!(heard.fault.replace(fault), None, "a fault is reported once");
                }
            }
        }
        assert!(input.is_empty(), "None says that the input is consumed");
        assert!(decoder.heap_bytes() <= limit + OVERHEAD, "{} bytes", decoder.heap_bytes());
        assert!(decoder.is_within_message() || decoder.heap_bytes() == 0, "nothing is kept");
    }
    heard
}

fn said(event: Event<'_>) -> Said {
    match event {
        Event::Text(text) => {
            // Never trust a &str that came out of the code under test.
            assert!(std::str::from_utf8(text.as_bytes()).is_ok());
            Said::Text(text.as_bytes().to_vec())
        }
        Event::Binary(bytes) => Said::Binary(bytes.to_vec()),
        Event::Ping(payload) => Said::Ping(payload.to_vec()),
        Event::Pong(payload) => Said::Pong(payload.to_vec()),
        Event::Close(close) => {
            Said::Close(close.map(|close| (close.code, close.reason.as_bytes().to_vec())))
        }
    }
}

/// Frames from a script; the last one may be cut short by the end of the script.
fn frames(script: &mut Settings<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    while !script.rest.is_empty() {
        let first = script.byte();
        let length = usize::from(script.byte());
        let key = [first, length as u8, 0x5a, 0x00];
        stream.push(first);
        if length < 126 {
            stream.push(0x80 | length as u8);
        } else {
            stream.push(0x80 | 126);
            stream.extend((length as u16).to_be_bytes());
        }
        stream.extend(key);
        let (payload, rest) = script.rest.split_at(length.min(script.rest.len()));
        script.rest = rest;
        stream.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    }
    stream
}
