"""The page of cgan play in a real browser: it draws, reads, moves, saves, and asks nobody else."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chromium import LOOKS, Visit, check, errors, opened, requests
from conftest import REPOSITORY, TOY, digits_config
from PIL import Image
from playwright.sync_api import Browser

from cgan.config.recipes import gan_config
from cgan.config.schema import GanConfig
from cgan.deploy.export import generator_onnx
from cgan.deploy.webapp.build import make_site, site_files
from cgan.deploy.webapp.server import SiteServer
from cgan.evaluation.latent import between
from cgan.models.hub import GanRun, load_classifier, load_generator
from cgan.models.registry import make_generator

pytestmark = pytest.mark.slow
PIXELS = """canvases => canvases.map(canvas => [...canvas.getContext("2d")
    .getImageData(0, 0, canvas.width, canvas.height).data])"""
ROUNDED = 1  # level of grey by which batches of different sizes may differ
ASKED = "performance.getEntriesByType('resource').map(entry => entry.name)"


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[str]:
    """Serve a page; yield its origin."""
    with SiteServer() as server:
        server.offer(files)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.address.rstrip("/")
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The page of the run that ships."""
    return dict(make_site("mnist", Path("none")).files)


@pytest.fixture(scope="module")
def origin(files: dict[str, bytes]) -> Iterator[str]:
    with served(files) as address:
        yield address


@contextmanager
def ready(
    browser: Browser, origin: str, place: str = "/", width: int = 1280, scheme: str = "light"
) -> Iterator[Visit]:
    """Open the page and wait until it has drawn everything."""
    with opened(browser, origin + place, width, scheme, origin) as visit:
        visit.page.wait_for_selector("#way-strip canvas")
        visit.page.wait_for_selector("#strip canvas")
        yield visit
        assert errors(visit) == []
        assert requests(visit) == []


def pictures(visit: Visit, part: str = "#strip") -> list[list[int]]:
    """Return the pixels of the pictures in a part of the page."""
    pixels: list[list[int]] = visit.page.eval_on_selector_all(f"{part} canvas", PIXELS)
    return pixels


def others(visit: Visit, before: list[list[int]], part: str = "#strip") -> list[list[int]]:
    """Wait until the pictures of a part are others; return them."""
    visit.page.wait_for_function(
        f"""before => {{
            const now = ({PIXELS})([...document.querySelectorAll("{part} canvas")]);
            return JSON.stringify(now) !== JSON.stringify(before);
        }}""",
        arg=before,
    )
    return pictures(visit, part)


def said(visit: Visit, selector: str, words: str) -> str:
    """Wait until an element holds words; return its text."""
    place = visit.page.locator(selector)
    visit.page.wait_for_function(
        "([selector, words]) => document.querySelector(selector).textContent.includes(words)",
        arg=[selector, words],
    )
    return place.inner_text()


def test_a_number_is_drawn_and_the_judge_reads_it(browser: Browser, origin: str) -> None:
    with ready(browser, origin, "/#write=11111&seed=4") as visit:
        before = pictures(visit)
        assert len(before) == 5
        for number in ("2026", "7", "0123456789"):
            visit.page.fill("#number", number)
            before = others(visit, before)
            assert said(visit, "#read", f"as: {number}") == f"Classified as: {number}"
            assert len(before) == len(number)
            assert all(
                max(one) == 255 and len(set(one)) > 20 for one in before
            )  # strokes, in greys
            names = visit.page.eval_on_selector_all(
                "#strip canvas", "all => all.map(one => one.ariaLabel)"
            )
            for name, digit in zip(names, number, strict=True):
                assert name.startswith(f"Digit {digit}; classified as {digit} with ")
                assert "% confidence; looks " in name


def test_a_further_digit_leaves_the_others_as_they_are(browser: Browser, origin: str) -> None:
    with ready(browser, origin, "/#write=20&seed=4") as visit:
        before = pictures(visit)
        visit.page.fill("#number", "202")
        after = others(visit, before)
        assert np.abs(np.subtract(after[:2], before)).max() <= ROUNDED
        assert np.abs(np.subtract(after[2], after[0])).max() > 100  # the same digit, another hand


