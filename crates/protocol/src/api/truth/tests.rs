// SPDX-License-Identifier: MIT OR Apache-2.0
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::Expected;
use crate::position::Epoch;

fn parse(body: impl AsRef<[u8]>) -> Result<TruthCall, ApiError> {
    TruthCall::parse(body.as_ref(), &Limits::default())
}

fn epoch() -> Epoch {
    Epoch::parse("k3Vd9Qw2").expect("of our form")
}

fn at(number: u64) -> Offset {
    Offset::new(number).expect("below 2^53")
}

#[test]
fn t024_each_way_to_change_a_truth_is_read() {
    let call = parse(
        r#"{"event":"GAME_STATE","data":{ "players" : ["a b", 1.50] },"if_version":41,
            "if_epoch":"k3Vd9Qw2","idempotency_key":"k","ttl":"30s","later":[]}"#,
    )
    .expect("valid");
    assert_eq!(call.change.operation, TruthOperation::Set(r#"{"players":["a b",1.50]}"#.into()));
    assert_eq!(call.change.event.as_deref(), Some("GAME_STATE"));
    let condition = Condition { version: Some(at(41)), epoch: Expected::This(epoch()) };
    assert_eq!(call.change.condition, condition);
    assert_eq!(call.idempotency_key.as_deref(), Some("k"));
    assert_eq!(call.change.ttl, Some(Duration::from_secs(30)));

    for (body, operation) in [
        (r#"{"data":null}"#, TruthOperation::Set("null".into())),
        (r#"{"data":"x","merge":null}"#, TruthOperation::Set(r#""x""#.into())),
        (r#"{"merge":{"a":null}}"#, TruthOperation::Merge(r#"{"a":null}"#.into())),
        (r#"{"patch":[ {} , 7 ]}"#, TruthOperation::Patch("[{},7]".into())),
        (r#"{"delete":true}"#, TruthOperation::Delete),
    ] {
        let change = parse(body).expect(body).change;
        assert_eq!(change.operation, operation);
        assert!(change.condition.is_none() && change.event.is_none() && change.ttl.is_none());
    }
}

#[test]
fn t024_a_change_that_is_none_is_refused_by_name() {
    for (body, code, field) in [
        ("", ErrorCode::BadJson, None),
        ("[]", ErrorCode::BadJson, None),
        ("{}", ErrorCode::BadChange, None),
        (r#"{"delete":null}"#, ErrorCode::BadChange, None),
        (r#"{"data":1,"data":2}"#, ErrorCode::BadJson, None),
        (r#"{"data":1,"merge":{}}"#, ErrorCode::BadChange, Some("merge")),
        (r#"{"data":null,"patch":[]}"#, ErrorCode::BadChange, Some("patch")),
        (r#"{"merge":{},"patch":[]}"#, ErrorCode::BadChange, Some("patch")),
        (r#"{"patch":[],"delete":true}"#, ErrorCode::BadChange, Some("delete")),
        (r#"{"delete":false}"#, ErrorCode::WrongType, Some("delete")),
        (r#"{"delete":1}"#, ErrorCode::WrongType, Some("delete")),
        (r#"{"merge":[]}"#, ErrorCode::WrongType, Some("merge")),
        (r#"{"merge":"{}"}"#, ErrorCode::WrongType, Some("merge")),
        (r#"{"patch":{}}"#, ErrorCode::WrongType, Some("patch")),
        (r#"{"data":1,"event":7}"#, ErrorCode::WrongType, Some("event")),
        (r#"{"data":1,"event":""}"#, ErrorCode::BadEventName, Some("event")),
        (r#"{"data":1,"event":"oyez:set"}"#, ErrorCode::ReservedEventName, Some("event")),
        (r#"{"data":1,"event":"pusher:x"}"#, ErrorCode::ReservedEventName, Some("event")),
        (r#"{"data":1,"if_version":"1"}"#, ErrorCode::WrongType, Some("if_version")),
        (r#"{"data":1,"if_version":-1}"#, ErrorCode::BadNumber, Some("if_version")),
        (r#"{"data":1,"if_version":9007199254740992}"#, ErrorCode::BadNumber, Some("if_version")),
        (r#"{"data":1,"if_epoch":7}"#, ErrorCode::WrongType, Some("if_epoch")),
        (
            r#"{"data":1,"idempotency_key":""}"#,
            ErrorCode::BadIdempotencyKey,
            Some("idempotency_key"),
        ),
        (r#"{"delete":true,"ttl":1}"#, ErrorCode::BadTtl, Some("ttl")),
    ] {
        let error = parse(body).expect_err(body);
        assert_eq!((error.code, error.field.as_deref()), (code, field), "{body}: {error}");
        assert!(field.is_none_or(|field| error.text.contains(field)), "{error}");
    }
    assert_eq!(parse(b"{\"data\":\"\xff\"}").expect_err("not UTF-8").code, ErrorCode::BadJson);
}

#[test]
fn t025_an_epoch_that_nobody_gave_out_is_no_error_but_never_right() {
    let condition = parse(r#"{"data":1,"if_epoch":"yesterday"}"#).expect("valid").change.condition;
    assert_eq!(condition.epoch, Expected::Foreign);
}

#[test]
fn a_time_to_live_is_a_number_of_seconds_or_a_time_as_in_the_config() {
    let ttl =
        |value: &str| parse(format!(r#"{{"data":1,"ttl":{value}}}"#)).map(|call| call.change.ttl);
    for (value, millis) in [
        ("30", 30_000),
        ("0.5", 500),
        ("1e3", 1_000_000),
        (r#""250ms""#, 250),
        (r#""30s""#, 30_000),
        (r#""10 m""#, 600_000),
        (r#""1.5h""#, 5_400_000),
        (r#""7d""#, 604_800_000),
        (r#""30""#, 30_000),
    ] {
        assert_eq!(ttl(value), Ok(Some(Duration::from_millis(millis))), "{value}");
    }
    assert_eq!(ttl("null"), Ok(None));
    for bad in [
        "0",
        "-1",
        "1e400",
        "1e12",
        "0.0001",
        r#""""#,
        r#""s""#,
        r#""-1s""#,
        r#""1e3s""#,
        r#""inf""#,
        r#""nan""#,
        r#""30 seconds""#,
        r#""1.2.3s""#,
        r#""0s""#,
        r#""99999d""#,
    ] {
        let error = ttl(bad).expect_err(bad);
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::BadTtl, Some("ttl")), "{bad}");
    }
    for wrong in ["true", "[]", "{}"] {
        assert_eq!(ttl(wrong).expect_err(wrong).code, ErrorCode::WrongType);
    }
}

#[test]
fn t028_changes_are_bounded_at_their_edge() {
    let limit = Limits::default().truth_bytes;
    for (before, after) in
        [(r#"{"data":"#, "}"), (r#"{"merge":{"a":"#, "}}"), (r#"{"patch":["#, "]}")]
    {
        let brackets = before.len() - before.find(':').expect("a field") - 1 + after.len() - 1;
        let body =
            |bytes: usize| format!("{before} \"{}\" {after}", "x".repeat(bytes - brackets - 2));
        assert!(parse(body(limit)).is_ok(), "{before}");
        let error = parse(body(limit + 1)).expect_err(before);
        assert_eq!((error.code, error.code.status()), (ErrorCode::TruthTooLarge, 413));
        assert!(error.text.contains("limits.truth_bytes"), "{error}");
    }
    let patch = |count: usize| parse(json!({"patch": vec![0; count]}).to_string());
    assert!(patch(1_000).is_ok());
    let error = patch(1_001).expect_err("too many");
    assert_eq!(error.code, ErrorCode::PatchTooLong);
    assert!(error.text.contains("1001") && error.text.contains("limits.patch_operations"));
}

#[test]
fn deep_truths_are_texts() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for field in ["data", "patch"] {
        assert!(parse(format!("{{\"{field}\":{deep}}}")).is_ok(), "{field}");
    }
    for field in ["event", "if_version", "if_epoch", "ttl", "idempotency_key", "delete", "merge"] {
        assert!(parse(format!("{{\"data\":1,\"{field}\":{deep}}}")).is_err(), "{field}");
    }
}

#[test]
fn a_reader_may_wait_for_a_version() {
    let parse = |raw: &str| {
        ReadTruth::parse(&Query::parse(raw).expect("well encoded")).map(|read| read.wait_version)
    };
    assert_eq!(parse("auth_key=k"), Ok(None));
    assert_eq!(parse("wait_version=41"), Ok(Some(at(41))));
    for lie in ["", "-1", "+1", "1.5", "x", "9007199254740992"] {
        let error = parse(&format!("wait_version={lie}")).expect_err(lie);
        let field = error.field.as_deref();
        assert_eq!((error.code, field), (ErrorCode::BadNumber, Some("wait_version")));
    }
}

#[test]
fn t024_answers_say_the_version_and_a_mismatch_the_truth() {
    let json = |body: Vec<u8>| serde_json::from_slice::<Value>(&body).expect("valid JSON");
    let changed = TruthChanged { epoch: epoch(), version: at(42), outcome: ChangeOutcome::Changed };
    let body = r#"{"epoch":"k3Vd9Qw2","version":42,"changed":true}"#;
    assert_eq!(changed.body(), body.as_bytes());
    let same = TruthChanged { outcome: ChangeOutcome::Same, ..changed };
    assert_eq!(json(same.body())["changed"], json!(false));

    let view = TruthView {
        epoch: epoch(),
        version: at(42),
        event: "A\"B",
        data: r#"{"a":1}"#,
        time: 1_700_000_000_123,
        freshness: Freshness::Fresh,
    };
    assert_eq!(
        json(view.body()),
        json!({"epoch":"k3Vd9Qw2","version":42,"event":"A\"B","data":{"a":1},
            "time":1_700_000_000_123_u64,"stale":false})
    );
    assert_eq!(view.etag(), "\"k3Vd9Qw2-42\"");
    let stale = TruthView { freshness: Freshness::Stale, ..view };
    assert_eq!((json(stale.body())["stale"].clone(), stale.etag()), (json!(true), view.etag()));

    let mismatch = VersionMismatch { epoch: epoch(), version: at(42), data: Some("null") };
    let mut body = json(mismatch.body());
    assert!(body["error"].take().as_str().is_some_and(|text| text.contains("version 42")));
    assert_eq!(
        body,
        json!({"error":null,"code":"version_mismatch","epoch":"k3Vd9Qw2","version":42,"data":null})
    );
    let none = json(VersionMismatch { version: Offset::ZERO, data: None, ..mismatch }.body());
    assert_eq!((&none["data"], &none["version"]), (&json!(null), &json!(0)));
    assert_eq!(VersionMismatch::CODE.status(), 409);
}

fn any_body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[0-9]{0,3}(ms|s|m|h|d|x)?".prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!({})),
        Just(json!([{}])),
    ];
    let keys = prop_oneof![
        "data",
        "merge",
        "patch",
        "delete",
        "event",
        "if_version",
        "if_epoch",
        "ttl",
        "idempotency_key",
        "min_version",
        ".{0,3}"
    ];
    proptest::collection::vec((keys, leaf), 0..7)
        .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
}

proptest! {
    #[test]
    fn any_bytes_are_a_change_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_json_is_a_change_or_an_error_in_json(value in any_body()) {
        match parse(value.to_string()) {
            Ok(call) => {
                let given = ["data", "merge", "patch", "delete"];
                let given = given.iter().filter(|key| {
                    value.get(key).is_some_and(|field| **key == "data" || !field.is_null())
                });
                prop_assert_eq!(given.count(), 1);
                prop_assert!(call.change.ttl.is_none_or(|ttl| ttl > Duration::ZERO));
            }
            Err(error) => {
                prop_assert!(matches!(error.code.status(), 400 | 413));
                serde_json::from_slice::<Value>(&error.body()).expect("valid JSON");
            }
        }
    }

    #[test]
    fn a_truth_keeps_its_meaning(text in ".*", number: i64) {
        let value = json!({"a": [text, number], "b": null});
        let body = serde_json::to_string_pretty(&json!({"data": value})).expect("valid JSON");
        let TruthOperation::Set(data) = parse(body).expect("valid").change.operation else {
            panic!("a set")
        };
        prop_assert_eq!(serde_json::from_str::<Value>(&data).expect("valid JSON"), value);
    }
}
