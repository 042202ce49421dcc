// SPDX-License-Identifier: MIT OR Apache-2.0
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn parse(raw: &str) -> Result<ReadHistory, ApiError> {
    ReadHistory::parse(&Query::parse(raw).expect("well encoded"), &Limits::default())
}

fn position(offset: u64) -> Position {
    let epoch = Epoch::parse("k3Vd9Qw2").expect("of our form");
    let offset = Offset::new(offset).expect("below 2^53");
    Position { epoch, term: Term::parse("a81xR0pe").expect("of our form"), offset }
}

#[test]
fn t015_a_reader_says_where_it_was() {
    let all = ReadHistory { since: None, epoch: Expected::Any, term: Expected::Any, limit: 1_000 };
    assert_eq!(parse("auth_key=k"), Ok(all));
    let some = ReadHistory {
        since: Some(position(41).offset),
        epoch: Expected::This(position(41).epoch),
        term: Expected::Foreign,
        limit: 10,
    };
    assert_eq!(parse("since=41&epoch=k3Vd9Qw2&term=yesterday&limit=10"), Ok(some));
    assert_eq!(parse("since=9007199254740991").map(|read| read.since), Ok(Some(Offset::MAX)));
    for (key, lies) in [
        ("since", &["", "-1", "+1", "1.5", "1e3", "x", "9007199254740992", " 1"][..]),
        ("limit", &["", "0", "-1", "1001", "1.5", "x", "18446744073709551616"]),
    ] {
        for lie in lies {
            let raw = format!("{key}={}", lie.replace('+', "%2B"));
            let error = parse(&raw).expect_err(&raw);
            let field = error.field.as_deref();
            assert_eq!((error.code, field), (ErrorCode::BadNumber, Some(key)), "{raw}");
        }
    }
    assert!(parse("limit=1001").expect_err("too many").text.contains("limits.history_page"));
}

#[test]
fn t013_a_page_and_what_is_gone_say_where_the_channel_is() {
    let empty = r#"{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":0,"events":[]}"#;
    assert_eq!(HistoryPage::new(position(0)).body(), empty.as_bytes());
    let mut page = HistoryPage::new(position(42));
    page.event(position(41).offset, "PLAYER_JOIN", "{\"a\":1}", 1_700_000_000_123);
    page.event(position(42).offset, "x\"", "", 0);
    let page: Value = serde_json::from_slice(&page.body()).expect("valid JSON");
    assert_eq!(
        page,
        json!({"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":42,"events":[
            {"offset":41,"event":"PLAYER_JOIN","data":"{\"a\":1}","time":1_700_000_000_123_u64},
            {"offset":42,"event":"x\"","data":"","time":0},
        ]})
    );
    for reason in ResetReason::ALL {
        let gone = HistoryGone { reason, position: position(7) };
        let mut body: Value = serde_json::from_slice(&gone.body()).expect("valid JSON");
        assert!(body["error"].take().is_string());
        assert_eq!(
            body,
            json!({"error":null,"code":"history_gone","reason":reason.name(),
                "epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":7})
        );
    }
    assert_eq!(HistoryGone::CODE.status(), 410);
    let mut out = Vec::new();
    write_position(&mut out, position(9));
    assert_eq!(out, br#"{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":9}"#);
}

proptest! {
    #[test]
    fn any_query_is_read_or_refused(raw in "((since|epoch|term|limit|x)=[^&]{0,12}&?){0,5}") {
        if let Ok(query) = Query::parse(&raw)
            && let Ok(read) = ReadHistory::parse(&query, &Limits::default())
        {
            prop_assert!((1..=1_000).contains(&read.limit) && read.since <= Some(Offset::MAX));
        }
    }
}
