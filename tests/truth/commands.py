# SPDX-License-Identifier: MIT OR Apache-2.0
"""commands.py PORT CHANNEL: the official Python library, which has no generic post, changes a truth."""

import json
import sys

import pusher
from pusher.errors import PusherBadRequest, PusherError

port, channel = int(sys.argv[1]), sys.argv[2]
client = pusher.Pusher(app_id="4711", key="app-key", secret="app-secret", host="127.0.0.1", port=port, ssl=False)

client.trigger(channel, "oyez:set", {"data": {"players": ["anna"]}})
client.trigger(channel, "oyez:merge", {"merge": {"open": True}})
client.trigger(channel, "oyez:patch", {"patch": [{"op": "add", "path": "/players/-", "value": "bob"}]})
client.trigger(channel, "oyez:set", json.dumps({"data": {"players": ["anna", "bob"], "open": True}}))

for name, data in [("oyez:set", {"data": 1, "if_version": 99}), ("oyez:patch", {"patch": [{"op": "remove", "path": "/x"}]}), ("oyez:nothing", {})]:
    try:
        client.trigger(channel, name, data)
    except (PusherBadRequest, PusherError):
        continue
    sys.exit(f"{name} was not refused")
print("done")
