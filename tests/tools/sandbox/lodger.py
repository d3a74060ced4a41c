"""A process that uses the sandbox, to be watched, killed or counted by the tests.

    python lodger.py CACHE IDLE_SECONDS hold          opens the server and waits
    python lodger.py CACHE IDLE_SECONDS scratch       makes a scratch database and waits
    python lodger.py CACHE IDLE_SECONDS build FILE    asks for a template; its build adds a line to FILE
    python lodger.py CACHE IDLE_SECONDS stall         asks for a template and never ends building it

Prints one JSON line when it has got there, then reads stdin until its end.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psycopg

from tools.errors import SergeiError
from tools.sandbox.cluster import Cluster, SandboxSettings


def say(**words: object) -> None:
    print(json.dumps(words), flush=True)


def build(dsn: str, file: Path) -> None:
    with file.open("a") as diary:
        diary.write(f"{os.getpid()}\n")
    with psycopg.connect(dsn) as session:
        session.execute("CREATE TABLE person AS SELECT n FROM generate_series(1, 1000) AS n")


def stall(dsn: str) -> None:
    say(dsn=dsn)
    sys.stdin.read()


def act(cluster: Cluster, what: str, rest: list[str]) -> None:
    if what == "scratch":
        with cluster.scratch("lodger") as dsn:
            say(dsn=dsn)
            sys.stdin.read()
    elif what == "build":
        say(template=cluster.template("shared", lambda dsn: build(dsn, Path(rest[0])), key="1"))
    elif what == "stall":
        cluster.template("stalled", stall, key="1")
    else:
        with psycopg.connect(cluster.dsn()) as session:
            row = session.execute("SELECT pg_postmaster_start_time()::text").fetchone()
        say(started=row[0] if row else None, dsn=cluster.dsn(), uid=os.geteuid())
        sys.stdin.read()


def main(cache: str, idle: str, what: str, *rest: str) -> int:
    settings = SandboxSettings(cache_dir=Path(cache), idle_seconds=float(idle))
    try:
        with Cluster.open(settings) as cluster:
            act(cluster, what, list(rest))
    except SergeiError as error:
        say(error=error.kind, message=str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
