import importlib
from pathlib import Path

import pytest

from cgan.runtime.errors import InputError, TrainingError, failed_import, lookup, nearest


def test_lookup_returns_the_row() -> None:
    assert lookup({"a": 1}, "a", "letter") == 1


def test_lookup_names_the_nearest_and_all_names() -> None:
    with pytest.raises(InputError) as caught:
        lookup({"mnist": 1, "digits": 2}, "minst", "data set")
    assert (
        str(caught.value)
        == "unknown data set 'minst': did you mean 'mnist'? (one of: digits, mnist)"
    )


def test_nearest_says_when_there_is_nothing_or_nothing_near() -> None:
    assert nearest("x", []) == ": there are none yet"
    assert nearest("zzz", ["abc"]) == " (one of: abc)"
    with pytest.raises(InputError, match=r"^unknown data set 'x' \(one of: digits\)$"):
        lookup({"digits": 1}, "x", "data set")


def test_a_problem_can_be_told_without_its_remedy() -> None:
    error = TrainingError("it diverged", "lower --lr")
    assert str(error) == "it diverged; lower --lr"
    assert error.problem == "it diverged"
    assert str(TrainingError("out of memory")) == "out of memory"


def raised_by(code: str, tmp_path: Path) -> Exception:
    """Return what the import of a package of this code raises."""
    (tmp_path / "someones").mkdir()
    (tmp_path / "someones/__init__.py").write_text(code)
    try:
        importlib.import_module("someones")
    except Exception as error:
        return error
    raise AssertionError(code)


@pytest.mark.parametrize(
    ("code", "package"),
    [
        ("raise MemoryError", "someones"),
        ("raise OSError(12, 'x')", "someones"),
        ("import nothing_of_that_name.x", "someones"),
        ("from someones import nothing", "someones"),
        ("def broken(:", "a package"),
    ],
)
def test_an_import_that_fails_is_known_whatever_it_raises(
    code: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    assert failed_import(raised_by(code, tmp_path)) == package


def test_other_errors_are_no_failed_imports() -> None:
    for error in (MemoryError, InputError):
        with pytest.raises(error) as caught:
            raise error
        assert failed_import(caught.value) is None
    assert failed_import(ImportError("x", name="torch._C")) == "torch"
