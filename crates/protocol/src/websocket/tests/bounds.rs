// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client can make a decoder hold, and what a caller may rely on.

use super::*;

const LIMIT: usize = 1000;

fn too_large() -> ProtocolError {
    ProtocolError::MessageTooLarge { limit: LIMIT }
}

#[test]
fn p014_the_limit_itself_is_allowed_and_one_more_is_not() {
    let fits = "x".repeat(LIMIT);
    assert_eq!(hear_limited(&frame(TEXT, &fits), LIMIT), Heard::only([text(&fits)]));
    assert_eq!(hear_limited(&frame(TEXT, [b'x'; LIMIT + 1]), LIMIT), Heard::fault(too_large()));
    assert_eq!(too_large().close_code(), 1009);
}

#[test]
fn p014_too_large_is_decided_by_the_header_alone() {
    // The length is there, not even the mask key is.
    let mut header = [BINARY, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let mut input = &mut header[..];
    let mut decoder = Decoder::default();
    assert_eq!(decoder.next(&mut input, LIMIT), Err(too_large()));
    assert_eq!(decoder.heap_bytes(), 0);
}

#[test]
fn p014_the_limit_counts_the_sum_of_the_fragments() {
    let fragment = [b'x'; LIMIT / 2];
    let stream = [frame(TEXT_MORE, fragment), frame(MORE, fragment), frame(LAST, "")].concat();
    let whole = "x".repeat(LIMIT);
    assert_eq!(hear_limited(&stream, LIMIT), Heard::only([text(&whole)]));
    let stream = [frame(TEXT_MORE, fragment), frame(MORE, fragment), frame(LAST, "x")].concat();
    assert_eq!(hear_limited(&stream, LIMIT), Heard::fault(too_large()));
}

#[test]
fn p014_the_limit_counts_a_character_that_is_cut() {
    let begun = [&[b'x'; LIMIT - 1][..], b"\xc3"].concat();
    let stream = [frame(TEXT_MORE, begun), frame(LAST, b"\xa9")].concat();
    assert_eq!(hear_limited(&stream, LIMIT), Heard::fault(too_large()));
    assert_eq!(hear_limited(&stream, LIMIT + 1).fault, None);
}

#[test]
fn control_frames_do_not_count_towards_the_limit() {
    let full = [b'x'; LIMIT];
    let stream = [frame(TEXT_MORE, full), frame(PING, [1; 125]), frame(LAST, "")].concat();
    assert_eq!(hear_limited(&stream, LIMIT).said.len(), 2);
    assert_eq!(hear_limited(&frame(PING, [1; 125]), 10), Heard::only([Said::Ping(vec![1; 125])]));
}

#[test]
fn a_whole_message_is_handed_out_where_it_was_read() {
    let mut read = [frame(TEXT, "first"), frame(TEXT, "second")].concat();
    let bounds = read.as_ptr_range();
    let mut input = &mut read[..];
    let mut decoder = Decoder::default();
    for expected in ["first", "second"] {
        let Ok(Some(Event::Text(heard))) = decoder.next(&mut input, ROOMY) else {
            panic!("{expected} was sent")
        };
        assert_eq!(heard, expected);
        assert!(bounds.contains(&heard.as_ptr()));
    }
    assert_eq!(decoder.heap_bytes(), 0);
}

#[test]
fn memory_follows_what_came_and_not_what_was_announced() {
    let stream = frame(BINARY, vec![7; ROOMY]);
    let mut decoder = Decoder::default();
    let mut heard = Heard::default();
    feed(&mut decoder, &stream[..1000], ROOMY, &mut heard);
    assert!(decoder.heap_bytes() < 1500, "{}", decoder.heap_bytes());
    for piece in stream[1000..].chunks(1000) {
        feed(&mut decoder, piece, ROOMY, &mut heard);
        assert!(decoder.heap_bytes() <= ROOMY + 500, "{}", decoder.heap_bytes());
    }
    assert_eq!(heard.said.len(), 1);
    assert_eq!(decoder.heap_bytes(), 0);
}

#[test]
fn a_message_of_tiny_fragments_stays_within_its_limit() {
    let mut decoder = Decoder::default();
    let mut heard = Heard::default();
    feed(&mut decoder, &frame(TEXT_MORE, "x"), LIMIT, &mut heard);
    let one_more = frame(MORE, "x").repeat(100);
    for _ in 0..20 {
        feed(&mut decoder, &one_more, LIMIT, &mut heard);
        assert!(decoder.heap_bytes() <= LIMIT + 500);
    }
    assert_eq!(heard, Heard::fault(too_large()));
}

#[test]
fn empty_fragments_come_to_an_end() {
    let stream = [frame(TEXT_MORE, ""), frame(MORE, "").repeat(100)].concat();
    assert_eq!(hear(&stream), Heard::fault(ProtocolError::TooManyEmptyFragments));
    assert_eq!(ProtocolError::TooManyEmptyFragments.close_code(), 1008);
    // They are counted per message.
    let message = [frame(TEXT_MORE, ""), frame(MORE, "").repeat(50), frame(LAST, "")].concat();
    assert_eq!(hear(&message.repeat(5)).said.len(), 5);
}

#[test]
fn the_caller_may_stop_after_any_event_and_go_on_later() {
    let mut read = [
        frame(TEXT, "one"),
        frame(TEXT_MORE, "t"),
        frame(PING, ""),
        frame(LAST, "wo"),
        frame(TEXT, "three"),
    ]
    .concat();
    let mut decoder = Decoder::default();
    let mut said: Vec<Said> = Vec::new();
    // Each round stands for a later turn of the loop, with what the last one left.
    while !read.is_empty() {
        let mut input = &mut read[..];
        said.extend(decoder.next(&mut input, ROOMY).expect("no fault").map(Said::from));
        read = input.to_vec();
    }
    assert_eq!(said, [text("one"), Said::Ping(vec![]), text("two"), text("three")]);
}

#[test]
fn it_is_known_whether_something_is_open() {
    let mut decoder = Decoder::default();
    // Feeds all but the last byte, then that, and stops at the event: it lies in the decoder.
    let mut open_at_event = |bytes: Vec<u8>| {
        let (last, first) = bytes.split_last().expect("a frame");
        feed(&mut decoder, first, ROOMY, &mut Heard::default());
        assert!(decoder.is_within_message());
        let is_event = decoder.next(&mut &mut [*last][..], ROOMY).expect("no fault").is_some();
        (is_event, decoder.is_within_message())
    };
    assert_eq!(open_at_event(frame(PING, "whole")), (true, false));
    assert_eq!(open_at_event(frame(TEXT_MORE, "first")), (false, true));
    assert_eq!(open_at_event(frame(PING, "between")), (true, true));
    assert_eq!(open_at_event(frame(LAST, "last")), (true, false));
    assert_eq!(open_at_event(frame(CLOSE, "")), (true, false));
    feed(&mut decoder, &frame(TEXT_MORE, "ignored"), ROOMY, &mut Heard::default());
    assert!(!decoder.is_within_message());
}

#[test]
fn after_a_fault_nothing_is_heard_and_nothing_is_kept() {
    let mut decoder = Decoder::default();
    let mut heard = Heard::default();
    feed(&mut decoder, &frame(TEXT_MORE, "begun"), ROOMY, &mut heard);
    feed(&mut decoder, &[0xff, 0xff, 0xff], ROOMY, &mut heard);
    assert_eq!(heard, Heard::fault(ProtocolError::ReservedBit));
    feed(&mut decoder, &frame(TEXT, "more"), ROOMY, &mut heard);
    assert_eq!(heard, Heard::fault(ProtocolError::ReservedBit));
    assert_eq!(decoder.heap_bytes(), 0);
}

#[test]
fn every_text_of_a_fault_fits_a_close_frame() {
    for fault in [
        ProtocolError::ReservedBit,
        ProtocolError::ReservedOpcode(15),
        ProtocolError::Unmasked,
        ProtocolError::ControlTooLong,
        ProtocolError::ControlFragmented,
        ProtocolError::NothingToContinue,
        ProtocolError::MessageNotComplete,
        ProtocolError::LengthNotMinimal,
        ProtocolError::LengthTopBit,
        ProtocolError::CloseCodeCut,
        ProtocolError::CloseCodeInvalid(u16::MAX),
        ProtocolError::CloseReasonNotUtf8,
        ProtocolError::TextNotUtf8,
        ProtocolError::TooManyEmptyFragments,
        ProtocolError::MessageTooLarge { limit: usize::MAX },
    ] {
        assert!(fault.to_string().len() <= crate::websocket::frame::CLOSE_REASON_MAX, "{fault}");
    }
}
