"""cgan data: what labelled images hold; they are imported once."""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cgan.cli.completion import datasets
from cgan.cli.importing import import_config, import_options, resolved
from cgan.cli.options import data_option, echo_json, json_option, quiet_option, shown_progress
from cgan.config.commands import folder_flags
from cgan.config.schema import Folders, ImportConfig
from cgan.data.formats.torchvision_sets import SETS
from cgan.data.spec import DESCRIPTIONS, SPLITS, DataSpec, title_of
from cgan.data.store import Store, is_store, read_store, sources, stores
from cgan.runtime.progress import Progress, wrapped
from cgan.runtime.wording import clipped

MOST_ROWS, ENDS = 24, 8  # classes in a table; of more, the largest and the smallest are shown
LONGEST_NAME = 36  # letters of a class in this table


@click.command("data")
@click.argument("data", metavar="[DATA]", required=False, shell_complete=datasets)
@import_options
@click.option("--name", help="Name of the data set.  [default: that of the folder or file]")
@click.option("--seed", type=int, help=f"Seed of the splits.  [default: {ImportConfig.seed}]")
@click.option(
    "--write",
    "out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write the images as PNG, in a folder for each split and class.",
)
@json_option
@data_option
@quiet_option
def data(
    data: str | None,
    name: str | None,
    seed: int | None,
    out: Path | None,
    as_json: bool,
    data_dir: Path,
    verbose: bool | None,
    **importing: Any,
) -> None:
    """Show what labelled images hold, and import them once. Without DATA: list the data sets.

    DATA is a folder with a folder for each class, a table of files and labels, an npz, zip, tar,
    Parquet or idx file, or a name. A name of a data set that ships goes before a folder of the same
    name; ./NAME is the folder.
    """
    if data is None:
        if out is not None:
            raise click.UsageError("--write needs DATA")
        _list(data_dir, as_json=as_json)
        return
    config = import_config({**importing, "name": name, "seed": seed})
    progress = shown_progress(verbose)
    dataset = resolved(data, data_dir, progress, config)
    if out is not None:
        _write(dataset, data_dir, out, progress)
        return
    if not is_store(dataset, data_dir):
        _show_shipped(dataset, data_dir, as_json=as_json)
        return
    store = read_store(dataset, data_dir)
    if as_json:
        echo_json({"dataset": dataset, "folder": str(store.folder), **_entries(store)})
        return
    for line in _lines(store):
        click.echo(wrapped(line) if not line.startswith(" ") else line)
    where = folder_flags(Folders(data=data_dir), "data")
    click.echo(f"next: cgan run {_short_name(data, store, data_dir)}{where}")


def _entries(store: Store) -> dict[str, Any]:
    return {key: value for key, value in store.facts.items() if key != "format"}


def _lines(store: Store) -> Iterator[str]:
    """Yield lines on an imported data set."""
    spec, found = store.spec, store.facts["findings"]
    source = store.facts["sources"][0]
    yield click.style(store.folder.name, bold=True)
    yield f"{source['kind']}: {source['path']}"
    yield _told_images(spec, sum(map(sum, store.class_counts.values())))
    yield ""
    yield from _table(spec, store.class_counts)
    yield ""
    yield from _told("sizes", [_sizes(found["sizes"])])
    yield from _told("pixels were", [f"{mode}: {n:,}" for mode, n in found["modes"].items()])
    yield from _told("done to them", found["pixels"] or ["nothing"])
    yield from _told("duplicates", _told_duplicates(found["duplicates"]))
    yield from _told("splits", found["splits"])
    for what in ("unreadable", "skipped"):
        yield from _told(what, [_reason(entry) for entry in found[what]])
    yield ""
    yield f"imported to {store.folder}; samples.png there shows the first images of each class"


def _told_images(spec: DataSpec, n: int) -> str:
    colour = "in colour" if spec.channels == 3 else "grey"
    return f"{n:,} images of {spec.n_classes:,} classes, {spec.width}x{spec.height}, {colour}"


