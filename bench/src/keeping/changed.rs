// SPDX-License-Identifier: MIT OR Apache-2.0
//! A burst of `changed`, and a resolver that counts how often it is asked. While one call is on
//! its way the others wait for its end together, so what the burst costs hangs on which of the two
//! takes longer: the goal is for a resolver that takes longer than the burst.

use super::crowd::Crowd;
use super::rows::{BURST, Resolver, Row, Side};
use super::{Figure, Run, rules};
use crate::load::Load;
use crate::scenarios::micros;
use crate::subscribers::Hears;
use crate::traffic::{Call, Rooms, Traffic};
use crate::trouble::Trouble;
use crate::wire::{find, head_end};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The event that carries the truth.
const EVENT: &str = "state";

/// How long the slow resolver takes.
const SLOW: Duration = Duration::from_millis(250);

/// After that nothing is asked any more: the server's `settle` of a second, and its calls.
const CALM: Duration = Duration::from_millis(2_500);

const IN_FLIGHT: u16 = 64;

pub(crate) fn measure(run: &Run<'_>) -> Result<Vec<Figure>, Trouble> {
    let mut figures = Vec::new();
    for (resolver, takes) in [(Resolver::Slow, SLOW), (Resolver::Instant, Duration::ZERO)] {
        let source = Source::start(takes).map_err(Trouble::io("starting a resolver"))?;
        let url = format!("http://{}/truth", source.address);
        let place = run.starter.oyez_place("changed", &rules::asking(&url, EVENT))?;
        let mut server = place.start()?;
        let result = burst(server.address(), &source);
        let (asked, took) = result.map_err(|trouble| server.ended().unwrap_or(trouble))?;
        figures.push((Row::Questions(resolver), Side::Oyez, f64::from(asked)));
        figures.push((Row::Burst(resolver), Side::Oyez, took));
    }
    Ok(figures)
}

/// How often the resolver was asked, and how many milliseconds the burst took.
fn burst(server: SocketAddr, source: &Source) -> Result<(u32, f64), Trouble> {
    let mut page = Crowd::new(server, rules::RESOLVED, Page::default())?;
    page.come(1, 1, |page| page.shows.is_some())?;
    let before = source.asked.load(Ordering::SeqCst);

    let rooms = Rooms { count: 1, size: 0, names: rules::RESOLVED };
    let traffic = Traffic { rooms, slots: IN_FLIGHT, call: Call::Changed, data: 0 };
    let mut load = Load::with(server, traffic)?;
    let begin = Instant::now();
    load.publish_calls(u64::from(BURST))?;
    let took = micros(begin.elapsed()) / 1e3;
    load.finish()?;

    page.listen(CALM)?;
    let last = source.asked.load(Ordering::SeqCst);
    if page.hears.shows != Some(last) {
        let shows = page.hears.shows;
        let detail = format!("the page shows {shows:?}, the source was {last} at last");
        return Err(Trouble::Stalled { waited: CALM, detail });
    }
    Ok((last - before, took))
}

/// A page that shows the truth.
#[derive(Default)]
struct Page {
    shows: Option<u32>,
}

impl Hears for Page {
    fn event(
        &mut self,
        _subscriber: usize,
        _room: u32,
        message: &[u8],
        _now: Instant,
    ) -> Result<bool, Trouble> {
        const KEY: &[u8] = br#"\"asked\":"#;
        let Some(at) = find(message, KEY) else { return Ok(false) };
        let rest = &message[at + KEY.len()..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        self.shows = Some(digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0')));
        Ok(true)
    }
}

/// A resolver whose truth is how often it was asked. Its threads live as long as the bench.
struct Source {
    address: SocketAddr,
    asked: Arc<AtomicU32>,
}

impl Source {
    fn start(takes: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                // An asker that goes away ends its thread.
                thread::spawn(move || answer(stream, takes, &count));
            }
        });
        Ok(Self { address, asked })
    }
}

/// Answers every question of a connection.
fn answer(mut stream: TcpStream, takes: Duration, asked: &AtomicU32) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut question = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(length) = whole(&question) {
            question.drain(..length);
            let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
            thread::sleep(takes);
            let body = format!("{{\"asked\":{number}}}");
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n\
                 {body}",
                body.len()
            )?;
            continue;
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => question.extend_from_slice(&buffer[..count]),
        }
    }
}

/// The length of the request at the start of `bytes` when all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = head_end(bytes)?;
    let text = std::str::from_utf8(&bytes[..head]).ok()?.to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(Some(0), |length| length.trim().parse().ok())?;
    (bytes.len() >= head + length).then_some(head + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_at_its_last_byte() {
        let request = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(whole(request), Some(request.len()));
        assert_eq!(whole(&request[..request.len() - 1]), None);
        assert_eq!(whole(b"GET / HTTP/1.1\r\n\r\n"), Some(18));
    }

    #[test]
    fn a_page_shows_the_last_truth() {
        let mut page = Page::default();
        let event = br#"{"event":"state","channel":"c","data":"{\"asked\":12}","offset":3}"#;
        assert!(page.event(0, 0, event, Instant::now()).unwrap());
        assert_eq!(page.shows, Some(12));
        assert!(!page.event(0, 0, b"{}", Instant::now()).unwrap());
    }
}
