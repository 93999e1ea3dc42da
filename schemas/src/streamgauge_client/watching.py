"""Watching a function: each of its calls becomes a prediction."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import CoroutineType
from typing import Any

from streamgauge_client import documents
from streamgauge_client.arguments import Extractor, Reader, first_record, reader
from streamgauge_client.unfit import QueueFull, Unfit

_FIELDS = frozenset({*documents.PREDICTION, "prediction_id", "timestamp", "status", "version"})


class Watch:
    """The decorator that ``Publisher.watch`` gives. Raises ``TypeError`` for what it can't do."""

    def __init__(
        self,
        log: Callable[..., Any],
        drop: Callable[[Exception], None],
        *,
        features: Extractor | None,
        output: Extractor | None,
        fields: Mapping[str, Any],
    ) -> None:
        for name, extractor in (("features", features), ("output", output)):
            if extractor is not None and not callable(extractor):
                raise TypeError(
                    f"{name} is a {type(extractor).__name__}; give a function, such as "
                    f"{name}=lambda {'request' if name == 'features' else 'result'}: …"
                )
        for name in fields:
            if name not in _FIELDS:
                close = get_close_matches(name, _FIELDS, 1)
                hint = (
                    f"did you mean {close[0]}?" if close else f"give {', '.join(sorted(_FIELDS))}"
                )
                raise TypeError(f"a prediction has no {name}; {hint}")
        self._log = log
        self._drop = drop
        self._features = features
        self._output = output
        self._fields = fields

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        _check_watchable(function)
        readers = {
            name: reader(value, function, name)
            for name, value in self._fields.items()
            if callable(value)
        }
        fixed = {name: value for name, value in self._fields.items() if name not in readers}
        readers["features"] = (
            first_record(function)
            if self._features is None
            else reader(self._features, function, "features")
        )
        name = getattr(function, "__qualname__", type(function).__name__)
        watched = _Watched(self._log, self._drop, name, readers, fixed, self._output)
        return _wrapped(function, watched)


class _Watched:
    """How the calls of one function become events."""

    def __init__(
        self,
        log: Callable[..., Any],
        drop: Callable[[Exception], None],
        name: str,
        readers: Mapping[str, Reader],
        fixed: Mapping[str, Any],
        output: Extractor | None,
    ) -> None:
        self._log = log
        self._drop = drop
        self._name = name
        self._readers = readers
        self._fixed = fixed
        self._output = output

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call:
        # Read before the call, which may change its arguments; and not timed.
        fields: dict[str, Any] | None = dict(self._fixed)
        for name, read in self._readers.items():
            try:
                fields[name] = read(args, kwargs)  # type: ignore[index]
            except Exception as error:
                self._count(name, error)
                fields = None
                break
        return _Call(self, fields)

    def publish(self, fields: dict[str, Any], result: Any) -> None:
        try:
            output = result if self._output is None else self._output(result)
        except Exception as error:
            return self._count("output", error)
        self.log(output=output, **fields)

    def log(self, **fields: Any) -> None:
        try:
            self._log(**fields)
        except QueueFull:
            # Counted. Raised here it would take the place of the call's own result.
            return

    def _count(self, extractor: str, error: Exception) -> None:
        # Where it was raised and not what it says: that may be somebody's data.
        at, line = error.__traceback__, ""
        while at is not None:
            line = f" at {at.tb_frame.f_code.co_filename}:{at.tb_lineno}"
            at = at.tb_next
        self._drop(Unfit(f"{extractor} of {self._name}: {type(error).__name__}{line}", "error"))


class _Call:
    """One call under way."""

    __slots__ = ("_fields", "_started", "_watched")

    def __init__(self, watched: _Watched, fields: dict[str, Any] | None) -> None:
        self._watched = watched
        self._fields = fields
        if fields is not None:
            fields.setdefault("timestamp", time.time())
        self._started = time.perf_counter()

    def returned(self, result: Any) -> None:
        if (fields := self._timed()) is not None:
            self._watched.publish(fields, result)

    def raised(self, error: BaseException) -> None:
        if (fields := self._timed()) is not None:
            fields.update(status="error", error_type=type(error).__name__)
            self._watched.log(**fields)

    def _timed(self) -> dict[str, Any] | None:
        elapsed = time.perf_counter() - self._started
        if self._fields is not None:
            self._fields.setdefault("latency_ms", elapsed * 1000)
        return self._fields


def _wrapped(function: Callable[..., Any], watched: _Watched) -> Callable[..., Any]:
    async def finished(call: _Call, pending: Any) -> Any:
        try:
            result = await pending
        except BaseException as error:
            call.raised(error)
            raise
        call.returned(result)
        return result

    if _is_async(function):

        @functools.wraps(function)
        async def watched_async(*args: Any, **kwargs: Any) -> Any:
            return await finished(watched.begin(args, kwargs), function(*args, **kwargs))

        return watched_async

    @functools.wraps(function)
    def watched_call(*args: Any, **kwargs: Any) -> Any:
        call = watched.begin(args, kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            call.raised(error)
            raise
        if type(result) is CoroutineType:
            # Another decorator hid that the function is async.
            return finished(call, result)
        call.returned(result)
        return result

    return watched_call


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004
    )


def _check_watchable(function: Any) -> None:
    name = getattr(function, "__qualname__", type(function).__name__)
    if not callable(function) or isinstance(function, type):
        hint = (
            "put it below @classmethod" if isinstance(function, classmethod) else "watch a method"
        )
        raise TypeError(f"watch decorates functions, and {name} is none; {hint}")
    call = getattr(function, "__call__", None)  # noqa: B004
    if any(
        test(one)
        for test in (inspect.isgeneratorfunction, inspect.isasyncgenfunction)
        for one in (function, call)
    ):
        raise TypeError(
            f"{name} is a generator, and its output comes in pieces; "
            "use `with publisher.prediction(…) as prediction:` inside it"
        )
