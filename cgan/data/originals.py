"""Files of MNIST and similar data sets: where to look for them, and whose they are."""

import gzip
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from cgan.data.spec import description
from cgan.runtime.errors import InputError

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
CLASSES = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}  # torchvision's
SHA256 = {  # of the unpacked files, because compressing them again changes the .gz
    "mnist": {
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    }
}
MD5 = {  # of the published .gz, in the order of FILES; torchvision compares with them, too
    "mnist": (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion-mnist": (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    "kmnist": (
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
}
# names that are nearly those of FILES
SIMILAR = re.compile(r"(?i)(train|t10k|test)[\W_]?(images|labels)[\W_]?idx[13][\W_]?ubyte")
DEEPEST, MOST_SEARCHED = 4, 10_000  # folders, and files, that are searched for such names
LOOSE = "mnist"  # the data set that files in no folder of its name are taken for


def places(dataset: str, data_dir: Path) -> list[Path]:
    """Return the folders that may hold a data set, in order of preference."""
    names = (CLASSES[dataset], dataset)
    inside = [data_dir / name / part for name in names for part in ("raw", "")]
    itself = [data_dir / "raw"] if _is_named(dataset, data_dir) else []
    return [*inside, *itself, data_dir]


def _is_named(dataset: str, folder: Path) -> bool:
    """Return whether a folder, or that in which it is `raw`, has the name of a data set."""
    whole = folder.resolve()
    name = whole.parent.name if whole.name == "raw" else whole.name
    return name.lower() in (dataset, CLASSES[dataset].lower())


def find(files: list[str], folders: list[Path]) -> list[Path] | None:
    """Return the paths of `files` in the first folder that has them all.

    A file may be gzipped, have a dot before "idx", and lie in a folder of its own name, as some
    programs that unpack archives leave it.
    """
    for folder in folders:
        found = [
            next((folder / form for form in _forms(name) if os.path.isfile(folder / form)), None)
            for name in files
        ]
        if all(found):
            return [path for path in found if path is not None]
    return None


def _forms(name: str) -> list[str]:
    """Return the paths under which a file may be found in a folder."""
    dotted = name.replace("-idx", ".idx")
    names = [f"{one}{end}" for one in (name, dotted) for end in ("", ".gz")]
    return [*names, *(f"{folder}/{file}" for folder in names for file in names)]


def usual_name(path: Path) -> str:
    """Return the name of a file as FILES has it, whatever form it was found in."""
    return path.name.removesuffix(".gz").replace(".idx", "-idx")


def holder(path: Path) -> Path:
    """Return the folder of a data set's file, which may lie in a folder of its own name there."""
    return path.parents[1] if usual_name(path.parent) in FILES else path.parent


def require_findable(dataset: str, data_dir: Path) -> None:
    """Check that no file that looks like one of a data set lies where it is not looked for.

    Raises:
        InputError: one does, or `data_dir` is no folder that can be read; the message says what to
            do.
    """
    if os.path.lexists(data_dir) and not data_dir.is_dir():
        raise InputError(f"--data-dir {data_dir} is not a folder; name the folder of {FILES[0]}")
    if data_dir.is_dir() and not os.access(data_dir, os.R_OK | os.X_OK):
        raise InputError(f"--data-dir {data_dir} cannot be read: its permissions forbid it")
    looked_in = [place for name in CLASSES for place in places(name, data_dir)]
    for path in _files_below(data_dir):
        if SIMILAR.search(path.name) and holder(path) not in looked_in:
            raise InputError(
                f"{path} may be a file of {dataset}, but is not where it is looked for; name its "
                f"folder with --data-dir {path.parent}, or move its files to {data_dir / dataset}"
            )
        if SIMILAR.search(path.name) and usual_name(path) not in FILES:
            raise InputError(
                f"{path} may be a file of {dataset}; its name would have to be "
                f"{', '.join(FILES[:3])} or {FILES[3]}"
            )


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the first MOST_SEARCHED files that are at most DEEPEST folders down.

    Hidden folders are left out: a download, of this or another process, fills one.
    """
    seen = 0
    for place, folders, names in os.walk(folder):
        deepest = len(Path(place).relative_to(folder).parts) >= DEEPEST
        folders[:] = [] if deepest else [name for name in folders if not name.startswith(".")]
        for name in sorted(names):
            seen += 1
            if seen > MOST_SEARCHED:
                return
            yield Path(place, name)


def unpacked_sha256(path: Path) -> str:
    """Return the SHA-256 of the content of a file, gzipped or not.

    Raises:
        OSError, EOFError or zlib.error: it cannot be read, or its gzip stream is damaged.
    """
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not zipped:
            return hashlib.file_digest(raw, "sha256").hexdigest()
        with gzip.GzipFile(fileobj=raw) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def why_not(
    dataset: str,
    data_dir: Path,
    paths: Sequence[Path],
    sha256: Callable[[Path], str] = unpacked_sha256,
) -> str | None:
    """Return why files must not be used as those of a data set; None if they may be.

    Several data sets have files of the same names. So published files of another one are refused,
    and so are unknown files of any but `LOOSE`, unless their folder has the name of the data set.

    Args:
        dataset: a name in CLASSES.
        data_dir: the folder that was given; it or a folder in it holds the files.
        paths: the files, gzipped or not.
        sha256: `unpacked_sha256`, or a version of it with a cache.

    Raises:
        OSError, EOFError or zlib.error: one cannot be read, or its gzip stream is damaged.
    """
    place = f"put those of {dataset} into {data_dir / dataset}"
    named = dataset == LOOSE or _is_named(dataset, data_dir)
    for path in paths:
        owner = published_by(path, sha256)
        if owner is not None and owner != dataset:
            return f"{holder(path)} has the files of {description(owner).title}; {place}"
        if owner is None and holder(path) == data_dir and not named:
            kin = description(LOOSE).title
            return f"the files in {data_dir} may be those of {kin}, whose names they have; {place}"
    return None


def published_by(path: Path, sha256: Callable[[Path], str] = unpacked_sha256) -> str | None:
    """Return the data set that published a file, known by a checksum; None if that is unknown.

    Args:
        path: the file, gzipped or not.
        sha256: `unpacked_sha256`, or a version of it with a cache.

    Raises:
        OSError, EOFError or zlib.error: it cannot be read, or its gzip stream is damaged.
    """
    name = usual_name(path)
    content = sha256(path)
    for dataset, known in SHA256.items():
        if known.get(name) == content:
            return dataset
    if path.suffix != ".gz":
        return None
    digest = md5(path)
    return next((dataset for dataset in MD5 if md5s(dataset)[f"{name}.gz"] == digest), None)


def md5s(dataset: str) -> dict[str, str]:
    """Return the MD5 of each published .gz of a data set, by its name."""
    return {f"{name}.gz": known for name, known in zip(FILES, MD5[dataset], strict=True)}


def md5(path: Path) -> str:
    """Return the MD5 of the bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def is_original(
    dataset: str,
    path: Path,
    known_md5s: Mapping[str, str],
    sha256: Callable[[Path], str] = unpacked_sha256,
) -> bool | None:
    """Return whether a file is the published one, or None if that cannot be known.

    If no SHA-256 is known, the MD5 of the .gz is compared. A file that was compressed again has
    another MD5, so a different MD5 does not prove that the file is wrong.

    Args:
        dataset: a name in CLASSES.
        path: the file, gzipped or not; the .gz may lie beside the unpacked one.
        known_md5s: as `md5s` returns them.
        sha256: `unpacked_sha256`, or a version of it with a cache.

    Raises:
        OSError, EOFError or zlib.error: it cannot be read, or its gzip stream is damaged.
    """
    name = usual_name(path)
    content = sha256(path)
    known = SHA256.get(dataset, {})
    if name in known:
        return content == known[name]
    zipped = path if path.suffix == ".gz" else path.with_name(f"{path.name}.gz")
    if not zipped.is_file() or md5(zipped) != known_md5s.get(f"{name}.gz"):
        return None
    return path == zipped or sha256(zipped) == content