def test_the_same_seed_is_the_same_picture_and_another_is_not(
    browser: Browser, origin: str
) -> None:
    with ready(browser, origin, "/#write=2026&seed=7") as visit:
        first = pictures(visit)
        visit.page.click("#again")
        second = others(visit, first)
        address = visit.page.url
        assert "write=2026&seed=" in address
        assert visit.page.input_value("#seed") == address.rpartition("=")[2] != "7"
        visit.page.reload()
        visit.page.wait_for_selector("#strip canvas")
        assert pictures(visit) == second
        visit.page.fill("#seed", "7")
        assert others(visit, second) == first
    with ready(browser, origin, f"/#{address.partition('#')[2]}") as visit:  # a link is enough
        assert pictures(visit) == second
        visit.page.evaluate("location.hash = 'write=2026&seed=7'")
        assert others(visit, second) == first


REFUSED = [
    ("#number", "12a", "“a” is not a digit of this generator: write digits from 0 to 9"),
    ("#number", "<b>", "“<” is not a digit"),
    ("#number", "-1", "“-” is not a digit"),
    ("#number", "٣", "“٣” is not a digit"),  # a three, as Arabic writes it
    ("#number", "1234567890123", "Write 12 digits at most"),
    ("#number", "", "Write a number"),
    ("#seed", "", "A seed is a whole number from 0 to 4294967295"),
    ("#seed", "-1", "A seed is a whole number"),
    ("#seed", "4294967296", "A seed is a whole number"),
    ("#seed", "1.5", "A seed is a whole number"),
]


def test_what_cannot_be_drawn_is_refused_with_words(browser: Browser, origin: str) -> None:
    with ready(browser, origin) as visit:
        for i, (field, text, words) in enumerate(REFUSED):
            before, address = pictures(visit), visit.page.url
            visit.page.fill(field, text)
            assert words in said(visit, "#images-problem", words)
            assert visit.page.get_attribute(field, "aria-invalid") == "true"
            assert (pictures(visit), visit.page.url) == (before, address)
            visit.page.fill(field, str(10 + i))
            others(visit, before)
            assert visit.page.inner_text("#images-problem") == ""
            assert visit.page.get_attribute(field, "aria-invalid") == "false"
        for field, problem in (("#move-seed", "#move-problem"), ("#seed-b", "#points-problem")):
            visit.page.fill(field, "-1")
            said(visit, problem, "A seed is a whole number")


def test_an_address_of_nonsense_opens_the_page_as_usual(browser: Browser, origin: str) -> None:
    with ready(browser, origin, "/#write=2b&seed=-4") as visit:
        for nonsense in ("seed=1e3", "write=", "<script>", "%%", "write=5555555555555"):
            assert visit.page.input_value("#number") == "2026"
            assert visit.page.input_value("#seed") == "1"
            before = pictures(visit)
            visit.page.evaluate("location.hash = 'write=55&seed=5'")
            before = others(visit, before)
            visit.page.evaluate(f"location.hash = '{nonsense}'")
            others(visit, before)


def test_every_slider_changes_the_picture_and_the_way_back_is_the_same(
    browser: Browser, origin: str
) -> None:
    with ready(browser, origin) as visit:
        sliders = visit.page.locator("#sliders input")
        assert sliders.count() == 7
        for i in range(7):
            before = pictures(visit, "#move-strip")
            value = sliders.nth(i).input_value()
            sliders.nth(i).fill("2.5")
            after = others(visit, before, "#move-strip")
            sliders.nth(i).fill(value)
            assert others(visit, after, "#move-strip") == before
        sliders.nth(1).focus()
        visit.page.keyboard.press("Home")  # the least ink
        thin = others(visit, before, "#move-strip")
        visit.page.keyboard.press("End")
        thick = others(visit, thin, "#move-strip")
        assert np.mean(thick) > np.mean(thin) + 10
        assert said(visit, "#move-strip .label", "classified as") == "classified as 7"
        assert visit.page.inner_text("#sliders p:nth-child(2) .value") == "+3.0"


@pytest.fixture(scope="module")
def together(browser: Browser, origin: str) -> Iterator[Visit]:
    """A page for tests of which each uses a panel or a field of its own."""
    with ready(browser, origin) as visit:
        yield visit


def test_the_kind_of_digit_is_told(together: Visit) -> None:
    visit = together
    kind = visit.page.get_by_label("Mode of the digit")
    kind.fill("-3")
    said(visit, "#sliders p:last-child .value", "1 of 8")
    kind.fill("3")
    said(visit, "#sliders p:last-child .value", "8 of 8")
    assert kind.get_attribute("aria-valuetext") == "8 of 8"


