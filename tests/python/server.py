# SPDX-License-Identifier: MIT OR Apache-2.0
"""A server under test for the Python library's tests: config, start, stop."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
OYEZ = os.environ.get("OYEZ_BIN", os.path.join(ROOT, "target", "debug", "oyez"))
APP = {"app_id": "4711", "key": "app-key", "secret": "app-secret"}

CONFIG = """
listen = "127.0.0.1:{port}"
data_dir = "{data}"
workers = 2
drain_seconds = 1
webhook_delay = "200ms"

[[apps]]
id = "4711"
key = "app-key"
secret = "app-secret"
client_events = true

[[apps.webhooks]]
url = "{webhook}"
events = ["channel_occupied", "member_added"]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Runs from `start` to `stop`; `stop` checks that it ended cleanly."""

    def __init__(self, webhook):
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory()
        config = os.path.join(self.folder.name, "oyez.toml")
        with open(config, "w", encoding="utf-8") as file:
            data = os.path.join(self.folder.name, "data")
            file.write(CONFIG.format(port=self.port, data=data, webhook=webhook))
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [OYEZ, "serve", "--config", config], stdout=self.log, stderr=self.log
        )
        self._wait()

    def _wait(self):
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/up", timeout=1):
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self._printed()}")

    def _printed(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        printed = self._printed()
        self.log.close()
        self.folder.cleanup()
        assert code == 0 and "panicked at" not in printed, printed
