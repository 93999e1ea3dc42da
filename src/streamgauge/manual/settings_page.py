"""``settings.md``: what each process is told at its start, from the settings' own models."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from streamgauge.manual.docstring import Docstring
from streamgauge.manual.markdown import page, table
from streamgauge.manual.sections import COLUMNS, Place, places
from streamgauge.settings import Settings

_INTRODUCTION = """\
Read once, at the start of a process. What stands first wins: the command line, the environment,
`.env`, the file, the defaults. The file is `--config`, else `STREAMGAUGE_CONFIG`, else
`streamgauge.yaml` here, else `/etc/streamgauge/streamgauge.yaml`:

```yaml
kafka: {bootstrap_servers: "kafka:9092"}
redis: {url_file: /run/secrets/redis}
monitoring: {min_events: 200}
```

In the environment a key is `STREAMGAUGE_<SECTION>__<KEY>`, with two underscores between:
`STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS=kafka:9092`. A secret may stand in a file: its key with
`_file` behind it, `STREAMGAUGE_REDIS__URL_FILE=/run/secrets/redis`. Unknown keys are mistakes: a
process says where each stands and what was perhaps meant, and ends with exit code 2. Numbers in
`_seconds` and `_bytes` are in those units. What clients read is in
[schemas/README.md](../schemas/README.md#settings)."""


def settings_page() -> str:
    """The page."""
    parts = [_INTRODUCTION]
    for place in list(places(Place("", Settings)))[1:]:
        rows = [
            (key + (f" or `{key.strip('`')}_file`" if _secret(field) else ""), *rest)
            for (key, *rest), (_, field) in zip(place.rows(_default), place.fields(), strict=True)
        ]
        parts += [f"## `{place.path}`", Docstring.of(place.part).text, table(COLUMNS, rows)]
    return page("Settings", *parts)


def _secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def _default(field: FieldInfo) -> str:
    value = field.get_default()
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is PydanticUndefined:
        return "needed"
    if value is None or value in ((), {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:.0f}`" if isinstance(value, float) and value.is_integer() else f"`{value}`"
