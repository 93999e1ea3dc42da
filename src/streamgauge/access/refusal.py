"""Why the other side and we do not come together: a cause and a remedy, without any secret."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

#: For one look at the other side.
LOOK_SECONDS = 3.0
#: A server that takes no client without a certificate says so after the handshake, if at all.
_AFTERTHOUGHT_SECONDS = 0.5
_EXPIRED, _NOT_YET, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64


@dataclass(frozen=True, slots=True)
class Refusal:
    """Trying again changes nothing until somebody did what ``remedy`` says."""

    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}"


def of_tls(where: str, section: str, error: ssl.SSLError) -> Refusal | None:
    """What a failed handshake means; None where it may be no TLS at all.

    ``where`` is how the other side is called, ``section`` where our certificates are set.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message
        if error.verify_code in (_EXPIRED, _NOT_YET):
            return Refusal(
                f"{where}: its certificate is not valid now ({said})",
                "renew it there, or set the clock of this machine right",
            )
        if error.verify_code in (_OTHER_NAME, _OTHER_ADDRESS):
            return Refusal(
                f"{where}: its certificate is for another host ({said})",
                "use the name that the certificate has, or put this one into the certificate",
            )
        return Refusal(
            f"{where}: its certificate was signed by nobody we trust ({said})",
            f"set {section}.ca_file to the PEM file of the authority that signed it",
        )
    reason = error.reason or ""
    if "ALERT" in reason:
        if "PROTOCOL_VERSION" in reason or "HANDSHAKE_FAILURE" in reason:
            return Refusal(
                f"{where}: it speaks no TLS that we do ({reason})", "allow TLS 1.2 there"
            )
        return Refusal(
            f"{where}: it does not take our certificate, or wants one ({reason})",
            f"set {section}.certificate_file and key_file to a pair that its authority signed",
        )
    return None


def tls_refusal(
    where: str, section: str, host: str, port: int, context: ssl.SSLContext
) -> Refusal | None:
    """Shake hands by TLS; why that fails, or None where it does not, or nobody listens."""
    try:
        with _connected(host, port, context) as connection:
            connection.settimeout(_AFTERTHOUGHT_SECONDS)
            with contextlib.suppress(TimeoutError):
                connection.recv(1)
        return None
    except ssl.SSLError as error:
        if (found := of_tls(where, section, error)) is not None:
            return found
    except (ConnectionRefusedError, socket.gaierror):
        return None
    except OSError:
        pass
    return Refusal(f"{where} does not speak TLS", "")


def speaks_tls(host: str, port: int) -> bool:
    """Whether the other side answers a handshake, whoever it is. Nothing else is sent."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with _connected(host, port, context):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


@contextlib.contextmanager
def _connected(host: str, port: int, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection((host, port), timeout=LOOK_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        yield connection
