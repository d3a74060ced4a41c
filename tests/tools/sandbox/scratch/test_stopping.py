"""Work in a thread ends when nobody waits for it: its statement is cancelled, and no handler goes on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tools.sandbox.cluster import Cluster
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.stopping import Stopped, in_thread

pytestmark = pytest.mark.anyio


async def test_what_nobody_waits_for_ends_in_the_middle_of_a_statement(cluster: Cluster):
    begun, ended = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    def work() -> None:
        with cluster.scratch("stopping") as dsn, ScratchSession(dsn) as session:
            begun.set()
            try:
                while True:
                    try:
                        session.run("select pg_sleep(600)")
                    except SqlFailure as failure:  # as probes do, which go on with the next statement
                        assert failure.sqlstate == "57014"
            except BaseException as error:
                raised.append(error)
                raise
            finally:
                ended.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(begun.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 60)
    assert [type(error) for error in raised] == [Stopped]


async def test_work_that_is_waited_for_returns_its_answer(cluster: Cluster):
    def work() -> int:
        with cluster.scratch("waited") as dsn, ScratchSession(dsn) as session:
            return int(session.rows("select 42")[0][0])

    assert await in_thread(work) == 42
