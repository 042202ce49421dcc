// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lists of operations.

use super::*;
use OperationError as Why;

const ROOM: usize = 10_000;

fn apply(target: &str, patch: &str) -> Result<String, PatchError> {
    Patch::parse(patch, 100)?.apply(&value(target), ROOM).map(Value::into_text)
}

fn why(target: &str, patch: &str) -> Why {
    match apply(target, patch) {
        Err(PatchError::Operation { why, .. }) => why,
        other => panic!("{target} {patch}: {other:?}"),
    }
}

#[test]
fn rfc6902_the_examples_of_the_standard_hold() {
    for (target, patch, result) in [
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz","value":"qux"}]"#,
            r#"{"foo":"bar","baz":"qux"}"#,
        ),
        (
            r#"{"foo":["bar","baz"]}"#,
            r#"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
            r#"{"foo":["bar","qux","baz"]}"#,
        ),
        (r#"{"baz":"qux","foo":"bar"}"#, r#"[{"op":"remove","path":"/baz"}]"#, r#"{"foo":"bar"}"#),
        (
            r#"{"foo":["bar","qux","baz"]}"#,
            r#"[{"op":"remove","path":"/foo/1"}]"#,
            r#"{"foo":["bar","baz"]}"#,
        ),
        (
            r#"{"baz":"qux","foo":"bar"}"#,
            r#"[{"op":"replace","path":"/baz","value":"boo"}]"#,
            r#"{"baz":"boo","foo":"bar"}"#,
        ),
        (
            r#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            r#"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            r#"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#,
        ),
        (
            r#"{"foo":["all","grass","cows","eat"]}"#,
            r#"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
            r#"{"foo":["all","cows","eat","grass"]}"#,
        ),
        (
            r#"{"baz":"qux","foo":["a",2,"c"]}"#,
            r#"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
            r#"{"baz":"qux","foo":["a",2,"c"]}"#,
        ),
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
            r#"{"foo":"bar","child":{"grandchild":{}}}"#,
        ),
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
            r#"{"foo":"bar","baz":"qux"}"#,
        ),
        (r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":10}]"#, r#"{"/":9,"~1":10}"#),
        (
            r#"{"foo":["bar"]}"#,
            r#"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
            r#"{"foo":["bar",["abc","def"]]}"#,
        ),
    ] {
        assert_eq!(apply(target, patch).unwrap(), result, "{patch}");
    }
    let nowhere = r#"[{"op":"add","path":"/baz/bat","value":"qux"}]"#;
    assert_eq!(why(r#"{"foo":"bar"}"#, nowhere), Why::Nothing("path"));
    let other = r#"[{"op":"test","path":"/baz","value":"bar"}]"#;
    assert_eq!(why(r#"{"baz":"qux"}"#, other), Why::Test);
    let string = r#"[{"op":"test","path":"/~01","value":"10"}]"#;
    assert_eq!(why(r#"{"/":9,"~1":10}"#, string), Why::Test);
    // Of two members with one name the last counts, so this is a removal of nothing.
    let twice = r#"[{"op":"add","path":"/baz","value":"qux","op":"remove"}]"#;
    assert_eq!(why(r#"{"foo":"bar"}"#, twice), Why::Nothing("path"));
}

#[test]
fn corners_of_paths_and_operations() {
    for (target, patch, result) in [
        ("1", "[]", "1"),
        ("1", r#"[{"op":"add","path":"","value":[2]}]"#, "[2]"),
        ("1", r#"[{"op":"replace","path":"","value":null}]"#, "null"),
        (r#"{"a":[1]}"#, r#"[{"op":"copy","from":"/a","path":""}]"#, "[1]"),
        (r#"{"a":[1]}"#, r#"[{"op":"move","from":"/a","path":""}]"#, "[1]"),
        (r#"{"a":[1]}"#, r#"[{"op":"copy","from":"","path":"/b"}]"#, r#"{"a":[1],"b":{"a":[1]}}"#),
        ("{}", r#"[{"op":"add","path":"/","value":1}]"#, r#"{"":1}"#),
        (r#"{"0":1}"#, r#"[{"op":"remove","path":"/0"}]"#, "{}"),
        (
            r#"{"a/b":{"~":1}}"#,
            r#"[{"op":"replace","path":"/a~1b/~0","value":2}]"#,
            r#"{"a/b":{"~":2}}"#,
        ),
        ("[1,2]", r#"[{"op":"add","path":"/2","value":3}]"#, "[1,2,3]"),
        ("[]", r#"[{"op":"add","path":"/0","value":1}]"#, "[1]"),
        (r#"{"a":1}"#, r#"[{"op":"add","path":"/a","value":"xyz"}]"#, r#"{"a":"xyz"}"#),
        (r#"{"a":1}"#, r#"[{"op":"move","from":"/a","path":"/a"}]"#, r#"{"a":1}"#),
        (r#"{"a":1,"ab":2}"#, r#"[{"op":"move","from":"/a","path":"/ab"}]"#, r#"{"ab":1}"#),
        ("[100]", r#"[{"op":"test","path":"/0","value":1.0e2}]"#, "[100]"),
        (
            r#"[{"a":1,"b":2}]"#,
            r#"[{"op":"test","path":"/0","value":{"b":2,"a":1}}]"#,
            r#"[{"a":1,"b":2}]"#,
        ),
    ] {
        assert_eq!(apply(target, patch).unwrap(), result, "{patch}");
    }
}

#[test]
fn each_error_says_which_operation_and_why() {
    let ok = r#"{"op":"test","path":"/a","value":1}"#;
    for (operation, error) in [
        ("1", Why::NotAnObject),
        ("{}", Why::Missing("op")),
        (r#"{"op":1,"path":""}"#, Why::Missing("op")),
        (r#"{"op":"remove"}"#, Why::Missing("path")),
        (r#"{"op":"add","path":"/x"}"#, Why::Missing("value")),
        (r#"{"op":"copy","path":"/x"}"#, Why::Missing("from")),
        (r#"{"op":"spam","path":"/x"}"#, Why::UnknownOp),
        (r#"{"op":"remove","path":"a"}"#, Why::Pointer("path")),
        (r#"{"op":"remove","path":"/a~"}"#, Why::Pointer("path")),
        (r#"{"op":"remove","path":"/a~2"}"#, Why::Pointer("path")),
        (r#"{"op":"move","from":"b","path":"/a"}"#, Why::Pointer("from")),
        (r#"{"op":"remove","path":""}"#, Why::Whole),
        (r#"{"op":"remove","path":"/x"}"#, Why::Nothing("path")),
        (r#"{"op":"replace","path":"/x","value":1}"#, Why::Nothing("path")),
        (r#"{"op":"test","path":"/x","value":null}"#, Why::Nothing("path")),
        (r#"{"op":"move","from":"/x","path":"/y"}"#, Why::Nothing("from")),
        (r#"{"op":"move","from":"/x","path":"/x"}"#, Why::Nothing("from")),
        (r#"{"op":"copy","from":"/a/0","path":"/y"}"#, Why::Nothing("from")),
        (r#"{"op":"move","from":"","path":"/a"}"#, Why::IntoItself),
        (r#"{"op":"move","from":"/l","path":"/l/0"}"#, Why::IntoItself),
        (r#"{"op":"add","path":"/l/2","value":1}"#, Why::Nothing("path")),
        (r#"{"op":"remove","path":"/l/1"}"#, Why::Nothing("path")),
        (r#"{"op":"remove","path":"/l/-"}"#, Why::Index),
        (r#"{"op":"remove","path":"/l/00"}"#, Why::Index),
        (r#"{"op":"add","path":"/l/-1","value":1}"#, Why::Index),
        (r#"{"op":"add","path":"/l/1e0","value":1}"#, Why::Index),
        (r#"{"op":"add","path":"/l/99999999999999999999","value":1}"#, Why::Index),
        (r#"{"op":"add","path":"/l/","value":1}"#, Why::Index),
    ] {
        let error_of = apply(r#"{"a":1,"l":[0]}"#, &format!("[{ok},{operation}]"));
        let Err(PatchError::Operation { index: 1, why, .. }) = error_of else {
            panic!("{operation}: {error_of:?}")
        };
        assert_eq!(why, error, "{operation}");
    }
    let error = apply("{}", r#"[{"op":"remove","path":"/a"}]"#).unwrap_err();
    assert_eq!(error.to_string(), r#"operation 0 (remove "/a"): there is nothing at "path""#);
    let path = "/x".repeat(5000);
    let error = apply("{}", &format!(r#"[{{"op":"remove","path":"{path}"}}]"#)).unwrap_err();
    assert!(error.to_string().len() < 120, "{error}");
    assert_eq!(apply("{}", "{}").unwrap_err(), PatchError::NotAList);
    assert!(matches!(apply("{}", "[").unwrap_err(), PatchError::Value(_)));
}

#[test]
fn the_shape_is_checked_before_there_is_a_value() {
    assert!(Patch::parse(r#"[{"op":"add","path":"/a"}]"#, 9).is_err());
    assert!(Patch::parse(r#"[{"op":"remove","path":"/a"}]"#, 9).is_ok());
    let too_many = Patch::parse("[{},{},{}]", 2).unwrap_err();
    assert_eq!(too_many, PatchError::TooMany { operations: 3, max: 2 });
}

#[test]
fn copies_cannot_make_a_value_explode() {
    let copies = |path: &dyn Fn(usize) -> String, count: usize| {
        let copy = |n| format!(r#"{{"op":"copy","from":"","path":"{}"}}"#, path(n));
        format!("[{}]", (0..count).map(copy).collect::<Vec<_>>().join(","))
    };
    let start = r#"{"b":"0123456789"}"#;
    assert_eq!(why(start, &copies(&|n| format!("/{n}"), 60)), Why::TooLarge(ROOM));
    let deepen = copies(&|_| "/a".to_owned(), 200);
    let deepen = Patch::parse(&deepen, 200).unwrap().apply(&value("{}"), ROOM).unwrap_err();
    assert!(matches!(deepen, PatchError::Operation { index: 127, why: Why::TooDeep, .. }));
    // Neither by copying again and again to the same place.
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(ROOM / 3));
    let again = r#"{"op":"copy","from":"/a","path":"/b"},"#.repeat(90);
    let patch = format!("[{}]", again.trim_end_matches(','));
    assert_eq!(why(&large, &patch), Why::TooMuch(ROOM * 16));
}

#[test]
fn a_value_may_shrink_whatever_its_size_but_not_grow_beyond_the_limit() {
    let shrink = Patch::parse(r#"[{"op":"remove","path":"/0"}]"#, 1).unwrap();
    assert_eq!(shrink.apply(&value("[1,2,3,4]"), 3).unwrap().text(), "[2,3,4]");
    let grow = Patch::parse(r#"[{"op":"add","path":"/0","value":1}]"#, 1).unwrap();
    assert_eq!(grow.apply(&value("[2]"), 5).unwrap().text(), "[1,2]");
    assert!(grow.apply(&value("[2]"), 4).is_err());
    let replace = Patch::parse(r#"[{"op":"replace","path":"/0","value":"ab"}]"#, 1).unwrap();
    assert_eq!(replace.apply(&value("[2]"), 6).unwrap().text(), r#"["ab"]"#);
    assert!(replace.apply(&value("[2]"), 5).is_err());
}
