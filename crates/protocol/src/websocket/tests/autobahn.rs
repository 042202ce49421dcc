// SPDX-License-Identifier: MIT OR Apache-2.0
//! P-007: the Autobahn cases of sections 1 to 5, 7 and 10, as far as they concern the decoder.
//! Every stream is heard in one read, byte by byte and in odd chops ([`hear`]).

use super::*;

const LENGTHS: [usize; 7] = [0, 125, 126, 127, 128, 65_535, 65_536];

#[test]
fn p007_case_1_1_1_to_1_1_8_text_of_every_form_of_length() {
    for len in LENGTHS {
        let payload = "*".repeat(len);
        assert_eq!(hear(&frame(TEXT, &payload)), Heard::only([Said::Text(payload)]));
    }
}

#[test]
fn p007_case_1_2_1_to_1_2_8_binary_of_every_form_of_length() {
    for len in LENGTHS {
        let payload = vec![0xfe; len];
        assert_eq!(hear(&frame(BINARY, &payload)), Heard::only([Said::Binary(payload)]));
    }
}

#[test]
fn p007_case_2_1_to_2_4_pings_up_to_125_bytes_of_anything() {
    let anything = [0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff];
    for payload in [&b""[..], b"Hello, world!", &anything, &[0xfe; 125]] {
        assert_eq!(hear(&frame(PING, payload)), Heard::only([Said::Ping(payload.to_vec())]));
    }
}

#[test]
fn p007_case_2_5_a_ping_of_126_bytes() {
    assert_eq!(hear(&frame(PING, [0xfe; 126])), Heard::fault(ProtocolError::ControlTooLong));
    // Seen in the second byte, before any payload.
    assert_eq!(bytes_until_fault(&frame(PING, [0xfe; 126])), Some(2));
}

#[test]
fn p007_case_2_6_a_ping_byte_by_byte() {
    let ping = frame(PING, [0xfe; 125]);
    assert_eq!(hear_pieces(ping.chunks(1), ROOMY), Heard::only([Said::Ping(vec![0xfe; 125])]));
}

#[test]
fn p007_case_2_7_to_2_9_pongs_nobody_asked_for() {
    let stream = [frame(PONG, ""), frame(PONG, "unasked"), frame(PING, "asked")].concat();
    let said = [Said::Pong(vec![]), Said::Pong(b"unasked".to_vec()), Said::Ping(b"asked".to_vec())];
    assert_eq!(hear(&stream), Heard::only(said));
}

#[test]
fn p007_case_2_10_and_2_11_ten_pings() {
    let payloads: Vec<_> = (0..10).map(|n| format!("payload-{n}")).collect();
    let stream: Vec<_> = payloads.iter().flat_map(|payload| frame(PING, payload)).collect();
    let said: Vec<_> = payloads.into_iter().map(|payload| Said::Ping(payload.into())).collect();
    assert_eq!(hear(&stream), Heard::only(said));
}

#[test]
fn p007_case_3_1_to_3_7_reserved_bits() {
    for rsv in 1..=7 {
        for first in [TEXT, BINARY, PING, PONG, CLOSE, LAST, TEXT_MORE] {
            let bad = frame(first | rsv << 4, "Hello");
            let stream = [frame(TEXT, "before"), bad, frame(PING, "after")].concat();
            assert_eq!(hear(&stream), Heard::then([text("before")], ProtocolError::ReservedBit));
            assert_eq!(bytes_until_fault(&frame(first | rsv << 4, "")), Some(1));
        }
    }
}

#[test]
fn p007_case_4_1_1_to_4_2_5_reserved_opcodes() {
    for opcode in (3..=7).chain(11..=15) {
        for payload in ["", "reserved opcode payload"] {
            let bad = frame(0x80 | opcode, payload);
            let stream = [frame(TEXT, "before"), bad, frame(PING, "")].concat();
            let fault = ProtocolError::ReservedOpcode(opcode);
            assert_eq!(hear(&stream), Heard::then([text("before")], fault));
        }
    }
}

#[test]
fn p007_case_5_1_and_5_2_fragmented_control_frames() {
    for control in [PING, PONG, CLOSE] {
        let stream = [frame(control & 0x0f, "fragment1"), frame(LAST, "fragment2")].concat();
        assert_eq!(hear(&stream), Heard::fault(ProtocolError::ControlFragmented));
    }
}

