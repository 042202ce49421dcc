// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a remembered event takes of the server's memory: all that a fresh server has grown by,
//! with its channels, the journal's cache, and the buffers that the publishes needed.

use super::rows::{Durability, REMEMBERED_DATA, Row, Side, Spread};
use super::{Figure, Run, rules};
use crate::load::Load;
use crate::process::Server;
use crate::scenarios::SETTLE;
use crate::traffic::{Call, RoomNames, Rooms, Traffic};
use crate::trouble::Trouble;

const CHANNELS: u32 = 1_000;

/// Events that each channel keeps at most, and those that it gets.
const MOST: u32 = 256;
const EACH: u32 = 200;

const IN_FLIGHT: u16 = 64;

pub(crate) fn measure(run: &Run<'_>) -> Result<Vec<Figure>, Trouble> {
    let ways = [(Durability::Memory, rules::MEMORY), (Durability::Disk, rules::DURABLE)];
    let mut figures = Vec::new();
    for (durability, names) in ways {
        let place = run.starter.oyez_place("footprint", &rules::keeping(MOST))?;
        let mut server = place.start()?;
        let bytes = remembered(&server, names);
        let bytes = bytes.map_err(|trouble| server.ended().unwrap_or(trouble))?;
        figures.push((Row::Remembered(durability), Side::Oyez, bytes));
    }
    Ok(figures)
}

fn remembered(server: &Server, names: RoomNames) -> Result<f64, Trouble> {
    std::thread::sleep(SETTLE);
    let before = server.resident()?;
    publish(server, names)?;
    let grown = server.resident()? as f64 - before as f64;
    Ok(grown / f64::from(CHANNELS * EACH))
}

fn publish(server: &Server, names: RoomNames) -> Result<(), Trouble> {
    let rooms = Rooms { count: CHANNELS, size: 0, names };
    let call = Call::Batch(Spread::BATCH);
    let traffic = Traffic { rooms, slots: IN_FLIGHT, call, data: REMEMBERED_DATA };
    let mut load = Load::with(server.address(), traffic)?;
    load.publish_calls(u64::from(CHANNELS * EACH / Spread::BATCH))?;
    load.finish()?;
    std::thread::sleep(SETTLE);
    Ok(())
}
