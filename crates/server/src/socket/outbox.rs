// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Outbox`]: everything that one turn of a worker has to say, written once per socket.
//!
//! A frame enters the turn once, however many sockets it is for; each socket chains the frames
//! that it is due in a shared arena, so that delivering costs eight bytes and no allocation. At
//! the end of the turn each socket that is due anything gets all of it in one system call. Only
//! what a socket would not take is kept, by reference, in a [`Backlog`] with a bound.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use bytes::Bytes;

/// A frame of this turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameRef(u32);

/// The chain of frames that a socket is due, kept in its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    first: u32,
    last: u32,
}

/// No link.
const END: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    frame: u32,
    next: u32,
}

/// The frames of a turn, and who is due which.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: Vec<Bytes>,
    links: Vec<Link>,
    dirty: Vec<u32>,
    gathered: Vec<u8>,
    /// Of all frames.
    bytes: usize,
}

/// What a slow socket has not taken yet. Its bytes are shared with everybody who hears the same.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    queue: VecDeque<Bytes>,
    /// Of the first one, already written.
    written: usize,
    bytes: usize,
}

/// Whether a socket took everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Nothing waits.
    All,
    /// The rest waits until the socket can be written again.
    Blocked,
}

/// Above so many links, frames or bytes a turn is flushed before it goes on, which bounds what it
/// may hold.
const LINKS_PER_TURN: usize = 1 << 18;
const FRAMES_PER_TURN: usize = 1 << 14;
const BYTES_PER_TURN: usize = 16 * 1024 * 1024;

/// What a waiting frame costs beside its bytes.
const FRAME_COST: usize = 64;

/// Up to so many bytes are gathered for one plain write, which beats a vectored one.
const GATHER: usize = 16 * 1024;

/// Buffers of one vectored write.
const SLICES: usize = 64;

impl Default for Chain {
    fn default() -> Chain {
        Chain { first: END, last: END }
    }
}

impl Chain {
    /// Whether the socket is due nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.first == END
    }
}

impl Outbox {
    /// Takes a frame into the turn.
    pub(crate) fn add(&mut self, bytes: Bytes) -> FrameRef {
        self.bytes += bytes.len();
        self.frames.push(bytes);
        FrameRef((self.frames.len() - 1) as u32)
    }

    /// A socket is due this frame.
    pub(crate) fn due(&mut self, slot: u32, chain: &mut Chain, frame: FrameRef) {
        let at = self.links.len() as u32;
        self.links.push(Link { frame: frame.0, next: END });
        if chain.first == END {
            chain.first = at;
            self.dirty.push(slot);
        } else {
            self.links[chain.last as usize].next = at;
        }
        chain.last = at;
    }

    /// Whether the turn has so much to say that it should be said before more comes.
    pub(crate) fn is_full(&self) -> bool {
        self.links.len() >= LINKS_PER_TURN
            || self.frames.len() >= FRAMES_PER_TURN
            || self.bytes >= BYTES_PER_TURN
    }

    /// Bytes of all frames of the turn: no socket is due more.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether no socket is due anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.dirty.is_empty()
    }

    /// The sockets that are due anything; some may be gone by now.
    pub(crate) fn take_dirty(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.dirty)
    }

    /// Ends the turn: all chains are void. Gives the list of [`Outbox::take_dirty`] back for reuse.
    pub(crate) fn clear(&mut self, mut dirty: Vec<u32>) {
        dirty.clear();
        self.dirty = dirty;
        self.frames.clear();
        self.links.clear();
        self.bytes = 0;
        // A burst must not be paid for ever after.
        if self.links.capacity() > LINKS_PER_TURN / 16 {
            self.links.shrink_to(LINKS_PER_TURN / 64);
            self.dirty.shrink_to(LINKS_PER_TURN / 64);
        }
        if self.frames.capacity() > FRAMES_PER_TURN / 4 {
            self.frames.shrink_to(FRAMES_PER_TURN / 16);
        }
    }

    /// Writes a socket's chain; what it does not take goes to its backlog. Answers the bytes that
    /// it took.
    pub(crate) fn write(
        &mut self,
        chain: &mut Chain,
        backlog: &mut Option<Box<Backlog>>,
        socket: &mut impl Write,
    ) -> io::Result<usize> {
        let first = std::mem::take(chain).first;
        if first == END {
            return Ok(0);
        }
        if let Some(backlog) = backlog {
            self.each(first, |bytes| backlog.push(bytes.clone(), 0));
            return Ok(0);
        }
        let taken = self.write_chain(first, socket)?;
        let mut before = 0;
        self.each(first, |bytes| {
            let end = before + bytes.len();
            if end > taken {
                let backlog = backlog.get_or_insert_default();
                backlog.push(bytes.clone(), taken.saturating_sub(before));
            }
            before = end;
        });
        Ok(taken)
    }

    fn each(&self, first: u32, mut visit: impl FnMut(&Bytes)) {
        let mut at = first;
        while at != END {
            let link = self.links[at as usize];
            visit(&self.frames[link.frame as usize]);
            at = link.next;
        }
    }

    /// Tries to write everything; answers how many bytes the socket took.
    fn write_chain(&mut self, first: u32, socket: &mut impl Write) -> io::Result<usize> {
        let link = self.links[first as usize];
        if link.next == END {
            return try_write(|| socket.write(&self.frames[link.frame as usize]));
        }
        let mut total = 0;
        let mut at = first;
        while at != END {
            let mut gathered = std::mem::take(&mut self.gathered);
            gathered.clear();
            while at != END {
                let link = self.links[at as usize];
                let bytes = &self.frames[link.frame as usize];
                if !gathered.is_empty() && gathered.len() + bytes.len() > GATHER {
                    break;
                }
                gathered.extend_from_slice(bytes);
                at = link.next;
            }
            let taken = try_write(|| socket.write(&gathered));
            let whole = gathered.len();
            self.gathered = gathered;
            let taken = taken?;
            total += taken;
            if taken < whole {
                break;
            }
        }
        Ok(total)
    }
}

