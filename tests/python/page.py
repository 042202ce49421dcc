# SPDX-License-Identifier: MIT OR Apache-2.0
"""A subscriber: the little of WebSocket and Pusher that a test needs to see events arrive."""

import base64
import json
import os
import socket
import struct


class Page:
    """One connection to one app. Reads block for at most ten seconds."""

    def __init__(self, port, app):
        self.app = app
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.reader = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /app/{app['key']}?protocol=7 HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n"
            f"connection: Upgrade\r\nsec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in self.reader.readline()
        while self.reader.readline().strip():
            pass
        self.socket_id = json.loads(self.event("pusher:connection_established")["data"])["socket_id"]

    def close(self):
        self.reader.close()
        self.socket.close()

    def send(self, message):
        payload = json.dumps(message).encode()
        mask = os.urandom(4)
        length = len(payload)
        head = struct.pack("!BB", 0x81, 0x80 | length) if length < 126 else struct.pack("!BBH", 0x81, 0xFE, length)
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def event(self, name):
        """The next event of that name; others are passed over."""
        while True:
            opcode, length = self.reader.read(2)
            length &= 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self.reader.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.reader.read(8))
            payload = self.reader.read(length)
            if opcode & 0x0F == 0x8:
                raise AssertionError(f"closed while waiting for {name}: {payload!r}")
            if opcode & 0x0F == 0x1:
                message = json.loads(payload)
                if message["event"] == name:
                    return message

    def subscribe(self, channel, auth=None):
        """Subscribes with what the library's `authenticate` returned."""
        data = {"channel": channel, "auth": "", **(auth or {})}
        data.pop("shared_secret", None)
        self.send({"event": "pusher:subscribe", "data": data})
        return json.loads(self.event("pusher_internal:subscription_succeeded")["data"])