def test_another_digit_is_drawn_with_the_same_noise(together: Visit) -> None:
    visit = together
    before = pictures(visit, "#move-strip")
    visit.page.fill("#move-class", "4")
    visit.page.press("#move-class", "Enter")
    others(visit, before, "#move-strip")
    said(visit, "#move-strip .label", "classified as 4")


def test_the_way_leads_from_one_seed_to_the_other(together: Visit) -> None:
    visit = together
    a, b, both, less = pictures(visit, "#points-strip")
    assert len({str(one) for one in (a, b, both, less)}) == 4
    before = pictures(visit, "#way-strip")
    visit.page.fill("#way", "0")
    begin = others(visit, before, "#way-strip")
    visit.page.fill("#way", "1")
    end = others(visit, begin, "#way-strip")
    assert np.abs(np.subtract(begin[0], a)).max() <= ROUNDED
    assert np.abs(np.subtract(end[0], b)).max() <= ROUNDED
    visit.page.fill("#seed-a", "9")
    changed = others(visit, [a, b, both, less], "#points-strip")
    assert changed[0] != a
    assert changed[1] == b


SAVED = [
    ("#save-images", "#strip", "cgan-mnist-2026-seed-1.png", 4),
    ("#save-move", "#move-strip", "cgan-mnist-7-moved-seed-1.png", 1),
]


def test_a_picture_is_saved_as_it_is_shown(browser: Browser, origin: str) -> None:
    with ready(browser, origin) as visit:
        for button, part, name, n in SAVED:
            with visit.page.expect_download() as download:
                visit.page.click(button)
            assert download.value.suggested_filename == name
            saved = np.asarray(Image.open(io.BytesIO(Path(download.value.path()).read_bytes())))
            assert saved.shape[:2] == (224, 8 * (30 * n - 2))
            for i, pixels in enumerate(pictures(visit, part)):
                left = 8 * 30 * i
                small = saved[4::8, left + 4 : left + 224 : 8, 0]
                assert np.array_equal(small, np.reshape(pixels, (28, 28, 4))[:, :, 0])


def test_times_are_told(browser: Browser, origin: str) -> None:
    with ready(browser, origin) as visit:
        assert visit.page.inner_text("#pace") == ""
        before = pictures(visit)
        visit.page.click("#again")
        others(visit, before)
        assert "From the last click to its picture: " in said(visit, "#pace", " ms")
        for _ in range(3):
            before = pictures(visit)
            visit.page.click("#again")
            others(visit, before)
        assert "median of the last 4: " in said(visit, "#pace", "median")


def test_a_screen_reader_is_told_what_was_drawn(browser: Browser, origin: str) -> None:
    with ready(browser, origin) as visit:
        visit.page.fill("#number", "31")
        assert said(visit, "#said[role=status]", "Classified as: 31")
        visit.page.locator("#sliders input").first.fill("1")
        assert "classified as" in said(visit, "#said", "Digit 7")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_is_sound(browser: Browser, origin: str, width: int, scheme: str) -> None:
    with ready(browser, origin, width=width, scheme=scheme) as visit:
        visit.page.fill("#number", "12 ")  # with a word of refusal
        said(visit, "#images-problem", "is not a digit")
        check(visit)


class Quiet(SimpleHTTPRequestHandler):
    """A plain static server, as anybody's."""

    def log_message(self, format: str, *_: object) -> None:
        """Say nothing."""


def test_it_works_below_a_path_of_a_plain_server(
    browser: Browser, files: dict[str, bytes], tmp_path: Path
) -> None:
    for name, content in files.items():
        path = tmp_path / "some/where" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        origin = f"http://127.0.0.1:{server.server_address[1]}"
        with ready(browser, origin, "/some/where/") as visit:
            assert said(visit, "#read", "Classified as") == "Classified as: 2026"
            asked = visit.page.evaluate(ASKED)
        server.shutdown()
        thread.join()
    assert asked
    assert all(address.startswith(f"{origin}/some/where/") for address in asked)


def untrained(config: GanConfig, spec: Any = TOY) -> GanRun:
    torch.manual_seed(0)
    return GanRun("toy", Path(), spec, config, "", "", make_generator(config, spec).eval())


