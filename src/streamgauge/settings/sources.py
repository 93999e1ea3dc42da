"""Where settings come from: environment, ``.env`` and file, and what is wrong with them."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource
from pydantic_settings import SettingsError as UnreadableSection

from streamgauge.plugins import did_you_mean

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
    """One mapping of sections; what stands first wins."""
    result: dict[str, Any] = {}
    for source in reversed(sources):
        for section, values in source.data.items():
            if isinstance(values, dict) and isinstance(result.get(section), dict):
                result[section] = {**result[section], **values}
            else:
                result[section] = values
    return result


def explain(error: ValidationError, cls: type[BaseModel], sources: Sequence[Source]) -> str:
    """One line for each mistake: where, what, and what was meant. Values are never repeated."""
    lines = []
    for mistake in error.errors(include_input=False, include_url=False, include_context=False):
        loc = mistake["loc"]
        source = next((s for s in sources if s.has(loc)), sources[0])
        if mistake["type"] == "extra_forbidden":
            known = _known(cls, loc[:-1])
            said = f"is no setting{did_you_mean(str(loc[-1]), known)} ({', '.join(known)})"
        else:
            said = mistake["msg"].removeprefix("Value error, ")
            said = said[:1].lower() + said[1:]
        lines.append(f"{source.where(loc)}: {said}")
    return "\n".join(lines)


def _known(cls: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    for part in loc:
        annotation = cls.model_fields[str(part)].annotation
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
    data = {k: dict(v) if isinstance(v, dict) else v for k, v in source.data.items()}
    for section, field in cls.model_fields.items():
        values = data.get(section)
        if not isinstance(values, dict) or not isinstance(field.annotation, type):
            continue
        for key, value in field.annotation.model_fields.items():
            if not _secret(value.annotation) or f"{key}_file" not in values:
                continue
            path = Path(str(values.pop(f"{key}_file")))
            here = source.where([section, f"{key}_file"])
            if key in values:
                raise SettingsError(f"{here}: stands beside {key}; keep one of the two")
            try:
                values[key] = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
                raise SettingsError(f"{here}: {path} can't be read: {reason}") from None
    return Source(source.place, data, source.variables)


def _secret(annotation: Any) -> bool:
    return annotation is SecretStr or SecretStr in getattr(annotation, "__args__", ())