def _table(spec: DataSpec, class_counts: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """Yield a table of classes and their images; of many classes, the largest and the smallest."""
    columns = (class_counts[split] for split in SPLITS)
    rows = [(spec.name_of(label), *each) for label, each in enumerate(zip(*columns, strict=True))]
    shown = [[clipped(name, LONGEST_NAME), *(f"{n:,}" for n in each)] for name, *each in rows]
    if len(rows) > MOST_ROWS:
        order = sorted(range(len(rows)), key=lambda row: -sum(rows[row][1:]))
        between = f"... {len(rows) - 2 * ENDS:,} more"
        gap = [between, *[""] * len(SPLITS)]
        shown = [*(shown[row] for row in order[:ENDS]), gap, *(shown[row] for row in order[-ENDS:])]
    total = ["all", *(f"{sum(class_counts[split]):,}" for split in SPLITS)]
    yield from _aligned([["class", *SPLITS], *shown, total])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows as lines; the first column is text, the others are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        numbers = (text.rjust(width) for text, width in zip(rest, widths[1:], strict=True))
        yield "  ".join(["", first.ljust(widths[0]), *numbers]).rstrip()


def _told(what: str, texts: Iterable[str]) -> Iterator[str]:
    """Yield what was found under a heading; nothing if there is nothing."""
    lines = [wrapped(f"  {text}") for text in texts]
    if lines:
        yield from (f"{what}:", *lines)


def _told_duplicates(found: dict[str, Any]) -> Iterator[str]:
    yield from found["sentences"]
    if found["near"]:
        pair = " and ".join(clipped(place, LONGEST_NAME) for place in found["examples"][0])
        yield f"near duplicates that differ most: {pair}"


def _sizes(sizes: dict[str, Any]) -> str:
    smallest, median, largest = (
        f"{sizes[key][1]}x{sizes[key][0]}" for key in ("smallest", "median", "largest")
    )
    if sizes["different"] == 1:
        return f"all {largest}"
    return f"{smallest} to {largest}, median {median}; {sizes['different']:,} different sizes"


def _reason(entry: dict[str, Any]) -> str:
    return f"{entry['files']:,} {entry['reason']}, such as {clipped(entry['example'], 60)}"


def _short_name(data: str, store: Store, data_dir: Path) -> str:
    """Return the shortest name by which commands find a data set from here."""
    known = stores(data_dir)
    path, title = str(Path(data).resolve()), title_of(store.folder.name)
    made = [one for one in known if path in (source.get("path") for source in sources(one))]
    if made and made[0].folder == store.folder and os.path.lexists(data):
        return shlex.quote(data)  # the newest import of these images
    titled = [one for one in known if title_of(one.folder.name) == title]
    plain = len(titled) == 1 and title not in DESCRIPTIONS and not os.path.lexists(title)
    return title if plain else store.folder.name


def _show_shipped(dataset: str, data_dir: Path, *, as_json: bool) -> None:
    """Show the classes of a data set that is not imported, but read from its own files."""
    from cgan.data.datasets import load_split

    splits = {name: load_split(dataset, data_dir, name) for name in SPLITS}
    counts = {name: split.class_counts() for name, split in splits.items()}
    spec = splits[SPLITS[0]].spec
    if as_json:
        echo_json({"dataset": dataset, "class_counts": counts})
        return
    click.echo(click.style(dataset, bold=True))
    click.echo(_told_images(spec, sum(map(sum, counts.values()))))
    click.echo()
    for line in _table(spec, counts):
        click.echo(line)


def _write(dataset: str, data_dir: Path, out: Path, progress: Progress) -> None:
    """Write a data set as pictures."""
    from cgan.data.conversion.as_folders import require_new_folder, write_class_folders
    from cgan.data.datasets import load_split

    require_new_folder(out)
    splits = {name: load_split(dataset, data_dir, name) for name in SPLITS}
    arrays = [(name, one.images.numpy(), one.labels.numpy()) for name, one in splits.items()]
    spec = splits[SPLITS[0]].spec
    write_class_folders(arrays, spec, out, progress)
    n = sum(map(len, splits.values()))
    click.echo(f"{n:,} images of {spec.n_classes:,} classes are in {out}")


def _list(data_dir: Path, *, as_json: bool) -> None:
    """List the data sets that can be named."""
    found = stores(data_dir)
    if as_json:
        imported = [{"dataset": store.folder.name, **_entries(store)} for store in found]
        echo_json({"known": list(DESCRIPTIONS), "downloaded": list(SETS), "imported": imported})
        return
    click.echo(wrapped(f"known by name: {', '.join(DESCRIPTIONS)}"))
    click.echo(wrapped(f"imported by name, with a network: {', '.join(SETS)}"))
    click.echo(f"imported, in {data_dir}:" if found else f"imported, in {data_dir}: none")
    for store in found:
        n = sum(map(sum, store.class_counts.values()))
        click.echo(f"  {click.style(store.folder.name, bold=True)}: {_told_images(store.spec, n)}")
