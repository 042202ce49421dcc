// SPDX-License-Identifier: MIT OR Apache-2.0
use proptest::prelude::*;

use super::*;

#[test]
fn t026_changed_needs_no_body() {
    for body in ["", " \n", "{}", r#"{"min_version":null}"#] {
        assert_eq!(Changed::parse(body.as_bytes()), Ok(Changed::default()), "{body:?}");
    }
    let changed = Changed::parse(br#"{"min_version":18446744073709551615}"#).expect("valid");
    assert_eq!(changed.min_version, Some(u64::MAX));
    for (body, code) in [
        (r#"{"min_version":18446744073709551616}"#, ErrorCode::BadNumber),
        (r#"{"min_version":-1}"#, ErrorCode::BadNumber),
        (r#"{"min_version":1.0}"#, ErrorCode::BadNumber),
        (r#"{"min_version":"1"}"#, ErrorCode::WrongType),
        ("null", ErrorCode::BadJson),
        ("[]", ErrorCode::BadJson),
        ("x", ErrorCode::BadJson),
        ("{}\u{c}", ErrorCode::BadJson),
    ] {
        assert_eq!(Changed::parse(body.as_bytes()).expect_err(body).code, code, "{body}");
    }
    assert_eq!(Changed::parse(b"\xff").expect_err("not UTF-8").code, ErrorCode::BadJson);
}

#[test]
fn a_forgotten_event_is_named() {
    let parse = |body: &str| Forget::parse(body.as_bytes(), &Limits::default());
    assert_eq!(parse(r#"{"event":"A"}"#).expect("valid").event, "A");
    for (body, code) in [
        ("", ErrorCode::BadJson),
        ("{}", ErrorCode::MissingField),
        (r#"{"event":null}"#, ErrorCode::MissingField),
        (r#"{"event":[]}"#, ErrorCode::WrongType),
        (r#"{"event":""}"#, ErrorCode::BadEventName),
        (r#"{"event":"oyez:set"}"#, ErrorCode::ReservedEventName),
    ] {
        assert_eq!(parse(body).expect_err(body).code, code, "{body}");
    }
    let long = format!(r#"{{"event":"{}"}}"#, "x".repeat(201));
    assert!(parse(&long).expect_err("too long").text.contains("limits.event_name"));
}

proptest! {
    #[test]
    fn any_data_is_a_command_or_an_error_about_it(
        name in prop::sample::select(CommandName::ALL.to_vec()),
        data in prop_oneof![".*", r#"\{("(data|merge|patch|delete|event|min_version)":(1|true|\{\}|\[\]|"x"),?)*\}"#],
    ) {
        if let Err(error) = name.read(At::Batch(3), &data, &Limits::default()) {
            prop_assert!(error.field.is_some_and(|field| field.starts_with("batch[3].data")));
        }
        let _ = Changed::parse(data.as_bytes());
        let _ = Forget::parse(data.as_bytes(), &Limits::default());
    }
}
