// SPDX-License-Identifier: MIT OR Apache-2.0
//! A thousand clients that know Oyez come back after `kill -9`: once with nothing missed, once
//! with fifty events missed each. Every client checks that it may resume and that what follows is
//! exactly what it missed, in order.

use super::crowd::Crowd;
use super::rows::{MISSED, Row, Sharing, Side, Spread};
use super::telling::wait_until_up;
use super::{Figure, Run, rules};
use crate::load::Load;
use crate::process::Server;
use crate::scenarios::micros;
use crate::subscribers::Hears;
use crate::targets::Place;
use crate::traffic::{Call, Rooms, Traffic};
use crate::trouble::Trouble;
use crate::wire::find;
use std::time::Instant;

const CLIENTS: u32 = 1_000;

/// Bytes of an event's data.
const DATA: usize = 200;

/// Calls in flight while the events that will have been missed are published.
const IN_FLIGHT: u16 = 64;

pub(crate) fn measure(run: &Run<'_>) -> Result<Vec<Figure>, Trouble> {
    let mut figures = Vec::new();
    for sharing in [Sharing::Own, Sharing::Ten, Sharing::One] {
        figures.extend(shared(run, sharing)?);
    }
    Ok(figures)
}

fn shared(run: &Run<'_>, sharing: Sharing) -> Result<Vec<Figure>, Trouble> {
    let each = sharing.clients(CLIENTS);
    let rooms = Rooms { count: CLIENTS / each, size: 0, names: rules::DURABLE };
    let place = run.starter.oyez_place("resume", &rules::keeping(rules::KEPT))?;

    let mut server = place.start()?;
    // Full, so that the journal is as long whichever comes first.
    publish(&server, rooms, rules::KEPT)?;
    let mut clients = Clients::new(CLIENTS);
    let mut figures = Vec::new();
    // Whether with something missed or nothing: both come back to a server that has just been
    // killed and started, so both find it equally cold.
    let mut missed = [0, MISSED];
    if run.swapped() {
        missed.reverse();
    }
    come(&server, each, &mut clients, 0)?;
    for missed in missed {
        publish(&server, rooms, missed)?;
        let restarted = restart(&mut server, &place)?;
        let cpu = server.cpu_time()?;
        let begin = Instant::now();
        come(&server, each, &mut clients, missed)?;
        let took = micros(begin.elapsed()) / 1e3;
        let cpu = micros(server.cpu_time()?.saturating_sub(cpu)) / 1e3;
        let side = if missed == 0 { Side::Less } else { Side::Oyez };
        figures.push((Row::Converged(sharing, CLIENTS), side, took));
        figures.push((Row::ConvergedCpu(sharing, CLIENTS), side, cpu));
        if missed > 0 {
            figures.push((Row::Restart(sharing), side, restarted));
        }
    }
    Ok(figures)
}

/// `kill -9`, and a start on the same folder; the milliseconds from that start to an answer.
fn restart(server: &mut Server, place: &Place) -> Result<f64, Trouble> {
    server.kill();
    let begin = Instant::now();
    *server = place.start()?;
    wait_until_up(server)?;
    Ok(micros(begin.elapsed()) / 1e3)
}

/// So many events for each room.
fn publish(server: &Server, rooms: Rooms, each: u32) -> Result<(), Trouble> {
    if each == 0 {
        return Ok(());
    }
    let events = rooms.count * each;
    let call = if events.is_multiple_of(Spread::BATCH) && rooms.count >= Spread::BATCH {
        Call::Batch(Spread::BATCH)
    } else {
        Call::Event
    };
    let traffic = Traffic { rooms, slots: IN_FLIGHT, call, data: DATA };
    let mut load = Load::with(server.address(), traffic)?;
    load.publish_calls(u64::from(events / call.events()))?;
    load.finish()
}

/// All clients come, get what they missed, and go.
fn come(server: &Server, each: u32, clients: &mut Clients, missed: u32) -> Result<(), Trouble> {
    clients.converged = 0;
    clients.missed = missed;
    let all = std::mem::take(clients);
    let mut crowd = Crowd::new(server.address(), rules::DURABLE, all)?;
    crowd.come(CLIENTS, each, |clients| clients.converged == CLIENTS)?;
    *clients = crowd.hears;
    Ok(())
}

/// What the clients know, and what they are owed.
#[derive(Default)]
struct Clients {
    positions: Vec<Option<Position>>,
    missed: u32,
    converged: u32,
}

/// Where a client is in its channel's log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    epoch: String,
    term: String,
    offset: u32,
    /// The last one that it is to get now.
    target: u32,
}

impl Clients {
    fn new(count: u32) -> Self {
        Self { positions: vec![None; count as usize], missed: 0, converged: 0 }
    }
}

