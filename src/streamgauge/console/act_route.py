"""``POST /api/alarms/{act}``: from a request to an act, and back."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import orjson
from aiohttp import web
from pydantic import ValidationError

from streamgauge.console.acts import Acts, Outcome
from streamgauge.console.asked import ACTS, Asked
from streamgauge.console.origin import foreign
from streamgauge.console.roles import Role
from streamgauge_client.codec import first_error

PREFIX = "/api/alarms/"
MOST_BYTES = 16 * 1024
BODY_SECONDS = 5.0
#: Acts under way and waiting. Each may wait for a Kafka that does not answer.
MOST_WAITING = 8


class ActRoute:
    """The handler of all acts; they are done on a thread, one after the other.

    ``proxies`` is as ``foreign`` takes it.
    """

    def __init__(self, acts: Acts, *, proxies: bool) -> None:
        self._acts = acts
        self._proxies = proxies
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="acts")
        self._waiting = 0

    async def handle(self, request: web.Request, role: Role) -> web.Response:
        """Answer a request of somebody with a role. Raises ``HTTPNotFound``."""
        act = ACTS.get(request.match_info["act"])
        if act is None:
            raise web.HTTPNotFound
        if (refusal := foreign(request, proxies=self._proxies)) is not None:
            return _answer(Outcome(refusal[0], {"reason": refusal[1]}))
        asked = await _asked(request, act)
        if isinstance(asked, Outcome):
            return _answer(asked)
        if self._waiting >= MOST_WAITING:
            return _answer(Outcome(503, {"reason": "others are being handled; try again"}))
        self._waiting += 1
        try:
            do = partial(self._acts.do, asked, role=role)
            return _answer(await asyncio.get_running_loop().run_in_executor(self._thread, do))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Take no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


async def _asked(request: web.Request, act: type[Asked]) -> Asked | Outcome:
    too_large = Outcome(413, {"reason": f"more than {MOST_BYTES:,} bytes are not read"})
    if (request.content_length or 0) > MOST_BYTES:
        return too_large
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.read()
    except TimeoutError:
        return Outcome(408, {"reason": f"the body did not come within {BODY_SECONDS:g} s"})
    except web.HTTPRequestEntityTooLarge:
        return too_large
    except (ConnectionError, web.RequestPayloadError):
        return Outcome(400, {"reason": "the body breaks off"})
    try:
        return act.model_validate_json(body)
    except ValidationError as error:
        return Outcome(400, {"reason": first_error(error)})


def _answer(outcome: Outcome) -> web.Response:
    return web.Response(
        status=outcome.status,
        body=orjson.dumps(outcome.document),
        content_type="application/json",
    )
