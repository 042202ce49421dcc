// SPDX-License-Identifier: MIT OR Apache-2.0
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::{Changed, Expected, Forget, TruthOperation};
use crate::position::Offset;

fn parse(body: impl AsRef<[u8]>) -> Result<Trigger, ApiError> {
    Trigger::parse(body.as_ref(), &Limits::default())
}

fn parse_batch(body: impl AsRef<[u8]>) -> Result<Vec<Trigger>, ApiError> {
    Batch::parse(body.as_ref(), &Limits::default()).map(|batch| batch.triggers)
}

/// Name and data of an event.
fn event_of(trigger: &Trigger) -> (&str, &str) {
    match &trigger.action {
        Action::Event { name, data } => (name, data),
        Action::Command(command) => panic!("{command:?}"),
    }
}

/// Changes a valid body, and expects an error of that code about that field.
fn refuses(valid: &Value, change: impl FnOnce(&mut Value), code: ErrorCode, field: &str) {
    let mut body = valid.clone();
    change(&mut body);
    let error = match body.get("batch") {
        None => parse(body.to_string()).expect_err("refused"),
        Some(_) => parse_batch(body.to_string()).expect_err("refused"),
    };
    assert_eq!((error.code, error.field.as_deref()), (code, Some(field)), "{body}: {error}");
    assert!(error.text.contains(field), "{error}");
}

fn one() -> Value {
    json!({"name": "e", "channels": ["a", "b"], "data": "d"})
}

