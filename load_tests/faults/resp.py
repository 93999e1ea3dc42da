"""As much of Redis' protocol as the proxy needs: where a command ends."""

from __future__ import annotations


def complete(data: bytes) -> bool:
    r"""Whether ``data`` holds a whole command; what does not begin like one counts as whole.

    >>> complete(b"*2\r\n$4\r\nPING\r\n$1\r\na"), complete(b"*1\r\n$4\r\nPING\r\n")
    (False, True)
    """
    if not data.startswith(b"*"):
        return True
    head, found, _ = data.partition(b"\r\n")
    at = len(head) + 2
    for _ in range(int(head[1:]) if found else 0):
        end = data.find(b"\r\n", at)
        if end < 0:
            return False
        at = end + 2 + int(data[at + 1 : end]) + 2
        if at > len(data):
            return False
    return bool(found)