impl Backlog {
    fn push(&mut self, bytes: Bytes, written: usize) {
        self.bytes += bytes.len() - written;
        if self.queue.is_empty() {
            self.written = written;
        }
        self.queue.push_back(bytes);
    }

    /// What it costs: the bytes that wait, and something for each frame.
    pub(crate) fn cost(&self) -> usize {
        self.bytes + self.queue.len() * FRAME_COST
    }

    /// Drops what has not begun to be written, and says this instead.
    pub(crate) fn replace(&mut self, last: impl IntoIterator<Item = Bytes>) {
        self.queue.truncate(usize::from(self.written > 0));
        self.bytes = self.queue.front().map_or(0, |bytes| bytes.len() - self.written);
        for bytes in last {
            self.push(bytes, 0);
        }
        self.queue.shrink_to_fit();
    }

    /// Writes on. Answers whether anything still waits, and the bytes that the socket took.
    pub(crate) fn write(&mut self, socket: &mut impl Write) -> io::Result<(Written, usize)> {
        let mut total = 0;
        while !self.queue.is_empty() {
            let mut skip = self.written;
            let slices: smallvec::SmallVec<[IoSlice<'_>; SLICES]> = self
                .queue
                .iter()
                .take(SLICES)
                .map(|bytes| IoSlice::new(&bytes[std::mem::take(&mut skip)..]))
                .collect();
            let whole: usize = slices.iter().map(|slice| slice.len()).sum();
            let taken = try_write(|| socket.write_vectored(&slices))?;
            drop(slices);
            total += taken;
            self.consume(taken);
            if taken < whole {
                return Ok((Written::Blocked, total));
            }
        }
        Ok((Written::All, total))
    }

    fn consume(&mut self, mut taken: usize) {
        self.bytes -= taken;
        while let Some(front) = self.queue.front() {
            let left = front.len() - self.written;
            if taken < left {
                self.written += taken;
                return;
            }
            taken -= left;
            self.written = 0;
            self.queue.pop_front();
        }
    }
}

/// A socket that would block took nothing, which is no error.
fn try_write(mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, then blocks until it is given room again.
    #[derive(Default)]
    struct Slow {
        took: Vec<u8>,
        room: usize,
        writes: usize,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes += 1;
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= taken;
            self.took.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }
        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.write(&slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<_>>())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const FRAMES: [&[u8]; 4] = [b"first", b"second", b"third", b"4"];

    fn turn(outbox: &mut Outbox, chain: &mut Chain) {
        for frame in FRAMES {
            let frame = outbox.add(Bytes::from_static(frame));
            outbox.due(0, chain, frame);
        }
    }

    #[test]
    fn a_turn_leaves_in_one_write() {
        let (mut outbox, mut chain, mut backlog) = (Outbox::default(), Chain::default(), None);
        turn(&mut outbox, &mut chain);
        let mut socket = Slow { room: 100, ..Slow::default() };
        outbox.write(&mut chain, &mut backlog, &mut socket).unwrap();
        assert_eq!((socket.took, socket.writes), (FRAMES.concat(), 1));
        assert!(backlog.is_none());
    }

    #[test]
    fn whatever_a_socket_takes_at_a_time_it_gets_every_byte_once_and_in_order() {
        for room in 0..=17 {
            for step in 1..=17 {
                let (mut outbox, mut chain, mut backlog) =
                    (Outbox::default(), Chain::default(), None);
                turn(&mut outbox, &mut chain);
                let mut socket = Slow { room, ..Slow::default() };
                outbox.write(&mut chain, &mut backlog, &mut socket).unwrap();
                let dirty = outbox.take_dirty();
                outbox.clear(dirty);
                turn(&mut outbox, &mut chain);
                outbox.write(&mut chain, &mut backlog, &mut socket).unwrap();
                while let Some(waiting) = &mut backlog {
                    socket.room = step;
                    if waiting.write(&mut socket).unwrap().0 == Written::All {
                        assert_eq!(waiting.cost(), 0);
                        backlog = None;
                    }
                }
                let all = [FRAMES.concat(), FRAMES.concat()].concat();
                assert_eq!(socket.took, all, "room {room}, step {step}");
            }
        }
    }

    #[test]
    fn a_frame_that_has_begun_is_finished_before_the_goodbye() {
        let (mut outbox, mut chain, mut backlog) = (Outbox::default(), Chain::default(), None);
        turn(&mut outbox, &mut chain);
        let mut socket = Slow { room: 7, ..Slow::default() };
        outbox.write(&mut chain, &mut backlog, &mut socket).unwrap();
        let mut backlog = backlog.expect("it was blocked");
        backlog.replace([Bytes::from_static(b"bye")]);
        assert_eq!(backlog.bytes, 4 + 3);
        socket.room = 100;
        assert_eq!(backlog.write(&mut socket).unwrap(), (Written::All, 7));
        assert_eq!(socket.took, b"firstsecondbye");
    }
}
