"""What a person sees of the work: bars on a terminal, plain lines elsewhere, nothing when quiet."""

import io

import pytest

from cgan.runtime.progress import COLUMNS, EVERY, Progress, duration, wrapped
from cgan.training.history import HEAD, History, in_short

READINGS = {
    "d_loss": 1.3149,
    "g_loss": 0.9151,
    "d_real": 0.612,
    "d_fake": 0.384,
    "d_fake_after": 0.3,
    "judge_accuracy": 0.9912,
    "coverage": 0.902,
    "d_gradient": 3.0,
}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def seen(terminal: Terminal) -> list[str]:
    """Return every state of the line, and every line, that the terminal showed."""
    return terminal.getvalue().replace("\n", "\r").split("\r")


def test_a_terminal_shows_share_time_left_and_readings_within_its_width() -> None:
    stream = Terminal()
    with Progress(stream).bar(200, "mnist-guided") as bar:
        bar.advance(86)
        bar.say(in_short(READINGS))
    *_, last = [state for state in seen(stream) if "%|" in state]
    assert " 43%|" in last
    assert " left D 1.31 G 0.92 D(x) 0.61 D(G(z)) 0.38 acc 99.1% cov 90%" in last
    assert max(map(len, seen(stream))) < COLUMNS
    assert max(last.count(block) for block in "█#") >= 1  # a bar is left


def test_a_bar_is_named_where_there_is_room() -> None:
    stream = Terminal()
    with Progress(stream).bar(200, "mnist-guided") as bar:
        bar.say("loss 0.123")
        assert seen(stream)[-1].startswith("mnist-guided   0%|")
        bar.say("x" * 45)
        assert seen(stream)[-1].startswith("  0%|")


def test_readings_wider_than_the_terminal_are_cut() -> None:
    stream = Terminal()
    with Progress(stream).bar(10, "x") as bar:
        bar.say("{y}" * 100)
    assert max(map(len, seen(stream))) < COLUMNS
    assert "{y}{y}" in stream.getvalue()


def test_a_bar_goes_when_its_stage_is_over_and_lines_stay_above_it() -> None:
    stream = Terminal()
    progress = Progress(stream)
    with progress.bar(10, "drawing") as bar:
        bar.advance(5)
        progress.line("epoch 1")
        bar.advance(5)
    assert "epoch 1\n" in stream.getvalue()
    assert seen(stream)[-1] == ""
    assert seen(stream)[-2].strip() == ""
    assert "\x1b" not in stream.getvalue()  # no colours


def test_a_bar_goes_back_and_begins_where_the_work_does() -> None:
    stream = Terminal()
    with Progress(stream).bar(10, "x", done=4) as bar:
        assert " 40%|" in seen(stream)[-1]
        bar.go_to(2)
        bar.say("")
        assert " 20%|" in seen(stream)[-1]


def test_without_a_terminal_there_is_a_line_every_half_minute_with_step_share_and_time_left() -> (
    None
):
    stream, clock = io.StringIO(), Clock()
    with Progress(stream, clock).bar(400, "mnist-guided", unit="steps") as bar:
        for step in range(400):
            clock.now += 1
            if step == 40:
                bar.say("D 1.31 G 0.92")
            bar.advance()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 400 // EVERY
    assert lines[0] == "mnist-guided: 30 of 400 steps, 8% done, about 6 min left"
    assert lines[-1] == "mnist-guided: 390 of 400 steps, 98% done, about 10 s left, D 1.31 G 0.92"


def test_without_a_terminal_what_is_quick_or_talks_itself_shows_no_line_of_its_own() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, clock)
    with progress.bar(25, "drawing") as bar:
        for _ in range(25):
            clock.now += 1
            bar.advance()
    with progress.bar(100, "training") as bar:
        for step in range(100):
            if step % 20 == 0:
                progress.line(f"epoch {step // 20}")
            clock.now += 1
            bar.advance()
    assert stream.getvalue() == "".join(f"epoch {i}\n" for i in range(5))


