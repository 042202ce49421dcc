// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Line`]: who is called next. Sources take turns; the questions of one source are asked in the
//! order in which they came.
//!
//! **Why one source cannot starve another.** A source gets another call only while it has fewer in
//! flight than are free. Alone it takes half of them, the next one half of the rest, and so on:
//! however many hang, one that asks little finds a call free, or gets the first that ends.

use std::collections::VecDeque;

use super::SourceIndex;

/// What waits and what is in flight. Owned by the resolver's thread.
#[derive(Debug)]
pub(super) struct Line<T> {
    lanes: Vec<Lane<T>>,
    /// Each source that has something waiting, once; the first has its turn next.
    turns: VecDeque<SourceIndex>,
    free: usize,
}

#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<T>,
    in_flight: usize,
}

impl<T> Line<T> {
    /// A line for so many sources, and so many calls at a time.
    pub(super) fn new(sources: usize, calls: usize) -> Line<T> {
        let lane = || Lane { waiting: VecDeque::new(), in_flight: 0 };
        Line {
            lanes: std::iter::repeat_with(lane).take(sources).collect(),
            turns: VecDeque::new(),
            free: calls.max(1),
        }
    }

    /// Puts a question at the end of its source's lane.
    pub(super) fn push(&mut self, source: SourceIndex, question: T) {
        let lane = &mut self.lanes[source.0 as usize];
        if lane.waiting.is_empty() {
            self.turns.push_back(source);
        }
        lane.waiting.push_back(question);
    }

    /// The next question that may be asked. It is in flight until [`Line::leave`].
    pub(super) fn admit(&mut self) -> Option<(SourceIndex, T)> {
        for _ in 0..self.turns.len() {
            let source = self.turns.pop_front()?;
            let lane = &mut self.lanes[source.0 as usize];
            if lane.in_flight >= self.free {
                self.turns.push_back(source);
                continue;
            }
            let question = lane.waiting.pop_front().expect("who has a turn has a question");
            if !lane.waiting.is_empty() {
                self.turns.push_back(source);
            }
            lane.in_flight += 1;
            self.free -= 1;
            return Some((source, question));
        }
        None
    }

    /// A call to that source has ended.
    pub(super) fn leave(&mut self, source: SourceIndex) {
        self.lanes[source.0 as usize].in_flight -= 1;
        self.free += 1;
    }

    /// Questions of that source that wait.
    pub(super) fn waiting(&self, source: SourceIndex) -> usize {
        self.lanes[source.0 as usize].waiting.len()
    }

    /// Calls to that source in flight.
    pub(super) fn in_flight(&self, source: SourceIndex) -> usize {
        self.lanes[source.0 as usize].in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SourceIndex = SourceIndex(0);
    const B: SourceIndex = SourceIndex(1);

    fn fill(line: &mut Line<usize>, source: SourceIndex, count: usize) {
        (0..count).for_each(|number| line.push(source, number));
    }

    fn admitted(line: &mut Line<usize>) -> Vec<(SourceIndex, usize)> {
        std::iter::from_fn(|| line.admit()).collect()
    }

    #[test]
    fn one_source_gets_half_in_its_order() {
        for (calls, half) in [(1, 1), (2, 1), (3, 2), (64, 32)] {
            let mut line = Line::new(1, calls);
            fill(&mut line, A, 100);
            let expected: Vec<_> = (0..half).map(|number| (A, number)).collect();
            assert_eq!(admitted(&mut line), expected);
            line.leave(A);
            assert_eq!(admitted(&mut line), [(A, half)]);
            assert_eq!((line.in_flight(A), line.waiting(A)), (half, 99 - half));
        }
    }

    #[test]
    fn sources_take_turns() {
        let mut line = Line::new(2, 64);
        fill(&mut line, A, 3);
        fill(&mut line, B, 2);
        assert_eq!(admitted(&mut line), [(A, 0), (B, 0), (A, 1), (B, 1), (A, 2)]);
    }

    #[test]
    fn a_source_finds_a_call_free_however_many_others_hang() {
        const CALLS: usize = 64;
        for hanging in 1..7 {
            let good = SourceIndex(hanging);
            let mut line = Line::new(hanging as usize + 1, CALLS);
            for source in 0..hanging {
                fill(&mut line, SourceIndex(source), 1_000);
                assert!(!admitted(&mut line).is_empty());
            }
            fill(&mut line, good, 1);
            assert_eq!(admitted(&mut line), [(good, 0)], "beside {hanging}");
        }
    }

    #[test]
    fn a_source_that_found_none_free_gets_the_first_that_ends() {
        let mut line = Line::new(4, 4);
        for source in 0..3 {
            fill(&mut line, SourceIndex(source), 1_000);
            admitted(&mut line);
        }
        let last = SourceIndex(3);
        fill(&mut line, last, 2);
        assert_eq!(line.in_flight(A), 2);
        assert!(admitted(&mut line).is_empty());
        line.leave(A);
        assert_eq!(admitted(&mut line), [(last, 0)]);
        line.leave(last);
        assert_eq!(admitted(&mut line), [(last, 1)]);
    }
}
