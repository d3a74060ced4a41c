"""Several sessions on one scratch copy: while one waits for the server, another asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

from tools.rls.proof.probing import Probing

Asked = TypeVar("Asked")
Found = TypeVar("Found")


def each(
    lanes: tuple[Probing, ...], asked: Iterable[Asked], ask: Callable[[Probing, Asked], Found]
) -> Iterator[tuple[Asked, Found]]:
    """Every question with its answer, in order; `ask` runs in as many threads as there are lanes.

    Questions are drawn in the caller's own thread, a few ahead of the answers. Only `ask` runs elsewhere, and
    it must touch nothing but its lane.
    """
    if len(lanes) == 1:
        for one in asked:
            yield one, ask(lanes[0], one)
        return
    free: SimpleQueue[Probing] = SimpleQueue()
    for lane in lanes:
        free.put(lane)

    def run(one: Asked) -> Found:
        lane = free.get()
        try:
            return ask(lane, one)
        finally:
            free.put(lane)

    waiting: list[tuple[Asked, Future[Found]]] = []
    questions = iter(asked)
    with ThreadPoolExecutor(len(lanes)) as pool:
        try:
            waiting += [(one, pool.submit(run, one)) for one in islice(questions, 2 * len(lanes))]
            while waiting:
                one, answer = waiting.pop(0)
                found = answer.result()
                waiting += [(more, pool.submit(run, more)) for more in islice(questions, 1)]
                yield one, found
        finally:
            for _, answer in waiting:
                answer.cancel()