def test_the_time_left_is_not_told_from_the_first_of_very_many_steps() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress(stream, clock).bar(100_000, "x") as bar:
        clock.now += EVERY
        bar.advance(1)
        clock.now += EVERY
        bar.advance(199)
    first, second = stream.getvalue().splitlines()
    assert first == "x: 1 of 100,000 images, 0% done"
    assert second == "x: 200 of 100,000 images, 0% done, about 8 h 19 min left"


def test_without_a_terminal_the_time_left_is_that_of_this_work_not_of_what_was_done_before() -> (
    None
):
    stream, clock = io.StringIO(), Clock()
    with Progress(stream, clock).bar(300, "x", done=200) as bar:
        clock.now += EVERY
        bar.advance(10)
        bar.go_to(100)
        clock.now += EVERY
        bar.advance(10)
    first, second = stream.getvalue().splitlines()
    assert first == "x: 210 of 300 images, 70% done, about 4 min left"  # 3 s each
    assert second == "x: 110 of 300 images, 37% done, about 10 min left"


def test_a_line_elsewhere_than_on_a_terminal_has_no_control_character() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, clock)
    with progress.bar(100, "x") as bar:
        for _ in range(99):
            clock.now += EVERY
            bar.say(in_short(READINGS))
            bar.advance()
            progress.line("a line")
    assert stream.getvalue().splitlines().count("a line") == 99
    assert all(line.isprintable() for line in stream.getvalue().splitlines())


def test_a_long_line_is_wrapped_and_its_indentation_kept() -> None:
    path = "/" + "x" * 90
    text = f"  WARNING: {'word ' * 20}{path}"
    lines = wrapped(text).splitlines()
    assert " ".join(line.strip() for line in lines) == text.strip()
    assert lines[0].startswith("  WARNING: word")
    assert all(line.startswith("    ") for line in lines[1:])
    assert [line for line in lines if len(line) > 79] == [f"    {path}"]
    assert wrapped("x" * 79) == "x" * 79
    stream = io.StringIO()
    Progress(stream).line(text)
    assert stream.getvalue() == "\n".join([*lines, ""])


@pytest.mark.parametrize("total", [1, 3, 10, 11, 40, 400])
def test_of_many_evaluations_about_ten_are_shown_and_the_last(total: int) -> None:
    shown = [i for i in range(1, total + 1) if Progress().shows(i, total)]
    assert shown[-1] == total
    assert min(total, 6) <= len(shown) <= 11
    assert all(Progress(every_line=True).shows(i, total) for i in range(1, total + 1))


def test_an_evaluation_is_a_line_below_its_headings_with_a_dash_for_what_is_not_known() -> None:
    history = History()
    history.rows = [{"epoch": 12.25, "g_loss": 0.75, "seconds": 1234.0, "coverage": 0.5}]
    line = history.last_line()
    assert line.split() == ["12.25", "-", "0.750", "-", "-", "-", "-", "-", "50%", "1234"]
    assert len(line) == len(HEAD) < 80
    assert line.index("0.750") + 5 == HEAD.index("G loss") + 6  # both end in the same column


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture) -> None:
    progress = Progress()
    with progress.bar(10, "x") as bar:
        bar.advance()
        bar.go_to(5)
        bar.say("loss 1")
        progress.line("x")
    assert capsys.readouterr() == ("", "")


def test_readings_in_short_fit_a_narrow_terminal_and_leave_out_what_is_not_known() -> None:
    assert len(in_short({**READINGS, "judge_accuracy": 1.0, "coverage": 1.0})) <= 60
    assert in_short({"g_loss": 2.0, "coverage": 0.5}) == "G 2.00 cov 50%"
    assert in_short({}) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (99.4, "99 s"), (100, "2 min"), (3570, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_times_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
