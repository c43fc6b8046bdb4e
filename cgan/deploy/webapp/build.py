"""Builds the page: its own files, the networks as ONNX, the runtime, and the facts of a run.

All addresses in it are relative, and it requests nothing from other servers. So it works on any
static host, under any path.
"""

import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cgan.data.spec import plural, title_of
from cgan.deploy.export import discriminator_onnx, generator_onnx, judge_onnx
from cgan.deploy.webapp.directions import find_directions
from cgan.deploy.webapp.runtime_files import unpack
from cgan.deploy.webapp.site import FACTS, FORMAT, Site
from cgan.io.run_layout import newest_run, runs
from cgan.models.hub import ClassifierRun, GanRun, load_classifier, load_generator
from cgan.models.registry import uses_guide_features
from cgan.models.roles import load_discriminator
from cgan.runtime.errors import InputError
from cgan.runtime.version import __version__

STATIC = Path(__file__).parent / "static"
DIGIT = "digit"  # the noun of classes of which numbers are written
DECIMALS = 6  # of a number in a direction


def make_site(run: str | None, weights_dir: Path) -> Site:
    """Return the page of a run, given its name or folder; None: of the newest.

    Raises:
        InputError: no such run, a damaged one, or packages are missing that write ONNX.
    """
    run = run or newest_run(weights_dir)
    gan = load_generator(run, weights_dir)
    judge = find_judge(gan, weights_dir)
    networks = {"generator.onnx": generator_onnx(gan)}
    lacking = []
    if judge is None:
        title = title_of(gan.spec.dataset)
        lacking.append(f"there is no judge of {title}, so nothing classifies the images")
    else:
        networks["judge.onnx"] = judge_onnx(judge)
    try:
        discriminator = load_discriminator(run, weights_dir)
    except InputError as error:
        lacking.append(
            f"there is no discriminator, so nothing says whether an image looks real: {error}"
        )
    else:
        networks["discriminator.onnx"] = discriminator_onnx(discriminator)
    return Site(gan.name, site_files(gan, judge, networks), tuple(lacking))


def find_judge(gan: GanRun, weights_dir: Path) -> ClassifierRun | None:
    """Return the judge of a generator's images; None if there is none.

    Raises:
        InputError: it is damaged.
    """
    name = f"{gan.spec.dataset}-judge"
    if name not in runs(weights_dir, "classifier"):
        return None
    judge = load_classifier(name, weights_dir)
    return judge if judge.spec == gan.spec else None


def site_files(
    gan: GanRun, judge: ClassifierRun | None, networks: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return the files of a page by name.

    Args:
        gan: the generator that it draws with.
        judge: the classifier of the images, if there is one.
        networks: ONNX files by name: generator.onnx, and judge.onnx and discriminator.onnx if the
            page has them.

    Raises:
        InputError: the runtime that ships is missing or damaged.
    """
    static = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.is_file()}
    runtime = {f"runtime/{name}": content for name, content in unpack().items()}
    facts = json.dumps(_facts(gan, judge, sorted(networks)), separators=(",", ":"))
    return {**static, **runtime, **networks, FACTS: facts.encode()}


def _facts(gan: GanRun, judge: ClassifierRun | None, networks: list[str]) -> dict[str, Any]:
    """Return the facts that the page needs or shows in its small print."""
    names = [gan.spec.name_of(label) for label in range(gan.spec.n_classes)]
    trained = [label for label in range(gan.spec.n_classes) if label not in gan.untrained]
    return {
        "format": FORMAT,
        "version": __version__,
        "run": gan.name,
        "recipe": gan.config.recipe,
        "dataset": title_of(gan.spec.dataset),
        "epochs": gan.config.epochs,
        "seed": gan.config.seed,
        "guide": gan.guide if _was_guided(gan) else None,
        "image": gan.spec.image_shape,
        "noun": gan.spec.noun,
        "nouns": plural(gan.spec.noun),
        "names": names,
        "offered": trained,
        "numbers": gan.spec.noun == DIGIT and set(names) <= set(string.digits),
        "conditional": gan.network.conditional,
        "modes": gan.network.n_modes,
        "noise": gan.network.noise,
        "size": gan.network.z_dim,
        "networks": networks,
        "judge": None if judge is None else _judge_facts(judge),
        "directions": [
            {
                "name": direction.name,
                "share": round(direction.share, DECIMALS),
                "vector": [round(number, DECIMALS) for number in direction.vector.tolist()],
            }
            for direction in find_directions(gan.network, trained)
        ],
    }


def _was_guided(gan: GanRun) -> bool:
    """Return whether the guide had an effect on the training, not only on the scores."""
    return uses_guide_features(gan.config) or gan.config.guidance > 0 or gan.config.modes > 1


def _judge_facts(judge: ClassifierRun) -> dict[str, Any]:
    """Return a judge's name and network, the target probability of its training, its accuracy.

    The accuracy (0 to 1, on real test images) is None if its config.json does not have it.
    """
    smoothing = judge.config.label_smoothing
    accuracy = judge.test_accuracy
    return {
        "name": judge.name,
        "network": judge.config.network,
        "target": 1 - smoothing + smoothing / judge.spec.n_classes,
        "accuracy": None if accuracy is None else accuracy.value,
    }
