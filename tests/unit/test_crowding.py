"""A training says that the machine is crowded where it is, and only there."""

import pytest

from cgan.runtime.crowding import WATCHED, Crowding, crowded


class Machine:
    """Time that passes, of which a thread gets a share."""

    def __init__(self) -> None:
        self.now = self.used = 50.0

    def passes(self, seconds: float, share: float) -> None:
        self.now += seconds
        self.used += seconds * share


def watch(machine: Machine) -> Crowding:
    return Crowding(lambda: machine.now, lambda: machine.used)


@pytest.mark.parametrize(("share", "told"), [(1.0, False), (0.9, False), (0.5, True), (0.1, True)])
def test_half_a_minute_of_training_shows_whether_a_machine_is_crowded(
    share: float, told: bool
) -> None:
    machine = Machine()
    crowding = watch(machine)
    found = []
    for _ in range(100):
        machine.passes(1, share)
        found.append(crowding.share())
    assert found[: int(WATCHED) - 1] == [None] * (int(WATCHED) - 1)
    assert [one for one in found if one is not None] == [pytest.approx(share)] * told  # once


def test_what_happens_between_stop_and_start_does_not_count() -> None:
    machine = Machine()
    crowding = watch(machine)
    for _ in range(9):
        machine.passes(5, 1.0)
        assert crowding.share() is None
        crowding.stop()
        machine.passes(60, 0.0)  # a slow disk
        crowding.start()


def test_the_line_says_what_to_do_and_advises_fewer_threads_only_where_there_are_several() -> None:
    several = crowded(0.35, 2, "start again with")
    assert several.endswith("stop other programs, or start again with --threads 1")
    assert "gets 35% of the processor time" in several
    assert crowded(0.35, 1, "start again with").endswith("stop other programs")
