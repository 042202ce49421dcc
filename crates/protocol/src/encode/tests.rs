// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;
use serde_json::{Value, json};

use crate::position::{Epoch, Position, Term};
use crate::socket_id::SocketId;
use crate::user::Member;

fn payload(frame: &Frame) -> Value {
    let bytes = frame.bytes();
    assert_eq!(bytes[0], 0x81);
    let start = match bytes[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    serde_json::from_slice(&bytes[start..]).expect("valid JSON")
}

/// What stands in the frame's `data` string, byte for byte.
fn data(frame: &Frame) -> String {
    payload(frame)["data"].as_str().expect("a string").to_owned()
}

fn at(number: u64) -> Offset {
    Offset::new(number).expect("below 2^53")
}

fn position(offset: u64) -> Position {
    let epoch = Epoch::parse("k3Vd9Qw2").expect("of our form");
    Position { epoch, term: Term::parse("a81xR0pe").expect("of our form"), offset: at(offset) }
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name, 200).expect("a valid name")
}

#[test]
fn p011_data_arrives_byte_for_byte_at_every_length() {
    let odd = "\u{0}\u{1}\"\\/\u{7f}\u{2028}é😀\r\n\t";
    for length in [0, 1, 60, 61, 62, 63, 100, 125, 126, 127, 1000, 65_400, 65_535, 70_000] {
        let data = odd.chars().cycle().take(length).collect::<String>();
        let frame = Frame::event(&channel("a"), "e", &data, Extras::default());
        assert_eq!(payload(&frame), json!({"event":"e","channel":"a","data":data}));
    }
}

#[test]
fn p001_the_first_frame_has_its_data_as_a_string() {
    let id = SocketId::random();
    let value = payload(&Frame::connection_established(id, 120));
    let data: Value = serde_json::from_str(value["data"].as_str().expect("a string")).unwrap();
    assert_eq!(data, json!({"socket_id": id.to_string(), "activity_timeout": 120}));
}

