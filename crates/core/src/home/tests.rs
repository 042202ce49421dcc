// SPDX-License-Identifier: MIT OR Apache-2.0
//! What only the inside of a home shows; `tests/histories` has the rest.

use super::*;
use crate::key::{AppIndex, KeySpace};
use crate::place::WorkerId;
use oyez_protocol::channel::ChannelName;

const WEBHOOK_DELAY: Duration = Duration::from_secs(3);

fn home() -> Home {
    let apps = vec![AppRules::default()];
    Home::new(Rules { presence_members: 100, webhook_delay: WEBHOOK_DELAY, apps }, 1)
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
        let subscribe =
            Command::Subscribe { key: key.clone(), place, member: None, room: Room::Left };
        home.handle(subscribe, now, &mut effects);
        wait(&mut home, &mut now, CACHE_AGE + Duration::from_secs(60), &mut effects);
        let unsubscribe = Command::Unsubscribe { key: key.clone(), place, user: None };
        home.handle(unsubscribe, now, &mut effects);
        wait(&mut home, &mut now, WEBHOOK_DELAY, &mut effects);
        assert!(home.channels.is_empty());
        assert!(home.timers.len() <= 1, "{:?}", home.timers);
    }
    wait(&mut home, &mut now, CACHE_AGE, &mut effects);
    assert_eq!(home.timers.len(), 0, "{:?}", home.timers);
}
