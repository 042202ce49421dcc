// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is a value, and which are the same.

use super::*;

fn same(a: &str, b: &str) -> bool {
    let (a, b) = (value(a), value(b));
    let same = a.same(&b);
    assert_eq!(same, b.same(&a));
    if same {
        assert_eq!(checksum(&a), checksum(&b));
    }
    same
}

#[test]
fn a_value_keeps_its_text_without_the_white_space() {
    let text =
        "\t{ \"z\" : [1.0, 1E+2 ,-0, 12345678901234567890123] ,\r\n\"a b\":\"\\u0041 \\/\" } ";
    let compact = r#"{"z":[1.0,1E+2,-0,12345678901234567890123],"a b":"\u0041 \/"}"#;
    assert_eq!(value(text).text(), compact);
    assert_eq!(Value::held(compact).into_owned().text(), compact);
    assert_eq!(value(" true ").text(), "true");
}

#[test]
fn t027_values_are_the_same_however_they_are_written() {
    for (a, b) in [
        ("1", "1.0"),
        ("100", "1e2"),
        ("100", "1.00E+2"),
        ("100", "1000e-1"),
        ("0.05", "5e-2"),
        ("10.5", "1.05e1"),
        ("-0.0", "0"),
        ("0e99999999999999999999", "0"),
        ("1e-99999999999999999999", "1e-99999999999999999999"),
        ("123456789012345678901234567890", "12345678901234567890123456789e1"),
        (r#"{"a":1,"b":[2,{"c":null}]}"#, r#"{ "b": [2.0, {"c": null}], "a": 1 }"#),
        (r#""\u00e9\ud83d\ude00\/""#, "\"é😀/\""),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ("[]", "[ ]"),
        ("{}", "{ }"),
    ] {
        assert!(same(a, b), "{a} {b}");
    }
}

#[test]
fn t027_values_that_differ_anywhere_are_not_the_same() {
    for (a, b) in [
        ("9007199254740993", "9007199254740992"),
        ("0.1", "0.10000000000000000001"),
        ("18446744073709551615", "18446744073709551616"),
        ("1", "-1"),
        ("1", "10"),
        ("10", "0.1"),
        ("101", "11"),
        ("1.01", "1.1"),
        ("0", "1e-400"),
        ("1e-99999999999999999999", "1e-99999999999999999998"),
        ("1", "\"1\""),
        ("null", "false"),
        ("[]", "{}"),
        ("[1,2]", "[2,1]"),
        ("[1]", "[1,1]"),
        (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
        (r#"{"a":null}"#, r#"{"b":null}"#),
        (r#""é""#, "\"e\u{301}\""),
    ] {
        assert!(!same(a, b), "{a} {b}");
    }
}

#[test]
fn what_is_not_json_is_told_with_its_place() {
    for text in
        ["", " ", "{", "[1,]", "{\"a\"}", "01", "1.", "+1", "NaN", "nul", "1 2", "'a'", "\"\t\""]
    {
        let error = Value::parse(text).unwrap_err();
        assert!(matches!(error, ValueError::Syntax(_)), "{text}: {error:?}");
        assert!(error.to_string().contains("line 1 column"), "{error}");
    }
}

#[test]
fn depth_is_bounded_and_costs_no_stack() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Value::parse(&nested(Value::MAX_DEPTH)).is_ok());
    for depth in [Value::MAX_DEPTH + 1, 30_000, 1_000_000] {
        let error = Value::parse(&nested(depth)).unwrap_err();
        assert_eq!(error, ValueError::Depth);
        assert_eq!(error.to_string(), "nested deeper than 128");
        let objects = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        assert_eq!(Value::parse(&objects).unwrap_err(), ValueError::Depth);
        assert!(matches!(Value::parse(&"[".repeat(depth)), Err(ValueError::Syntax(_))));
    }
    let brackets = format!("\"{}\"", "[".repeat(1000));
    assert!(Value::parse(&brackets).is_ok());
    // Whatever walks a tree has room on a small stack.
    let deepest = nested(Value::MAX_DEPTH);
    let walk = move || {
        let value = value(&deepest);
        assert_eq!(merge(&Value::null(), &value).text(), deepest);
        let _ = checksum(&value);
        Difference::below(&Value::null(), &value, usize::MAX);
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(walk).unwrap().join().unwrap();
}

#[test]
fn what_no_client_could_hold_is_refused() {
    let long = "9".repeat(400);
    for number in ["1e400", "-1E+309", "1e99999999999999999999", &long] {
        let text = format!("[{number}]");
        let error = Value::parse(&text).unwrap_err();
        assert!(matches!(error, ValueError::Range(_)), "{error}");
        assert!(error.to_string().len() < 120);
    }
    for number in ["1.7976931348623157e308", "1e-400", "0e999", &"9".repeat(308)] {
        assert!(Value::parse(number).is_ok(), "{number}");
    }
    for string in [r#""\ud800""#, r#""\udc00x""#, r#"{"\ud83d\u0041":1}"#] {
        assert!(matches!(Value::parse(string), Err(ValueError::Surrogate(_))), "{string}");
    }
    assert!(Value::parse(r#"["\ud83d\ude00","\\ud800","\u0000"]"#).is_ok());
}
