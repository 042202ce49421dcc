# SPDX-License-Identifier: MIT OR Apache-2.0
"""lobby_database.py FILE: answers queries on an app's own database, one JSON per line.

A question is [sql, parameters], an answer {"rows": [{column: value}]} or {"error": text}. What is read
is a copy of the file and of its write-ahead log: the file itself is never opened as a database, so
nothing here can lock it, wait for it or change it.
"""

import json
import os
import shutil
import sqlite3
import sys
import tempfile

FILE = sys.argv[1]
PARTS = ["", "-wal"]


def state():
    """What tells that somebody has written."""
    present = [part for part in PARTS if os.path.exists(FILE + part)]
    return [(part, os.stat(FILE + part).st_size, os.stat(FILE + part).st_mtime_ns) for part in present]


def copy(folder):
    """Copies the database as it is at one moment; the copy's path."""
    target = os.path.join(folder, "copy.db")
    while True:
        before = state()
        for part, _, _ in before:
            shutil.copyfile(FILE + part, target + part)
        if state() == before:
            return target


def answer(sql, parameters):
    with tempfile.TemporaryDirectory() as folder:
        try:
            connection = sqlite3.connect(copy(folder))
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute(sql, parameters)]
            connection.close()
            return {"rows": rows}
        except (OSError, sqlite3.Error) as error:
            return {"error": str(error)}


for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line))), flush=True)
