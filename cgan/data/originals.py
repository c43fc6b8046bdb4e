"""Files of MNIST and similar data sets: where to look for them, and whose they are."""

import gzip
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cgan.data.spec import description

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
LOOSE = "mnist"  # the data set that files in no folder of its name are taken for


def places(dataset: str, data_dir: Path) -> list[Path]:
    """Return the folders that may hold a data set, in order of preference."""
    return [data_dir / CLASSES[dataset] / "raw", data_dir / dataset, data_dir]


def find(files: list[str], folders: list[Path]) -> list[Path] | None:
    """Return the paths of `files`, gzipped or not, in the first folder that has them all."""
    for folder in folders:
        found = [
            next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
            for name in files
        ]
        if all(found):
            return [path for path in found if path is not None]
    return None


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
    named = dataset == LOOSE or data_dir.resolve().name in (dataset, CLASSES[dataset])
    for path in paths:
        owner = published_by(path, sha256)
        if owner is not None and owner != dataset:
            return f"{path.parent} has the files of {description(owner).title}; {place}"
        if owner is None and path.parent == data_dir and not named:
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
    name = path.name.removesuffix(".gz")
    content = sha256(path)
    for dataset, known in SHA256.items():
        if known.get(name) == content:
            return dataset
    if path.name == name:
        return None
    digest = md5(path)
    return next((dataset for dataset in MD5 if md5s(dataset)[path.name] == digest), None)


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
    name = path.name.removesuffix(".gz")
    content = sha256(path)
    known = SHA256.get(dataset, {})
    if name in known:
        return content == known[name]
    zipped = path.with_name(f"{name}.gz")
    if not zipped.is_file() or md5(zipped) != known_md5s.get(zipped.name):
        return None
    return path == zipped or sha256(zipped) == content
