// SPDX-License-Identifier: MIT OR Apache-2.0
//! JSON values as clients treat them: merge patches, patches, and the sum of the canonical text.
//! Written anew for this crate, so that the server is not checked against itself.

use std::fmt::Write as _;

use serde_json::Value;

/// A merge patch (RFC 7396).
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Default::default());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// A patch (RFC 6902).
///
/// # Errors
/// It does not apply.
pub fn patch(root: &mut Value, operations: &Value) -> Result<(), String> {
    for operation in operations.as_array().ok_or("a patch is an array")? {
        let text = |key: &str| operation[key].as_str().ok_or(format!("no {key}"));
        let value = || operation.get("value").cloned().ok_or("no value".to_owned());
        let path = text("path")?;
        match text("op")? {
            "add" => add(root, path, value()?)?,
            "remove" => drop(remove(root, path)?),
            "replace" => *root.pointer_mut(path).ok_or("nothing to replace")? = value()?,
            "move" => {
                let moved = remove(root, text("from")?)?;
                add(root, path, moved)?;
            }
            "copy" => {
                let copied = root.pointer(text("from")?).ok_or("nothing to copy")?.clone();
                add(root, path, copied)?;
            }
            "test" if root.pointer(path) == Some(&value()?) => {}
            other => return Err(format!("{other} at {path}")),
        }
    }
    Ok(())
}

fn parent<'a>(root: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (parent, key) = path.rsplit_once('/').ok_or("the root has no parent")?;
    let key = key.replace("~1", "/").replace("~0", "~");
    Ok((root.pointer_mut(parent).ok_or(format!("no {parent}"))?, key))
}

fn add(root: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *root = value;
        return Ok(());
    }
    match parent(root, path)? {
        (Value::Object(object), key) => drop(object.insert(key, value)),
        (Value::Array(array), key) => {
            let end = array.len();
            let at = if key == "-" { end } else { key.parse().unwrap_or(usize::MAX) };
            if at > end {
                return Err(format!("no place {key}"));
            }
            array.insert(at, value);
        }
        _ => return Err(format!("{path} has no parent to add to")),
    }
    Ok(())
}

fn remove(root: &mut Value, path: &str) -> Result<Value, String> {
    match parent(root, path)? {
        (Value::Object(object), key) => object.remove(&key),
        (Value::Array(array), key) => {
            let at = key.parse().ok().filter(|at: &usize| *at < array.len());
            at.map(|at| array.remove(at))
        }
        _ => None,
    }
    .ok_or_else(|| format!("nothing at {path}"))
}

/// The sum of a value: FNV-1a of its canonical text (RFC 8785). For values whose numbers are
/// whole and whose keys are ASCII, as all of this crate's are.
pub fn sum(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    let hash = text
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut keys: Vec<_> = members.keys().collect();
            keys.sort();
            out.push('{');
            for (at, key) in keys.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                let _ = write!(out, "{}:", Value::from(key.as_str()));
                canonical(&members[key], out);
            }
            out.push('}');
        }
        simple => {
            let _ = write!(out, "{simple}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merges_and_patches_do_what_the_standards_say() {
        let mut value = json!({"a": {"b": 1, "c": [1, 2]}, "d": 4});
        merge(&mut value, &json!({"a": {"b": null, "e": 5}, "d": [1]}));
        assert_eq!(value, json!({"a": {"c": [1, 2], "e": 5}, "d": [1]}));
        let operations = json!([
            {"op": "add", "path": "/a/c/1", "value": 7},
            {"op": "remove", "path": "/d"},
            {"op": "replace", "path": "/a/e", "value": "x"},
            {"op": "move", "from": "/a/c", "path": "/f"},
            {"op": "copy", "from": "/f/0", "path": "/g"},
            {"op": "test", "path": "/g", "value": 1},
        ]);
        patch(&mut value, &operations).unwrap();
        assert_eq!(value, json!({"a": {"e": "x"}, "f": [1, 7, 2], "g": 1}));
        assert!(patch(&mut value, &json!([{"op": "remove", "path": "/none"}])).is_err());
        assert!(patch(&mut value, &json!([{"op": "test", "path": "/g", "value": 2}])).is_err());
    }

    #[test]
    fn a_sum_is_of_the_canonical_text() {
        assert_eq!(
            sum(&json!({"b": 1, "a": [true, null]})),
            sum(&json!({"a": [true, null], "b": 1}))
        );
        assert_ne!(sum(&json!({"a": 1})), sum(&json!({"a": 2})));
        // FNV-1a of "{}".
        assert_eq!(sum(&json!({})), format!("{:08x}", fnv(b"{}")));
    }

    fn fnv(bytes: &[u8]) -> u32 {
        bytes
            .iter()
            .fold(2_166_136_261, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619))
    }
}
