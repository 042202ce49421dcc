// SPDX-License-Identifier: MIT OR Apache-2.0
//! P-007: the Autobahn cases of section 6, UTF-8 in text messages.

use super::*;

/// The word that the cases are built around, and what no UTF-8 has behind it.
const KOSME: &[u8] = "κόσμε".as_bytes();
const NOT_UTF8: Heard = Heard { said: Vec::new(), fault: Some(ProtocolError::TextNotUtf8) };

/// Hears the bytes as one frame, cut in two frames anywhere, and in a frame per byte.
fn hear_text(bytes: &[u8]) -> Heard {
    let whole = hear(&frame(TEXT, bytes));
    for at in 0..=bytes.len() {
        let two = [frame(TEXT_MORE, &bytes[..at]), frame(LAST, &bytes[at..])].concat();
        assert_eq!(hear(&two), whole, "cut at {at}");
    }
    if !bytes.is_empty() {
        assert_eq!(hear(&text_in_octets(bytes)), whole, "in octets");
    }
    whole
}

fn assert_valid(cases: &[&[u8]]) {
    for case in cases {
        let said = Said::Text(String::from_utf8(case.to_vec()).expect("the case is valid"));
        assert_eq!(hear_text(case), Heard::only([said]), "{case:02x?}");
    }
}

fn assert_invalid(cases: &[&[u8]]) {
    for case in cases {
        assert_eq!(hear_text(case), NOT_UTF8, "{case:02x?}");
        let within = [KOSME, case, b"edited"].concat();
        assert_eq!(hear_text(&within), NOT_UTF8, "{case:02x?}");
    }
}

#[test]
fn p007_case_6_1_1_to_6_1_3_empty_messages_and_fragments() {
    assert_eq!(hear(&frame(TEXT, "")), Heard::only([text("")]));
    let empty = [frame(TEXT_MORE, ""), frame(MORE, ""), frame(LAST, "")].concat();
    assert_eq!(hear(&empty), Heard::only([text("")]));
    let around = [frame(TEXT_MORE, ""), frame(MORE, "middle"), frame(LAST, "")].concat();
    assert_eq!(hear(&around), Heard::only([text("middle")]));
}

#[test]
fn p007_case_6_2_1_to_6_2_4_valid_text_however_it_is_cut() {
    assert_valid(&["Hello-µ@ßöäüàá-UTF-8!!".as_bytes(), KOSME]);
}

#[test]
fn p007_case_6_3_1_and_6_3_2_invalid_text_however_it_is_cut() {
    assert_invalid(&[b"\xed\xa0\x80edited"]);
}

#[test]
fn p007_case_6_4_1_a_bad_fragment_is_refused_before_the_next_one() {
    let fragments = [
        frame(TEXT_MORE, [KOSME, b"\xf4"].concat()),
        frame(MORE, b"\x90"),
        frame(LAST, b"\x80\x80edited"),
    ];
    let seen = fragments[0].len() + fragments[1].len();
    assert_eq!(bytes_until_fault(&fragments.concat()), Some(seen));

    let fragments = [frame(TEXT_MORE, KOSME), frame(MORE, b"\xf4\x90\x80\x80"), frame(LAST, "x")];
    // The second byte of the second fragment's payload settles it.
    assert_eq!(bytes_until_fault(&fragments.concat()), Some(fragments[0].len() + 6 + 2));
}

#[test]
fn p007_case_6_4_2_to_6_4_4_a_bad_byte_is_refused_before_the_end_of_its_frame() {
    for (bad, needed) in [
        (&b"\xf4\x90\x80\x80"[..], 2),
        (b"\xed\xa0\x80", 2),
        (b"\xc0\xaf", 1),
        (b"\xe0\x80\xaf", 2),
        (b"\xf0\x80\x80\xaf", 2),
        (b"\xce ", 2),
        (b"\xf0\x90\x80 ", 4),
        (b"\x80", 1),
        (b"\xff", 1),
    ] {
        let stream = frame(TEXT, [KOSME, bad, b"edited"].concat());
        assert_eq!(bytes_until_fault(&stream), Some(6 + KOSME.len() + needed), "{bad:02x?}");
    }
}

#[test]
fn p007_case_6_5_1_to_6_6_11_words_that_end_within_a_character() {
    for end in 1..=KOSME.len() {
        let case = &KOSME[..end];
        match std::str::from_utf8(case) {
            Ok(valid) => assert_eq!(hear_text(case), Heard::only([text(valid)])),
            Err(_) => assert_eq!(hear_text(case), NOT_UTF8),
        }
    }
}

#[test]
fn p007_case_6_7_and_6_9_first_and_last_character_of_each_length() {
    assert_valid(&[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]);
    assert_valid(&[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]);
}

#[test]
fn p007_case_6_8_and_6_10_sequences_that_are_too_long() {
    assert_invalid(&[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]);
    assert_invalid(&[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"]);
}

#[test]
fn p007_case_6_11_around_the_surrogates_and_the_end() {
    assert_valid(&[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"]);
    assert_invalid(&[b"\xf4\x90\x80\x80"]);
}

#[test]
fn p007_case_6_12_continuation_bytes_without_a_start() {
    let all: Vec<u8> = (0x80..=0xbf).collect();
    assert_invalid(&[b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\x80\xbf\x80\xbf\x80\xbf"]);
    assert_invalid(&[&all]);
    assert_invalid(&all.chunks(1).collect::<Vec<_>>());
}

#[test]
fn p007_case_6_13_starts_without_a_continuation() {
    for range in [0xc0..=0xdf, 0xe0..=0xef, 0xf0..=0xf7, 0xf8..=0xfb, 0xfc..=0xfd] {
        let spaced: Vec<u8> = range.flat_map(|start: u8| [start, b' ']).collect();
        assert_invalid(&[&spaced]);
        assert_invalid(&spaced.chunks(2).collect::<Vec<_>>());
    }
}

#[test]
fn p007_case_6_14_and_6_15_the_last_byte_is_missing() {
    let cases: [&[u8]; 10] = [
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ];
    assert_invalid(&cases);
    assert_invalid(&[&cases.concat()]);
}

#[test]
fn p007_case_6_16_bytes_that_no_text_has() {
    assert_invalid(&[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]);
}

#[test]
fn p007_case_6_17_to_6_19_overlong_encodings() {
    // The slash, then the last character that needs one byte less, then NUL.
    assert_invalid(&[b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf"]);
    assert_invalid(&[b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"]);
    assert_invalid(&[b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf"]);
    assert_invalid(&[b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"]);
    assert_invalid(&[b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80"]);
    assert_invalid(&[b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"]);
}

#[test]
fn p007_case_6_20_and_6_21_surrogates_alone_and_in_pairs() {
    let high = [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf"];
    let low = [b"\xed\xb0\x80", b"\xed\xbe\x80", b"\xed\xbf\xbf"];
    for alone in high.iter().chain(&low) {
        assert_invalid(&[*alone]);
    }
    for (first, second) in high.iter().flat_map(|h| low.iter().map(move |l| (h, l))) {
        assert_invalid(&[&[&first[..], &second[..]].concat()]);
    }
}

#[test]
fn p007_case_6_22_and_6_23_noncharacters_and_specials_are_text() {
    for plane in 0..=0x10 {
        for point in [plane << 16 | 0xfffe, plane << 16 | 0xffff] {
            let character = char::from_u32(point).expect("a scalar value");
            assert_valid(&[character.to_string().as_bytes()]);
        }
    }
    for point in '\u{fff9}'..='\u{fffd}' {
        assert_valid(&[point.to_string().as_bytes()]);
    }
}