impl Hears for Clients {
    fn also_says(&self, subscriber: usize) -> String {
        let aware = r#","oyez":{"v":1}"#;
        match &self.positions[subscriber] {
            None => aware.to_owned(),
            Some(Position { epoch, term, offset, .. }) => format!(
                r#"{aware},"resume":{{"epoch":"{epoch}","term":"{term}","offset":{offset}}}"#
            ),
        }
    }

    fn subscribed(&mut self, subscriber: usize, message: &[u8]) -> Result<(), Trouble> {
        let wrong = || Trouble::unexpected(format!("client {subscriber}"), message);
        let (epoch, term, cut) = position(message).ok_or_else(wrong)?;
        let place = &mut self.positions[subscriber];
        let offset = match place {
            None => cut,
            Some(former) => {
                let resumed = find(message, br#"\"resumed\":true"#).is_some();
                if !resumed || former.offset + self.missed != cut || former.epoch != epoch {
                    return Err(wrong());
                }
                former.offset
            }
        };
        *place = Some(Position { epoch, term, offset, target: cut });
        if offset == cut {
            self.converged += 1;
        }
        Ok(())
    }

    fn event(
        &mut self,
        subscriber: usize,
        _room: u32,
        message: &[u8],
        _now: Instant,
    ) -> Result<bool, Trouble> {
        let Some(offset) = number_after(message, br#","offset":"#) else { return Ok(false) };
        let place = self.positions[subscriber].as_mut().filter(|at| at.offset + 1 == offset);
        let Some(place) = place.filter(|at| offset <= at.target) else {
            return Err(Trouble::unexpected(format!("client {subscriber}"), message));
        };
        place.offset = offset;
        if offset == place.target {
            self.converged += 1;
        }
        Ok(true)
    }
}

/// Epoch, term and offset of an acknowledgement, whose data is JSON within a JSON string.
fn position(message: &[u8]) -> Option<(String, String, u32)> {
    let text = |key: &[u8]| {
        let rest = &message[find(message, key)? + key.len()..];
        let end = rest.iter().position(|byte| *byte == b'\\')?;
        String::from_utf8(rest[..end].to_vec()).ok()
    };
    let offset = number_after(message, br#"\"offset\":"#)?;
    Some((text(br#"\"epoch\":\""#)?, text(br#"\"term\":\""#)?, offset))
}

fn number_after(message: &[u8], key: &[u8]) -> Option<u32> {
    let rest = &message[find(message, key)? + key.len()..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACKNOWLEDGEMENT: &[u8] = br#"{"event":"pusher_internal:subscription_succeeded","channel":"durable-1","data":"{\"oyez\":{\"epoch\":\"k3Vd9Qw2\",\"term\":\"a81xR0pe\",\"offset\":41,\"resumed\":true,\"replay\":2}}"}"#;

    fn event(offset: u32) -> Vec<u8> {
        let text = r#"{"event":"bench","channel":"durable-1","data":"x","offset":"#;
        format!("{text}{offset},\"replayed\":true}}").into_bytes()
    }

    #[test]
    fn a_client_has_converged_when_it_has_exactly_what_it_missed_in_order() {
        let at = Position { epoch: "k3Vd9Qw2".into(), term: "old".into(), offset: 39, target: 39 };
        let mut clients = Clients { positions: vec![Some(at)], missed: 2, converged: 0 };
        clients.subscribed(0, ACKNOWLEDGEMENT).unwrap();
        let now = Instant::now();
        assert!(clients.event(0, 0, &event(41), now).is_err(), "a hole");
        assert!(clients.event(0, 0, &event(40), now).unwrap());
        assert_eq!(clients.converged, 0);
        assert!(clients.event(0, 0, &event(41), now).unwrap());
        assert_eq!(clients.converged, 1);
        assert!(clients.event(0, 0, &event(42), now).is_err(), "more than it missed");
        let says = clients.also_says(0);
        assert!(says.contains(r#""epoch":"k3Vd9Qw2","term":"a81xR0pe","offset":41"#), "{says}");
    }

    #[test]
    fn a_client_that_may_not_resume_is_trouble() {
        let at = |offset| Position {
            epoch: "k3Vd9Qw2".into(),
            term: String::new(),
            offset,
            target: offset,
        };
        let mut clients = Clients { positions: vec![Some(at(40))], missed: 2, converged: 0 };
        assert!(clients.subscribed(0, ACKNOWLEDGEMENT).is_err(), "another number was missed");
        let refused = String::from_utf8(ACKNOWLEDGEMENT.to_vec()).unwrap();
        let refused = refused.replace("true", "false");
        let mut clients = Clients { positions: vec![Some(at(39))], missed: 2, converged: 0 };
        assert!(clients.subscribed(0, refused.as_bytes()).is_err(), "not resumed");
    }
}
