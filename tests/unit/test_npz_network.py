"""Networks in npz files of strangers: read as they are, or refused in a line."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cgan.deploy.npz_network import ABOUT, LARGEST_ABOUT, read_network, to_npz
from cgan.deploy.portable import portable
from cgan.models.hub import load_generator
from cgan.models.roles import load_discriminator
from cgan.runtime.errors import InputError

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def archive() -> Arrays:
    """The arrays of an exported discriminator and its guide."""
    content = to_npz(portable(load_discriminator("digits", Path("none"))))
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


def saved(folder: Path, arrays: Arrays) -> Path:
    np.savez(folder / "theirs.npz", **arrays)  # type: ignore[arg-type]
    return folder / "theirs.npz"


def about(arrays: Arrays, *path: str, value: object) -> Arrays:
    """Return the arrays with another value somewhere in what they tell."""
    content = json.loads(str(arrays[ABOUT]))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return {**arrays, ABOUT: np.array(json.dumps(content))}


def test_a_newer_format_is_refused_by_its_number(archive: Arrays, tmp_path: Path) -> None:
    path = saved(tmp_path, about(archive, "format", value=2))
    with pytest.raises(InputError, match=r"theirs.npz is of format 2, which a newer cgan wrote"):
        read_network(path)


def test_what_was_not_changed_is_read(archive: Arrays, tmp_path: Path) -> None:
    assert read_network(saved(tmp_path, archive)).kind == "discriminator"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("facts", "network"), "gnerator", "no known kind"),
        (("facts", "network"), None, "no known kind"),
        (("facts", "network"), "judge", "unexpected keyword"),
        (("facts", "network"), "generator", "it lacks 'sha256'"),
        (("facts", "run"), "x" * 1000, "no name"),
        (("facts", "run"), "two\nlines", "no name"),
        (("facts", "run"), 7, "no name"),
        (("facts",), [], "list indices"),
        (("spec", "channels"), 10**9, "channels"),
        (("spec", "n_classes"), 9, r"float32 \[10, 128\], not float32 \[9, 128\]"),
        (("spec", "colour"), 3, "colour"),
        (("config", "modes"), 256, r"float32 \[80, 128\], not float32 \[2560, 128\]"),
        (("config", "modes"), "three", "modes"),
        (("config", "discriminator"), "guided", "did you mean 'guided-conv'"),
        (("config", "discriminator"), "mlp", "it lacks layers"),
        (("guide",), None, "subscriptable"),
        (("guide", "name"), "../up", "not a run name"),
        (("guide", "config", "network"), "residual-cnn", "float32"),
        (("guide", "config", "network"), "huge", "unknown classifier network"),
    ],
)
def test_what_tells_of_another_network_is_refused_in_a_line(
    archive: Arrays, path: tuple[str, ...], value: object, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_network(saved(tmp_path, about(archive, *path, value=value)))
    assert str(caught.value).isprintable()


def test_counts_of_classes_that_are_none_are_refused(tmp_path: Path) -> None:
    content = to_npz(portable(load_generator("digits", Path("none"))))
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        generator = dict(arrays)
    wrong: list[object] = [[1], [1] * 9 + [-1], [1] * 9 + ["1"], {}]
    for value in wrong:
        with pytest.raises(InputError, match="`class_counts`"):
            read_network(saved(tmp_path, about(generator, "class_counts", value=value)))
    some = about(generator, "class_counts", value=[0] + [1] * 9)
    assert read_network(saved(tmp_path, some)).facts["untrained_labels"] == [0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scales": np.ones(3, np.float32)}, r"scales is float32 \[3\], not float32 \[2\]"),
        ({"scales": np.ones(2)}, r"scales is float64"),
        ({"scales": np.array([None, None])}, "holds objects"),
        ({"surplus": np.ones(2)}, "surplus' belongs to no such network"),
        ({ABOUT: np.array("{")}, "no network that cgan export"),
        ({ABOUT: np.array("[]")}, "no network that cgan export"),
        ({ABOUT: np.array(b"{}")}, "is no text"),
        ({ABOUT: np.array(["{}", "{}"])}, "is no text"),
        ({ABOUT: np.array("{}", dtype=">U2")}, "is no text"),
        ({ABOUT: np.array(0x7FFFFFFF, "<u4").view("<U1")}, "codec can't decode"),
        ({ABOUT: np.array("[" * 2000)}, "no network that cgan export"),
        ({ABOUT: np.array("x" * (LARGEST_ABOUT // 4 + 1))}, "is no text"),
    ],
)
def test_arrays_of_another_network_are_refused_in_a_line(
    archive: Arrays, changes: Arrays, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_network(saved(tmp_path, {**archive, **changes}))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", [ABOUT, "scales", "guide.head.weight"])
def test_a_file_that_lacks_an_array_is_refused(name: str, archive: Arrays, tmp_path: Path) -> None:
    rest = {key: value for key, value in archive.items() if key != name}
    words = "no array `about`" if name == ABOUT else f"it lacks {name}"
    with pytest.raises(InputError, match=words):
        read_network(saved(tmp_path, rest))


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04", b"nonsense", b"\x93NUMPY"])
def test_what_is_no_archive_is_refused_in_a_line(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "no.npz").write_bytes(content)
    with pytest.raises(InputError, match="is no network that cgan export") as caught:
        read_network(tmp_path / "no.npz")
    assert "\n" not in str(caught.value)


def test_an_archive_that_claims_too_much_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgan.deploy.npz_network.LARGEST_WEIGHTS", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{ABOUT}.npy", bytes(5000))
    with pytest.raises(InputError, match="unpacks to"):
        read_network(tmp_path / "bomb.npz")


def test_a_pickle_in_an_archive_is_not_run(archive: Arrays, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (str(tmp_path / "sprung"),)  # pragma: no cover

    with pytest.raises(InputError, match="holds objects"):
        read_network(saved(tmp_path, {**archive, "scales": np.array([Trap()], dtype=object)}))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("part", ["guide.", ""])
def test_arrays_that_are_not_finite_are_refused_by_name(
    value: float, part: str, archive: Arrays, tmp_path: Path
) -> None:
    names = [name for name in archive if archive[name].dtype == np.float32]
    name = next(name for name in names if name.startswith("guide.") == bool(part))
    bad = archive[name].copy()
    bad.flat[-1] = value
    with pytest.raises(InputError, match=rf"{name} has values that are not finite\)"):
        read_network(saved(tmp_path, {**archive, name: bad}))