#[test]
fn a_trigger_as_the_libraries_send_it() {
    let trigger = parse(br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#)
        .expect("valid");
    assert_eq!(event_of(&trigger), ("foo", r#"{"some":"data"}"#));
    assert_eq!(trigger.channels[0].as_str(), "project-3");
    assert_eq!((trigger.exclude, trigger.info), (None, Info::default()));

    let body = json!({"name": "é", "channel": "presence-a", "data": "", "socket_id": "1.2",
        "info": "user_count,subscription_count", "something_new": {"a": [1]}});
    let trigger = parse(body.to_string()).expect("valid");
    assert_eq!(trigger.exclude, SocketId::parse("1.2").ok());
    assert_eq!(
        trigger.info,
        Info { user_count: true, subscription_count: true, ..Info::default() }
    );

    let nulls = json!({"name": "e", "channel": null, "channels": ["a"], "data": "d",
        "socket_id": null, "info": null});
    assert!(parse(nulls.to_string()).is_ok());
}

#[test]
fn p011_data_is_the_string_that_was_sent_or_compact_text_of_other_json() {
    for (sent, data) in [
        (r#""plain""#, "plain"),
        (r#""""#, ""),
        (r#""\u0000\"😀\ud83d\ude00""#, "\0\"😀😀"),
        (r#""{\"a\": 1}""#, r#"{"a": 1}"#),
        (r#"{ "a" : [ 1.50, "x y" ] }"#, r#"{"a":[1.50,"x y"]}"#),
        ("null", "null"),
        ("1e400", "1e400"),
        ("true", "true"),
    ] {
        let body = format!(r#"{{"name":"e","channel":"a","data":{sent}}}"#);
        assert_eq!(event_of(&parse(body).expect("valid")).1, data);
    }
}

#[test]
fn p015_reserved_names_are_refused_in_every_form_of_the_call() {
    for name in ["pusher:ping", "pusher_internal:member_added", "oyez:sets", "oyez:", "pusher:"] {
        let refused = |value: Value, change: fn(&mut Value, &str), field: &str| {
            refuses(&value, |body| change(body, name), ErrorCode::ReservedEventName, field);
        };
        refused(one(), |body, name| body["name"] = json!(name), "name");
        let batch = json!({"batch": [{"channel": "a", "name": "e", "data": "d"}, {"channel": "a", "data": "d"}]});
        refused(batch, |body, name| body["batch"][1]["name"] = json!(name), "batch[1].name");
        let query = format!("name={name}");
        let query = Query::parse(&query).expect("well encoded");
        let channel = ChannelName::parse("a", 164).expect("a name");
        let error = Trigger::parse_deprecated(channel, &query, b"d", &Limits::default());
        assert_eq!(error.expect_err("refused").code, ErrorCode::ReservedEventName);
    }
    assert!(parse(json!({"name":"pusher","channel":"a","data":""}).to_string()).is_ok());
    let error = parse(json!({"name":"oyez:sit","channel":"LOBBY_7","data":"1"}).to_string());
    let text = error.expect_err("refused").text;
    for name in ["set", "merge", "patch", "delete", "changed", "forget"] {
        assert!(text.contains(&format!("oyez:{name}")), "{text}");
    }
}

#[test]
fn p052_an_encrypted_channel_is_published_to_alone() {
    let channels = |list: Value| parse(json!({"name":"e","data":"d","channels":list}).to_string());
    for bad in [
        json!(["private-encrypted-a", "private-encrypted-b"]),
        json!(["a", "private-encrypted-b"]),
        json!(["private-encrypted-cache-a", "b", "c"]),
    ] {
        let error = channels(bad).expect_err("refused");
        assert_eq!((error.code, error.code.status()), (ErrorCode::EncryptedChannels, 400));
    }
    assert!(channels(json!(["private-encrypted-a"])).is_ok());
    assert!(channels(json!(["private-encrypted-a", "private-encrypted-a"])).is_ok());
}

#[test]
fn p066_every_field_missing_or_of_a_wrong_type_is_named() {
    let others = [json!(5), json!(true), json!([]), json!({}), json!(["a"])];
    let strings = ["name", "channel", "socket_id", "info"];
    let with_all =
        json!({"name": "e", "channel": "a", "data": "d", "socket_id": "1.2", "info": ""});
    let batch = json!({"batch": [{"name": "e", "channel": "a", "data": "d"}, with_all.clone()]});
    for other in &others {
        for field in strings {
            let wrong = |body: &mut Value| body[field] = other.clone();
            refuses(&with_all, wrong, ErrorCode::WrongType, field);
            let wrong = |body: &mut Value| body["batch"][1][field] = other.clone();
            refuses(&batch, wrong, ErrorCode::WrongType, &format!("batch[1].{field}"));
        }
        if !other.is_array() {
            refuses(&one(), |b| b["channels"] = other.clone(), ErrorCode::WrongType, "channels");
            refuses(&batch, |b| b["batch"] = other.clone(), ErrorCode::WrongType, "batch");
        }
        if !other.is_object() {
            refuses(&batch, |b| b["batch"][0] = other.clone(), ErrorCode::WrongType, "batch[0]");
        }
        if !other.is_string() {
            refuses(
                &one(),
                |b| b["channels"][1] = other.clone(),
                ErrorCode::WrongType,
                "channels[1]",
            );
        }
    }
    refuses(&one(), |b| b["channels"] = json!("a"), ErrorCode::WrongType, "channels");

    let remove = |body: &mut Value, field: &str| {
        body.as_object_mut().expect("an object").remove(field);
    };
    for (field, named) in [("name", "name"), ("data", "data"), ("channel", "channels")] {
        refuses(&with_all, |body| remove(body, field), ErrorCode::MissingField, named);
        refuses(
            &batch,
            |b| remove(&mut b["batch"][1], field),
            ErrorCode::MissingField,
            &format!("batch[1].{field}"),
        );
    }
    refuses(&with_all, |b| b["name"] = Value::Null, ErrorCode::MissingField, "name");
    let error = parse_batch("{}").expect_err("refused");
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::MissingField, Some("batch")));
}

#[test]
fn p066_bad_values_are_named() {
    let both = |b: &mut Value| b["channel"] = json!("a");
    refuses(&one(), both, ErrorCode::ChannelCount, "channel");
    refuses(&one(), |b| b["name"] = json!(""), ErrorCode::BadEventName, "name");
    refuses(&one(), |b| b["channels"] = json!([]), ErrorCode::ChannelCount, "channels");
    refuses(&one(), |b| b["channels"][1] = json!("a b"), ErrorCode::BadChannelName, "channels[1]");
    refuses(&one(), |b| b["channels"] = json!(["a b"]), ErrorCode::BadChannelName, "channels[0]");
    refuses(&one(), |b| b["socket_id"] = json!("12"), ErrorCode::BadSocketId, "socket_id");
    refuses(&one(), |b| b["info"] = json!("cache"), ErrorCode::BadInfo, "info");
    let batch = json!({"batch": [{"name": "e", "channel": "a", "data": "d"}]});
    refuses(
        &batch,
        |b| b["batch"][0]["channel"] = json!("#"),
        ErrorCode::BadChannelName,
        "batch[0].channel",
    );
    refuses(
        &batch,
        |b| b["batch"][0]["socket_id"] = json!(""),
        ErrorCode::BadSocketId,
        "batch[0].socket_id",
    );
    refuses(&batch, |b| b["batch"][0]["info"] = json!("x"), ErrorCode::BadInfo, "batch[0].info");
}

#[test]
fn p066_a_body_that_is_no_json_object_is_bad_json() {
    for bad in [
        "",
        " ",
        "nonsense",
        "[]",
        r#"["e","d",["a"]]"#,
        "7",
        "null",
        "{",
        r#"{"name"}"#,
        r#"{"name":"a","name":"b","channel":"a","data":""}"#,
        "{}x",
        "\u{feff}{}",
    ] {
        assert_eq!(parse(bad).expect_err(bad).code, ErrorCode::BadJson, "{bad:?}");
        assert_eq!(parse_batch(format!("{bad}#")).expect_err(bad).code, ErrorCode::BadJson);
    }
    assert_eq!(parse(b"{\"name\":\"\xff\"}").expect_err("not UTF-8").code, ErrorCode::BadJson);
    let lone = br#"{"name":"e","channel":"a","data":"\ud800"}"#;
    let error = parse(lone).expect_err("half a character");
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::BadJson, Some("data")));
    // An array of the fields is no object, in a batch either.
    let error = parse_batch(r#"{"batch":[["e","d",null,"a"]]}"#).expect_err("refused");
    assert_eq!(error.code, ErrorCode::WrongType);
}

#[test]
fn p067_limits_hold_at_their_edge() {
    let names = |n: usize| (0..n).map(|i| format!("c{i}")).collect::<Vec<_>>();
    let ok = |change: fn(&mut Value, usize), at: usize| {
        let mut body = one();
        change(&mut body, at);
        parse(body.to_string()).map_err(|error| (error.code, error.text))
    };
    let name: fn(&mut Value, usize) = |b, n| b["name"] = json!("é".repeat(n));
    let data: fn(&mut Value, usize) = |b, n| b["data"] = json!("x".repeat(n));
    let object: fn(&mut Value, usize) = |b, n| b["data"] = json!({"a": "x".repeat(n - 8)});
    let channel: fn(&mut Value, usize) = |b, n| b["channels"][0] = json!("x".repeat(n));
    for (change, limit, code, key) in [
        (name, 200, ErrorCode::BadEventName, "limits.event_name"),
        (data, 10_240, ErrorCode::DataTooLarge, "limits.event_data_bytes"),
        (object, 10_240, ErrorCode::DataTooLarge, "limits.event_data_bytes"),
        (channel, 164, ErrorCode::BadChannelName, "limits.channel_name"),
    ] {
        assert!(ok(change, limit).is_ok(), "{key}");
        let (actual, text) = ok(change, limit + 1).expect_err("beyond");
        assert!(
            actual == code && text.contains(key) && text.contains(&limit.to_string()),
            "{text}"
        );
    }
    assert_eq!(ErrorCode::DataTooLarge.status(), 413);

    let channels = |n| parse(json!({"name":"e","data":"","channels":names(n)}).to_string());
    assert_eq!(channels(100).expect("at the limit").channels.len(), 100);
    let error = channels(101).expect_err("beyond");
    assert!(error.text.contains("101") && error.text.contains("limits.event_channels"), "{error}");
    // A name that comes twice counts twice, and is published to once.
    let twice = parse(json!({"name":"e","data":"","channels":["b","a","b"]}).to_string());
    let twice = twice.expect("valid").channels;
    assert_eq!(twice.iter().map(ChannelName::as_str).collect::<Vec<_>>(), ["b", "a"]);

    let batch = |n: usize| {
        let event = json!({"channel":"a","name":"e","data":"d"});
        parse_batch(json!({"batch": vec![event; n]}).to_string())
    };
    assert_eq!(batch(0).expect("nothing to do").len(), 0);
    assert_eq!(batch(10).expect("at the limit").len(), 10);
    let error = batch(11).expect_err("beyond");
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::BatchTooLong, Some("batch")));
    assert!(error.text.contains("11") && error.text.contains("limits.batch_events"), "{error}");
}

#[test]
fn p068_one_bad_event_makes_the_whole_batch_an_error() {
    let mut batch = vec![json!({"channel":"a","name":"e","data":"d"}); 10];
    batch[9]["name"] = json!("pusher:x");
    assert!(parse_batch(json!({"batch": batch}).to_string()).is_err());
    assert!(parse(json!({"name":"e","data":"","channels":["a","b","c d"]}).to_string()).is_err());
}

#[test]
fn p069_exclusion_stands_at_each_event_of_a_batch() {
    let batch = parse_batch(
        json!({"batch": [
            {"channel":"a","name":"e","data":"1","socket_id":"1.2"},
            {"channel":"a","name":"e","data":"2"},
            {"channel":"presence-b","name":"e","data":"3","info":"user_count"},
        ]})
        .to_string(),
    )
    .expect("valid");
    let excluded: Vec<_> = batch.iter().map(|t| t.exclude.is_some()).collect();
    assert_eq!(excluded, [true, false, false]);
    assert!(batch[2].info.user_count && batch[0].info.is_empty());
}

#[test]
fn p070_users_are_counted_on_presence_channels_only() {
    let info = |channels: Value, info: &str| {
        parse(json!({"name":"e","data":"","channels":channels,"info":info}).to_string())
            .map_err(|error| (error.code, error.field))
    };
    let bad = Err((ErrorCode::BadInfo, Some("info".to_owned())));
    assert!(info(json!(["presence-a", "presence-cache-b"]), "user_count").is_ok());
    assert!(info(json!(["a"]), "subscription_count").is_ok());
    assert_eq!(info(json!(["presence-a", "b"]), "user_count"), bad);
    assert_eq!(info(json!(["presence-a"]), "user_count,nonsense"), bad);
}

#[test]
fn p076_the_deprecated_form_takes_its_data_from_the_body_as_it_is() {
    let parse = |raw: &str, body: &[u8]| {
        let query = Query::parse(raw).expect("well encoded");
        let channel = ChannelName::parse("presence-a", 164).expect("a name");
        Trigger::parse_deprecated(channel, &query, body, &Limits::default())
    };
    let trigger = parse("name=my+event&socket_id=1.2&auth_key=k", b"{ \"a\": 1 }").expect("valid");
    assert_eq!(event_of(&trigger), ("my event", "{ \"a\": 1 }"));
    assert_eq!(trigger.exclude, SocketId::parse("1.2").ok());
    assert_eq!(event_of(&parse("name=e", b"not json").expect("never parsed")).1, "not json");
    for (raw, body, code) in [
        ("", &b"x"[..], ErrorCode::MissingField),
        ("name=", b"x", ErrorCode::BadEventName),
        ("name=e&socket_id=x", b"x", ErrorCode::BadSocketId),
        ("name=e", b"\xff", ErrorCode::BadJson),
        ("name=e", &[b'x'; 10_241], ErrorCode::DataTooLarge),
    ] {
        assert_eq!(parse(raw, body).expect_err("refused").code, code, "{raw}");
    }
}

#[test]
fn deep_json_is_text_and_hostile_arrays_are_only_counted() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let limits = Limits { event_data_bytes: 100_000, ..Limits::default() };
    let body = format!(r#"{{"name":"e","channel":"a","data":{deep},"x":{deep}}}"#);
    assert_eq!(event_of(&Trigger::parse(body.as_bytes(), &limits).expect("valid")).1, deep);
    for field in ["name", "channel", "channels", "socket_id", "info"] {
        let mut body = r#"{"name":"e","data":"""#.to_owned();
        if field.starts_with("channel") || field == "name" {
            body = r#"{"data":"""#.to_owned();
        }
        assert!(parse(format!(r#"{body},"{field}":{deep}}}"#)).is_err(), "{field}");
    }
    assert!(parse(&deep).is_err() && parse_batch(format!(r#"{{"batch":{deep}}}"#)).is_err());
    let many =
        format!(r#"{{"name":"e","data":"","channels":["{}"]}}"#, vec!["a"; 500_000].join("\",\""));
    assert!(parse(many).expect_err("too many").text.contains("500000"));
}

/// A command on `a` with that data.
fn command(name: &str, data: &str) -> Result<Trigger, ApiError> {
    parse(json!({"name": name, "channel": "a", "data": data}).to_string())
}

#[test]
fn t024_a_trigger_of_a_commands_name_is_that_command() {
    let truth = |name: &str, data: &str| match command(name, data).expect(data).action {
        Action::Command(ChannelCommand::Truth(change)) => change,
        other => panic!("{other:?}"),
    };
    let set = truth("oyez:set", r#"{"event":"GAME_STATE","data":{ "a": 1 },"if_version":41}"#);
    assert_eq!(set.operation, TruthOperation::Set(r#"{"a":1}"#.to_owned()));
    assert_eq!(set.event.as_deref(), Some("GAME_STATE"));
    assert_eq!(set.condition.version, Offset::new(41));
    let merge = truth("oyez:merge", r#"{"merge":{"a":null}}"#).operation;
    assert_eq!(merge, TruthOperation::Merge(r#"{"a":null}"#.to_owned()));
    let patch = truth("oyez:patch", r#"{"patch":[]}"#).operation;
    assert_eq!(patch, TruthOperation::Patch("[]".to_owned()));
    for data in ["", " ", "{}", "null", r#"{"delete":true}"#] {
        assert_eq!(truth("oyez:delete", data).operation, TruthOperation::Delete, "{data:?}");
    }
    let conditional = truth("oyez:delete", r#"{"if_version":3}"#);
    assert_eq!(conditional.condition.version, Offset::new(3));
    for (data, min_version) in [("", None), ("{}", None), (r#"{"min_version":7}"#, Some(7))] {
        let changed = ChannelCommand::Changed(Changed { min_version });
        let trigger = command("oyez:changed", data).expect("valid");
        assert_eq!(trigger.action, Action::Command(changed));
    }
    let forget = command("oyez:forget", r#"{"event":"PLAYER_JOIN"}"#).expect("valid").action;
    let event = "PLAYER_JOIN".to_owned();
    assert_eq!(forget, Action::Command(ChannelCommand::Forget(Forget { event })));

    // Libraries may send objects, batches and the old form.
    let body = r#"{"name":"oyez:set","channels":["a","b"],"data":{"data":[1]}}"#;
    assert_eq!(parse(body).expect("valid").channels.len(), 2);
    let body = r#"{"batch":[{"name":"oyez:changed","channel":"a","data":""}]}"#;
    assert!(matches!(parse_batch(body).expect("valid")[0].action, Action::Command(_)));
    let query = Query::parse("name=oyez:set").expect("well encoded");
    let channel = ChannelName::parse("a", 164).expect("a name");
    let old = Trigger::parse_deprecated(channel, &query, br#"{"data":1}"#, &Limits::default());
    assert!(matches!(old.expect("valid").action, Action::Command(_)));
}

#[test]
fn t024_a_command_that_is_none_is_refused_by_the_field_in_its_data() {
    for (name, data, code, field) in [
        ("oyez:set", "", ErrorCode::BadJson, "data"),
        ("oyez:set", "null", ErrorCode::BadJson, "data"),
        ("oyez:set", "[1]", ErrorCode::BadJson, "data"),
        ("oyez:set", "{}", ErrorCode::MissingField, "data.data"),
        ("oyez:set", r#"{"merge":{}}"#, ErrorCode::BadChange, "data.merge"),
        ("oyez:set", r#"{"data":1,"merge":{}}"#, ErrorCode::BadChange, "data.merge"),
        ("oyez:set", r#"{"data":1,"event":"oyez:x"}"#, ErrorCode::ReservedEventName, "data.event"),
        ("oyez:merge", r#"{"data":1}"#, ErrorCode::BadChange, "data.data"),
        ("oyez:merge", r#"{"merge":[]}"#, ErrorCode::WrongType, "data.merge"),
        ("oyez:merge", "{}", ErrorCode::MissingField, "data.merge"),
        ("oyez:patch", r#"{"patch":{}}"#, ErrorCode::WrongType, "data.patch"),
        ("oyez:patch", r#"{"delete":true}"#, ErrorCode::BadChange, "data.delete"),
        ("oyez:delete", r#"{"data":1}"#, ErrorCode::BadChange, "data.data"),
        ("oyez:delete", r#"{"delete":false}"#, ErrorCode::WrongType, "data.delete"),
        ("oyez:delete", r#"{"if_version":-1}"#, ErrorCode::BadNumber, "data.if_version"),
        ("oyez:changed", r#"{"min_version":"7"}"#, ErrorCode::WrongType, "data.min_version"),
        ("oyez:changed", r#"{"min_version":1.5}"#, ErrorCode::BadNumber, "data.min_version"),
        ("oyez:changed", "x", ErrorCode::BadJson, "data"),
        ("oyez:forget", "", ErrorCode::BadJson, "data"),
        ("oyez:forget", "{}", ErrorCode::MissingField, "data.event"),
        ("oyez:forget", r#"{"event":7}"#, ErrorCode::WrongType, "data.event"),
    ] {
        let error = command(name, data).expect_err(data);
        assert_eq!((error.code, error.field.as_deref()), (code, Some(field)), "{name} {data}");
        assert!(error.text.contains(field), "{error}");
    }
    let body = r#"{"batch":[{"name":"oyez:set","channel":"a","data":"{}"}]}"#;
    let error = parse_batch(body).expect_err("no data");
    assert_eq!(error.field.as_deref(), Some("batch[0].data.data"));
}

#[test]
fn t024_a_condition_speaks_of_one_channel() {
    let with = |channels: Value, extra: Value| {
        let mut body = json!({"name": "e", "channels": channels, "data": "d"});
        body.as_object_mut()
            .expect("an object")
            .extend(extra.as_object().cloned().unwrap_or_default());
        parse(body.to_string())
    };
    let one = with(json!(["a"]), json!({"if_version": 0, "if_epoch": "k3Vd9Qw2"}));
    let condition = one.expect("valid").condition;
    assert_eq!(condition.version, Some(Offset::ZERO));
    assert_eq!(condition.epoch, Expected::epoch("k3Vd9Qw2"));
    // A name that comes twice is one channel.
    assert!(with(json!(["a", "a"]), json!({"if_version": 0})).is_ok());
    for (extra, field) in [
        (json!({"if_version": 1}), "if_version"),
        (json!({"if_epoch": "k3Vd9Qw2"}), "if_epoch"),
        (json!({"name": "oyez:set", "data": {"data": 1, "if_version": 1}}), "data.if_version"),
        (json!({"name": "oyez:set", "data": {"data": 1, "if_epoch": ""}}), "data.if_epoch"),
    ] {
        let error = with(json!(["a", "b"]), extra).expect_err(field);
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::ChannelCount, Some(field)));
        assert!(error.text.contains("one channel"), "{error}");
    }
    let outer = json!({"name": "oyez:set", "data": {"data": 1}, "if_version": 1});
    let error = with(json!(["a"]), outer).expect_err("in the wrong place");
    let (code, field) = (error.code, error.field.as_deref());
    assert_eq!((code, field), (ErrorCode::BadChange, Some("if_version")));
    for (lie, code) in [
        (json!(-1), ErrorCode::BadNumber),
        (json!(1.5), ErrorCode::BadNumber),
        (json!(1u64 << 53), ErrorCode::BadNumber),
        (json!("1"), ErrorCode::WrongType),
        (json!([]), ErrorCode::WrongType),
    ] {
        let error = with(json!(["a"]), json!({"if_version": lie})).expect_err("a lie");
        assert_eq!((error.code, error.field.as_deref()), (code, Some("if_version")));
    }
    assert!(with(json!(["a"]), json!({"if_epoch": 7})).is_err());
}

#[test]
fn t023_a_call_has_one_idempotency_key() {
    let key = |trigger: Result<Trigger, ApiError>| trigger.expect("valid").idempotency_key;
    let with = |value: Value| {
        parse(json!({"name":"e","channel":"a","data":"","idempotency_key":value}).to_string())
    };
    assert_eq!(key(with(json!("k 1"))).as_deref(), Some("k 1"));
    assert_eq!(key(with(Value::Null)), None);
    assert!(with(json!("é".repeat(128))).is_ok());
    for (bad, code) in [
        (json!(""), ErrorCode::BadIdempotencyKey),
        (json!("é".repeat(129)), ErrorCode::BadIdempotencyKey),
        (json!(7), ErrorCode::WrongType),
    ] {
        let error = with(bad).expect_err("refused");
        assert_eq!((error.code, error.field.as_deref()), (code, Some("idempotency_key")));
    }
    let text = with(json!("x".repeat(129))).expect_err("too long").text;
    assert!(text.contains("limits.idempotency_key") && text.contains("129"), "{text}");

    let inside = r#"{"data":1,"idempotency_key":"k"}"#;
    assert_eq!(key(command("oyez:set", inside)).as_deref(), Some("k"));
    let twice = json!({"name":"oyez:set","channel":"a","data":inside,"idempotency_key":"k"});
    let error = parse(twice.to_string()).expect_err("twice");
    assert_eq!(error.code, ErrorCode::BadIdempotencyKey);

    let event = json!({"name":"e","channel":"a","data":""});
    let batch = json!({"batch": [event], "idempotency_key": "k"}).to_string();
    let batch = Batch::parse(batch.as_bytes(), &Limits::default()).expect("valid");
    assert_eq!(batch.idempotency_key.as_deref(), Some("k"));
    for item in [
        json!({"name":"e","channel":"a","data":"","idempotency_key":"k"}),
        json!({"name":"oyez:set","channel":"a","data":inside}),
    ] {
        let error = parse_batch(json!({"batch": [item]}).to_string()).expect_err("in an item");
        assert_eq!(error.code, ErrorCode::BadIdempotencyKey);
        assert_eq!(error.field.as_deref(), Some("batch[0].idempotency_key"));
    }
}

#[test]
fn a_trigger_may_ask_for_positions() {
    let body = json!({"name":"e","channel":"a","data":"","info":"position"}).to_string();
    assert!(parse(&body).expect("valid").info.position);
    let item = json!({"batch":[{"name":"e","channel":"a","data":"","info":"position"}]});
    assert!(parse_batch(item.to_string()).expect("valid")[0].info.position);
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        "name",
        "data",
        "channels",
        "channel",
        "batch",
        "socket_id",
        "info",
        ".{0,5}",
        "idempotency_key",
        "if_version",
        "if_epoch"
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("presence-a")),
        prop_oneof!["oyez:set", "oyez:merge", "oyez:patch", "oyez:delete", "oyez:changed"]
            .prop_map(Value::from),
        Just(json!("1.2")),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((names.clone(), inner), 0..7)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn p066_any_bytes_are_a_trigger_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
        let _ = parse_batch(&bytes);
    }

    #[test]
    fn p066_any_json_is_a_trigger_or_an_error_in_json(value in any_json()) {
        let text = value.to_string();
        for error in [parse(&text).err(), parse_batch(&text).err()].into_iter().flatten() {
            prop_assert!(matches!(error.code.status(), 400 | 413));
            let body: Value = serde_json::from_slice(&error.body()).expect("valid JSON");
            prop_assert!(body["error"].as_str().is_some_and(|text| !text.is_empty()));
        }
        if let Ok(trigger) = parse(&text) {
            prop_assert!(!trigger.channels.is_empty());
        }
    }
}
