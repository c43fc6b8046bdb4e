"""Files of MNIST and similar data sets: where to look for them, and if they are the originals."""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

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


def is_original(
    dataset: str,
    path: Path,
    md5s: Mapping[str, str],
    sha256: Callable[[Path], str] = unpacked_sha256,
) -> bool | None:
    """Return whether a file is the published one, or None if that cannot be known.

    If no SHA-256 is known, the MD5 of the .gz is compared. A file that was compressed again has
    another MD5, so a different MD5 does not prove that the file is wrong.

    Args:
        dataset: a name in CLASSES.
        path: the file, gzipped or not; the .gz may lie beside the unpacked one.
        md5s: what torchvision expects, by the name of the .gz.
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
    if not zipped.is_file() or f"{name}.gz" not in md5s:
        return None
    with zipped.open("rb") as raw:
        digest = hashlib.file_digest(raw, lambda: hashlib.md5(usedforsecurity=False))
    if digest.hexdigest() != md5s[f"{name}.gz"]:
        return None
    return path == zipped or sha256(zipped) == content
