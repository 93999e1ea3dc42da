"""Certificates that settings name: whether they can be read, and what TLS makes of them."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from streamgauge.settings.section import Section


def _readable(path: Path) -> Path:
    try:
        path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path} can't be read: {error.strerror}; name a file in PEM format that this"
            " process may read"
        ) from None
    return path


#: A file in PEM format, there and readable when the settings are read.
PemFile = Annotated[Path, AfterValidator(_readable)]


class Certificates(Section):
    """Whom a client believes, and who it is by TLS: what the settings of both stores hold."""

    ca_file: PemFile | None = Field(
        None, description="Whom we believe; without it the machine's authorities. PEM."
    )
    certificate_file: PemFile | None = Field(
        None, description="Who we are by TLS (mTLS), with `key_file`. PEM."
    )
    key_file: PemFile | None = Field(None, description="The certificate's key. PEM.")
    key_password: SecretStr | None = Field(None, description="What the key is encrypted with.")

    def tls(self) -> ssl.SSLContext:
        """The context of these files. Raises ``ValueError`` where they can't be used."""
        password = self.key_password
        return tls_context(
            ca_file=self.ca_file,
            certificate_file=self.certificate_file,
            key_file=self.key_file,
            key_password=None if password is None else password.get_secret_value(),
        )


def tls_context(
    *,
    ca_file: Path | None,
    certificate_file: Path | None,
    key_file: Path | None,
    key_password: str | None,
) -> ssl.SSLContext:
    """A client's context: TLS 1.2 or newer, the other side's certificate and name are checked.

    Without ``ca_file`` the authorities of the machine are trusted. Raises ``ValueError``, which
    names the setting and what to do, where the files can't be used.
    """
    if (certificate_file is None) != (key_file is None):
        given, lacking = ("certificate_file", "key_file")[:: 1 if certificate_file else -1]
        raise ValueError(f"{given} stands without {lacking}; give both, or neither")
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise ValueError(
            f"ca_file: {ca_file} holds no certificate; name the PEM file of the authority that"
            " signed the server's certificate"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate_file is not None and key_file is not None:
        try:
            # Always a password, if an empty one: OpenSSL would ask at the terminal for it.
            context.load_cert_chain(certificate_file, key_file, lambda: key_password or "")
        except ssl.SSLError as error:
            raise ValueError(_unfit(certificate_file, key_file, error)) from None
    return context


def _unfit(certificate_file: Path, key_file: Path, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return (
            f"key_file: {key_file} is not the key of {certificate_file}; give the one that the"
            " certificate was made for"
        )
    if error.reason in ("BAD_DECRYPT", "BAD_PASSWORD_READ", "PROBLEMS_GETTING_PASSWORD", None):
        return f"key_password: it does not open {key_file}; correct it (or key_password_file)"
    return (
        f"certificate_file, key_file: {certificate_file} and {key_file} can't be used"
        f" ({error.reason}); both must be in PEM format"
    )
