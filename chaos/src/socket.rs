// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Socket`]: one WebSocket of a client, as slow as it is told to be. It answers pings; what the
//! messages mean is its user's.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use crate::channels::APP_KEY;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// What a slow reader lets its system hold, in bytes.
const SLOW_BUFFER: u32 = 4096;
/// How much a slow reader takes at once, in bytes.
const SLOW_BITE: usize = 1024;
/// A client's frames hide their text with this key: any will do.
const MASK: [u8; 4] = [0x5a, 0x11, 0xc3, 0x7e];

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// How fast a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it can.
    Fast,
    /// A bite, then a rest of so long.
    Slow(Duration),
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message.
    Text(String),
    /// The end; with the code of the server's close, if it sent one.
    End(Option<u16>),
}

/// See the module.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    pace: Pace,
    message: Vec<u8>,
}

impl Socket {
    /// Connects.
    ///
    /// # Errors
    /// Nobody is there, or does not want us.
    pub async fn connect(address: SocketAddr, pace: Pace) -> std::io::Result<Socket> {
        timeout(PATIENCE, Socket::open(address, pace)).await.map_err(std::io::Error::other)?
    }

    async fn open(address: SocketAddr, pace: Pace) -> std::io::Result<Socket> {
        let socket = TcpSocket::new_v4()?;
        if pace != Pace::Fast {
            socket.set_recv_buffer_size(SLOW_BUFFER)?;
        }
        let mut stream = socket.connect(address).await?;
        let request = format!(
            "GET /app/{APP_KEY}?protocol=7&client=js&version=8.6.0 HTTP/1.1\r\nhost: oyez\r\n\
             upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut buffer = Vec::with_capacity(4096);
        let end = loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
        };
        if !buffer.starts_with(b"HTTP/1.1 101") {
            return Err(std::io::Error::other("no upgrade"));
        }
        buffer.drain(..end);
        Ok(Socket { stream, buffer, pace, message: Vec::new() })
    }

    /// Reads at another pace from now on.
    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Sends a message; a link that is dead will say so when it is read.
    pub async fn say(&mut self, text: &str) {
        self.send(TEXT, text.as_bytes()).await;
    }

    /// The next message. It may be dropped while it waits: nothing is lost.
    pub async fn hear(&mut self) -> Heard {
        loop {
            while let Some((opcode, is_last, payload)) = self.take_frame() {
                match opcode {
                    TEXT | CONTINUATION => {
                        self.message.extend_from_slice(&payload);
                        if is_last {
                            let message = std::mem::take(&mut self.message);
                            return Heard::Text(String::from_utf8_lossy(&message).into_owned());
                        }
                    }
                    PING => self.send(PONG, &payload).await,
                    CLOSE => {
                        let code = payload.get(..2).map(|b| u16::from_be_bytes([b[0], b[1]]));
                        self.send(CLOSE, &payload[..payload.len().min(2)]).await;
                        return Heard::End(code);
                    }
                    _ => {}
                }
            }
            match self.read().await {
                Ok(0) | Err(_) => return Heard::End(None),
                Ok(_) => {}
            }
        }
    }

    async fn read(&mut self) -> std::io::Result<usize> {
        match self.pace {
            Pace::Fast => self.stream.read_buf(&mut self.buffer).await,
            Pace::Slow(rest) => {
                sleep(rest).await;
                let mut bite = [0; SLOW_BITE];
                let read = self.stream.read(&mut bite).await?;
                self.buffer.extend_from_slice(&bite[..read]);
                Ok(read)
            }
        }
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(long as u16).to_be_bytes());
            }
        }
        frame.extend_from_slice(&MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        // A stopped server takes nothing: then this client waits with it, and no longer.
        let _ = timeout(PATIENCE, self.stream.write_all(&frame)).await;
    }

    /// A whole frame from what was read: opcode, whether it is its message's last, payload.
    fn take_frame(&mut self) -> Option<(u8, bool, Vec<u8>)> {
        let bytes = &self.buffer;
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let (start, length) = match second & 0x7f {
            126 => (4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?) as usize),
            127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
            short => (2, short as usize),
        };
        let payload = bytes.get(start..start + length)?.to_vec();
        self.buffer.drain(..start + length);
        Some((first & 0x0f, first & 0x80 != 0, payload))
    }
}
