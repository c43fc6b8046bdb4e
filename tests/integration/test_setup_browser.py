"""scripts/setup_browser with stand-ins for the tools that it calls, which write down the calls."""

import subprocess
from pathlib import Path
from shutil import copy, which

import pytest
from conftest import REPOSITORY

SCRIPT = "scripts/setup_browser"
NPM = """#!/bin/sh
echo "npm $*" >> "$CALLS"
mkdir -p .venv/node_modules/axe-core
version=$(echo "$*" | sed 's/.*@//')
echo "{\\"version\\": \\"$version\\"}" > .venv/node_modules/axe-core/package.json
"""
APT = """#!/bin/sh
echo "apt-get $*" >> "$CALLS"
for name; do true; done
case "$*" in *install*) cp "$SPARE/$name" "$TOOLS" || exit 100 ;; esac
"""


class Place:
    """A copy of the script with a path on which there is next to nothing."""

    def __init__(self, top: Path):
        self.top = top
        for name in ("scripts", "tools", "spare", ".venv"):
            (top / name).mkdir()
        copy(REPOSITORY / "scripts/setup_browser", top / "scripts")
        self.has("scripts/setup", '#!/bin/sh\necho setup "$@" >> "$CALLS"\n')
        for tool in ("bash", "sh", "dirname", "grep", "sed", "mkdir", "cp"):
            (top / "tools" / tool).symlink_to(str(which(tool)))
        self.user(0)

    def has(self, name: str, content: str = "#!/bin/sh\n") -> None:
        (self.top / name).write_text(content)
        (self.top / name).chmod(0o755)

    def user(self, number: int) -> None:
        self.has("tools/id", f"#!/bin/sh\necho {number}\n")

    def run(self, **environment: str) -> tuple[int, str, list[str]]:
        """Return the exit status, what was said, and the calls."""
        calls = self.top / "calls"
        calls.write_text("")
        tools, spare = self.top / "tools", self.top / "spare"
        given = {"PATH": tools, "CALLS": calls, "TOOLS": tools, "SPARE": spare, **environment}
        done = subprocess.run(
            [self.top / "scripts/setup_browser"],
            env={name: str(value) for name, value in given.items()},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr, calls.read_text().splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_axe_is_installed_once_and_then_all_is_silent(place: Place) -> None:
    place.has("tools/chromium")
    place.has("tools/npm", NPM)
    status, _, calls = place.run()
    assert status == 0
    assert calls[0] == "setup test"
    assert calls[1].startswith("npm install --prefix .venv")
    assert calls[1].endswith("axe-core@4.14.1")
    assert place.run() == (0, "", ["setup test"])


def test_another_version_of_axe_is_replaced(place: Place) -> None:
    place.has("tools/google-chrome")
    place.has("tools/npm", NPM)
    place.run()
    (place.top / ".venv/node_modules/axe-core/package.json").write_text('{"version": "4.0.0"}')
    assert len(place.run()[2]) == 2


def test_what_is_missing_comes_from_the_system(place: Place) -> None:
    place.has("tools/apt-get", APT)
    place.has("spare/chromium")
    place.has("spare/npm", NPM)
    status, said, calls = place.run()
    assert status == 0, said
    installed = [call.split()[-1] for call in calls if call.startswith("apt-get install")]
    assert installed == ["chromium", "npm"]
    assert place.run() == (0, "", ["setup test"])


def test_the_chromium_without_windows_is_preferred_where_the_system_has_it(place: Place) -> None:
    place.has("tools/chromium")
    place.has("tools/npm", NPM)
    place.has("tools/apt-get", APT)
    place.has("tools/apt-cache")
    assert place.run()[0] == 0  # it is known but does not come: the other is used
    assert place.run()[1] != ""  # and it is tried again
    place.has("spare/chromium-headless-shell")
    assert place.run()[2][1].split()[-1] == "chromium-headless-shell"
    assert place.run() == (0, "", ["setup test"])


@pytest.mark.parametrize("why", ["no root", "no apt-get"])
def test_where_it_cannot_install_it_says_what_to_install(place: Place, why: str) -> None:
    if why == "no root":
        place.user(1000)
        place.has("tools/apt-get", APT)
    status, said, calls = place.run()
    assert (status, calls) == (1, ["setup test"])
    assert said.splitlines() == [
        f"install Chromium (or choose one with CGAN_CHROMIUM=...), then run {SCRIPT} again"
    ]
    status, said, _ = place.run(CGAN_CHROMIUM="/opt/chrome")
    assert status == 1
    assert said == f"install npm, which comes with Node.js, then run {SCRIPT} again\n"


def test_a_failing_installation_fails(place: Place) -> None:
    place.has("tools/chromium")
    place.has("tools/npm", "#!/bin/sh\nexit 3\n")
    assert place.run()[0] == 3


def test_the_tests_look_for_what_the_script_installs() -> None:
    from chromium import AXE, NAMES

    text = (REPOSITORY / "scripts/setup_browser").read_text()
    assert " ".join(NAMES) in text
    pictures = (REPOSITORY / "scripts/page_pictures").read_text()
    assert f"NAMES = ({', '.join(f'{chr(34)}{name}{chr(34)}' for name in NAMES)})" in pictures
    assert str(AXE.parent.relative_to(REPOSITORY)) in text
