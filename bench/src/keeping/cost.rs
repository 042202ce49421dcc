// SPDX-License-Identifier: MIT OR Apache-2.0
//! What memory costs where nothing need survive: a channel that remembers beside one that does
//! not, on the same server, in turns that are short beside what else the machine does.

use super::rows::{Row, Side};
use super::{Figure, Run, rules};
use crate::load::Load;
use crate::process::Server;
use crate::scenarios::micros;
use crate::traffic::{RoomNames, Rooms};
use crate::trouble::Trouble;
use std::time::Duration;

/// Turns of each side.
const TURNS: u32 = 6;

const IN_FLIGHT: u16 = 8;

/// One side of the comparison.
struct Paid {
    side: Side,
    load: Load,
    cpu: Duration,
    deliveries: u64,
    publishes: u64,
}

pub(crate) fn measure(run: &Run<'_>) -> Result<Vec<Figure>, Trouble> {
    let mut figures = Vec::new();
    for (row, subscribers) in [(Row::Delivery, 1_000), (Row::SmallDelivery, 10)] {
        let place = run.starter.oyez_place("memory", &rules::keeping(rules::KEPT))?;
        let mut server = place.start()?;
        let result = in_turns(&server, run, (row, subscribers));
        figures.extend(result.map_err(|trouble| server.ended().unwrap_or(trouble))?);
    }
    Ok(figures)
}

fn in_turns(
    server: &Server,
    run: &Run<'_>,
    (row, subscribers): (Row, u32),
) -> Result<Vec<Figure>, Trouble> {
    let mut sides = [(Side::Oyez, rules::MEMORY), (Side::Less, RoomNames::PLAIN)];
    if run.swapped() {
        sides.reverse();
    }
    let begin = |(side, names): (Side, RoomNames)| {
        let rooms = Rooms { count: 1, size: subscribers, names };
        let mut load = Load::new(server.address(), rooms, IN_FLIGHT)?;
        load.subscribe(rooms.subscribers())?;
        load.publish_for(run.plan.warm_up())?;
        Ok(Paid { side, load, cpu: Duration::ZERO, deliveries: 0, publishes: 0 })
    };
    let mut all = sides.into_iter().map(begin).collect::<Result<Vec<_>, Trouble>>()?;
    // Each side takes the plan's time, so the two together twice that.
    for _ in 0..TURNS {
        for paid in &mut all {
            let before = server.cpu_time()?;
            let counts = paid.load.publish_for(run.plan.time / TURNS)?;
            paid.cpu += server.cpu_time()?.saturating_sub(before);
            paid.deliveries += counts.deliveries;
            paid.publishes += counts.publishes;
        }
    }
    let mut figures = Vec::new();
    for paid in all {
        let count = if row == Row::Delivery { paid.deliveries } else { paid.publishes };
        figures.push((row, paid.side, micros(paid.cpu) / count.max(1) as f64));
        paid.load.finish()?;
    }
    Ok(figures)
}
