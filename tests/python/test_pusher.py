# SPDX-License-Identifier: MIT OR Apache-2.0
"""The official `pusher` package for Python against a server."""

import base64
import http.server
import json
import queue
import threading
import unittest

import nacl.secret
import pusher
from pusher.errors import PusherBadAuth, PusherBadRequest

from page import Page
from server import APP, Server

MASTER_KEY = base64.b64encode(b"k" * 32).decode()
webhooks = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what the server's webhooks carry."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        webhooks.put((self.headers["x-pusher-key"], self.headers["x-pusher-signature"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


def setUpModule():
    global receiver, server
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    server = Server(f"http://127.0.0.1:{receiver.server_port}/hooks")


def tearDownModule():
    server.stop()
    receiver.shutdown()
    receiver.server_close()


class PusherLibrary(unittest.TestCase):
    """Each call of the library, and what a subscriber sees of it."""

    def setUp(self):
        self.channel = f"{self._testMethodName}-channel"
        self.page = Page(server.port, APP)
        self.addCleanup(self.page.close)
        self.library = self.client()

    def client(self, **change):
        options = {**APP, "ssl": False, "host": "127.0.0.1", "port": server.port,
                   "encryption_master_key_base64": MASTER_KEY, **change}
        return pusher.Pusher(**options)

    def test_p011_trigger_delivers_text_and_json(self):
        self.page.subscribe(self.channel)
        self.assertEqual(self.library.trigger(self.channel, "event", {"text": "grün 💥"}), {})
        self.assertEqual(json.loads(self.page.event("event")["data"]), {"text": "grün 💥"})
        self.library.trigger([self.channel, "other"], "event", "as it is")
        self.assertEqual(self.page.event("event")["data"], "as it is")

    def test_p069_trigger_excludes_a_socket(self):
        self.page.subscribe(self.channel)
        self.library.trigger(self.channel, "event", "unheard", socket_id=self.page.socket_id)
        self.library.trigger(self.channel, "event", "heard")
        self.assertEqual(self.page.event("event")["data"], "heard")

    def test_p067_batch(self):
        self.page.subscribe(self.channel)
        batch = [{"channel": self.channel, "name": f"event-{n}", "data": {"n": n}} for n in range(10)]
        self.assertEqual(self.library.trigger_batch(batch), {})
        for n in range(10):
            self.assertEqual(json.loads(self.page.event(f"event-{n}")["data"]), {"n": n})

    def test_p070_channels_info_and_channel_info(self):
        self.page.subscribe(self.channel)
        channels = self.library.channels_info(self.channel, ["subscription_count"])
        self.assertEqual(channels, {"channels": {self.channel: {"subscription_count": 1}}})
        self.assertIn(self.channel, self.library.channels_info()["channels"])
        info = self.library.channel_info(self.channel, ["subscription_count"])
        self.assertEqual(info, {"occupied": True, "subscription_count": 1})
        with self.assertRaises(PusherBadRequest):
            self.library.channel_info(self.channel, ["user_count"])

    def test_p071_users_info(self):
        room = f"presence-{self.channel}"
        auth = self.library.authenticate(room, self.page.socket_id, {"user_id": "1", "user_info": {"name": "Anna"}})
        presence = self.page.subscribe(room, auth)["presence"]
        self.assertEqual(presence, {"ids": ["1"], "hash": {"1": {"name": "Anna"}}, "count": 1})
        self.assertEqual(self.library.users_info(room), {"users": [{"id": "1"}]})
        with self.assertRaises(PusherBadRequest):
            self.library.users_info(self.channel)

    def test_p024_authenticate_private(self):
        room = f"private-{self.channel}"
        self.page.subscribe(room, self.library.authenticate(room, self.page.socket_id))
        self.library.trigger(room, "event", "x")
        self.page.event("event")

    def test_p054_authenticate_user_and_p056_send_to_user(self):
        auth = self.library.authenticate_user(self.page.socket_id, {"id": "anna", "user_info": {"name": "Anna"}})
        self.page.send({"event": "pusher:signin", "data": auth})
        self.page.event("pusher:signin_success")
        self.page.subscribe("#server-to-user-anna")
        self.library.send_to_user("anna", "letter", {"text": "hello"})
        self.assertEqual(json.loads(self.page.event("letter")["data"]), {"text": "hello"})

    def test_p057_terminate_user_connections(self):
        """The library leaves `/apps/ID` out of this one path; the key that signed says which app."""
        auth = self.library.authenticate_user(self.page.socket_id, {"id": "ben"})
        self.page.send({"event": "pusher:signin", "data": auth})
        self.page.event("pusher:signin_success")
        self.library.terminate_user_connections("ben")
        self.assertEqual(self.page.event("pusher:error")["data"]["code"], 4009)

    def test_p051_encrypted(self):
        room = f"private-encrypted-{self.channel}"
        auth = self.library.authenticate(room, self.page.socket_id)
        secret = base64.b64decode(auth["shared_secret"])
        self.page.subscribe(room, auth)
        self.library.trigger(room, "secret", {"text": "for you only"})
        data = json.loads(self.page.event("secret")["data"])
        box = nacl.secret.SecretBox(secret)
        clear = box.decrypt(base64.b64decode(data["ciphertext"]), base64.b64decode(data["nonce"]))
        self.assertEqual(json.loads(clear), {"text": "for you only"})

    def test_p077_webhooks_validate(self):
        self.page.subscribe(self.channel)
        while True:
            key, signature, body = webhooks.get(timeout=10)
            hook = self.library.validate_webhook(key, signature, body)
            self.assertIsNotNone(hook)
            self.assertIsNone(self.library.validate_webhook(key, signature, body + " "))
            if {"name": "channel_occupied", "channel": self.channel} in hook["events"]:
                return

    def test_p062_a_wrong_secret_is_bad_auth(self):
        with self.assertRaises(PusherBadAuth):
            self.client(secret="wrong").trigger(self.channel, "event", "x")


if __name__ == "__main__":
    unittest.main()