def bare(gan: GanRun) -> dict[str, bytes]:
    return site_files(gan, None, {"generator.onnx": generator_onnx(gan)})


def test_a_generator_without_labels_is_not_asked_for_digits(
    browser: Browser, tmp_path: Path
) -> None:
    gan = untrained(gan_config("mlp", "digits"), load_generator("digits", tmp_path).spec)
    with served(bare(gan)) as origin, ready(browser, origin) as visit:
        assert "no digit can be requested" in visit.page.inner_text("#images-about")
        assert visit.page.inner_text("h1") == "Ask for images"
        for hidden in ("#number", "#class", "#each", "#move-class", "#points-class"):
            assert not visit.page.is_visible(hidden)
        before = pictures(visit)
        assert len(before) == 8
        visit.page.click("#again")
        others(visit, before)
        check(visit)


@pytest.fixture(scope="module")
def bird_run() -> GanRun:
    """An untrained generator of four classes with names, of which one had no images."""
    names = ("Bird house", "bird", "<i>\u00c9l\u00e9phant</i>", "never seen")
    gan = untrained(digits_config(modes=1), replace(TOY, names=names))
    return replace(gan, class_counts=(5, 5, 5, 0))


@pytest.fixture(scope="module")
def named(bird_run: GanRun) -> Iterator[str]:
    with served(bare(bird_run)) as address:
        yield address


def test_what_is_not_there_is_said_and_the_rest_works(browser: Browser, named: str) -> None:
    with ready(browser, named) as visit:
        assert "There is no judge of toy" in visit.page.inner_text("#about-judge")
        assert "nothing says whether an image looks real" in visit.page.inner_text(
            "#about-discriminator"
        )
        assert visit.page.inner_text("#strip figcaption >> nth=0").strip() == ""
        assert visit.page.inner_text("#read") == ""
        assert "One class is not offered" in visit.page.inner_text("#images-about")
        assert not visit.page.is_visible("#number")
        assert "digit" not in visit.page.inner_text("body").lower()
        check(visit)


def chosen(visit: Visit) -> list[str]:
    """Return the names of the chosen classes."""
    return visit.page.locator("#chosen button").all_inner_texts()


def test_classes_are_found_by_name_with_the_keyboard(browser: Browser, named: str) -> None:
    with ready(browser, named, width=390, scheme="dark") as visit:
        page, field = visit.page, visit.page.get_by_role("combobox", name="Add a class")
        assert page.inner_text("h1") == "Ask for images of a class"
        assert chosen(visit) == ["Bird house", "bird", "<i>\u00c9l\u00e9phant</i>"]
        before = pictures(visit)
        field.press("Backspace")  # removes the last one
        before = others(visit, before)
        assert chosen(visit) == ["Bird house", "bird"]
        field.press_sequentially("ELE")
        options = page.get_by_role("option")
        assert options.all_inner_texts() == ["<i>\u00c9l\u00e9phant</i>"]
        active = field.get_attribute("aria-activedescendant")
        assert active == options.first.get_attribute("id")
        page.eval_on_selector("#class-list", "list => { list.style.position = 'static' }")
        check(visit)  # with the list open, which covers nothing now
        field.press("Enter")
        before = others(visit, before)
        assert len(before) == 3
        field.press("ArrowDown")
        assert options.all_inner_texts() == ["Bird house", "bird", "<i>\u00c9l\u00e9phant</i>"]
        field.press("ArrowDown")
        field.press("Enter")  # chosen already, so it is removed
        before = others(visit, before)
        assert chosen(visit) == ["Bird house", "<i>\u00c9l\u00e9phant</i>"]
        field.fill("never")
        said(visit, "#class-part .none", "No class has this name")
        field.press("Escape")
        assert (field.input_value(), page.inner_text("#class-part .none")) == ("", "")
        page.get_by_role("button", name="Remove Bird house").click()
        others(visit, before)
        page.keyboard.press("Enter")  # the next one has the focus; nothing is left
        said(visit, "#images-problem", "Choose a class")
        assert page.evaluate("document.activeElement.id") == "class"


