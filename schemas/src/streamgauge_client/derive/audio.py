"""What can be measured of a recording: length, volume, silence, clipping."""

from __future__ import annotations

import sys
import wave
from array import array
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from math import isfinite, log10
from typing import Any, NamedTuple

from streamgauge_client.derive.arrays import as_array, numpy_or_none

#: Seconds of sound whose volume is judged at once.
BLOCK_SECONDS = 0.01
#: Digital silence is minus infinity, which no event can hold.
QUIETEST_DBFS = -120.0
#: From here on a sample is at full scale.
_CLIPPED = 0.999
#: Floats beyond it are integers in disguise; up to it they are overdriven, and count as clipped.
_OVERDRIVEN = 2.0
_MAX_CHANNELS = 32
_INSTEAD = "the bytes of a WAV file"


class Block(NamedTuple):
    """A stretch of sound: its frames, the mean square, the peak and the clipped samples in it."""

    frames: int
    power: float
    peak: float
    clipped: int


class _Scale(NamedTuple):
    """Which value is silence, and how far from it full scale is."""

    zero: float
    full: float


def audio_features(
    name: str, audio: Any, *, sample_rate: float | None = None, silence_dbfs: float = -50.0
) -> dict[str, Any]:
    """Length, volume, silence and clipping of a recording.

    ``.duration_seconds``; ``.volume_dbfs`` is the RMS over all channels (0 is a square wave at
    full scale, digital silence is -120); ``.peak`` of 0 to 1; ``.silence_before_seconds`` and
    ``.silence_after_seconds`` up to the first and from the last 10 ms that are louder than
    ``silence_dbfs`` (the whole duration where none is); ``.silence_ratio`` the share of such
    silence anywhere; ``.clipped_ratio`` the share of samples at full scale. Raises ``ValueError``.

    Parameters
    ----------
    name
        The input's name, before the dot.
    audio
        An array of samples, or of samples × channels: integers at their type's full scale, or
        floats from -1 to 1. A list of floats. Or the bytes of a WAV file.
    sample_rate
        Samples a second; a WAV file knows its own.

    Examples
    --------
    >>> features = audio_features("call", [0.0] * 50 + [0.5, -0.5] * 50, sample_rate=100)
    >>> features["call.duration_seconds"], features["call.silence_before_seconds"]
    (1.5, 0.5)
    """
    if isinstance(audio, (bytes, bytearray, memoryview)):
        samples, scale, channels, rate = _of_wav(bytes(audio), name)
    else:
        samples, scale, channels = _of_samples(audio, name)
        rate = _rate(sample_rate, name)
    frames_a_block = max(1, round(rate * BLOCK_SECONDS))
    blocks = list(_blocks(samples, scale, channels, frames_a_block))
    frames = sum(block.frames for block in blocks)
    power = sum(block.power * block.frames for block in blocks) / frames
    # Written so that NaN and infinity fail too.
    if not max(block.peak for block in blocks) <= _OVERDRIVEN or not isfinite(power):
        raise ValueError(
            f"{name} holds NaN or values beyond -1 to 1; give floats from -1 to 1 "
            "(16-bit values: samples / 32768), or integers of an integer type"
        )
    loud = [_dbfs(block.power) > silence_dbfs for block in blocks]
    before = _silent(zip(blocks, loud, strict=True))
    after = _silent(zip(reversed(blocks), reversed(loud), strict=True))
    silent = sum(block.frames for block, heard in zip(blocks, loud, strict=True) if not heard)
    return {
        f"{name}.duration_seconds": frames / rate,
        f"{name}.volume_dbfs": _dbfs(power),
        f"{name}.peak": min(1.0, max(block.peak for block in blocks)),
        f"{name}.silence_before_seconds": before / rate,
        f"{name}.silence_after_seconds": after / rate,
        f"{name}.silence_ratio": silent / frames,
        f"{name}.clipped_ratio": sum(block.clipped for block in blocks) / (frames * channels),
    }


def _dbfs(power: float) -> float:
    return max(QUIETEST_DBFS, 10 * log10(power)) if power > 0 else QUIETEST_DBFS


