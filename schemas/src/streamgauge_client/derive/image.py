"""What can be measured of a picture: size, brightness, contrast, clipping."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from math import sqrt
from typing import Any

from streamgauge_client.derive.arrays import as_array, numpy_or_none

#: Pixels that are looked at in each direction. More would cost time and tell no more.
MAX_SIDE = 512
#: Of a pixel's brightness, ITU-R BT.601.
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114
#: So close to black or white is black or white, of 0 to 1.
_EDGE = 0.5 / 255

_INSTEAD = "a PIL image, or the bytes of a PNG or JPEG"
#: Brightness mean and standard deviation, share of clipped pixels.
Light = tuple[float, float, float]


def image_features(name: str, image: Any) -> dict[str, Any]:
    """Size, brightness, contrast and clipping of an image.

    ``.width``, ``.height``, ``.channels``; ``.brightness`` is the mean of 0 (black) to 1 (white),
    ``.contrast`` the standard deviation of the same, ``.clipped_ratio`` the share of pixels that
    are quite black or quite white. Alpha is ignored. Large images are sampled on a grid of at most
    512 by 512 pixels. Raises ``ValueError``.

    Parameters
    ----------
    name
        The input's name, before the dot.
    image
        An array of height × width or height × width × 1, 3 or 4, as ``uint8``, ``uint16``, floats
        from 0 to 1 or from 0 to 255; a PIL image; or the bytes of an image file, which PIL must
        be installed for.

    Examples
    --------
    >>> import numpy
    >>> half = numpy.zeros((2, 4), numpy.uint8)
    >>> half[:, 2:] = 255
    >>> features = image_features("photo", half)
    >>> features["photo.width"], features["photo.brightness"], features["photo.contrast"]
    (4, 0.5, 0.5)
    """
    if isinstance(image, (bytes, bytearray, memoryview)):
        width, height, channels, light = _of_file(bytes(image), name)
    elif hasattr(type(image), "getbands"):
        width, height, channels, light = _of_pillow(image, name)
    else:
        width, height, channels, light = _of_array(image, name)
    return {
        f"{name}.width": width,
        f"{name}.height": height,
        f"{name}.channels": channels,
        f"{name}.brightness": light[0],
        f"{name}.contrast": light[1],
        f"{name}.clipped_ratio": light[2],
    }


def _of_array(image: Any, name: str) -> tuple[int, int, int, Light]:
    array = as_array(image, name, instead=_INSTEAD)
    if array.ndim == 4:
        raise ValueError(f"{name} has shape {array.shape}, a batch of images; give one at a time")
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4):
        first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        remedy = "channels come last: image.transpose(1, 2, 0)" if first else "give one image"
        raise ValueError(
            f"{name} has shape {array.shape}; height × width or height × width × 1, 3 or 4 is "
            f"an image; {remedy}"
        )
    height, width = array.shape[:2]
    seen = array[:: -(-height // MAX_SIDE), :: -(-width // MAX_SIDE)]
    pixels = seen.astype("float64") / _white(seen, name)
    if pixels.ndim == 3:
        pixels = (
            pixels[..., 0] * _RED + pixels[..., 1] * _GREEN + pixels[..., 2] * _BLUE
            if channels > 1
            else pixels[..., 0]
        )
    clipped = (pixels <= _EDGE) | (pixels >= 1 - _EDGE)
    return (
        width,
        height,
        channels,
        (
            float(pixels.mean()),
            float(pixels.std()),
            float(clipped.mean()),
        ),
    )


def _white(pixels: Any, name: str) -> float:
    """The value of a white pixel. Integers have it by their type, floats by their range."""
    kind, size = pixels.dtype.kind, pixels.dtype.itemsize
    if kind == "b":
        return 1.0
    if kind == "u" and size <= 2:
        return 255.0 if size == 1 else 65535.0
    low, high = float(pixels.min()), float(pixels.max())
    if low != low or high != high:
        raise ValueError(f"{name} holds NaN; give the image as the camera or the file has it")
    if low < 0 or high > 255:
        raise ValueError(
            f"{name} holds values from {low:.4g} to {high:.4g}; give 0 to 255 or 0 to 1, "
            "the image before it is normalised for the model"
        )
    return 1.0 if kind == "f" and high <= 1 else 255.0


def _of_file(data: bytes, name: str) -> tuple[int, int, int, Light]:
    try:
        pillow = import_module("PIL.Image")
    except ImportError:
        raise ValueError(
            f"{name}: reading image files needs Pillow; pip install pillow, or give an array"
        ) from None
    try:
        image = pillow.open(BytesIO(data))
    except Exception as error:
        raise ValueError(
            f"{name} is no image file that Pillow can open ({type(error).__name__})"
        ) from None
    return _of_pillow(image, name)


def _of_pillow(image: Any, name: str) -> tuple[int, int, int, Light]:
    width, height = image.size
    if not width or not height:
        raise ValueError(f"{name} is empty ({width} × {height}); leave its features out")
    # A palette's colours are three channels, whatever the file holds.
    channels = {"P": 3, "PA": 4}.get(image.mode) or len(image.getbands())
    if image.mode[0] in "IF":
        # Pillow would cut 16 bits to 8 at the upper end.
        if numpy_or_none() is None:
            raise ValueError(
                f"{name} has pixels of mode {image.mode}; pip install numpy, or scale to 8 bits"
            )
        return _of_array(image, name)
    try:
        # Nearest neighbours: averages of pixels would have less contrast than the image.
        image = image.resize((min(width, MAX_SIDE), min(height, MAX_SIDE)), 0)
        if image.mode in ("P", "PA"):
            image = image.convert("RGB")
        counts: list[int] = image.convert("L").histogram()
    except Exception as error:
        raise ValueError(f"{name} can't be decoded ({type(error).__name__}: {error})") from None
    return width, height, channels, _light(counts)


def _light(counts: list[int]) -> Light:
    n = sum(counts)
    mean = sum(value * count for value, count in enumerate(counts)) / n
    variance = sum((value - mean) ** 2 * count for value, count in enumerate(counts)) / n
    return mean / 255, sqrt(variance) / 255, (counts[0] + counts[255]) / n
