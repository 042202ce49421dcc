// SPDX-License-Identifier: MIT OR Apache-2.0
//! Merge patches.

use super::*;

#[test]
fn rfc7396_the_examples_of_the_standard_hold() {
    for (target, patch, result) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        (r#"{"a":"foo"}"#, r#"null"#, r#"null"#),
        (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        (r#"[1,2]"#, r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ] {
        assert_eq!(merge(&value(target), &value(patch)).text(), result);
    }
}

#[test]
fn what_a_merge_leaves_alone_keeps_its_digits_and_its_place() {
    let old = value(r#"{"b":9007199254740993,"gone":1,"a":[1.10,1e2],"A":"é"}"#);
    let new = merge(&old, &value(r#"{"gone":null,"new":-0.0}"#));
    assert_eq!(new.text(), r#"{"b":9007199254740993,"a":[1.10,1e2],"A":"é","new":-0.0}"#);
}

#[test]
fn no_value_merges_like_an_empty_object() {
    assert_eq!(
        merge(&Value::null(), &value(r#"{"a":{"b":null,"c":1}}"#)).text(),
        r#"{"a":{"c":1}}"#
    );
}
