"""What a long call is at reaches the client whose call it is, cleaned, from threads too."""

from __future__ import annotations

import asyncio

from agent.mcp_progress import reported, tell


class Client:
    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone
        self.heard: list[tuple[float, str]] = []
        self.news = asyncio.Event()

    async def report(self, number: float, total: None, words: str) -> None:
        if self.gone:
            raise ConnectionResetError
        self.heard.append((number, words))
        self.news.set()


def test_each_call_tells_its_own_client() -> None:
    async def call(client: Client, words: str) -> None:
        async with reported(client.report, lambda text: text.replace("Ana", "<name>")):
            await asyncio.to_thread(tell, f"{words} of Ana")
            await client.news.wait()

    async def both() -> tuple[Client, Client]:
        one, other = Client(), Client()
        await asyncio.gather(call(one, "building"), call(other, "copying"))
        return one, other

    one, other = asyncio.run(both())
    assert one.heard == [(1.0, "building of <name>")]
    assert other.heard == [(1.0, "copying of <name>")]


def test_a_client_that_is_gone_does_not_end_the_call() -> None:
    async def call() -> str:
        async with reported(Client(gone=True).report, str):
            tell("building")
            await asyncio.sleep(0.01)
            tell("still building")
            return "done"

    assert asyncio.run(call()) == "done"


def test_outside_of_a_call_nobody_is_told() -> None:
    tell("nothing")