#[test]
fn p029_members_are_ids_hash_and_count() {
    let members = [
        Member { user_id: UserId::of("1"), user_info: Some(r#"{"name":"A"}"#.into()) },
        Member { user_id: UserId::of("2"), user_info: None },
    ];
    let cut = CutPosition::new(position(4), 1);
    let frame = Frame::presence_succeeded(&channel("presence-a"), members.iter(), Some(cut));
    let data: Value = serde_json::from_str(payload(&frame)["data"].as_str().unwrap()).unwrap();
    assert_eq!(
        data["presence"],
        json!({"ids":["1","2"],"hash":{"1":{"name":"A"},"2":null},"count":2})
    );
    assert_eq!(
        data["oyez"],
        json!({"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":4,"resumed":false,"replay":1})
    );
}

#[test]
fn p058_only_the_lists_that_hold_somebody_are_sent() {
    let frame = Frame::watchlist_events(&[UserId::of("a\"")], &[]).expect("somebody");
    let data: Value = serde_json::from_str(payload(&frame)["data"].as_str().unwrap()).unwrap();
    assert_eq!(data, json!({"events":[{"name":"online","user_ids":["a\""]}]}));
    assert_eq!(Frame::watchlist_events(&[], &[]), None);
}

#[test]
fn t001_a_plain_client_is_told_its_cut_as_the_contract_writes_it() {
    let cut = Some(CutPosition::new(position(41), 1));
    let frame = Frame::subscription_succeeded(&channel("LOBBY_7"), cut);
    assert_eq!(
        data(&frame),
        r#"{"oyez":{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":41,"resumed":false,"replay":1}}"#
    );
    assert_eq!(data(&Frame::subscription_succeeded(&channel("LOBBY_7"), None)), "{}");
}

#[test]
fn t012_an_aware_client_is_told_what_it_asked_for() {
    let cut = CutPosition::new(position(41), 3);
    let resumed = CutPosition { resumed: Resumed::Yes, generation: Some(7), ..cut };
    let frame = Frame::subscription_succeeded(&channel("a"), Some(resumed));
    assert_eq!(
        data(&frame),
        r#"{"oyez":{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":41,"resumed":true,"replay":3,"gen":7}}"#
    );
    let anew = CutPosition {
        generation: Some(0),
        reason: Some(ResetReason::Trimmed),
        version: Some(at(40)),
        ..cut
    };
    let frame = Frame::subscription_succeeded(&channel("a"), Some(anew));
    assert_eq!(
        data(&frame),
        r#"{"oyez":{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":41,"resumed":false,"replay":3,"gen":0,"reason":"trimmed","version":40}}"#
    );
}

#[test]
fn t013_frames_that_move_a_position_have_their_data_as_a_string() {
    let room = channel("LOBBY_7");
    for (frame, event, expected) in [
        (Frame::skip(&room, at(42), at(42)), "oyez:skip", r#"{"offset":42}"#),
        (Frame::skip(&room, at(40), at(42)), "oyez:skip", r#"{"offset":42,"from":40}"#),
        (Frame::forget(&room, at(43), None), "oyez:forget", r#"{"offset":43}"#),
        (
            Frame::forget(&room, at(43), Some("A\"B")),
            "oyez:forget",
            r#"{"offset":43,"event":"A\"B"}"#,
        ),
        (
            Frame::reset(&room, position(44), 2, ResetReason::Slow, None),
            "oyez:reset",
            r#"{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":44,"resumed":false,"replay":2,"reason":"slow"}"#,
        ),
        (
            Frame::reset(&room, position(44), 1, ResetReason::Resync, Some(at(9))),
            "oyez:reset",
            r#"{"epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":44,"resumed":false,"replay":1,"reason":"resync","version":9}"#,
        ),
        (
            Frame::term(&room, position(0).term, at(45)),
            "oyez:term",
            r#"{"term":"a81xR0pe","offset":45}"#,
        ),
        (Frame::mark(&room, Offset::ZERO, None), "oyez:mark", r#"{"offset":0}"#),
        (
            Frame::mark(&room, Offset::MAX, Some(Checksum(0xff))),
            "oyez:mark",
            r#"{"offset":9007199254740991,"sum":"000000ff"}"#,
        ),
    ] {
        assert_eq!(
            payload(&frame),
            json!({"event": event, "channel": "LOBBY_7", "data": expected})
        );
    }
}

#[test]
fn t027_a_truth_says_so_and_a_delta_says_what_it_applies_to() {
    let whole = Extras { offset: Some(at(42)), truth: Some(TruthEvent), ..Extras::default() };
    let frame = Frame::event(&channel("a"), "GAME_STATE", "{}", whole);
    assert_eq!(
        payload(&frame),
        json!({"event":"GAME_STATE","channel":"a","data":"{}","offset":42,"truth":true})
    );
    let delta = DeltaInfo { kind: DeltaKind::Merge, from: at(41), sum: Some(Checksum(0xa1b2c3d)) };
    let frame = Frame::event(&channel("a"), "e", "{}", Extras { delta: Some(delta), ..whole });
    assert_eq!(payload(&frame)["delta"], json!({"type":"merge","from":41,"sum":"0a1b2c3d"}));
    let patch = DeltaInfo { kind: DeltaKind::Patch, sum: None, ..delta };
    let extras = Extras { delta: Some(patch), replayed: Some(Replayed), ..whole };
    let frame = Frame::event(&channel("a"), "e", "[]", extras);
    assert_eq!(
        payload(&frame),
        json!({"event":"e","channel":"a","data":"[]","offset":42,"replayed":true,"truth":true,
            "delta":{"type":"patch","from":41}})
    );
}

#[test]
fn reasons_have_names_of_their_own() {
    let names: std::collections::HashSet<_> = ResetReason::ALL.map(ResetReason::name).into();
    assert_eq!(names.len(), ResetReason::ALL.len());
}
