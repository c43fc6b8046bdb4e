import pytest

from cgan.runtime.errors import InputError, lookup, nearest


def test_lookup_returns_the_row() -> None:
    assert lookup({"a": 1}, "a", "letter") == 1


def test_lookup_names_the_nearest_and_all_names() -> None:
    with pytest.raises(InputError) as caught:
        lookup({"mnist": 1, "digits": 2}, "minst", "data set")
    assert (
        str(caught.value)
        == "unknown data set 'minst': did you mean 'mnist'? (one of: digits, mnist)"
    )


def test_nearest_says_when_there_is_nothing_or_nothing_near() -> None:
    assert nearest("x", []) == ": there are none yet"
    assert nearest("zzz", ["abc"]) == ": (one of: abc)"
