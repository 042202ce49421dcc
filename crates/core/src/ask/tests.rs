// SPDX-License-Identifier: MIT OR Apache-2.0
//! When questions are asked, and whose answer whoever comes waits for.

use super::*;
use rand::SeedableRng;

fn asking() -> (Asking, StdRng) {
    let rule = AskRule {
        whom: 0,
        wait: Duration::from_millis(300),
        confirm: false,
        settle: Duration::from_secs(1),
        refresh: None,
    };
    (Asking::new(rule), StdRng::seed_from_u64(1))
}

/// A source that answers at once, or after a while; a `changed` every so many milliseconds.
fn questions(changed: u64, every: u64, answer: u64) -> (usize, Millis) {
    let (mut asking, mut rng) = asking();
    let (mut asked, mut answers, mut last) = (0, Vec::new(), Millis(0));
    for now in 0..20_000 {
        let mut steps = Vec::new();
        if now % every == 0 && now / every < changed {
            let times = if every == 1 { 3 } else { 1 };
            steps.extend((0..times).map(|_| asking.change(None, Millis(now))));
        }
        if asking.looks_at().is_some_and(|at| at <= Millis(now)) {
            steps.push(asking.look(Audience::Somebody, Millis(now)));
        }
        if let Some((run, _)) = answers.pop_if(|(_, at): &mut (u64, u64)| *at <= now) {
            let answered = asking.answered(run, None, Audience::Somebody, Millis(now), &mut rng);
            steps.push(answered.expect("it counts").1);
        }
        for run in steps.into_iter().filter_map(|step| step.ask) {
            (asked, last) = (asked + 1, Millis(now));
            answers.insert(0, (run, now + answer));
        }
    }
    assert_eq!(asking.knowledge(), Knowledge::Fresh);
    (asked, last)
}

#[test]
fn a_burst_of_a_thousand_changed_costs_two_questions_and_the_one_that_makes_sure() {
    for answer in [0, 1, 5, 50, 300] {
        // Three each millisecond, for a third of a second.
        let (asked, last) = questions(334, 1, answer);
        assert!(asked <= 3, "{asked} questions, each answered after {answer} ms");
        assert!(last >= Millis(1333), "the last one makes sure");
    }
}

#[test]
fn what_changes_now_and_then_is_asked_for_at_once_each_time() {
    assert_eq!(questions(10, 100, 5).0, 11);
    assert_eq!(questions(10, 30, 5).0, 11);
}

#[test]
fn what_never_stops_changing_is_asked_for_once_a_second_at_the_least() {
    let (asked, _) = questions(10_000, 1, 5);
    assert!((11..=13).contains(&asked), "{asked}");
}

#[test]
fn an_answer_to_an_older_question_does_not_count() {
    let (mut asking, mut rng) = asking();
    asking.arrive(Millis(0));
    assert_eq!(asking.answered(7, None, Audience::Somebody, Millis(5), &mut rng), None);
    asking.answered(1, None, Audience::Somebody, Millis(5), &mut rng).expect("it counts");
    assert_eq!(asking.answered(1, None, Audience::Somebody, Millis(5), &mut rng), None);
}

#[test]
fn a_truth_is_counted_as_stale_from_a_change_or_a_failure_until_an_answer() {
    let (mut asking, mut rng) = asking();
    let mut stale = 7;
    let mut counted = |asking: &mut Asking| {
        asking.count(&mut stale);
        stale - 7
    };
    assert_eq!(counted(&mut asking), 0, "nobody wanted it yet");
    let run = asking.arrive(Millis(0)).ask.expect("it asks");
    asking.failed(run, Audience::Nobody, Millis(1), &mut rng).expect("it counts");
    assert_eq!([counted(&mut asking), counted(&mut asking)], [1, 1]);
    let run = asking.arrive(Millis(21)).ask.expect("it asks");
    asking.answered(run, None, Audience::Somebody, Millis(22), &mut rng).expect("it counts");
    assert_eq!(counted(&mut asking), 0);
    asking.change(None, Millis(23));
    assert_eq!(counted(&mut asking), 1);
    asking.count_out(&mut stale);
    assert_eq!(stale, 7);
}

#[test]
fn a_version_that_lags_behind_is_asked_for_again() {
    let (mut asking, mut rng) = asking();
    asking.change(Some(7), Millis(0));
    let (worth, step) =
        asking.answered(1, Some(6), Audience::Somebody, Millis(5), &mut rng).expect("counts");
    assert_eq!(worth, Worth::TooOld);
    let at = step.look_at.expect("it pauses");
    assert_eq!(asking.look(Audience::Somebody, at).ask, Some(2));
    let (worth, _) =
        asking.answered(2, Some(7), Audience::Somebody, at, &mut rng).expect("it counts");
    assert_eq!((worth, asking.knowledge()), (Worth::New, Knowledge::Fresh));
}