#[test]
fn p007_case_5_3_to_5_5_a_message_in_two_fragments() {
    let stream = [frame(TEXT_MORE, "fragment1"), frame(LAST, "fragment2")].concat();
    assert_eq!(hear(&stream), Heard::only([text("fragment1fragment2")]));
    let stream = [frame(BINARY_MORE, [0xff]), frame(LAST, [0xfe])].concat();
    assert_eq!(hear(&stream), Heard::only([Said::Binary(vec![0xff, 0xfe])]));
}

#[test]
fn p007_case_5_6_to_5_8_a_ping_between_fragments() {
    let stream =
        [frame(TEXT_MORE, "fragment1"), frame(PING, "ping"), frame(LAST, "fragment2")].concat();
    let said = [Said::Ping(b"ping".to_vec()), text("fragment1fragment2")];
    assert_eq!(hear(&stream), Heard::only(said));
}

#[test]
fn p007_case_5_9_to_5_14_nothing_to_continue() {
    for first in [LAST, MORE] {
        let stream = [frame(first, "non-continuation"), frame(TEXT, "Hello")].concat();
        assert_eq!(hear(&stream), Heard::fault(ProtocolError::NothingToContinue));
    }
}

#[test]
fn p007_case_5_15_a_continuation_after_the_last_one() {
    let stream = [
        frame(TEXT_MORE, "fragment1"),
        frame(LAST, "fragment2"),
        frame(MORE, "fragment3"),
        frame(TEXT, "fragment4"),
    ]
    .concat();
    let heard = Heard::then([text("fragment1fragment2")], ProtocolError::NothingToContinue);
    assert_eq!(hear(&stream), heard);
}

#[test]
fn p007_case_5_16_and_5_17_a_continuation_before_the_first_one() {
    for first in [MORE, LAST] {
        let once =
            [frame(first, "fragment1"), frame(TEXT_MORE, "fragment2"), frame(LAST, "fragment3")];
        assert_eq!(
            hear(&[once.concat(), once.concat()].concat()),
            Heard::fault(ProtocolError::NothingToContinue)
        );
    }
}

#[test]
fn p007_case_5_18_a_message_within_a_message() {
    for second in [TEXT, TEXT_MORE, BINARY] {
        let stream = [frame(TEXT_MORE, "fragment1"), frame(second, "fragment2")].concat();
        assert_eq!(hear(&stream), Heard::fault(ProtocolError::MessageNotComplete));
    }
}

#[test]
fn p007_case_5_19_and_5_20_pings_between_five_fragments() {
    let stream = [
        frame(TEXT_MORE, "fragment1"),
        frame(MORE, "fragment2"),
        frame(PING, "pongme 1!"),
        frame(MORE, "fragment3"),
        frame(MORE, "fragment4"),
        frame(PING, "pongme 2!"),
        frame(LAST, "fragment5"),
    ]
    .concat();
    let said = [
        Said::Ping(b"pongme 1!".to_vec()),
        Said::Ping(b"pongme 2!".to_vec()),
        text("fragment1fragment2fragment3fragment4fragment5"),
    ];
    assert_eq!(hear(&stream), Heard::only(said));
}

#[test]
fn p007_case_7_1_1_a_message_and_then_a_close() {
    let stream = [frame(TEXT, "Hello World!"), frame(CLOSE, 1000u16.to_be_bytes())].concat();
    assert_eq!(hear(&stream), Heard::only([text("Hello World!"), closed(1000, "")]));
}

#[test]
fn p007_case_7_1_2_to_7_1_4_nothing_counts_after_a_close() {
    for after in [frame(CLOSE, ""), frame(PING, ""), frame(TEXT, "x"), vec![0xff; 50]] {
        let stream = [frame(CLOSE, 1000u16.to_be_bytes()), after].concat();
        assert_eq!(hear(&stream), Heard::only([closed(1000, "")]));
    }
}

#[test]
fn p007_case_7_1_5_a_close_between_fragments() {
    let stream =
        [frame(TEXT_MORE, "fragment1"), frame(CLOSE, ""), frame(LAST, "fragment2")].concat();
    assert_eq!(hear(&stream), Heard::only([Said::Close(None)]));
}

