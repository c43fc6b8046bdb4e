"""Opens and decodes one picture of unknown origin: what it may be is limited; no torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image, UnidentifiedImageError, features

from cgan.data.importing.found import UnreadableError

LARGEST_PICTURE = 2**28  # bytes of one file
MOST_PIXELS = 2**28 // 3  # a quarter of a GiB in colour, as Pillow's own limit
# Pillow's names and endings. It starts programs for EPS, and has only stubs of some others.
FORMATS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "PCX": (".pcx",),
    "ICO": (".ico",),
    "CUR": (".cur",),
    "DDS": (".dds",),
    "MSP": (".msp",),
    "PSD": (".psd",),
    "QOI": (".qoi",),
    "SGI": (".sgi", ".rgb", ".rgba", ".bw"),
    "SUN": (".ras",),
    "XBM": (".xbm",),
    "TGA": (".tga", ".vda", ".icb", ".vst"),
}
NO_SIGNATURE = "TGA"  # nothing in the file tells the format, so its ending must
OPTIONAL = {"AVIF": "avif", "JPEG2000": "jpg_2000", "WEBP": "webp"}  # Pillow's own names of them
NO_PICTURE = "no picture of a known format"
DAMAGED = "damaged"


def is_picture_name(name: str) -> bool:
    """Return whether a file's name has the ending of a picture that this Pillow decodes."""
    return _ending(name) in ENDINGS


def open_picture(content: bytes, name: str) -> Image.Image:
    """Return a picture as Pillow opens it: its header is read, the rest is not decoded yet.

    Whoever decodes it knows at what size, and may do so in another thread: `load_picture`.

    Args:
        content: of the file. It may be of another known format than `name` says.
        name: of the file, for its ending.

    Raises:
        UnreadableError: it is no picture of `FORMATS`, has more than `MOST_PIXELS`, or its header
            is damaged.
    """
    if len(content) > LARGEST_PICTURE:
        raise UnreadableError(TOO_LARGE)
    by_ending = ENDINGS.get(_ending(name))
    formats = [*SIGNED, NO_SIGNATURE] if by_ending == NO_SIGNATURE else SIGNED
    with _with_reasons():
        picture: Image.Image = Image.open(BytesIO(content), formats=formats)
        _check_size(picture)
        return picture


def load_picture(picture: Image.Image) -> None:
    """Decode the first frame of a picture, without any conversion.

    Raises:
        UnreadableError: it is damaged, or has more than `MOST_PIXELS`.
    """
    with _with_reasons():
        picture.load()
        _check_size(picture)  # an icon may hold more than its header says


@contextmanager
def _with_reasons() -> Iterator[None]:
    """Turn what Pillow raises into an UnreadableError."""
    try:
        yield
    except (UnreadableError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise UnreadableError(NO_PICTURE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableError(TOO_MANY_PIXELS) from error
    except Exception as error:  # a damaged picture may raise anything
        raise UnreadableError(DAMAGED) from error


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise UnreadableError(TOO_MANY_PIXELS)


def _ending(name: str) -> str:
    return "." + name.rpartition(".")[2].lower()


def _known(name: str) -> bool:
    return name not in OPTIONAL or bool(features.check(OPTIONAL[name]))


TOO_LARGE = f"more than {LARGEST_PICTURE // 2**20} MiB"
TOO_MANY_PIXELS = f"more than {MOST_PIXELS // 10**6} million pixels"
SIGNED = [name for name in FORMATS if _known(name) and name != NO_SIGNATURE]
ENDINGS = {ending: name for name in FORMATS if _known(name) for ending in FORMATS[name]}
