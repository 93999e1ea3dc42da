from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamgauge.plugins import PluginError, Registered, discover


def test_named_subclasses_are_found_and_unnamed_ones_are_abstract() -> None:
    class Gauge(Registered):
        pass

    class Abstract(Gauge):
        pass

    class Float(Abstract, name="float"):
        def __init__(self, *, step: float = 1.0) -> None:
            self.step = step

    assert Gauge.names() == ["float"]
    assert Gauge.named("float") is Float
    assert Float.name == "float"
    made = Gauge.create("float", step=2.0)
    assert isinstance(made, Float)
    assert made.step == 2.0


def test_roles_do_not_see_each_others_names() -> None:
    class Gauge(Registered):
        pass

    class Meter(Registered):
        pass

    class One(Gauge, name="same"):
        pass

    class Two(Meter, name="same"):
        pass

    assert Gauge.named("same") is One
    assert Meter.named("same") is Two


def test_a_duplicate_name_is_a_type_error_at_definition() -> None:
    class Gauge(Registered):
        pass

    class Float(Gauge, name="float"):
        pass

    with pytest.raises(TypeError, match=r"two gauges are called 'float'.*Float.*Cork.*rename one"):

        class Cork(Gauge, name="float"):
            pass

    assert Gauge.named("float") is Float


def test_a_slotted_dataclass_replaces_its_first_self() -> None:
    class Gauge(Registered):
        pass

    @dataclass(slots=True)
    class Float(Gauge, name="float"):
        step: float = 1.0

    assert Gauge.named("float") is Float
    assert Gauge.create("float", step=3.0) == Float(3.0)


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("flaot", {}, r"no gauge is called 'flaot'; did you mean 'float'\? \(there are: float\)"),
        ("zzz", {}, r"no gauge is called 'zzz' \(there are: float\)"),
        ("float", {"stpe": 1}, "no parameter 'stpe'; did you mean 'step'"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    name: str, params: dict[str, int], said: str
) -> None:
    class Gauge(Registered):
        pass

    class Float(Gauge, name="float"):
        def __init__(self, *, step: float = 1.0) -> None:
            self.step = step

    with pytest.raises(PluginError, match=said):
        Gauge.create(name, **params)


def test_a_new_file_in_the_package_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a package with a role, a part and a private module that must not be imported
    package = tmp_path / "gauges_under_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "base.py").write_text(
        "from streamgauge.plugins import Registered\n"
        "class Gauge(Registered, package='gauges_under_test'):\n    pass\n"
    )
    (package / "cork.py").write_text(
        "from gauges_under_test.base import Gauge\nclass Cork(Gauge, name='cork'):\n    pass\n"
    )
    (package / "_broken.py").write_text("raise RuntimeError('private modules are not parts')")
    monkeypatch.syspath_prepend(str(tmp_path))

    # When somebody asks for the names
    discover("gauges_under_test")
    role = sys.modules["gauges_under_test.base"].Gauge

    # Then the file is there, though nobody listed it
    assert role.names() == ["cork"]


def test_the_package_is_searched_once_and_later_classes_are_found_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a package with a part, of which one module can't be imported yet
    package = tmp_path / "floats_under_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "base.py").write_text(
        "from streamgauge.plugins import Registered\n"
        "class Float(Registered, package='floats_under_test'):\n    pass\n"
    )
    broken = package / "cork.py"
    broken.write_text("raise RuntimeError('not yet')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    role = importlib.import_module("floats_under_test.base").Float

    # When it is looked up, it says so each time, and once repaired it is there
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not yet"):
            role.names()
    broken.write_text(
        "from floats_under_test.base import Float\nclass Cork(Float, name='cork'):\n    pass\n"
    )
    assert role.names() == ["cork"]

    # Then nobody searches again, and what is defined later is found
    searched: list[str] = []
    monkeypatch.setattr("streamgauge.plugins.discover", searched.append)
    type("Reed", (role,), {}, name="balsa")
    assert role.names() == ["balsa", "cork"]
    assert role.create("balsa").name == "balsa"
    assert not searched
    # And nobody's copy is the registry itself
    role.classes().clear()
    assert role.names() == ["balsa", "cork"]
