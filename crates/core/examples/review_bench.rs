//! temp
use oyez_core::*;
use oyez_protocol::api::Condition;
use oyez_protocol::channel::ChannelName;
use oyez_protocol::position::Term;
use std::time::{Duration, Instant};
fn home(replay: Replay, events: usize, durability: Durability) -> (Home, ChannelKey) {
    let written = WrittenRule { pattern: Pattern::new("*"), replay, history: Some(WrittenHistory{events: Some(events), age: None}), durability: Some(durability), truth: None };
    let bounds = Bounds { bytes: 1 << 28, names: 100, safest: durability };
    let rules = Rules { presence_members: 100, webhook_delay: Duration::from_secs(3), replay_bytes: 256*1024, truth_bytes: 1<<20, memory_bytes: 1<<30, idempotency_keys: 1000, safest: durability, apps: vec![AppRules{channels: RuleBook::new(&[written], bounds), ..AppRules::default()}] };
    let start = Start { home: WorkerId(0), terms: vec![Term::parse("term0001").unwrap()], time: Timestamp(1<<40), next_row: 0, seed: 1 };
    let key = KeySpace::new(1).key(AppIndex(0), ChannelName::parse("a", 164).unwrap());
    (Home::new(rules, start), key)
}
fn publish(h: &mut Home, key: &ChannelKey, event: &str) -> usize {
    let mut e = Vec::new();
    let p = Publish { key: key.clone(), event: event.into(), data: "x".repeat(100), exclude: None, condition: Condition::default(), wanted: Wanted::default(), room: Room::Left, part: None, caller: Some(Caller{ticket: Ticket{worker: WorkerId(0), call:1, part:0}, when: When::Durable}) };
    h.handle(Command::Publish(Box::new(p)), Millis(1), &mut e);
    e.len()
}
fn main() {
    for n in [1000usize, 10_000, 40_000] {
        let (mut h, key) = home(Replay::Latest, 256, Durability::Full);
        let t = Instant::now();
        for _ in 0..n { publish(&mut h, &key, "e"); }
        let staged = t.elapsed();
        let t = Instant::now();
        let mut e = Vec::new();
        h.handle(Command::Committed(Mark(n as u64)), Millis(1), &mut e);
        println!("{n} staged on one channel: publish {:.2} us each, commit {:.2} us each", staged.as_secs_f64()*1e6/n as f64, t.elapsed().as_secs_f64()*1e6/n as f64);
    }
    for ring in [256usize, 65_536] {
        let (mut h, key) = home(Replay::Latest, ring, Durability::Off);
        for _ in 0..ring { publish(&mut h, &key, "e"); }
        let t = Instant::now();
        let n = 1000;
        for slot in 0..n {
            let mut e = Vec::new();
            h.handle(Command::Subscribe { key: key.clone(), place: Place{worker: WorkerId(0), slot, serial: 1}, member: None, listener: Listener::default(), room: Room::Left }, Millis(1), &mut e);
        }
        println!("ring {ring}: subscribe {:.2} us each", t.elapsed().as_secs_f64()*1e6/n as f64);
        let t = Instant::now();
        let socket = oyez_protocol::socket_id::SocketId::parse("1.1").unwrap();
        let at = oyez_protocol::position::Offset::new(ring as u64 - 1).unwrap();
        for slot in 0..n {
            let mut e = Vec::new();
            let standing = Standing { cut: at, shown: at, replay: ReplayOf::TheRule, speaks: Speaks::Oyez };
            h.handle(Command::CatchUp { key: key.clone(), place: Place{worker: WorkerId(0), slot, serial: 1}, socket, standing }, Millis(1), &mut e);
        }
        println!("ring {ring}: catch up by one event {:.2} us each", t.elapsed().as_secs_f64()*1e6/n as f64);
        let t = Instant::now();
        let n2 = 20;
        for slot in 0..n2 {
            let mut e = Vec::new();
            let at = oyez_protocol::position::Offset::ZERO;
            let standing = Standing { cut: at, shown: at, replay: ReplayOf::TheRule, speaks: Speaks::Oyez };
            h.handle(Command::CatchUp { key: key.clone(), place: Place{worker: WorkerId(0), slot, serial: 1}, socket, standing }, Millis(1), &mut e);
        }
        println!("ring {ring}: catch up from 0 (one piece of 256 KiB) {:.2} us each", t.elapsed().as_secs_f64()*1e6/n2 as f64);
        let t = Instant::now();
        for _ in 0..n2 {
            let mut e = Vec::new();
            let c = Change { key: key.clone(), what: ChangeOf::Forget("nothing".into()), condition: Condition::default(), ttl: None, exclude: None, wanted: Wanted::default(), room: Room::Left, part: None, caller: None };
            h.handle(Command::Change(Box::new(c)), Millis(1), &mut e);
        }
        println!("ring {ring}: forget nothing {:.2} us each", t.elapsed().as_secs_f64()*1e6/n2 as f64);
    }
    let (mut h, key) = home(Replay::LatestPerEvent, 256, Durability::Off);
    let names: Vec<String> = (0..100).map(|n| format!("event-with-a-name-{n}")).collect();
    for name in &names { publish(&mut h, &key, name); }
    let t = Instant::now();
    for n in 0..20_000 { publish(&mut h, &key, &names[(n * 37) % 100]); }
    println!("latest-per-event, 100 names: publish {:.2} us", t.elapsed().as_secs_f64()*1e6/20_000.0);
    let (mut h, key) = home(Replay::Latest, 256, Durability::Off);
    let t = Instant::now();
    for _ in 0..20_000 { publish(&mut h, &key, "e"); }
    println!("latest: publish {:.2} us", t.elapsed().as_secs_f64()*1e6/20_000.0);
}
