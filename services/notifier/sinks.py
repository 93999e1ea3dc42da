"""From the settings to the sinks: each checked, and bound to its own guarded post."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streamgauge.alarms.sinks.base import AlarmSink
from streamgauge.clock import Clock, system_clock
from streamgauge.plugins import PluginError
from streamgauge.routing.guarded_post import GuardedPost
from streamgauge.routing.target import Target, UnsafeTarget
from streamgauge.settings import NotifierSettings, SettingsError, SinkSettings

#: Where alarms go when nobody said where.
DEFAULT = {"log": SinkSettings(type="log")}


@dataclass(frozen=True, slots=True)
class ConfiguredSink:
    """A sink as the settings describe it. ``post`` is None where it is sent without HTTP."""

    name: str
    sink: AlarmSink
    settings: SinkSettings
    post: GuardedPost | None = None

    async def close(self) -> None:
        """Give up connections."""
        if self.post is not None:
            await self.post.close()


def configured_sinks(
    settings: NotifierSettings, *, clock: Clock = system_clock
) -> list[ConfiguredSink]:
    """All sinks of the settings. Raises ``SettingsError``, which says which and what to do."""
    return [
        _configured(name, one, settings, clock) for name, one in (settings.sinks or DEFAULT).items()
    ]


def _configured(
    name: str, one: SinkSettings, settings: NotifierSettings, clock: Clock
) -> ConfiguredSink:
    try:
        kind = AlarmSink.named(one.type)
        post = _post(kind, one, settings)
        options: dict[str, Any] = {}
        if post is not None:
            options |= {"post": post, "clock": clock}
        if one.secret is not None:
            options["secret"] = one.secret.get_secret_value()
        if one.format is not None:
            options["format"] = one.format
        return ConfiguredSink(name, AlarmSink.create(one.type, **options), one, post)
    except (PluginError, UnsafeTarget) as error:
        raise SettingsError(f"notifier.sinks.{name}: {error}") from None


def _post(
    kind: type[AlarmSink], one: SinkSettings, settings: NotifierSettings
) -> GuardedPost | None:
    if not kind.posts:
        if one.url is not None:
            raise PluginError(f"a {kind.name} has no url; take it out, or give another type")
        return None
    if one.url is None:
        raise PluginError(f"a {kind.name} needs a url (or url_file): https://…")
    target = Target.of(
        one.url.get_secret_value(),
        allow_private=one.allow_private,
        allowed_hosts=settings.allowed_hosts,
    )
    return GuardedPost(target)
