"""Downloads from a server of our own: what lands, what is refused, what is left behind."""

import gzip
import hashlib
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import torchvision

from cgan.data import download
from cgan.data.datasets import load_split
from cgan.data.originals import FILES
from cgan.runtime.errors import InputError

ALL = sorted([*FILES, *(f"{name}.gz" for name in FILES)])


class Server:
    """Serves gzipped files; each may be damaged, or end half way."""

    def __init__(self, files: dict[str, bytes]):
        self.files, self.breaks_off, self.asked = files, False, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = outer.files[self.path.strip("/")]
                outer.asked += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if outer.breaks_off else content)

            def log_message(self, *_: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}/"


@pytest.fixture
def server(toy_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A mirror of toy files whose MD5 sums torchvision knows."""
    files = {f"{n}.gz": gzip.compress((toy_mnist / n).read_bytes(), 1) for n in FILES}
    served = Server(files)
    sums = [(name, hashlib.md5(content).hexdigest()) for name, content in files.items()]
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [served.address])
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", sums)
    thread = threading.Thread(target=served.http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield served
    served.http.shutdown()
    served.http.server_close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "fresh"


def test_a_good_download_is_loaded_and_leaves_only_its_files(server: Server, target: Path) -> None:
    assert len(load_split("mnist", target, "test")) == 60
    assert len(load_split("mnist", target, "train")) == 40
    assert [path.name for path in target.iterdir()] == ["MNIST"]
    assert sorted(path.name for path in (target / "MNIST/raw").iterdir()) == ALL
    assert server.asked == 2 * len(FILES)  # asked once for where each is, once for what it is


def test_all_files_appear_at_once_and_are_on_the_disk_before(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, there = [], []
    honest = download.sync

    def watched(path: Path) -> None:
        synced.append(path.name)
        there.append((target / "MNIST/raw").exists())
        honest(path)

    monkeypatch.setattr(download, "sync", watched)
    download.download("mnist", target)
    assert synced == [*ALL, "raw", "MNIST"]
    assert there == [False] * (len(ALL) + 1) + [True]


def test_what_lacks_in_a_folder_is_put_beside_what_is_there(server: Server, target: Path) -> None:
    raw = target / "MNIST/raw"
    raw.mkdir(parents=True)
    (raw / FILES[0]).write_bytes(b"half of a set")
    (raw / "mine.txt").write_text("kept")
    assert len(load_split("mnist", target, "train")) == 40
    assert sorted(path.name for path in raw.iterdir()) == ["mine.txt", *ALL]


@pytest.mark.parametrize("damage", ["changed", "broken off"])
def test_what_is_damaged_on_the_way_is_refused_in_one_line(
    server: Server, target: Path, damage: str
) -> None:
    if damage == "changed":
        changed = bytearray(server.files["t10k-labels-idx1-ubyte.gz"])
        changed[-1] ^= 1
        server.files["t10k-labels-idx1-ubyte.gz"] = bytes(changed)  # the last but all that came
    server.breaks_off = damage == "broken off"
    with pytest.raises(InputError, match="incomplete or damaged: its checksum is wrong") as caught:
        load_split("mnist", target, "train")
    assert "\n" not in str(caught.value)
    assert not target.exists()


def test_a_connection_that_ends_within_a_header_is_told(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfinished(root: str, download: bool) -> None:
        raise http.client.IncompleteRead(b"")

    monkeypatch.setattr(torchvision.datasets, "MNIST", unfinished)
    with pytest.raises(InputError, match="the connection was lost"):
        load_split("mnist", target, "train")
    assert not target.exists()


def test_a_torchvision_that_cannot_be_imported_is_told(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(InputError, match="reinstall torch and torchvision together"):
        load_split("mnist", target, "train")


def test_a_killed_download_starts_again_and_what_it_left_goes(server: Server, target: Path) -> None:
    for name in (".mnist-abcd1234/MNIST/raw", ".kmnist-abcd1234", ".mnist-notes"):
        (target / name).mkdir(parents=True)
    (target / ".mnist-abcd1234/MNIST/raw" / FILES[0]).write_bytes(b"half")
    (target / ".mnist.lock").touch()
    assert len(load_split("mnist", target, "test")) == 60
    # another data set's, and what is none of ours, stay
    assert {path.name for path in target.iterdir()} == {"MNIST", ".kmnist-abcd1234", ".mnist-notes"}


KILLED = """
import os, sys
from pathlib import Path
from cgan.data import download
import torchvision
def fetch(root, download):
    raw = Path(root) / "MNIST/raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(b"half")
    os.kill(os.getpid(), 9)
torchvision.datasets.MNIST = fetch
download.download("mnist", Path(sys.argv[1]))
"""


def test_a_process_that_was_killed_while_downloading_holds_nothing(
    server: Server, target: Path
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
    assert done.returncode == -9
    assert len(download.leftovers("mnist", target)) == 1
    assert len(load_split("mnist", target, "test")) == 60
    assert [path.name for path in target.iterdir()] == ["MNIST"]


def test_two_processes_download_once_and_both_have_it(server: Server, target: Path) -> None:
    context = get_context("fork")  # they know the mirror as this process does
    sizes = context.SimpleQueue()
    both = [context.Process(target=put_size, args=(target, sizes)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
        assert process.exitcode == 0
    assert [sizes.get(), sizes.get()] == [60, 60]
    assert server.asked == 2 * len(FILES)
    assert [path.name for path in target.iterdir()] == ["MNIST"]


def put_size(target: Path, sizes: Any) -> None:
    sizes.put(len(load_split("mnist", target, "test")))


def test_a_download_by_another_process_that_does_not_end_is_told(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PATIENCE", 0.1)
    target.mkdir()
    with (
        download.FileLock(target / ".mnist.lock"),
        pytest.raises(InputError, match="another process is downloading mnist"),
    ):
        load_split("mnist", target, "train")
    assert server.asked == 0