def _silent(blocks: Iterable[tuple[Block, bool]]) -> int:
    """Frames up to the first block that is heard."""
    frames = 0
    for block, heard in blocks:
        if heard:
            break
        frames += block.frames
    return frames


def _rate(given: float | None, name: str) -> float:
    if given is None:
        raise ValueError(f"{name} has no sample rate; give sample_rate=16000, or {_INSTEAD}")
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 1 <= given <= 1e7:
        raise ValueError(f"{name}: sample_rate={given!r} is none; give samples a second")
    return float(given)


def _of_wav(data: bytes, name: str) -> tuple[Any, _Scale, int, float]:
    try:
        with wave.open(BytesIO(data)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(
            f"{name} is no WAV file of whole numbers ({error or 'it is cut off'}); "
            "decode it to an array of samples first"
        ) from None
    raw = raw[: len(raw) - len(raw) % (width * channels)]
    if not raw:
        raise ValueError(f"{name} is empty; leave its features out")
    if width == 3:
        raw, width = _upper_bytes(raw), 2
    samples = array({1: "B", 2: "h", 4: "i"}[width], raw)
    numpy = numpy_or_none()
    scale = _Scale(128, 128) if width == 1 else _Scale(0, 2 ** (8 * width - 1))
    return samples if numpy is None else numpy.asarray(samples), scale, channels, float(rate)


def _upper_bytes(raw: bytes) -> bytes:
    """The upper 16 bits of 24, in the machine's order as ``wave`` gives them."""
    upper = bytearray(len(raw) // 3 * 2)
    first = 1 if sys.byteorder == "little" else 0
    upper[0::2], upper[1::2] = raw[first::3], raw[first + 1 :: 3]
    return bytes(upper)


def _of_samples(audio: Any, name: str) -> tuple[Any, _Scale, int]:
    if numpy_or_none() is None and isinstance(audio, (list, tuple)):
        if not audio or not all(type(sample) is float for sample in audio):
            raise ValueError(f"{name} is no list of floats from -1 to 1; give one, or {_INSTEAD}")
        return audio, _Scale(0, 1), 1
    samples = as_array(audio, name, instead=f"a list of floats, or {_INSTEAD}")
    channels = samples.shape[1] if samples.ndim == 2 else 1
    if samples.ndim not in (1, 2) or channels > _MAX_CHANNELS:
        raise ValueError(
            f"{name} has shape {samples.shape}; give samples, or samples × channels "
            "(channels come last: audio.T)"
        )
    kind, size = samples.dtype.kind, samples.dtype.itemsize
    if kind == "f":
        return samples, _Scale(0, 1), channels
    if kind == "i" and size <= 4:
        return samples, _Scale(0, 2 ** (8 * size - 1)), channels
    if kind == "u" and size == 1:
        return samples, _Scale(128, 128), channels
    raise ValueError(
        f"{name} holds {samples.dtype}, which has no full scale; give int16 or float samples"
    )


def _blocks(samples: Any, scale: _Scale, channels: int, frames_a_block: int) -> Iterator[Block]:
    step = frames_a_block * channels
    if isinstance(samples, (Sequence, array)):
        for start in range(0, len(samples), step):
            block = [(value - scale.zero) / scale.full for value in samples[start : start + step]]
            yield Block(
                len(block) // channels,
                sum(value * value for value in block) / len(block),
                max(map(abs, block)),
                sum(abs(value) >= _CLIPPED for value in block),
            )
        return
    numpy = numpy_or_none()
    flat = samples.reshape(-1)
    # By ten seconds or so, since as doubles a long recording takes four times its size.
    for start in range(0, flat.size, 1000 * step):
        part = flat[start : start + 1000 * step].astype("float64")
        part = (part - scale.zero) / scale.full
        whole = part.size // step * step
        for rows in (part[:whole].reshape(-1, step), part[whole:].reshape(1, -1)):
            if rows.size:
                with numpy.errstate(all="ignore"):
                    power = numpy.square(rows).mean(axis=1).tolist()
                    peak = numpy.abs(rows).max(axis=1).tolist()
                    clipped = (numpy.abs(rows) >= _CLIPPED).sum(axis=1).tolist()
                frames = rows.shape[1] // channels
                for values in zip(power, peak, clipped, strict=True):
                    yield Block(frames, *values)