#[test]
fn p007_case_7_1_6_a_close_after_much_data() {
    let much = "BAsd7&jh23".repeat(26_000);
    let stream = [frame(TEXT, &much), frame(CLOSE, 1000u16.to_be_bytes()), frame(PING, "")];
    assert_eq!(hear(&stream.concat()), Heard::only([Said::Text(much), closed(1000, "")]));
}

#[test]
fn p007_case_7_3_1_to_7_3_6_payloads_of_a_close() {
    let with_reason = |len| frame(CLOSE, [&1000u16.to_be_bytes()[..], &vec![b'*'; len]].concat());
    assert_eq!(hear(&frame(CLOSE, "")), Heard::only([Said::Close(None)]));
    assert_eq!(hear(&frame(CLOSE, "a")), Heard::fault(ProtocolError::CloseCodeCut));
    for len in [0, 2, 123] {
        assert_eq!(hear(&with_reason(len)), Heard::only([closed(1000, &"*".repeat(len))]));
    }
    assert_eq!(hear(&with_reason(124)), Heard::fault(ProtocolError::ControlTooLong));
}

#[test]
fn p007_case_7_5_1_a_reason_that_is_not_utf8() {
    let payload = b"\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";
    let fault = ProtocolError::CloseReasonNotUtf8;
    assert_eq!(hear(&frame(CLOSE, payload)), Heard::fault(fault));
    assert_eq!(fault.close_code(), 1007);
}

#[test]
fn p007_case_7_7_1_to_7_7_13_codes_that_may_be_sent() {
    for code in (1000..=1003).chain(1007..=1011).chain([3000, 3999, 4000, 4999]) {
        assert_eq!(hear(&frame(CLOSE, u16::to_be_bytes(code))), Heard::only([closed(code, "")]));
    }
}

#[test]
fn p007_case_7_9_1_to_7_13_2_codes_that_must_not_be_sent() {
    let bad = [0, 1, 999, 1004, 1005, 1006, 1012, 1013, 1014, 1015, 1016, 1100, 2000, 2999, 5000];
    for code in bad.into_iter().chain([u16::MAX]) {
        let fault = ProtocolError::CloseCodeInvalid(code);
        assert_eq!(hear(&frame(CLOSE, code.to_be_bytes())), Heard::fault(fault));
        assert_eq!(fault.close_code(), 1002);
    }
}

#[test]
fn p007_case_10_1_1_a_large_message_in_fragments_of_1300_bytes() {
    let message = "*".repeat(65_536);
    let mut stream = Vec::new();
    let mut parts = message.as_bytes().chunks(1300).enumerate().peekable();
    while let Some((at, part)) = parts.next() {
        let fin = if parts.peek().is_none() { LAST } else { MORE };
        stream.extend(frame(if at == 0 { fin | 0x01 } else { fin }, part));
    }
    assert_eq!(hear(&stream), Heard::only([Said::Text(message)]));
}

#[test]
fn p007_unmasked_frames_are_refused() {
    for first in [TEXT, BINARY, PING, PONG, CLOSE] {
        let stream = [&[first, 5][..], b"Hello"].concat();
        assert_eq!(hear(&stream), Heard::fault(ProtocolError::Unmasked));
    }
}

#[test]
fn p007_lengths_must_be_in_their_shortest_form() {
    let header = |rest: &[u8]| [&[BINARY][..], rest, &[0; 4]].concat();
    let cases: [(&[u8], ProtocolError); 5] = [
        (&[0xfe, 0, 125], ProtocolError::LengthNotMinimal),
        (&[0xfe, 0, 0], ProtocolError::LengthNotMinimal),
        (&[0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], ProtocolError::LengthNotMinimal),
        (&[0xff, 0x80, 0, 0, 0, 0, 1, 0, 0], ProtocolError::LengthTopBit),
        (&[0xff; 9], ProtocolError::LengthTopBit),
    ];
    for (length, fault) in cases {
        assert_eq!(hear(&header(length)), Heard::fault(fault));
        assert_eq!(fault.close_code(), 1002);
    }
}