def test_an_image_of_each_chosen_class_is_drawn_in_its_colours(
    browser: Browser, named: str, bird_run: GanRun
) -> None:
    with ready(browser, named, "/#class=bird&class=Bird+house&class=never+seen&seed=4") as visit:
        page = visit.page
        assert chosen(visit) == ["bird", "Bird house"]
        assert page.locator("#strip .title").all_inner_texts() == ["bird", "Bird house"]
        first, second = pictures(visit)
        page.fill("#each", "2")
        bird, other_bird, house, _ = others(visit, [first, second])
        assert np.abs(np.subtract([bird, house], [first, second])).max() <= ROUNDED
        assert np.abs(np.subtract(bird, other_bird)).max() > ROUNDED
        assert page.url.endswith("#class=bird&class=Bird+house&each=2&seed=4")
        page.fill("#each", "13")
        said(visit, "#images-problem", "These would be 26 images; 24 are drawn at most")
        noise = page.evaluate(
            "size => import(new URL('noise.js', location)).then("
            "m => [...m.noise(4, 1, size, 'normal')])",
            bird_run.network.z_dim,
        )
        with torch.no_grad():
            images = bird_run.network(torch.tensor([noise]), torch.tensor([1]))
        expected = ((images[0] + 1) * 127.5).permute(1, 2, 0).numpy()
        shown = np.reshape(bird, (TOY.height, TOY.width, 4))[:, :, :3]
        assert np.abs(shown - expected).max() <= 1
        box = page.locator("#strip canvas").first.bounding_box()
        assert box is not None
        assert (box["width"] - 2) % TOY.width == 0  # without its border; each pixel is a square
        assert (box["height"] - 2) * TOY.width == (box["width"] - 2) * TOY.height


def test_a_network_that_does_not_come_is_said(browser: Browser, files: dict[str, bytes]) -> None:
    lacking = {name: content for name, content in files.items() if name != "judge.onnx"}
    with served(lacking) as origin, opened(browser, origin + "/", origin=origin) as visit:
        words = said(visit, "#state", "could not be started")
        assert "judge.onnx: 404" in words
        assert not visit.page.is_visible("#panels")


@pytest.fixture(scope="module")
def beside(browser: Browser, origin: str) -> Iterator[Visit]:
    """A file beside the page, from which its modules can be used without starting it."""
    with opened(browser, f"{origin}/style.css", origin=origin) as visit:
        yield visit


def in_page(visit: Visit, module: str, code: str, argument: Any = None) -> Any:
    """Run code with a module of the page at hand as `m`."""
    return visit.page.evaluate(
        f"async (argument) => {{ const m = await import(new URL('{module}', location)); {code} }}",
        argument,
    )


def test_the_browser_draws_and_judges_what_torch_does(beside: Visit) -> None:
    gan, judge = load_generator("mnist", Path("none")), load_classifier("mnist-judge", Path("none"))
    z, labels = torch.randn(6, gan.network.z_dim), torch.tensor([0, 3, 5, 7, 9, 9])
    with torch.no_grad():
        images = gan.network(z, labels)
        modes = gan.network.choose_modes(z, labels)
        certainties, answers = judge.network(images).softmax(1).max(1)
    drawn = in_page(
        beside,
        "networks.js",
        """const facts = await (await fetch("run.json")).json();
           const networks = await m.Networks.load(facts);
           const drawn = await networks.draw(argument.z, argument.labels);
           return {...drawn, images: drawn.images.map((image) => [...image])};""",
        {"z": z.tolist(), "labels": labels.tolist()},
    )
    seen = torch.tensor(drawn["images"]).view_as(images)
    torch.testing.assert_close(seen, images, atol=1e-4, rtol=0)
    assert drawn["modes"] == modes.tolist()
    assert [one["label"] for one in drawn["answers"]] == answers.tolist()
    given = torch.tensor([one["certainty"] for one in drawn["answers"]])
    torch.testing.assert_close(given, certainties, atol=1e-4, rtol=0)


