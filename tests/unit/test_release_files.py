"""The files that tell what this version is agree with each other."""

import datetime
import re
import tomllib

import yaml
from conftest import REPOSITORY

from cgan.runtime.version import __version__

RELEASE = __version__.split(".dev")[0]
HEADING = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (unreleased|\d{4}-\d\d-\d\d)$", re.MULTILINE)
CHANGELOG = (REPOSITORY / "CHANGELOG.md").read_text()
CITATION = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())


def test_the_changelog_begins_with_this_version_which_has_a_date_once_it_is_released() -> None:
    version, date = HEADING.findall(CHANGELOG)[0]
    assert version == RELEASE
    assert (date == "unreleased") == (__version__ != RELEASE)


def test_older_versions_follow_in_order_and_each_has_a_date() -> None:
    found = HEADING.findall(CHANGELOG)
    assert len(found) == CHANGELOG.count("\n## ")
    numbers = [tuple(map(int, version.split("."))) for version, _ in found]
    assert numbers == sorted(set(numbers), reverse=True)
    dates = [datetime.date.fromisoformat(date) for _, date in found if date != "unreleased"]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) >= len(found) - 1


def test_the_citation_is_of_this_version_and_licence() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert CITATION["version"] == __version__
    assert CITATION["license"] in project["license"].split(" AND ")  # the first is of the code
    assert CITATION["title"].startswith(project["name"])


def test_the_citation_has_what_its_format_requires() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert CITATION["type"] == "software"
    assert CITATION["authors"] == [{"name": "The cgan developers"}]
    texts = [CITATION["message"], CITATION["title"], *CITATION["keywords"]]
    assert all(isinstance(text, str) and text for text in texts)
    known = {"cff-version", "message", "type", "title", "authors", "version", "license", "keywords"}
    assert CITATION.keys() == known
