"""What an evaluation leaves behind: results.json, the images worth a look, what is in the noise."""

from contextlib import suppress
from typing import Any

from cgan.evaluation.gallery import Sheet
from cgan.evaluation.latent import latent_files
from cgan.io.files import json_bytes
from cgan.io.strict import read_plain
from cgan.models.hub import GanRun

# files of a run that its report shows, and their names there
TRAINING = {"history.csv": "history.csv", "samples.gif": "film.gif", "samples.png": "epochs.png"}
LARGEST_COPIED = 2**25  # bytes of one of them


def result_files(
    results: dict[str, Any], gallery: dict[str, Sheet], gan: GanRun | None
) -> dict[str, bytes]:
    """Return the files of a report by name, but for its page.

    They are results.json, a PNG of each sheet of the gallery, and of a run the history and the
    pictures of its training, and those of its noise.
    """
    files = {f"{name}.png": sheet.picture() for name, sheet in gallery.items()}
    files["results.json"] = json_bytes(results)
    if gan is None:
        return files
    files |= {f"latent/{name}": content for name, content in latent_files(gan).items()}
    for name, copy in TRAINING.items():  # so that the report is of this very training
        with suppress(OSError):  # not there, or a link to somebody else's
            files[copy] = read_plain(gan.folder / name, LARGEST_COPIED)
    return files
