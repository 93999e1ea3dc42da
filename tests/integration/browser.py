"""A headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.missing import missing

START_SECONDS = 15.0
WAIT_SECONDS = 20.0
#: What keeps it from asking anybody anything, and lets it run as root and in a container.
FLAGS = (
    "--headless=new",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
    "--force-color-profile=srgb",
)


class Page:
    """The one page of a browser. What it logs and asks for is kept."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket = socket
        self._session = session
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        #: Errors of the console and of scripts, in words.
        self.errors: list[str] = []
        #: Addresses that were asked for.
        self.requests: list[str] = []

    async def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json(
            {
                "id": number,
                "method": method,
                "params": parameters,
                **({"sessionId": self._session} if self._session else {}),
            }
        )
        return await asyncio.wait_for(answer, WAIT_SECONDS)

    async def listen(self) -> None:
        """Take answers and events until the browser goes."""
        async for text in self._socket:
            told = json.loads(text.data)
            if "id" in told:
                answer = self._answers.pop(told["id"])
                if "error" in told:
                    answer.set_exception(RuntimeError(told["error"]["message"]))
                elif not answer.done():
                    answer.set_result(told["result"])
                continue
            self._note(told.get("method", ""), told.get("params", {}))

    async def go(self, url: str) -> None:
        """Open an address."""
        await self.send("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """The value of an expression, awaited where it is a promise."""
        found = await self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"])[:500])
        return found["result"].get("value")

    async def text(self) -> str:
        """All that can be read."""
        return str(await self.run("document.body?.innerText ?? ''"))

    async def until(self, script: str, *, seconds: float = WAIT_SECONDS) -> Any:
        """Wait for an expression to be true, and return it."""
        deadline = time.monotonic() + seconds
        while not (value := await self.run(script)):
            if time.monotonic() > deadline:
                raise AssertionError(f"never true: {script}\n{(await self.text())[:3000]}")
            await asyncio.sleep(0.05)
        return value

    async def says(self, *words: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait for words to stand on the page, in any case and order."""
        text = r"(document.body?.innerText ?? '').toLowerCase().replace(/\s+/g, ' ')"
        for word in words:
            wanted = json.dumps(" ".join(word.lower().split()))
            await self.until(f"{text}.includes({wanted})", seconds=seconds)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            codes = {"Enter": 13, "Escape": 27}
            common = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
            await self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
            await self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    async def click(self, selector: str) -> None:
        """Click an element, as a script would."""
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def size(self, width: int, height: int) -> None:
        """Make the window so large."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def prefer(self, **features: str) -> None:
        """What the person prefers: ``prefers_color_scheme="dark"``."""
        told = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        await self.send("Emulation.setEmulatedMedia", features=told)

    async def shoot(self, path: Path, *, whole: bool = True) -> None:
        """Keep a picture of it."""
        found = await self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def _note(self, method: str, told: Mapping[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(told["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.errors.append(str(told["args"])[:500])
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])


@contextlib.asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Page]:
    """A browser with an empty page. Its profile is kept in ``directory``."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("no chromium on PATH")
    process = await asyncio.create_subprocess_exec(
        program,
        *FLAGS,
        f"--user-data-dir={directory / 'profile'}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        # A group of its own: what it starts ends with it.
        start_new_session=True,
    )
    try:
        url = await _address(directory / "profile" / "DevToolsActivePort")
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(url, max_msg_size=0) as socket,
        ):
            browser = Page(socket, "")
            listening = asyncio.create_task(browser.listen())
            target = await browser.send("Target.createTarget", url="about:blank")
            attached = await browser.send(
                "Target.attachToTarget", targetId=target["targetId"], flatten=True
            )
            page = browser
            page._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                await page.send(f"{domain}.enable")
            try:
                yield page
            finally:
                listening.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _address(path: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists() or "\n" not in path.read_text():
        assert time.monotonic() < deadline, "chromium did not start"
        await asyncio.sleep(0.05)
    port, way = path.read_text().split("\n")[:2]
    return f"ws://127.0.0.1:{port}{way}"
