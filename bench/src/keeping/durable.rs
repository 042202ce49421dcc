// SPDX-License-Identifier: MIT OR Apache-2.0
//! Durable publishes: signed calls to channels that keep their events, in turns with the same
//! calls where nothing need survive, and with the raw loop on the same disk.

use super::disk::{Disk, Synced};
use super::rows::{Row, Side, Spread};
use super::telling::Commits;
use super::{Figure, Run, rules};
use crate::load::Load;
use crate::process::Server;
use crate::scenarios::micros;
use crate::stats::percentile;
use crate::traffic::{Call, RoomNames, Rooms, Traffic};
use crate::trouble::Trouble;
use std::time::{Duration, Instant};

/// Bytes of an event's data, and all that the raw loop writes of one.
const DATA: usize = 512;

/// What is measured, with how much in flight.
const SHAPES: [(Spread, u16); 6] = [
    (Spread::Many, 1),
    (Spread::Many, 8),
    (Spread::Many, 64),
    (Spread::Many, 512),
    (Spread::Hot, 64),
    (Spread::Batch, 64),
];

/// Where answers are timed.
const TIMED: [u16; 2] = [1, 64];

pub(crate) fn measure(run: &Run<'_>) -> Result<Vec<Figure>, Trouble> {
    let place = run.starter.oyez_place("durable", &rules::keeping(rules::KEPT))?;
    let mut server = place.start()?;
    let result = shapes(&server, run);
    result.map_err(|trouble| server.ended().unwrap_or(trouble))
}

fn shapes(server: &Server, run: &Run<'_>) -> Result<Vec<Figure>, Trouble> {
    let mut disk = Disk::new(&run.starter.folder)?;
    let mut figures = Vec::new();
    for shape in SHAPES {
        let (spread, flight) = shape;
        let mut raw = Raw::default();
        let mut sides = [(Side::Oyez, rules::DURABLE), (Side::Less, rules::MEMORY)];
        if run.swapped() {
            sides.reverse();
        }
        // Disks have moods: the raw loop takes its turns before and after.
        raw.sync(&mut disk, shape, run.plan.time / 2)?;
        for side in sides {
            figures.extend(publishes(server, run, shape, side)?);
        }
        raw.sync(&mut disk, shape, run.plan.time / 2)?;

        let row = Row::Rate(spread, flight);
        for (side, synced) in [(Side::RawEach, raw.each), (Side::RawTogether, raw.together)] {
            figures.push((row, side, synced.rate()));
            if spread == Spread::Many && TIMED.contains(&flight) {
                figures.extend(answers(flight, side, &synced.into_micros()));
            }
        }
    }
    Ok(figures)
}

/// Both readings of the raw loop.
#[derive(Default)]
struct Raw {
    each: Synced,
    together: Synced,
}

impl Raw {
    fn sync(
        &mut self,
        disk: &mut Disk,
        (spread, flight): (Spread, u16),
        time: Duration,
    ) -> Result<(), Trouble> {
        let events = flight * u16::try_from(call(spread).events()).expect("a batch is small");
        disk.sync((1, DATA), time, &mut self.each)?;
        disk.sync((events, DATA), time, &mut self.together)
    }
}

fn publishes(
    server: &Server,
    run: &Run<'_>,
    (spread, flight): (Spread, u16),
    (side, names): (Side, RoomNames),
) -> Result<Vec<Figure>, Trouble> {
    let count = if spread == Spread::Hot { 1 } else { Spread::CHANNELS };
    let call = call(spread);
    let rooms = Rooms { count, size: 0, names };
    let mut load =
        Load::with(server.address(), Traffic { rooms, slots: flight, call, data: DATA })?;
    load.publish_for(run.plan.warm_up())?;
    let commits = Commits::of(server)?;
    let (cpu, written, begin) = (server.cpu_time()?, server.written()?, Instant::now());
    let (counts, times) = load.time_answers(run.plan.time)?;
    let time = begin.elapsed().as_secs_f64();
    let (cpu, written) = (server.cpu_time()?.saturating_sub(cpu), server.written()? - written);
    let after = Commits::of(server)?;
    load.finish()?;

    let events = (counts.publishes * u64::from(call.events())) as f64;
    let mut figures = vec![
        (Row::Rate(spread, flight), side, events / time),
        (Row::Cpu(spread, flight), side, micros(cpu) / events),
    ];
    if spread == Spread::Many && TIMED.contains(&flight) {
        figures.extend(answers(flight, side, &times));
    }
    if side == Side::Oyez {
        figures.push((Row::Written(spread, flight), side, written as f64 / 1024.0 / events));
        if let (Some(before), Some(after)) = (commits, after)
            && let Some((appends, seconds)) = after.since(before)
        {
            figures.push((Row::CommitSize(spread, flight), side, appends));
            figures.push((Row::CommitTime(spread, flight), side, seconds * 1e3));
        }
    }
    Ok(figures)
}

const fn call(spread: Spread) -> Call {
    match spread {
        Spread::Many | Spread::Hot => Call::Event,
        Spread::Batch => Call::Batch(Spread::BATCH),
    }
}

fn answers(flight: u16, side: Side, micros: &[u32]) -> [Figure; 2] {
    [500, 990].map(|per_mille| {
        let value = f64::from(percentile(micros, per_mille)) / 1_000.0;
        (Row::Answer { flight, per_mille }, side, value)
    })
}