def test_noise_in_the_browser_is_normal_or_uniform_and_its_own_for_each_place(
    beside: Visit,
) -> None:
    normal, uniform, other, again, odd = in_page(
        beside,
        "noise.js",
        """return [m.noise(1, 0, 100000, "normal"), m.noise(1, 0, 100000, "uniform"),
             m.noise(1, 1, 1000, "normal"), m.noise(1, 0, 1000, "normal"),
             m.noise(4294967295, 3, 7, "normal")].map((numbers) => [...numbers]);""",
    )
    seeds = in_page(
        beside,
        "noise.js",
        "return [...Array(2000).keys()].map((seed) => m.noise(seed, 0, 2, 'normal')[0]);",
    )
    assert again == normal[:1000]
    assert len(odd) == 7
    assert np.isfinite(odd).all()
    for numbers in (np.array(normal), np.array(seeds)):  # within a seed, and from seed to seed
        n = len(numbers)
        assert abs(numbers.mean()) < 4 / n**0.5
        assert abs(numbers.std() - 1) < 4 / (2 * n) ** 0.5
        assert abs((numbers**4).mean() - 3) < 4 * (96 / n) ** 0.5
        assert abs((numbers[1:] * numbers[:-1]).mean()) < 4 / n**0.5
    assert abs(np.corrcoef(other, again)[0, 1]) < 4 / 1000**0.5
    counts, _ = np.histogram(uniform, bins=20, range=(-1, 1))
    assert counts.sum() == 100_000
    assert ((counts - 5000) ** 2 / 5000).sum() < 50  # chi squared, 19 degrees of freedom


def test_points_in_the_browser_move_as_those_of_cgan_latent_do(
    beside: Visit,
) -> None:
    first, second = torch.randn(2, 1, 12, dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(12, 3, dtype=torch.float64)).Q.T
    points = {"a": first[0].tolist(), "b": second[0].tolist(), "basis": basis.tolist()}
    way, total, less, there = in_page(
        beside,
        "noise.js",
        """const [a, b] = [argument.a, argument.b].map((point) => Float64Array.from(point));
           return [m.between(a, b, 0.3), m.together(a, b), m.together(a, b, -1),
             m.moved(a, argument.basis, [1, -2, 0.5])].map((numbers) => [...numbers]);""",
        points,
    )
    expected = between(first, second, 0.3, spherical=True)[0]
    assert way == pytest.approx(expected.tolist(), abs=1e-9)
    assert total == pytest.approx(((first + second)[0] / 2**0.5).tolist(), abs=1e-9)
    assert less == pytest.approx(((first - second)[0] / 2**0.5).tolist(), abs=1e-9)
    places = basis @ torch.tensor(there, dtype=torch.float64)
    assert places.tolist() == pytest.approx([1, -2, 0.5], abs=1e-9)
    left = torch.tensor(there, dtype=torch.float64) - first[0]
    assert (left - basis.T @ (basis @ left)).abs().max() < 1e-9


def test_one_of_a_thousand_classes_is_found(beside: Visit) -> None:
    names = [f"shape {i}" if i % 2 else f"Caf\u00e9/{i}" for i in range(1000)]
    found, first, exact, shown = in_page(
        beside,
        "combobox.js",
        """const { Classes } = await import(new URL("classes.js", location));
           const offered = [...argument.keys()].filter((label) => label !== 20);
           const classes = new Classes({noun: "class", nouns: "classes", names: argument, offered});
           const [field, list, none] = ["input", "ul", "p"].map((name) =>
             document.body.appendChild(document.createElement(name)));
           list.id = "list";
           new m.Combobox(field, classes, {choose() {}, chosen: () => false, text: () => ""});
           field.click();
           return [classes.matches("CAFE 20"), classes.matches("shape 1")[0],
             classes.find("cafe/998"), list.children.length];""",
        names,
    )
    assert found == [label for label in range(0, 1000, 2) if "20" in str(label) and label != 20]
    assert (first, exact, shown) == (1, 998, 999)


def test_the_newest_request_alone_is_worked_at(beside: Visit) -> None:
    worked = in_page(
        beside,
        "pace.js",
        """const worked = [], pauses = [];
           const ask = m.newestOnly(async (number) => {
             worked.push(number);
             await new Promise((done) => pauses.push(done));
           });
           const first = ask(1);
           ask(2); ask(3); ask(4);
           while (pauses.length < 2) { pauses.at(-1)(); await new Promise(setTimeout); }
           pauses.at(-1)();
           await first;
           return worked;""",
    )
    assert worked == [1, 4]


def test_the_pictures_of_the_readme_are_there() -> None:
    picture = REPOSITORY / "docs/assets/play.png"
    assert picture.stat().st_size < 200_000
    assert Image.open(picture).width == 1280
