# SPDX-License-Identifier: MIT OR Apache-2.0
"""Subscribes over plain TCP with a tiny receive buffer and reads one byte at a time.

slow_reader.py PORT KEY CHANNEL LAST PAUSE_MS: rests once for that long after the first byte of the
answer, and ends when the event with offset LAST has come; prints each message of the channel.
"""

import json
import os
import socket
import struct
import sys
import time

port, key, channel, last, pause = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])


class Closed(Exception):
    """The server has closed with that code."""


class Reader:
    def __init__(self):
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.tcp.connect(("127.0.0.1", port))
        head = f"GET /app/{key}?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.tcp.sendall((head + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n").encode())
        seen = b""
        while not seen.endswith(b"\r\n\r\n"):
            seen += self.take(1)
        assert seen.startswith(b"HTTP/1.1 101"), seen

    def take(self, count):
        """One byte at a time."""
        taken = bytearray()
        while len(taken) < count:
            byte = self.tcp.recv(1)
            if not byte:
                raise Closed(None)
            taken += byte
        return bytes(taken)

    def message(self):
        while True:
            first, length = self.take(2)
            assert not first & 0x70, "reserved bits"
            if length == 126:
                length = struct.unpack(">H", self.take(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.take(8))[0]
            payload = self.take(length)
            if first & 0x0F == 8:
                raise Closed(struct.unpack(">H", payload[:2])[0])
            if first & 0x0F == 1:
                return json.loads(payload)

    def send(self, message):
        payload = json.dumps(message).encode()
        mask = os.urandom(4)
        head = bytes([0x81, 0x80 | len(payload)]) if len(payload) < 126 else struct.pack(">BBH", 0x81, 0xFE, len(payload))
        self.tcp.sendall(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload)))


def read():
    reader = Reader()
    assert reader.message()["event"] == "pusher:connection_established"
    reader.send({"event": "pusher:subscribe", "data": {"channel": channel}})
    reader.take(0)
    if pause:
        time.sleep(pause / 1000)
    while True:
        message = reader.message()
        print(json.dumps(message))
        if message.get("offset") == last:
            return


while True:
    try:
        read()
        break
    except Closed as closed:
        # Too slow for the ring: it comes back, as pusher-js would.
        if closed.args[0] != 4100:
            raise
