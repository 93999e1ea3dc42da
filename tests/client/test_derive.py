"""Features of texts, images and sounds: known answers, and a remedy in every refusal."""

from __future__ import annotations

import io
import math
import sys
import wave
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from streamgauge_client import PredictionEvent, Publisher
from streamgauge_client.derive import audio_features, image_features, text_features
from streamgauge_client.testing import capture

RATE = 16_000


def str_of_kind(value: object) -> str:
    return value if isinstance(value, str) else type(value).__name__


def without(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)


class TestText:
    def test_counts(self) -> None:
        assert text_features("c", " zu spät ") == {
            "c.length": 9, "c.words": 2, "c.empty": False, "c.non_ascii_ratio": 1 / 9,
        }  # fmt: skip

    @pytest.mark.parametrize("text", ["", "  \n"])
    def test_nothing_but_space_is_empty(self, text: str) -> None:
        features = text_features("c", text, vocabulary={"a"})
        assert features["c.empty"] is True and features["c.words"] == 0
        assert features["c.unknown_ratio"] is None

    def test_a_missing_text_is_not_an_empty_one(self) -> None:
        features = text_features("c", None, vocabulary=set())
        assert features.keys() == text_features("c", "x", vocabulary=set()).keys()
        assert set(features.values()) == {None}

    @pytest.mark.parametrize(("given", "told"), [(b"x", "decode"), (5, "int"), (["a"], "list")])
    def test_anything_else_is_refused(self, given: Any, told: str) -> None:
        with pytest.raises(ValueError, match=told):
            text_features("c", given)


def png(pixels: Any, mode: str | None = None) -> bytes:
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, "PNG")
    return file.getvalue()


def picture() -> Any:
    """64 × 32 pixels: black on the left, a grey of 51 in the middle, white on the right."""
    pixels = np.zeros((32, 64), np.uint8)
    pixels[:, 16:48], pixels[:, 48:] = 51, 255
    return pixels


class TestImage:
    brightness = (0.2 * 32 + 1.0 * 16) / 64
    contrast = math.sqrt((0.2**2 * 32 + 16) / 64 - brightness**2)

    @pytest.mark.parametrize(
        ("make", "channels"),
        [
            (picture, 1),
            (lambda: picture()[..., None], 1),
            (lambda: np.dstack([picture()] * 3), 3),
            (lambda: np.dstack([picture()] * 3 + [np.full((32, 64), 7, np.uint8)]), 4),
            (lambda: picture() / 255, 1),
            (lambda: picture().astype(np.float32), 1),
            (lambda: picture().astype(np.int64), 1),
            (lambda: picture().astype(np.uint16) * 257, 1),
            (lambda: picture().tolist(), 1),
            (lambda: Image.fromarray(picture()), 1),
            (lambda: Image.fromarray(picture()).convert("RGBA"), 4),
            (lambda: Image.fromarray(picture()).convert("P"), 3),
            (lambda: png(picture()), 1),
            (lambda: png(picture(), "RGB"), 3),
            (lambda: png(picture().astype(np.uint16) * 257), 1),
            (lambda: memoryview(png(picture())), 1),
        ],
    )
    def test_one_picture_in_many_forms(self, make: Callable[[], Any], channels: int) -> None:
        features = image_features("p", make())
        assert features == {
            "p.width": 64,
            "p.height": 32,
            "p.channels": channels,
            "p.brightness": pytest.approx(self.brightness, abs=1e-3),
            "p.contrast": pytest.approx(self.contrast, abs=1e-3),
            "p.clipped_ratio": 0.5,
        }

    def test_colours_are_as_bright_as_people_see_them(self) -> None:
        green = np.zeros((4, 4, 3), np.uint8)
        green[..., 1] = 255
        assert image_features("p", green)["p.brightness"] == pytest.approx(0.587)
        assert image_features("p", Image.fromarray(green))["p.brightness"] == pytest.approx(
            0.587, abs=0.003
        )

    def test_a_large_one_is_sampled_whichever_way_it_comes(self) -> None:
        noise = np.random.default_rng(7).integers(0, 256, (1500, 2000), np.uint8)
        for given in (noise, Image.fromarray(noise), png(noise)):
            features = image_features("p", given)
            assert (features["p.width"], features["p.height"]) == (2000, 1500)
            assert features["p.brightness"] == pytest.approx(0.5, abs=0.01)
            assert features["p.contrast"] == pytest.approx(1 / math.sqrt(12), abs=0.01)

    def test_the_callers_image_stays_as_it_was(self) -> None:
        file = io.BytesIO()
        Image.fromarray(np.zeros((2000, 2000, 3), np.uint8)).save(file, "JPEG")
        image = Image.open(file)
        image_features("p", image)
        assert (image.size, image.mode) == ((2000, 2000), "RGB")

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            (np.zeros(5), r"shape \(5,\)"),
            (np.zeros((2, 8, 8, 3)), "give one at a time"),
            (np.zeros((3, 8, 8)), r"transpose\(1, 2, 0\)"),
            (np.zeros((8, 8, 7)), "1, 3 or 4"),
            (np.zeros((0, 8)), "empty"),
            (np.full((8, 8), np.nan), "NaN"),
            (np.full((8, 8), np.inf), "before it is normalised"),
            (np.full((8, 8), -0.5), "before it is normalised"),
            (np.full((8, 8), 300), "give 0 to 255"),
            (np.full((8, 8), "x"), "give numbers"),
            (np.full((8, 8), 1j), "give numbers"),
            ([[1, 2], [3]], "can't be read as an array"),
            (b"no image", "no image file"),
            (b"", "no image file"),
            (png(picture())[:60], "can't be decoded"),
            (None, "give numbers"),
            ("photo.png", "give numbers"),
        ],
        ids=str_of_kind,
    )
    def test_a_refusal_says_what_to_give(self, given: Any, told: str) -> None:
        with pytest.raises(ValueError, match=told):
            image_features("p", given)

    def test_without_numpy_pillow_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data, expected = png(picture()), image_features("p", png(picture()))
        image = Image.fromarray(picture())
        without(monkeypatch, "numpy")
        assert image_features("p", data) == image_features("p", image) == expected
        with pytest.raises(ValueError, match="pip install numpy"):
            image_features("p", [[0, 255]])

    def test_without_pillow_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = png(picture())
        without(monkeypatch, "PIL.Image")
        with pytest.raises(ValueError, match="pip install pillow"):
            image_features("p", data)


