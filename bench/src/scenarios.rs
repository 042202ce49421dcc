// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scenarios: for each group of rows, what is done to a server and what is read off it. Every
//! repetition has a fresh server, warmed up before anything is read, and CPU is read only while no
//! publish is open, so that what was paid for is exactly what was delivered.

use crate::load::Load;
use crate::metric::Metric;
use crate::process::Server;
use crate::stats::percentile;
use crate::targets::{Starter, Target};
use crate::traffic::Rooms;
use crate::trouble::Trouble;
use std::time::{Duration, Instant};

/// Publishes per second of the latency scenario.
pub(crate) const FIXED_RATE: u32 = 50;

/// Publishes that may be open at once at a fixed rate before the next one has to wait.
const FIXED_RATE_SLOTS: u16 = 32;

/// Connections of the connect scenario.
const CONNECTS: u32 = 2_000;

/// Connections of the idle measurement in rooms of five.
const IN_ROOMS: u32 = 5_000;

/// What a server gets to come to rest before its memory is read.
pub(crate) const SETTLE: Duration = Duration::from_secs(1);

/// Files that generator and server need beside their subscribers.
const OTHER_FILES: u64 = 200;

/// A group of rows that is measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// 1,000 subscribers of one channel, 8 publishes in flight.
    Fanout8,
    /// The same with 1 in flight.
    Fanout1,
    /// 10 subscribers, 8 in flight.
    Small8,
    /// 1,000 rooms of 5 subscribers, 8 in flight.
    Rooms8,
    /// Connect and subscribe.
    Connect,
    /// Latency at a fixed load.
    Latency,
    /// Memory: empty, with idle connections, and after they have gone.
    Idle,
}

/// How long and how often.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Repetitions of everything but memory.
    pub(crate) repeats: u32,
    /// Time of one throughput measurement.
    pub(crate) time: Duration,
    /// Numbers of idle connections at which memory is read, rising.
    pub(crate) idle: Vec<u32>,
    /// How long after a storm memory is read.
    pub(crate) calm: Duration,
}

impl Plan {
    /// The whole run: under six minutes without rivals.
    pub(crate) fn whole(files: u64) -> Self {
        let fits = |connections: &u32| u64::from(*connections) + OTHER_FILES <= files;
        Self {
            repeats: 5,
            time: Duration::from_millis(1_500),
            idle: [1_000, 5_000, 15_000, 19_000].into_iter().filter(fits).collect(),
            calm: Duration::from_secs(60),
        }
    }

    /// About a minute: to see whether a change did anything.
    pub(crate) fn quick(files: u64) -> Self {
        let mut plan = Self::whole(files);
        plan.idle.truncate(2);
        Self { repeats: 2, time: Duration::from_millis(600), calm: Duration::from_secs(10), ..plan }
    }

    /// How long a server is driven before anything is read.
    pub(crate) fn warm_up(&self) -> Duration {
        self.time / 4
    }
}

/// One figure of one repetition.
pub(crate) type Figure = (Metric, f64);

impl Scenario {
    /// Measures `target` once.
    pub(crate) fn measure(
        self,
        starter: &Starter,
        target: Target,
        plan: &Plan,
    ) -> Result<Vec<Figure>, Trouble> {
        let mut server = starter.start(target)?;
        let result = match self {
            Self::Fanout8 => throughput(&server, plan, Metric::Fanout8, (1, 1_000), 8),
            Self::Fanout1 => throughput(&server, plan, Metric::Fanout1, (1, 1_000), 1),
            Self::Small8 => throughput(&server, plan, Metric::Small8, (1, 10), 8),
            Self::Rooms8 => throughput(&server, plan, Metric::Rooms8, (1_000, 5), 8),
            Self::Connect => connects(&server),
            Self::Latency => latency(&server, plan),
            Self::Idle => rooms_of_five(&server),
        };
        result.map_err(|trouble| server.ended().unwrap_or(trouble))
    }
}

/// Server CPU per delivery or per publish, as the metric wants it.
fn throughput(
    server: &Server,
    plan: &Plan,
    metric: Metric,
    (count, size): (u32, u32),
    slots: u16,
) -> Result<Vec<Figure>, Trouble> {
    let rooms = Rooms::plain(count, size);
    let mut load = Load::new(server.address(), rooms, slots)?;
    load.subscribe(rooms.subscribers())?;
    load.publish_for(plan.warm_up())?;
    let begin = Instant::now();
    let (before, ours) = (server.cpu_time()?, load.cpu_time()?);
    let counts = load.publish_for(plan.time)?;
    let spent = server.cpu_time()?.saturating_sub(before);
    let ours = load.cpu_time()?.saturating_sub(ours);
    let time = begin.elapsed().as_secs_f64();
    load.finish()?;
    let paid = match metric {
        Metric::Fanout8 | Metric::Fanout1 => counts.deliveries,
        _ => counts.publishes,
    };
    let mut figures = vec![(metric, micros(spent) / paid.max(1) as f64)];
    if metric == Metric::Fanout8 {
        figures.push((Metric::Rate8, counts.deliveries as f64 / time / 1_000.0));
        figures.push((Metric::Generator8, 100.0 * ours.as_secs_f64() / time));
    }
    Ok(figures)
}

