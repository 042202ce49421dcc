// SPDX-License-Identifier: MIT OR Apache-2.0
//! `limits.channels`: an app that has as many channels as it may can use those that exist, and no
//! others; whoever asks for another is told, and nothing is left of the question.

use oyez_core::{
    Answer, AppIndex, AppRules, Caller, ChannelInfo, ChannelKey, Command, Durability, Effect, Home,
    Item, KeySpace, Listener, Millis, Place, Publish, Refused, Room, Rules, Start, Ticket,
    Timestamp, Wanted, When, WorkerId,
};
use oyez_protocol::api::Condition;
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::Term;

const WORKER: WorkerId = WorkerId(0);
const TICKET: Ticket = Ticket { worker: WORKER, call: 1, part: 0 };

struct Asked {
    home: Home,
    keys: KeySpace,
    slot: u32,
}

impl Asked {
    fn new() -> Asked {
        let rules = Rules {
            presence_members: 100,
            webhook_delay: std::time::Duration::ZERO,
            replay_bytes: 1 << 20,
            truth_bytes: 1 << 20,
            memory_bytes: 1 << 30,
            idempotency_keys: 1_000,
            safest: Durability::Off,
            apps: vec![AppRules::default()],
        };
        let terms = vec![Term::parse("term0001").expect("a name")];
        let start = Start { home: WORKER, terms, time: Timestamp(1), next_row: 0, seed: 1 };
        Asked { home: Home::new(rules, start), keys: KeySpace::new(1), slot: 0 }
    }

    fn key(&self, name: &str) -> ChannelKey {
        self.keys.key(AppIndex(0), ChannelName::parse(name, 164).expect("a valid name"))
    }

    fn subscribe(&mut self, name: &str, room: Room) -> Vec<Effect> {
        self.slot += 1;
        let place = Place { worker: WORKER, slot: self.slot, serial: 1 };
        let (key, mut effects) = (self.key(name), Vec::new());
        let listener = Listener::default();
        let command = Command::Subscribe { key, place, member: None, listener, room };
        self.home.handle(command, Millis(0), &mut effects);
        effects
    }

    fn publish(&mut self, name: &str, room: Room) -> Vec<Effect> {
        let (key, mut effects) = (self.key(name), Vec::new());
        let publish = Publish {
            key,
            event: "e".to_owned(),
            data: "d".to_owned(),
            exclude: None,
            condition: Condition::default(),
            wanted: Wanted::default(),
            room,
            part: None,
            caller: Some(Caller { ticket: TICKET, when: When::Durable }),
        };
        self.home.handle(Command::Publish(Box::new(publish)), Millis(0), &mut effects);
        effects
    }
}

fn is_refused(effects: &[Effect]) -> bool {
    matches!(effects, [Effect::Send(WORKER, Item::Refused { .. })])
}

#[test]
fn without_room_only_channels_that_exist_can_be_subscribed_to() {
    let mut asked = Asked::new();
    assert!(is_refused(&asked.subscribe("a", Room::Gone)));
    assert!(!is_refused(&asked.subscribe("a", Room::Left)));
    assert!(!is_refused(&asked.subscribe("a", Room::Gone)));
    assert!(is_refused(&asked.subscribe("b", Room::Gone)));
}

#[test]
fn without_room_a_new_cache_channel_is_not_published_to() {
    let mut asked = Asked::new();
    let none = asked.publish("cache-a", Room::Gone);
    assert!(
        matches!(none[..], [Effect::Answer(TICKET, Answer::Refused(Refused::NoRoom))]),
        "{none:?}"
    );
    assert!(matches!(asked.publish("cache-a", Room::Left)[0], Effect::Opened(_)));
    let done = asked.publish("cache-a", Room::Gone);
    assert!(matches!(&done[..], [Effect::Answer(TICKET, Answer::Channel(_))]), "{done:?}");
}

#[test]
fn without_room_a_channel_that_remembers_nothing_is_published_to_nobody() {
    let mut asked = Asked::new();
    let done = asked.publish("a", Room::Gone);
    let nobody = Answer::Channel(ChannelInfo::default());
    assert!(matches!(&done[..], [Effect::Answer(TICKET, answer)] if *answer == nobody), "{done:?}");
}
