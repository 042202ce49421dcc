// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random edits: every delta leads to the new value, for a server and for a client of doubles.

use proptest::prelude::*;
use serde_json::json;

use super::made::{self, Made};
use super::*;
use oyez_protocol::delta::{DeltaKind, Deltas};

const BOTH: Deltas = Deltas::NONE.with(DeltaKind::Merge).with(DeltaKind::Patch);

/// What a client holds that knows nothing but doubles.
fn as_doubles(text: &str) -> String {
    let mut out = Vec::new();
    super::super::sum::write_canonical(&value(text).tree(), &mut out);
    String::from_utf8(out).unwrap()
}

fn apply(old: &Value<'_>, delta: &Delta) -> Value<'static> {
    match delta.kind {
        DeltaKind::Merge => merge(old, &value(&delta.text)),
        DeltaKind::Patch => {
            Patch::parse(&delta.text, usize::MAX).unwrap().apply(old, usize::MAX).unwrap()
        }
    }
}

fn each(difference: &Difference) -> impl Iterator<Item = &Delta> {
    DeltaKind::ALL.into_iter().filter_map(|kind| difference.shortest(Deltas::NONE.with(kind)))
}

/// RFC 7396's own words, on another tree.
fn merged(target: Option<&Made>, patch: &Made) -> Made {
    let Made::Object(patch) = patch else { return patch.clone() };
    let mut result = match target {
        Some(Made::Object(members)) => members.clone(),
        _ => Vec::new(),
    };
    for (name, value) in patch {
        let known = result.iter().position(|(key, _)| key == name);
        match (value, known) {
            (Made::Null, Some(at)) => drop(result.remove(at)),
            (Made::Null, None) => {}
            (value, Some(at)) => result[at].1 = merged(Some(&result[at].1), value),
            (value, None) => result.push((name.clone(), merged(None, value))),
        }
    }
    Made::Object(result)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn t027_every_delta_of_random_edits_leads_to_the_new_value(
        start in made::made(),
        edits in prop::collection::vec(made::edit(), 1..4),
        seeds in any::<[u64; 2]>(),
    ) {
        let mut end = start.clone();
        edits.iter().for_each(|edit| end.edit(edit));
        let (old, new) = (start.written(seeds[0]), end.written(seeds[1]));
        let (old, new) = (value(&old), value(&new));
        let difference = Difference::below(&old, &new, usize::MAX);
        for delta in each(&difference) {
            prop_assert!(value(&delta.text).text() == &*delta.text);
            let server = apply(&old, delta);
            prop_assert!(server.same(&new), "{:?} {} -> {}: {}", old, delta.text, server.text(), new.text());
            // The client rounds before it applies, the server afterwards.
            let client = as_doubles(old.text());
            let rounded = Delta { kind: delta.kind, text: as_doubles(&delta.text).into() };
            let client = apply(&value(&client), &rounded);
            prop_assert_eq!(checksum(&client), checksum(&new));
            prop_assert_eq!(as_doubles(client.text()), as_doubles(new.text()));
        }
        if old.same(&new) {
            prop_assert_eq!(each(&difference).count(), 0);
        } else if matches!((&start, &end), (Made::Array(_), Made::Array(_)) | (Made::Object(_), Made::Object(_))) {
            prop_assert!(difference.shortest(Deltas::NONE.with(DeltaKind::Patch)).is_some());
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn t027_one_value_is_the_same_in_every_writing(made in made::made(), seeds in any::<[u64; 2]>()) {
        let (plain, a, b) = (made.text(), made.written(seeds[0]), made.written(seeds[1]));
        let (plain, a, b) = (value(&plain), value(&a), value(&b));
        prop_assert!(plain.same(&a) && a.same(&b));
        prop_assert_eq!(checksum(&a), checksum(&b));
        let tree = plain.tree();
        let (text, depth) = (Value::of(&tree), tree.depth());
        prop_assert_eq!(text.text().len(), tree.bytes());
        prop_assert!(text.same(&b) && depth <= 5);
        prop_assert!(text.text() == Value::of(&text.tree()).text());
    }

    #[test]
    fn merging_does_what_the_standard_says(target in made::made(), patch in made::made()) {
        let (before, change) = (target.text(), patch.text());
        let expected = merged(Some(&target), &patch).text();
        prop_assert!(merge(&value(&before), &value(&change)).same(&value(&expected)));
    }

    #[test]
    fn patching_does_what_another_library_does(
        target in small(),
        operations in prop::collection::vec(operation(), 0..6),
    ) {
        let operations = serde_json::Value::Array(operations);
        let before = target.to_string();
        let text = operations.to_string();
        let ours = Patch::parse(&text, 6).and_then(|patch| patch.apply(&value(&before), usize::MAX));
        let mut after = target.clone();
        let theirs = serde_json::from_value::<json_patch::Patch>(operations)
            .map_err(|error| error.to_string())
            .and_then(|patch| json_patch::patch_unsafe(&mut after, &patch).map_err(|error| error.to_string()));
        match (ours, theirs) {
            (Ok(ours), Ok(())) => prop_assert!(ours.same(&value(&after.to_string()))),
            (Err(_), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{ours:?} {theirs:?}"),
        }
    }

    #[test]
    fn a_patch_of_anything_is_an_error_or_a_value(target in made::made(), patch in made::made(), max in 0..300_usize) {
        let (before, text) = (target.text(), patch.text());
        if let Ok(patch) = Patch::parse(&text, 3) {
            let _ = patch.apply(&value(&before), max);
        }
    }
}

/// Values in which random paths often lead somewhere.
fn small() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![Just(json!(null)), Just(json!(true)), (0..3).prop_map(|n| json!(n))];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            prop::collection::hash_map("[ab0]", inner, 0..3)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn operation() -> impl Strategy<Value = serde_json::Value> {
    let path = || "(/[ab0123-]){1,3}";
    let op = prop::sample::select(&["add", "add", "remove", "replace", "move", "copy", "test"][..]);
    (op, path(), path(), small()).prop_map(
        |(op, path, from, value)| json!({ "op": op, "path": path, "from": from, "value": value }),
    )
}

#[test]
fn a_delta_is_sent_when_it_is_worth_it() {
    let players = |count: usize, score: usize| {
        let player = |n| json!({ "id": n, "name": format!("player {n}"), "score": if n == 7 { score } else { 0 } });
        json!({ "game": "LOBBY_7", "players": (0..count).map(player).collect::<Vec<_>>() })
            .to_string()
    };
    let (old, new) = (players(40, 0), players(40, 1));
    let difference = Difference::between(&value(&old), &value(&new));
    let delta = difference.shortest(BOTH).unwrap();
    assert_eq!(delta.kind, DeltaKind::Patch);
    assert_eq!(&*delta.text, r#"[{"op":"replace","path":"/players/7/score","value":1}]"#);
    assert_eq!(difference.shortest(Deltas::NONE), None);
    // A merge patch would write the whole array.
    assert_eq!(difference.shortest(Deltas::NONE.with(DeltaKind::Merge)), None);
    // Nothing changed, a small value, a large value.
    assert!(Difference::between(&value(&old), &value(&old)).shortest(BOTH).is_none());
    assert!(
        Difference::between(&value(&players(5, 0)), &value(&players(5, 1)))
            .shortest(BOTH)
            .is_none()
    );
    let (old, new) = (players(8000, 0), players(8000, 1));
    assert!(Difference::between(&value(&old), &value(&new)).shortest(BOTH).is_none());
}

#[test]
fn a_merge_patch_is_taken_when_it_is_shorter_and_can_say_it() {
    let rest = "x".repeat(600);
    let state = |a: &str| format!(r#"{{"rest":"{rest}","a":{a},"b":{{"c":[null],"d":1}}}}"#);
    let shortest = |old: &str, new: &str| {
        Difference::between(&value(&state(old)), &value(&state(new)))
            .shortest(BOTH)
            .cloned()
            .unwrap()
    };
    assert_eq!(&*shortest("1", "2").text, r#"{"a":2}"#);
    assert_eq!(&*shortest("1", "[null]").text, r#"{"a":[null]}"#);
    assert_eq!(&*shortest(r#"{"x":1,"y":2}"#, r#"{"y":2}"#).text, r#"{"a":{"x":null}}"#);
    assert_eq!(
        &*shortest("1", r#"{"x":null}"#).text,
        r#"[{"op":"replace","path":"/a","value":{"x":null}}]"#
    );
    assert_eq!(
        &*shortest("9007199254740992", "9007199254740993").text,
        r#"{"a":9007199254740993}"#
    );
}

#[test]
fn items_that_come_and_go_cost_only_themselves() {
    let list = |ids: &[u32]| {
        let items: Vec<_> = ids
            .iter()
            .map(|id| json!({ "id": id, "name": format!("the one with {id}") }))
            .collect();
        json!(items).to_string()
    };
    let old: Vec<u32> = (0..50).collect();
    let mut new = old.clone();
    new.remove(40);
    new.insert(20, 99);
    new.remove(3);
    let (old, new) = (list(&old), list(&new));
    let difference = Difference::between(&value(&old), &value(&new));
    assert_eq!(
        &*difference.shortest(BOTH).unwrap().text,
        r#"[{"op":"remove","path":"/3"},{"op":"add","path":"/19","value":{"id":99,"name":"the one with 99"}},{"op":"remove","path":"/40"}]"#
    );
}

#[test]
fn comparing_the_worst_values_takes_no_long_time() {
    // Wide and all different; deep with a change at every level; as many objects as fit.
    let wide = |shift: usize| {
        let numbers: Vec<String> = (0..30_000).map(|n| (n * 7 + shift).to_string()).collect();
        format!("[{}]", numbers.join(","))
    };
    let deep = |mark: &str| {
        let level = format!("[\"{}\",{mark},", "x".repeat(1900));
        format!("{}0{}", level.repeat(120), "]".repeat(120))
    };
    let keys = |shift: usize| {
        let members: Vec<String> =
            (0..15_000).map(|n| format!("\"{}\":[{n}]", n + shift)).collect();
        format!("{{{}}}", members.join(","))
    };
    for (old, new) in [(wide(0), wide(1)), (deep("1"), deep("2")), (keys(0), keys(7000))] {
        assert!(new.len() < 256 << 10, "{}", new.len());
        let start = std::time::Instant::now();
        Difference::between(&value(&old), &value(&new));
        let took = start.elapsed();
        // A guard against the square of the size, not a measurement.
        assert!(took.as_secs() < 5, "{took:?}");
        println!("{} bytes: {took:?}", new.len());
    }
}
