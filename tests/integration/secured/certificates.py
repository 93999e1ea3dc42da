"""An authority of one test run, made by openssl: certificates that hold, and some that don't."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.missing import missing

#: What broker and Redis answer to.
HERE = "DNS:localhost,IP:127.0.0.1"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path

    @property
    def both(self) -> Path:
        """One file with key and certificate, as Kafka wants them."""
        path = self.certificate.with_suffix(".both.pem")
        path.write_text(self.key.read_text() + self.certificate.read_text())
        return path


class Authority:
    """Signs certificates. Whoever trusts ``ca`` trusts them."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        if shutil.which("openssl") is None:
            missing("no openssl on PATH")
        self._directory = directory
        self._key = directory / f"{name}.key"
        self.ca = directory / f"{name}.pem"
        _key(self._key)
        usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _openssl(
            *("req", "-x509", "-new", "-key", self._key, "-subj", f"/CN={name}", "-days", "2"),
            *("-out", self.ca, *usage),
        )

    def sign(self, name: str, *, names: str = HERE, days: int = 2, password: str = "") -> Pair:
        """A certificate for ``CN=name``; with negative ``days`` one that has expired."""
        stem = f"{name}-{self.ca.stem}"
        pair = Pair(self._directory / f"{stem}.pem", self._directory / f"{stem}.key")
        request, extensions = pair.key.with_suffix(".csr"), pair.key.with_suffix(".ext")
        _key(pair.key)
        extensions.write_text(
            f"subjectAltName={names}\nauthorityKeyIdentifier=keyid\nbasicConstraints=CA:FALSE\n"
        )
        _openssl("req", "-new", "-key", pair.key, "-subj", f"/CN={name}", "-out", request)
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key),
            *("-CAcreateserial", "-days", str(days), "-extfile", extensions),
            *("-out", pair.certificate),
        )
        if password:
            locked = pair.key.with_suffix(".locked.key")
            _openssl(
                *("pkcs8", "-topk8", "-in", pair.key, "-passout", f"pass:{password}"),
                *("-out", locked),
            )
            return Pair(pair.certificate, locked)
        return pair


def _key(path: Path) -> None:
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