def tone(seconds: float, amplitude: float = 0.5) -> Any:
    return amplitude * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)


def call() -> Any:
    """Half a second of silence, a second of sound, a quarter of silence."""
    silence = np.zeros(RATE // 2)
    return np.concatenate([silence, tone(1.0), silence[: RATE // 4]])


def wav(samples: Any, *, width: int = 2, channels: int = 1) -> bytes:
    scaled = np.round(samples * (2 ** (8 * width - 1) - 1)).astype(np.int64)
    if width == 1:
        raw = (scaled + 128).astype(np.uint8).tobytes()
    else:
        raw = scaled.astype("<i8").reshape(-1, 1).view(np.uint8)[:, :width].tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(RATE)
        out.writeframes(raw)
    return file.getvalue()


class TestAudio:
    expected = {
        "a.duration_seconds": pytest.approx(1.75),
        # A sine of half the scale has an RMS of 0.5 / √2; it fills 1 s of 1.75 s.
        "a.volume_dbfs": pytest.approx(10 * math.log10(0.25 / 2 / 1.75), abs=0.1),
        "a.peak": pytest.approx(0.5, abs=0.005),
        "a.silence_before_seconds": pytest.approx(0.5),
        "a.silence_after_seconds": pytest.approx(0.25),
        "a.silence_ratio": pytest.approx(0.75 / 1.75),
        "a.clipped_ratio": 0.0,
    }  # fmt: skip

    @pytest.mark.parametrize(
        "make",
        [
            call,
            lambda: call().astype(np.float32),
            lambda: (call() * 32767).astype(np.int16),
            lambda: (call() * (2**31 - 1)).astype(np.int32),
            lambda: np.round(call() * 127 + 128).astype(np.uint8),
            lambda: np.stack([call(), -call()], axis=1),
            lambda: call().tolist(),
            lambda: wav(call()),
            lambda: wav(call(), width=1),
            lambda: wav(call(), width=3),
            lambda: wav(call(), width=4),
            lambda: wav(np.repeat(call(), 2), channels=2),
        ],
    )
    def test_one_recording_in_many_forms(self, make: Callable[[], Any]) -> None:
        assert audio_features("a", make(), sample_rate=RATE) == self.expected

    @pytest.mark.parametrize("width", [1, 2, 3, 4])
    def test_without_numpy(self, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
        data, floats = wav(call(), width=width), call().tolist()
        without(monkeypatch, "numpy")
        assert audio_features("a", data) == self.expected
        assert audio_features("a", floats, sample_rate=RATE) == self.expected
        with pytest.raises(ValueError, match="list of floats"):
            audio_features("a", [1, 2], sample_rate=RATE)
        with pytest.raises(ValueError, match="pip install numpy"):
            audio_features("a", object(), sample_rate=RATE)

    def test_silence_alone(self) -> None:
        features = audio_features("a", np.zeros(RATE), sample_rate=RATE)
        assert features["a.volume_dbfs"] == -120
        assert features["a.silence_before_seconds"] == features["a.silence_after_seconds"] == 1.0
        assert features["a.silence_ratio"] == 1.0

    def test_what_is_silent_is_the_callers_to_say(self) -> None:
        quiet = tone(1.0, 0.001)  # -63 dBFS
        assert audio_features("a", quiet, sample_rate=RATE)["a.silence_ratio"] == 1.0
        loud = audio_features("a", quiet, sample_rate=RATE, silence_dbfs=-70)
        assert loud["a.silence_ratio"] == 0.0

    def test_clipping(self) -> None:
        clipped = np.clip(tone(1.0, 1.5), -1, 1)
        features = audio_features("a", clipped, sample_rate=RATE)
        assert features["a.peak"] == 1.0
        beyond_full_scale = 1 - 2 * math.asin(1 / 1.5) / math.pi
        assert features["a.clipped_ratio"] == pytest.approx(beyond_full_scale, abs=0.01)
        overdriven = audio_features("a", tone(1.0, 1.5), sample_rate=RATE)
        assert overdriven["a.peak"] == 1.0

    def test_shorter_than_a_block(self) -> None:
        features = audio_features("a", np.array([0.5, -0.5]), sample_rate=RATE)
        assert features["a.duration_seconds"] == 2 / RATE and features["a.silence_ratio"] == 0

    @pytest.mark.parametrize(
        ("given", "rate", "told"),
        [
            (np.zeros(8), None, "sample_rate=16000"),
            (np.zeros(8), 0, "sample_rate=0"),
            (np.zeros(8), True, "sample_rate=True"),
            (np.zeros(8), math.nan, "sample_rate=nan"),
            (np.zeros(0), RATE, "empty"),
            (np.zeros((2, 100)), RATE, "audio.T"),
            (np.zeros((2, 2, 2)), RATE, "samples × channels"),
            (np.float64(1.0), RATE, r"shape \(\)"),
            (np.array([0.1, np.nan]), RATE, "NaN"),
            (np.array([0.1, -np.inf]), RATE, "NaN or values beyond"),
            (np.array([0.1, 1e200]), RATE, "beyond -1 to 1"),
            (np.array([0.0, 5000.0]), RATE, "samples / 32768"),
            ([1, 2, 3], RATE, "no full scale"),
            (np.zeros(8, np.uint16), RATE, "no full scale"),
            (np.array(["a"]), RATE, "give numbers"),
            (b"RIFF", RATE, "no WAV file"),
            (b"", RATE, "no WAV file"),
            (wav(np.zeros(0)), RATE, "empty"),
            (wav(call()).replace(b"\x01\x00\x01\x00", b"\x03\x00\x01\x00", 1), RATE, "decode it"),
        ],
        ids=str_of_kind,
    )
    def test_a_refusal_says_what_to_give(self, given: Any, rate: Any, told: str) -> None:
        with pytest.raises(ValueError, match=told):
            audio_features("a", given, sample_rate=rate)

    def test_a_cut_file_counts_as_far_as_it_goes(self) -> None:
        whole = wav(call(), width=3)
        features = audio_features("a", whole[: len(whole) // 2 + 1])
        assert features["a.duration_seconds"] == pytest.approx(0.875, abs=0.01)


def test_in_a_request_nothing_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    # Given a service that gets an image of the wrong rank
    publisher = Publisher(model="m", version="1")
    wrong = np.zeros((2, 8, 8, 3))
    # When it logs with derived features
    with capture() as events:
        publisher.log(
            {
                "amount": 1.5,
                **publisher.derived(image_features, "photo", wrong),
                **publisher.derived(text_features, "comment", "fine"),
                **publisher.derived(audio_features, "call", np.zeros(160), sample_rate=RATE),
            }
        )
    # Then the rest is there, and what is not is counted and told
    (event,) = events.of(PredictionEvent)
    assert "amount" in event.features and event.features["comment.length"] == 4
    assert event.features["call.duration_seconds"] == 0.01
    assert not [name for name in event.features if name.startswith("photo")]
    stats = publisher.stats()
    assert stats.adjusted == {"derive": 1} and "give one at a time" in str(stats.last_error)
    assert "give one at a time" in caplog.text


def test_functions_of_ones_own_are_as_safe() -> None:
    def broken(name: str, value: Any) -> dict[str, Any]:
        raise ZeroDivisionError("by zero")

    publisher = Publisher(model="m", version="1")
    assert publisher.derived(broken, "x", 1) == {}
    assert publisher.derived(lambda name, value: None, "x", 1) == {}  # type: ignore[arg-type, return-value]
    assert publisher.stats().adjusted == {"derive": 2}
