"""Where settings come from: environment, ``.env`` and file, and what is wrong with them."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource
from pydantic_settings import SettingsError as UnreadableSection

from streamgauge.plugins import did_you_mean
from streamgauge.settings.named import NotNamed, by_name, named_part

logger = logging.getLogger(__name__)

CONFIG_VARIABLE = "STREAMGAUGE_CONFIG"
CONFIG_FILES = (Path("streamgauge.yaml"), Path("/etc/streamgauge/streamgauge.yaml"))


class SettingsError(ValueError):
    """The settings can't be used. The text says where the mistake stands, without any secret."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one place says, by section and key. ``variables`` tells that names are spelt so."""

    place: str
    data: dict[str, Any]
    variables: bool = False

    def where(self, loc: Sequence[int | str]) -> str:
        """How the value at a path is spelt here."""
        if self.variables:
            return f"STREAMGAUGE_{'__'.join(str(part) for part in loc).upper()} in {self.place}"
        return f"{'.'.join(str(part) for part in loc)} in {self.place}"

    def has(self, loc: Sequence[int | str]) -> bool:
        found: Any = self.data
        for part in loc:
            if not isinstance(found, dict) or part not in found:
                return False
            found = found[part]
        return True


def read_sources(
    cls: type[BaseSettings], *, config: str | Path | None, overrides: Source
) -> list[Source]:
    """Read every place, strongest first. Secrets given by file are read here."""
    environment = EnvSettingsSource(cls)
    dotenv = DotEnvSettingsSource(cls)
    sources = [
        overrides,
        Source("the environment", _variables(cls, environment), variables=True),
        Source(".env", _variables(cls, dotenv), variables=True),
        _file(config),
    ]
    return [_with_secrets(cls, source) for source in sources]


def merged(sources: Sequence[Source]) -> dict[str, Any]:
    """One mapping of sections; what stands first wins, key by key."""
    result: dict[str, Any] = {}
    for source in reversed(sources):
        result = _laid_over(result, source.data)
    return result


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            value = _laid_over(under, value)
        result[key] = value
    return result


def explain(error: ValidationError, cls: type[BaseModel], sources: Sequence[Source]) -> str:
    """One line for each mistake: where, what, and what was meant. Values are never repeated."""
    lines = []
    for mistake in error.errors(include_input=False, include_url=False, include_context=False):
        loc = mistake["loc"]
        source = _source_of(loc, sources)
        if mistake["type"] == "extra_forbidden":
            known = _known(cls, loc[:-1])
            said = f"is no setting{did_you_mean(str(loc[-1]), known)} ({', '.join(known)})"
        else:
            said = mistake["msg"].removeprefix("Value error, ")
            said = said[:1].lower() + said[1:]
        lines.append(f"{source.where(loc)}: {said}")
    return "\n".join(lines)


def _source_of(loc: Sequence[int | str], sources: Sequence[Source]) -> Source:
    """Who said it; of what is missing, who spoke of the nearest thing around it."""
    for length in range(len(loc), 0, -1):
        for source in sources:
            if source.has(loc[:length]):
                return source
    return sources[0]


def _known(cls: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    parts = iter(loc)
    for part in parts:
        annotation: Any = cls.model_fields[str(part)].annotation
        if (named := named_part(annotation)) is not None:
            # What follows is the name of one of them.
            next(parts, None)
            annotation = named
        assert isinstance(annotation, type)
        cls = annotation
    return list(cls.model_fields)


def _variables(cls: type[BaseSettings], source: EnvSettingsSource) -> dict[str, Any]:
    try:
        data: dict[str, Any] = source()
    except UnreadableSection as error:
        raise SettingsError(
            f"{error}; give its keys one by one, as STREAMGAUGE_SECTION__KEY"
        ) from None
    prefix = "streamgauge_"
    spelt = {f"{section}_{key}" for section in cls.model_fields for key in _known(cls, [section])}
    for name, value in source.env_vars.items():
        rest = name.lower().removeprefix(prefix)
        if rest == name.lower():
            continue
        section, double, key = rest.partition("__")
        if double and section not in cls.model_fields:
            data.setdefault(section, {})[key] = value
        # A single underscore is the usual slip. Only a warning: Kubernetes sets variables of this
        # form (to "tcp://…") for every Service that happens to be called streamgauge.
        elif not double and rest in spelt and not str(value).startswith("tcp://"):
            logger.warning(
                "%s is not read: between section and key stand two underscores", name.upper()
            )
    return data


def _file(config: str | Path | None) -> Source:
    named = config or os.environ.get(CONFIG_VARIABLE)
    path = Path(named) if named else next((p for p in CONFIG_FILES if p.is_file()), None)
    if path is None:
        return Source("no file", {})
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise SettingsError(f"{path}{at}: is not YAML: {error.problem}") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise SettingsError(f"{path}: holds no sections (kafka:, redis:, …)")
    # A section with nothing under it is empty, not an error.
    return Source(str(path), {str(k): {} if v is None else v for k, v in data.items()})


def _with_secrets(cls: type[BaseSettings], source: Source) -> Source:
    data = dict(source.data)
    for section, field in cls.model_fields.items():
        values = data.get(section)
        if isinstance(values, dict) and isinstance(field.annotation, type):
            data[section] = _prepared(field.annotation, values, source, [section])
    return Source(source.place, data, source.variables)


def _prepared(
    cls: type[BaseModel], given: dict[str, Any], source: Source, loc: list[str]
) -> dict[str, Any]:
    """A section with the secrets read that stand in files, and its named parts by name."""
    values = dict(given)
    for key, field in cls.model_fields.items():
        part = named_part(field.annotation)
        if part is not None and key in values:
            here = [*loc, key]
            try:
                entries = by_name(values[key])
            except NotNamed as error:
                raise SettingsError(f"{source.where(here)}: {error}") from None
            values[key] = {
                name: _prepared(part, entry, source, [*here, name])
                if isinstance(entry, dict)
                else entry
                for name, entry in entries.items()
            }
        elif _is_section(field.annotation) and isinstance(values.get(key), dict):
            values[key] = _prepared(field.annotation, values[key], source, [*loc, key])
        elif _secret(field.annotation) and f"{key}_file" in values:
            path = Path(str(values.pop(f"{key}_file")))
            told = source.where([*loc, f"{key}_file"])
            if key in values:
                raise SettingsError(f"{told}: stands beside {key}; keep one of the two")
            try:
                values[key] = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
                raise SettingsError(f"{told}: {path} can't be read: {reason}") from None
    return values


def _is_section(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _secret(annotation: Any) -> bool:
    return annotation is SecretStr or SecretStr in getattr(annotation, "__args__", ())
