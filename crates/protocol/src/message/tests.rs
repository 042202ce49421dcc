// SPDX-License-Identifier: MIT OR Apache-2.0
use proptest::prelude::*;

use super::*;
use crate::delta::{DeltaKind, Deltas};
use crate::position::{Epoch, Offset, Term};
use crate::socket_id::SocketId;

fn parse(text: &str) -> Result<ClientMessage<'_>, MessageError> {
    ClientMessage::parse(text, &Limits::default())
}

#[test]
fn subscribe_as_pusher_js_sends_it() {
    let text = r#"{"event":"pusher:subscribe","data":{"auth":"","channel":"LOBBY_7"}}"#;
    let Ok(ClientMessage::Subscribe(subscribe)) = parse(text) else { panic!("a subscribe") };
    assert_eq!((subscribe.channel.as_str(), subscribe.auth), ("LOBBY_7", None));
}

#[test]
fn p012_wrong_types_are_errors_that_say_where() {
    for (text, word) in [
        ("", "valid"),
        ("7", "object"),
        ("[]", "object"),
        (r#"["pusher:ping"]"#, "object"),
        ("{}", "event"),
        (r#"{"event":5}"#, "string"),
        (r#"{"event":"pusher:subscribe"}"#, "object"),
        (r#"{"event":"pusher:subscribe","data":"LOBBY_7"}"#, "object"),
        (r#"{"event":"pusher:subscribe","data":{}}"#, "channel"),
        (r#"{"event":"pusher:subscribe","data":{"channel":[]}}"#, "string"),
        (r#"{"event":"pusher:subscribe","data":{"channel":"a","auth":{}}}"#, "`auth`"),
        (
            r#"{"event":"pusher:subscribe","data":{"channel":"a","channel_data":[]}}"#,
            "`channel_data`",
        ),
        (r#"{"event":"pusher:unsubscribe","data":7}"#, "object"),
        (r#"{"event":"pusher:signin","data":{"auth":"x"}}"#, "user_data"),
        (r#"{"event":"client-x","data":"y"}"#, "channel"),
        (r#"{"event":"pusher:nonsense"}"#, "may send"),
        (r#"{"event":"oyez:set","channel":"a"}"#, "may send"),
        (r#"{"event":"hello","channel":"a"}"#, "client-"),
        ("{\"event\":\"pusher:ping\"}\u{0}", "valid"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.message.contains(word), "{text}: {error}");
    }
}

#[test]
fn p024_auth_of_a_wrong_type_fails_the_subscription_and_not_just_the_message() {
    let error = parse(r#"{"event":"pusher:subscribe","data":{"channel":"private-a","auth":7}}"#);
    let failed = error.unwrap_err().subscription.expect("of that channel");
    assert_eq!(
        (failed.channel.as_str(), failed.kind, failed.status),
        ("private-a", "AuthError", 401)
    );
}

#[test]
fn p055_whatever_is_wrong_with_a_sign_in_has_its_code() {
    for data in
        ["null", "{}", "7", r#"{"auth":1,"user_data":"{}"}"#, r#"{"auth":"a","user_data":{}}"#]
    {
        let text = format!(r#"{{"event":"pusher:signin","data":{data}}}"#);
        assert_eq!(parse(&text).unwrap_err().code, Some(CloseCode::Unauthorized), "{data}");
    }
}

#[test]
fn p013_deep_json_is_text() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let limits = Limits { event_data_bytes: 100_000, ..Limits::default() };
    let text = format!(r#"{{"event":"client-x","channel":"private-a","data":{deep}}}"#);
    let Ok(ClientMessage::ClientEvent { data, .. }) = ClientMessage::parse(&text, &limits) else {
        panic!("a client event")
    };
    assert_eq!(data, deep);
    assert!(parse(&deep).is_err());
    assert!(parse(&format!(r#"{{"event":{deep}}}"#)).is_err());
    assert!(
        parse(&format!(r#"{{"event":"pusher:subscribe","data":{{"channel":{deep}}}}}"#)).is_err()
    );
}

#[test]
fn p045_string_data_stays_and_object_data_becomes_its_compact_text() {
    for (sent, delivered) in [
        (r#""plain""#, "plain"),
        (r#""{\"a\": 1}""#, r#"{"a": 1}"#),
        (r#"{ "a" : 1.50 }"#, r#"{"a":1.50}"#),
        ("null", "null"),
    ] {
        let text = format!(r#"{{"event":"client-x","channel":"private-a","data":{sent}}}"#);
        let Ok(ClientMessage::ClientEvent { data, .. }) = parse(&text) else { panic!("{sent}") };
        assert_eq!(data, delivered);
    }
}

/// A subscription to `private-a` whose data has that `"key":value` as well.
fn subscribe_with(rest: &str) -> Result<Subscribe<'static>, MessageError> {
    let text = format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"private-a",{rest}}}}}"#);
    match ClientMessage::parse(text.leak(), &Limits::default())? {
        ClientMessage::Subscribe(subscribe) => Ok(subscribe),
        other => panic!("{other:?}"),
    }
}

fn at(number: u64) -> Offset {
    Offset::new(number).expect("below 2^53")
}

#[test]
fn t012_a_client_that_knows_oyez_says_where_it_was_and_what_it_can() {
    let subscribe = subscribe_with(
        r#""resume":{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":41,"socket":"123.456"},
           "oyez":{"v":1,"gen":7,"delta":["merge","fossil","patch"],"truth":{"version":40}}"#,
    )
    .expect("valid");
    let resume = Resume {
        epoch: Epoch::parse("k3Vd9Qw2").ok(),
        term: Term::parse("a81xR0pe").ok(),
        offset: at(41),
        socket: SocketId::parse("123.456").ok(),
    };
    assert_eq!(subscribe.resume, Some(resume));
    let deltas = Deltas::NONE.with(DeltaKind::Merge).with(DeltaKind::Patch);
    let aware = Aware { generation: Some(7), deltas, version: Some(at(40)) };
    assert_eq!(subscribe.aware, Some(aware));

    let least = subscribe_with(r#""oyez":{"v":1}"#).expect("valid");
    assert_eq!((least.aware, least.resume), (Some(Aware::default()), None));
    let plain = r#""resume":{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":0,"socket":null}"#;
    let plain = subscribe_with(plain).expect("a plain client may go on as well");
    assert_eq!(plain.aware, None);
    assert_eq!(plain.resume.map(|r| (r.offset, r.socket)), Some((Offset::ZERO, None)));
    let nulls = subscribe_with(r#""resume":null,"oyez":null"#).expect("nothing");
    assert_eq!((nulls.aware, nulls.resume), (None, None));
}

#[test]
fn t015_a_position_that_lies_fails_the_subscription_and_names_the_field() {
    let resume = |key: &str, value: &str| {
        let mut fields = vec![
            ("epoch", r#""k3Vd9Qw2""#),
            ("term", r#""a81xR0pe""#),
            ("offset", "41"),
            ("socket", r#""1.2""#),
        ];
        fields.retain(|(k, _)| *k != key || !value.is_empty());
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(k, v)| format!("\"{k}\":{}", if k == key { value } else { v }))
            .collect();
        format!("\"resume\":{{{}}}", fields.join(","))
    };
    let mut lies = Vec::new();
    for offset in [
        "",
        "-1",
        "-0",
        "41.5",
        "41.0",
        "4e1",
        "9007199254740992",
        "1e400",
        "\"41\"",
        "null",
        "true",
        "[]",
        "{}",
    ] {
        lies.push((resume("offset", offset), "`resume.offset` must be a whole number from 0"));
    }
    for wrong in ["", "7", "null", "[]", "{}", "true"] {
        lies.push((resume("epoch", wrong), "`resume.epoch` must be a string"));
        lies.push((resume("term", wrong), "`resume.term` must be a string"));
    }
    for wrong in ["7", "[]", "{}", r#""x""#, r#""""#] {
        lies.push((resume("socket", wrong), "`resume.socket` must be"));
    }
    for wrong in ["7", "\"x\"", "[]", "true"] {
        lies.push((format!("\"resume\":{wrong}"), "`resume` must be an object"));
        lies.push((format!("\"oyez\":{wrong}"), "`oyez` must be an object"));
    }
    for wrong in ["{}", r#"{"v":2}"#, r#"{"v":"1"}"#, r#"{"v":null}"#, r#"{"v":1.0}"#] {
        lies.push((format!("\"oyez\":{wrong}"), "`oyez.v` must be 1"));
    }
    for (wrong, text) in [
        (r#""gen":-1"#, "`oyez.gen` must be a whole"),
        (r#""gen":"7""#, "`oyez.gen` must be a whole"),
        (r#""delta":"merge""#, "`oyez.delta` must be an array of strings"),
        (r#""delta":[1]"#, "`oyez.delta` must be an array of strings"),
        (r#""delta":[["merge"]]"#, "`oyez.delta` must be an array of strings"),
        (r#""truth":41"#, "`oyez.truth` must be an object"),
        (r#""truth":{}"#, "`oyez.truth.version` must be a whole"),
        (r#""truth":{"version":9007199254740992}"#, "`oyez.truth.version` must be a whole"),
    ] {
        lies.push((format!("\"oyez\":{{\"v\":1,{wrong}}}"), text));
    }
    for (lie, text) in lies {
        let error = subscribe_with(&lie).expect_err(&lie);
        assert!(error.message.contains(text), "{lie}: {error}");
        let failed = error.subscription.expect("the subscription fails");
        assert_eq!(
            (failed.channel.as_str(), failed.kind, failed.status),
            ("private-a", "InvalidData", 400),
            "{lie}"
        );
    }
}

#[test]
fn t015_names_that_no_server_gave_out_are_no_error() {
    for foreign in [r#""""#, r#""7""#, r#""k3Vd9Qw-""#, r#""\u0000\ud800é""#, r#""k3Vd9Qw22""#] {
        let text = format!(r#""resume":{{"epoch":{foreign},"term":{foreign},"offset":41}}"#);
        if foreign.contains("ud800") {
            assert!(subscribe_with(&text).is_err(), "not a text");
            continue;
        }
        let resume = subscribe_with(&text).expect("of the right type").resume.expect("given");
        assert_eq!((resume.epoch, resume.term), (None, None), "{foreign}");
    }
}

#[test]
fn t015_deep_positions_are_refused_like_flat_ones() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for text in [
        format!("\"resume\":{deep}"),
        format!("\"oyez\":{{\"v\":1,\"delta\":{deep}}}"),
        format!("\"resume\":{{\"epoch\":{deep}}}"),
    ] {
        assert!(subscribe_with(&text).is_err());
    }
    let unknown = format!("\"oyez\":{{\"v\":1,\"later\":{deep}}}");
    assert_eq!(subscribe_with(&unknown).expect("may be known later").aware, Some(Aware::default()));
}

#[test]
fn signed_channel_data_may_say_where_the_page_was_rendered() {
    let read = |text: &str| resume_in_channel_data(text).map_err(|error| error.to_string());
    for other in ["", "7", "not JSON", "[1]", "{}", r#"{"user_id":"1"}"#, r#"{"oyez":{}}"#, "{"] {
        assert_eq!(read(other), Ok(None), "{other}");
    }
    let text = r#" {"a":[{}],"oyez":{"resume":{"epoch":"k3Vd9Qw2","term":"x","offset":41}}}"#;
    let resume = read(text).expect("valid").expect("a position");
    assert_eq!((resume.offset, resume.term, resume.socket), (at(41), None, None));
    for (lie, word) in [
        (r#"{"oyez":7}"#, "`channel_data.oyez` must be an object"),
        (r#"{"oyez":{"resume":7}}"#, "`channel_data.oyez.resume` must be an object"),
        (
            r#"{"oyez":{"resume":{"epoch":"","term":"","offset":-1}}}"#,
            "`channel_data.oyez.resume.offset` must be",
        ),
        (r#"{"oyez":{},"oyez":{}}"#, "`channel_data` is not valid"),
    ] {
        let error = read(lie).expect_err(lie);
        assert!(error.contains(word), "{lie}: {error}");
    }
}

#[test]
fn t027_a_resync_says_what_the_client_has() {
    let resync = |data: &str| {
        let text = format!(r#"{{"event":"oyez:resync","data":{data}}}"#);
        match parse(&text) {
            Ok(ClientMessage::Resync { channel, have }) => Ok((channel.to_string(), have)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        }
    };
    assert_eq!(resync(r#"{"channel":"a","have":null}"#), Ok(("a".to_owned(), None)));
    assert_eq!(resync(r#"{"channel":"a"}"#), Ok(("a".to_owned(), None)));
    let text = r#"{"channel":"a","have":{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":9}}"#;
    let have = resync(text).expect("valid").1.expect("a position");
    assert_eq!((have.epoch, have.offset), (Epoch::parse("k3Vd9Qw2").ok(), at(9)));
    for (bad, word) in [
        ("null", "object"),
        ("{}", "channel"),
        (r#"{"channel":""}"#, "empty"),
        (r#"{"channel":"a","have":41}"#, "`have` must be an object"),
        (r#"{"channel":"a","have":{"epoch":"","term":"","offset":"9"}}"#, "`have.offset` must be"),
    ] {
        let error = resync(bad).expect_err(bad);
        assert!(error.message.contains(word), "{bad}: {error}");
        assert_eq!(error.subscription, None, "the subscription goes on");
    }
}

fn json_like() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"resume\"",
        "\"oyez\"",
        "\"v\"",
        "\"channel\"",
        "\"data\"",
        "\"event\"",
        "\"pusher:subscribe\"",
        "\"oyez:resync\"",
        "\"have\"",
        "\"epoch\"",
        "\"term\"",
        "\"offset\"",
        "\"delta\"",
        "\"merge\"",
        "\"a\"",
        "1",
        "-0",
        "9007199254740992",
        "1e400",
        "null",
        "true",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"é\"",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn p013_whatever_is_sent_nothing_panics(text in ".*", tokens in json_like()) {
        for text in [&text, &tokens] {
            let _ = parse(text);
            let _ = resume_in_channel_data(text);
            let _ = parse(&format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"a","resume":{text},"oyez":{text}}}}}"#));
            let _ = resume_in_channel_data(&format!(r#"{{"oyez":{{"resume":{text}}}}}"#));
        }
    }

    #[test]
    fn t015_every_offset_below_two_to_the_53_is_read_and_no_other(offset: u64, small in 0u64..1 << 54) {
        for offset in [offset, small] {
            let text = format!(r#""resume":{{"epoch":"","term":"","offset":{offset}}}"#);
            let read = subscribe_with(&text).ok().map(|s| s.resume.expect("given").offset);
            prop_assert_eq!(read, Offset::new(offset));
        }
    }
}
