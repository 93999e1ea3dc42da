"""How Redis is spoken to: TLS by the URL, its certificates, and the ACL user."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, model_validator

from streamgauge.settings.certificates import Certificates

#: What in a URL's query would switch off that the server's certificate is checked.
_WEAKENING = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}


class RedisSecurity(Certificates):
    """What every client of Redis goes by besides the URL; ``rediss://`` there means TLS.

    The ACL user stands in the URL, or here: ``username`` and ``password``. The latter and
    ``key_password`` are secrets, so each may stand in a file: ``password_file``.
    """

    username: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="The ACL user; or it stands in the URL."
    )
    password: SecretStr | None = Field(None, description="The user's password.")

    @model_validator(mode="after")
    def _consistent(self) -> RedisSecurity:
        if self.username is not None and self.password is None:
            raise ValueError("username: stands without a password; give password or password_file")
        self.tls()
        return self


def check_url(url: str, security: RedisSecurity) -> None:
    """Raise ``ValueError`` where URL and security contradict each other; it holds no secret.

    >>> check_url("rediss://db:6380/0", RedisSecurity(username="worker", password="p"))
    """
    parts = urlsplit(url)
    try:
        _ = parts.port
    except ValueError:
        # Whatever parses it later would print what it takes for the port: a part of the password.
        raise ValueError(
            "url: its port is no number; in a password / is written %2F, # %23, ? %3F, @ %40, : %3A"
        ) from None
    files = sorted(
        security.model_fields_set & {"ca_file", "certificate_file", "key_file", "key_password"}
    )
    if files and parts.scheme != "rediss":
        raise ValueError(
            f"security.{files[0]}: given, but the url begins with {parts.scheme}://, which encrypts"
            " nothing; write rediss://, or leave it out"
        )
    if "@" in parts.netloc and security.password is not None:
        raise ValueError(
            "security.password: given, and the url has a user too; keep one of the two"
        )
    for name, value in parse_qs(parts.query).items():
        wanted = _WEAKENING.get(name)
        if wanted is not None and value[-1].lower() != wanted:
            raise ValueError(
                f"url: {name}={value[-1]} would take anybody for Redis; leave it out, and name the"
                " authority that signed its certificate: security.ca_file"
            )