fn connects(server: &Server) -> Result<Vec<Figure>, Trouble> {
    let rooms = Rooms::plain(1, CONNECTS);
    let mut load = Load::new(server.address(), rooms, 1)?;
    let before = server.cpu_time()?;
    load.subscribe(rooms.subscribers())?;
    let spent = server.cpu_time()?.saturating_sub(before);
    Ok(vec![(Metric::Connect, micros(spent) / f64::from(CONNECTS))])
}

fn latency(server: &Server, plan: &Plan) -> Result<Vec<Figure>, Trouble> {
    let rooms = Rooms::plain(1, 1_000);
    let mut load = Load::new(server.address(), rooms, FIXED_RATE_SLOTS)?;
    load.subscribe(rooms.subscribers())?;
    load.publish_at(FIXED_RATE, plan.warm_up())?;
    let mut micros = load.publish_at(FIXED_RATE, plan.time)?;
    load.finish()?;
    micros.sort_unstable();
    let figure = |per_mille: u32| {
        let value = percentile(&micros, per_mille);
        (Metric::Latency { per_mille }, f64::from(value) / 1_000.0)
    };
    Ok([500, 990, 999].map(figure).to_vec())
}

fn rooms_of_five(server: &Server) -> Result<Vec<Figure>, Trouble> {
    let rooms = Rooms::plain(IN_ROOMS / 5, 5);
    let mut load = Load::new(server.address(), rooms, 1)?;
    let empty = server.resident()?;
    load.subscribe(rooms.subscribers())?;
    load.idle(SETTLE)?;
    Ok(vec![(Metric::IdleInRooms(IN_ROOMS), per_connection(empty, server.resident()?, IN_ROOMS))])
}

/// A server whose connections have gone: kept until its memory has had time to go, too.
pub(crate) struct Storm {
    server: Server,
    connections: u32,
    over: Instant,
}

impl Storm {
    /// Reads the memory of an empty server, then with ever more idle connections, and lets them
    /// all go at once. The figures, and the server that is left.
    pub(crate) fn raise(
        starter: &Starter,
        target: Target,
        plan: &Plan,
    ) -> Result<(Vec<Figure>, Self), Trouble> {
        let mut server = starter.start(target)?;
        match idle(&server, plan) {
            Ok((figures, connections)) => {
                Ok((figures, Self { server, connections, over: Instant::now() }))
            }
            Err(trouble) => Err(server.ended().unwrap_or(trouble)),
        }
    }

    /// Waits until the plan's time since the storm has passed, reads the memory, and makes sure
    /// that the server still serves.
    pub(crate) fn settle(mut self, plan: &Plan) -> Result<Vec<Figure>, Trouble> {
        std::thread::sleep(plan.calm.saturating_sub(self.over.elapsed()));
        self.aftermath(plan).map_err(|trouble| self.server.ended().unwrap_or(trouble))
    }

    fn aftermath(&self, plan: &Plan) -> Result<Vec<Figure>, Trouble> {
        let resident = self.server.resident()?;
        let rooms = Rooms::plain(1, 10);
        let mut load = Load::new(self.server.address(), rooms, 1)?;
        load.subscribe(rooms.subscribers())?;
        load.publish_for(Duration::from_millis(50))?;
        load.finish()?;
        let seconds = u32::try_from(plan.calm.as_secs()).unwrap_or(u32::MAX);
        let metric = Metric::AfterStorm { connections: self.connections, seconds };
        Ok(vec![(metric, megabytes(resident))])
    }
}

fn idle(server: &Server, plan: &Plan) -> Result<(Vec<Figure>, u32), Trouble> {
    let most = plan.idle.last().copied().unwrap_or(0);
    std::thread::sleep(SETTLE);
    let empty = server.resident()?;
    let mut figures = vec![(Metric::Empty, megabytes(empty))];
    let mut load = Load::new(server.address(), Rooms::plain(1, most.max(1)), 1)?;
    let mut last: Option<(u32, u64)> = None;
    for connections in plan.idle.iter().copied() {
        load.subscribe(connections as usize)?;
        load.idle(SETTLE)?;
        let resident = server.resident()?;
        let each = per_connection(empty, resident, connections);
        figures.push((Metric::IdlePerConnection(connections), each));
        if let Some((fewer, before)) = last {
            let slope = per_connection(before, resident, connections - fewer);
            figures.push((Metric::IdleSlope(fewer, connections), slope));
        }
        last = Some((connections, resident));
    }
    Ok((figures, most))
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn per_connection(before: u64, after: u64, connections: u32) -> f64 {
    (after as f64 - before as f64) / 1024.0 / f64::from(connections)
}
