"""The URL of a sink, checked before anything is sent: text, scheme, host."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from yarl import URL

from streamgauge.routing.addresses import is_loopback, refusal

#: Printable ASCII without what two readers of a URL have ever disagreed about.
_TEXT = re.compile(r"[!-~]{1,2048}")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
#: What ends in a number is an address to a resolver: 127.1, 0x7f.1, 2130706433.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


class UnsafeTarget(ValueError):
    """A URL or an address that nothing is sent to. The text says why, without the URL's path."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a sink is. Made by ``of`` alone, which refuses what is not safe.

    ``host`` is the name, or the address where ``literal``. ``str`` and ``repr`` show scheme, host
    and port: paths and queries of webhooks hold secrets.
    """

    url: URL
    host: str
    literal: bool
    allow_private: bool

    @classmethod
    def of(
        cls, url: str, *, allow_private: bool = False, allowed_hosts: Sequence[str] = ()
    ) -> Target:
        """Check a URL of the configuration. Raises ``UnsafeTarget``.

        Parameters
        ----------
        allow_private
            Private and loopback addresses too, and plain http to loopback.
        allowed_hosts
            Names, or ``*.`` and a domain; when given, nothing else is a target.
        """
        if not _TEXT.fullmatch(url) or "\\" in url:
            raise UnsafeTarget(
                "the URL holds spaces, control characters, a backslash or letters beyond ASCII; "
                "write the host as xn--… and the path with percent signs"
            )
        try:
            parsed = URL(url)
            host = (parsed.host or "").lower()
        except ValueError:
            raise UnsafeTarget("that is no URL; give https://host/path") from None
        if parsed.scheme not in ("https", "http"):
            raise UnsafeTarget(f"the scheme is {parsed.scheme or 'missing'}; give https://…")
        if "@" in url.partition("://")[2].partition("/")[0] or parsed.user is not None:
            raise UnsafeTarget("the URL holds user information before an @; take it out")
        target = cls(parsed, host, _is_address(host), allow_private)
        target._check_host(url, allowed_hosts)
        return target

    def check(self, addresses: Sequence[str]) -> None:
        """Refuse, with ``UnsafeTarget``, what a name resolved to.

        One bad address refuses all: a name that points both out and in is an attack or a mistake.
        """
        for address in addresses:
            if (said := refusal(address, allow_private=self.allow_private)) is not None:
                about = "" if self.literal else f"{self.host}: "
                may = refusal(address, allow_private=True) is None
                hint = " without allow_private" if may else ""
                raise UnsafeTarget(f"{about}{said}; nothing is sent there{hint}")
            if self.url.scheme == "http" and not (self.allow_private and is_loopback(address)):
                raise UnsafeTarget(
                    f"{self.host}: http is for this machine's own address with allow_private; "
                    "give https://…"
                )

    def __str__(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.url.is_default_port() else f":{self.url.port}"
        return f"{self.url.scheme}://{shown}{port}"

    def __repr__(self) -> str:
        return f"Target({str(self)!r})"

    def _check_host(self, text: str, allowed_hosts: Sequence[str]) -> None:
        labels = self.host.removesuffix(".").split(".")
        if self.literal:
            self.check([self.host])
        elif "[" in text:
            raise UnsafeTarget("what stands in brackets is no IPv6 address; give https://host/path")
        elif _NUMBER.fullmatch(labels[-1]):
            raise UnsafeTarget(f"{self.host} is an address in another form; write it plainly")
        elif not all(_LABEL.fullmatch(label) for label in labels):
            raise UnsafeTarget(f"{self.host or 'nothing'} is no host; give https://host/path")
        elif self.url.scheme == "http" and not self.allow_private:
            raise UnsafeTarget("http is not encrypted; give https://…")
        if self.url.port == 0:
            raise UnsafeTarget("port 0 is no port; leave it out, or give the receiver's")
        if allowed_hosts and not any(_matches(self.host, one) for one in allowed_hosts):
            raise UnsafeTarget(
                f"{self.host} is not among the allowed hosts ({', '.join(allowed_hosts)})"
            )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _matches(host: str, allowed: str) -> bool:
    host, allowed = host.removesuffix("."), allowed.lower()
    if allowed.startswith("*."):
        return host.endswith(allowed[1:])
    return host == allowed