#[test]
fn failures_are_repeated_with_growing_pauses_while_anybody_listens() {
    let (mut asking, mut rng) = asking();
    let mut now = Millis(0);
    let mut step = asking.arrive(now);
    for nth in 0..12 {
        let run = step.ask.expect("it asks");
        step = asking.failed(run, Audience::Somebody, now, &mut rng).expect("it counts");
        let at = step.look_at.expect("it pauses");
        let longest = FIRST_PAUSE.saturating_mul(1 << nth).min(LONGEST_PAUSE);
        assert!(at.since(now) <= longest && at.since(now) * 2 >= longest - FIRST_PAUSE / 50);
        now = at;
        step = asking.look(Audience::Somebody, now);
    }
    let run = step.ask.expect("it asks");
    let step = asking.failed(run, Audience::Nobody, now, &mut rng).expect("it counts");
    assert_eq!(step, Step::default(), "nobody listens: whoever comes next asks");
    assert!(asking.arrive(now + GAP).ask.is_some());
}

/// Whoever comes, and the question that is asked for it at once, if one is.
fn comes(asking: &mut Asking, now: u64) -> (u64, Option<u64>) {
    let (run, step) = asking.receive(Millis(now));
    (run, step.ask)
}

#[test]
fn whoever_comes_waits_for_the_first_question_that_knows_of_the_last_changed() {
    let (mut asking, mut rng) = asking();
    assert_eq!(comes(&mut asking, 0), (1, Some(1)), "nothing is known");
    assert_eq!(comes(&mut asking, 1), (1, None), "that question will do");
    asking.change(None, Millis(2));
    assert_eq!(comes(&mut asking, 3), (2, None), "it began before the change");
    assert_eq!(asking.last_answered(), 0);
    let (_, step) =
        asking.answered(1, None, Audience::Somebody, Millis(4), &mut rng).expect("it counts");
    assert_eq!((asking.last_answered(), step.look_at), (1, Some(Millis(0) + GAP)));
    assert_eq!(asking.look(Audience::Somebody, Millis(20)).ask, Some(2));
    asking.answered(2, None, Audience::Somebody, Millis(21), &mut rng).expect("it counts");
    assert_eq!((comes(&mut asking, 22), asking.last_answered()), ((2, None), 2), "it is known");
}

#[test]
fn where_each_subscription_is_confirmed_the_question_begins_after_it_came() {
    let (mut asking, mut rng) = asking();
    asking.rule.confirm = true;
    assert_eq!(comes(&mut asking, 0), (1, Some(1)));
    assert_eq!([comes(&mut asking, 1), comes(&mut asking, 2)], [(2, None), (2, None)]);
    let (_, step) =
        asking.answered(1, None, Audience::Somebody, Millis(30), &mut rng).expect("it counts");
    assert_eq!((step.ask, asking.knowledge()), (Some(2), Knowledge::Fresh), "nothing changed");
    asking.answered(2, None, Audience::Somebody, Millis(31), &mut rng).expect("it counts");
    // What is known is not enough for the next one, and two do not ask twice.
    assert_eq!([comes(&mut asking, 32), comes(&mut asking, 33)], [(3, None), (3, None)]);
    assert_eq!(asking.looks_at(), Some(Millis(30) + GAP));
    assert_eq!(asking.look(Audience::Somebody, Millis(50)).ask, Some(3));
}

#[test]
fn whoever_comes_in_a_burst_of_changed_does_not_wait_for_its_end() {
    let (mut asking, mut rng) = asking();
    comes(&mut asking, 0);
    asking.answered(1, None, Audience::Somebody, Millis(1), &mut rng).expect("it counts");
    for now in 2..200 {
        asking.change(None, Millis(now));
        if let Some(run) = asking.look(Audience::Somebody, Millis(now)).ask {
            asking.answered(run, None, Audience::Somebody, Millis(now), &mut rng).expect("counts");
        }
    }
    let before = asking.last_answered();
    assert!(before <= 4, "{before} questions in a burst");
    let (run, ask) = comes(&mut asking, 200);
    assert_eq!((run, ask), (before + 1, Some(before + 1)));
}

#[test]
fn whoever_comes_while_a_failure_is_got_over_waits_for_the_next_question() {
    let (mut asking, mut rng) = asking();
    comes(&mut asking, 0);
    let step = asking.failed(1, Audience::Somebody, Millis(5), &mut rng).expect("it counts");
    assert_eq!(comes(&mut asking, 6), (2, None));
    assert_eq!(asking.look(Audience::Somebody, step.look_at.expect("it pauses")).ask, Some(2));
}
