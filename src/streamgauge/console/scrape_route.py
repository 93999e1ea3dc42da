"""``GET /metrics``: collected on a thread, and so many at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp import web
from prometheus_client import CollectorRegistry

from streamgauge.console.metrics import scrape
from streamgauge.console.sending import send

#: Scrapes under way, up to their last byte: megabytes each, and for anybody.
MOST_SCRAPES = 32


class ScrapeRoute:
    """The handler. The loop never collects: it has the pages to serve."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scrape")
        self._under_way = 0

    async def handle(self, request: web.Request) -> web.Response:
        """Answer, and have the answer written before another takes its place."""
        if self._under_way >= MOST_SCRAPES:
            return web.Response(
                status=503, text="others are scraping; try again\n", headers={"Retry-After": "5"}
            )
        self._under_way += 1
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._thread,
                partial(
                    scrape,
                    self._registry,
                    accept=request.headers.get("Accept", ""),
                    encoding=request.headers.get("Accept-Encoding", ""),
                    names=request.query.getall("name[]", []),
                ),
            )
            response = web.Response(body=found.body, headers=found.headers)
            await send(request, response)
            return response
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """Take no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
