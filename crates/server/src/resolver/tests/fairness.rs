// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many questions at once, and sources that are not as they should be.

use super::backend::{Backend, Reply};
use super::*;

#[tokio::test]
async fn a_source_whose_calls_all_hang_delays_no_other_source() {
    let hanging = Backend::start(|_| Reply::Hang).await;
    let good = Backend::start(|_| Reply::Status(200, "1")).await;
    let mut asking =
        Asking::of(vec![url(hanging.url(), LONG), url(hanging.url(), LONG), url(good.url(), LONG)]);
    for source in [0, 1] {
        for number in 0..1_000 {
            asking.ask(source, &format!("hang-{number}"));
        }
    }
    // Nothing but answers of the good one can come.
    let numbers: Vec<u64> = (0..500).map(|n| asking.ask(2, &format!("good-{n}"))).collect();
    let mut answered = asking.numbers(500).await;
    answered.sort_unstable();
    assert_eq!(answered, numbers);
    let in_flight = [0, 1].map(|source: usize| asking.stats[source].in_flight());
    assert!(in_flight[0] <= 32 && in_flight.iter().sum::<u64>() < 64, "{in_flight:?}");
    assert_eq!(asking.stats[0].waiting() + in_flight[0], 1_000);
}

#[tokio::test]
async fn questions_of_one_source_are_asked_in_their_order_and_no_more_than_may_at_once() {
    let mut backend = Backend::start(|_| Reply::After(Duration::from_millis(1), "1")).await;
    let mut asking = Asking::with(vec![url(backend.url(), LONG)], Bounds { calls: 1, ..BOUNDS });
    let numbers: Vec<u64> = (0..100).map(|number| asking.ask(0, &number.to_string())).collect();
    assert_eq!(asking.numbers(100).await, numbers);
    for number in 0..100 {
        let request = backend.next().await;
        assert_eq!((request.channel(), request.connection), (number.to_string(), 0));
    }
}

#[tokio::test]
async fn calls_that_ran_out_of_time_make_room_for_those_that_wait() {
    let backend = Backend::start(|channel| match channel {
        "hang" => Reply::Hang,
        _ => Reply::Status(200, "1"),
    })
    .await;
    let mut asking = Asking::with(vec![url(backend.url(), SHORT)], Bounds { calls: 4, ..BOUNDS });
    let hanging = [asking.ask(0, "hang"), asking.ask(0, "hang")];
    let good = asking.ask(0, "good");
    let ends = asking.numbers(3).await;
    assert!(ends[..2].iter().all(|number| hanging.contains(number)), "{ends:?}");
    assert_eq!(ends[2], good);
}
