"""The registry for commands: what goes wrong in it becomes one line with a hint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streamgauge.cli.connections import open_redis
from streamgauge.cli.failures import CheckFailed, CommandFailed, Unreachable

if TYPE_CHECKING:
    from streamgauge.registry.registry import ModelRegistry
    from streamgauge.settings import Settings


def key_of(settings: Settings) -> bytes:
    """The key that signs models; empty where none is set."""
    key = settings.state.key
    return key.get_secret_value().encode() if key is not None else b""


@contextmanager
def open_registry(settings: Settings) -> Iterator[ModelRegistry]:
    """The registry in a Redis that answered just now."""
    from streamgauge.registry.archive import archive_at
    from streamgauge.registry.base import StoreFailed
    from streamgauge.registry.ledger import RegistryConflict
    from streamgauge.registry.registry import ModelRegistry
    from streamgauge.registry.rejected import Rejected

    with open_redis(settings) as redis:
        try:
            yield ModelRegistry(
                redis, key=key_of(settings), archive=archive_at(settings.registry.archive)
            )
        except StoreFailed as error:
            raise Unreachable(str(error)) from error
        except LookupError as error:
            raise CommandFailed(str(error), "see `streamgauge models list`") from error
        except RegistryConflict as error:
            raise CommandFailed(str(error)) from error
        except Rejected as error:
            hint = "" if error.reason == "key" else "see `streamgauge models verify`"
            raise (CommandFailed if error.reason == "key" else CheckFailed)(
                str(error), hint
            ) from error
