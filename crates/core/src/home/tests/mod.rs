// SPDX-License-Identifier: MIT OR Apache-2.0
//! What only the inside of a home shows; `tests/histories` has the rest.

mod remembering;

use super::*;
use crate::command::Listener;
use crate::effect::{ListFrom, Wanted};
use crate::key::{AppIndex, KeySpace};
use crate::place::{Ticket, WorkerId};
use crate::rule::CACHE_AGE;
use oyez_protocol::channel::ChannelName;

const WEBHOOK_DELAY: Duration = Duration::from_secs(3);

fn home() -> Home {
    let rules = Rules {
        presence_members: 100,
        webhook_delay: WEBHOOK_DELAY,
        replay_bytes: 1 << 20,
        truth_bytes: 1 << 20,
        memory_bytes: 1 << 30,
        idempotency_keys: 1_000,
        safest: Durability::Off,
        apps: vec![AppRules::default()],
    };
    let terms = vec![Term::random(&mut StdRng::seed_from_u64(1))];
    let time = Timestamp(1_700_000_000_000);
    Home::new(rules, Start { home: WorkerId(0), terms, time, next_row: 0, seed: 1 })
}

#[test]
fn a_cache_channel_that_comes_and_goes_does_not_gather_timers() {
    let mut home = home();
    let name = ChannelName::parse("cache-a", 164).expect("a valid name");
    let key = KeySpace::new(1).key(AppIndex(0), name);
    let place = Place { worker: WorkerId(0), slot: 0, serial: 1 };
    let (mut now, mut effects) = (Millis(0), Vec::new());
    let wait = |home: &mut Home, now: &mut Millis, time: Duration, effects: &mut Vec<Effect>| {
        let until = *now + time;
        while let Some(next) = home.next_tick().filter(|at| *at <= until) {
            home.tick(next, effects);
        }
        *now = until;
    };
    for _ in 0..20 {
        let (member, listener, room) = (None, Listener::default(), Room::Left);
        let subscribe = Command::Subscribe { key: key.clone(), place, member, listener, room };
        home.handle(subscribe, now, &mut effects);
        wait(&mut home, &mut now, CACHE_AGE + Duration::from_secs(60), &mut effects);
        let unsubscribe = Command::Unsubscribe { key: key.clone(), place, user: None };
        home.handle(unsubscribe, now, &mut effects);
        wait(&mut home, &mut now, WEBHOOK_DELAY, &mut effects);
        assert!(!home.channels.contains_key(&key));
        assert!(home.timers.len() <= 1, "{:?}", home.timers);
    }
    wait(&mut home, &mut now, CACHE_AGE, &mut effects);
    assert_eq!(home.timers.len(), 0, "{:?}", home.timers);
}

/// P-068, for a server with so many channels that listing them at once would keep others waiting.
#[test]
fn p068_a_list_in_slices_has_each_channel_that_stays_exactly_once() {
    let (mut home, keys) = (home(), KeySpace::new(1));
    let place = Place { worker: WorkerId(0), slot: 0, serial: 1 };
    let ticket = Ticket { worker: WorkerId(0), call: 0, part: 0 };
    let mut effects = Vec::new();
    let key =
        |name: String| keys.key(AppIndex(0), ChannelName::parse(&name, 164).expect("a valid name"));
    let subscribe = |home: &mut Home, name: String| {
        let (key, listener, room) = (key(name), Listener::default(), Room::Left);
        let command = Command::Subscribe { key, place, member: None, listener, room };
        home.handle(command, Millis(0), &mut Vec::new());
    };
    let unsubscribe = |home: &mut Home, name: String| {
        let command = Command::Unsubscribe { key: key(name), place, user: None };
        home.handle(command, Millis(0), &mut Vec::new());
    };
    let staying = 5_000;
    (0..staying).for_each(|at| subscribe(&mut home, format!("stays-{at}")));
    (0..staying).for_each(|at| subscribe(&mut home, format!("goes-{at}")));
    let (mut from, mut slices, mut listed) = (Some(ListFrom::START), 0, Vec::new());
    while let Some(place) = from {
        let (app, prefix, wanted) = (AppIndex(0), "stays-".to_owned(), Wanted::default());
        let command = Command::List { app, prefix, wanted, from: place, ticket };
        home.handle(command, Millis(0), &mut effects);
        let Some(Effect::Answer(_, Answer::Channels(some, more))) = effects.pop() else {
            panic!("a list is answered");
        };
        assert!(some.len() <= 1_200, "{} channels at once", some.len());
        listed.extend(some.into_iter().map(|(name, _)| name.to_string()));
        // Tables grow and shrink while the list goes on.
        (0..500).for_each(|at| unsubscribe(&mut home, format!("goes-{}", slices * 500 + at)));
        (0..3_000).for_each(|at| subscribe(&mut home, format!("comes-{slices}-{at}")));
        (from, slices) = (more, slices + 1);
    }
    assert!(slices > 5, "{slices}");
    listed.sort_unstable();
    let mut all: Vec<_> = (0..staying).map(|at| format!("stays-{at}")).collect();
    all.sort_unstable();
    assert_eq!(listed, all);
}

#[test]
fn near_the_limit_of_memory_channels_keep_no_history_and_publishes_still_go() {
    const LIMIT: usize = 64 * 1024;
    let mut home = home();
    home.rules.memory_bytes = LIMIT;
    let (keys, mut effects) = (KeySpace::new(1), Vec::new());
    let key = |name: &str| keys.key(AppIndex(0), ChannelName::parse(name, 164).expect("valid"));
    let mut publish = |home: &mut Home, name: &str| {
        let ticket = Ticket { worker: WorkerId(0), call: 0, part: 0 };
        let publish = crate::command::Publish {
            key: key(name),
            event: "e".into(),
            data: "x".repeat(1000),
            exclude: None,
            condition: Default::default(),
            wanted: Wanted::default(),
            room: Room::Left,
            part: None,
            caller: Some(crate::command::Caller { ticket, when: crate::command::When::Durable }),
        };
        home.handle(Command::Publish(Box::new(publish)), Millis(0), &mut effects);
        let answer = effects.drain(..).find_map(|effect| match effect {
            Effect::Answer(_, answer) => Some(answer),
            _ => None,
        });
        matches!(answer, Some(Answer::Channel(_)))
    };
    for _ in 0..1000 {
        assert!(publish(&mut home, "cache-a"), "its history makes room");
        assert!(home.memory_bytes() < LIMIT);
    }
    let taken = (0..100).filter(|n| publish(&mut home, &format!("cache-{n}"))).count();
    assert!(
        (20..60).contains(&taken),
        "what is shown to newcomers is kept, up to the limit: {taken}"
    );
    assert!(home.memory_bytes() <= LIMIT + 2000);
}
