import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from conftest import digits_config, in_folder
from safetensors.torch import load_file, save_file

from cgan.config.recipes import gan_config
from cgan.config.schema import Folders
from cgan.data.datasets import load_split
from cgan.data.splits import scale, subset
from cgan.io.run_layout import DISCRIMINATOR, SHIPPED
from cgan.models.conv import GuidedDiscriminator
from cgan.models.frozen_features import FrozenFeatures
from cgan.models.hub import load_classifier, load_generator
from cgan.models.roles import load_discriminator
from cgan.models.sampling import noise
from cgan.runtime.errors import InputError
from cgan.training.gan import train_gan
from cgan.training.modes import cluster_modes
from cgan.training.state import N_SCALED


@pytest.fixture
def own(digits_run: Folders, tmp_path: Path) -> Path:
    """Weights of one's own: a copy of the run `toy`, which a test may damage."""
    shutil.copytree(digits_run.weights / "toy", tmp_path / "toy")
    (tmp_path / "toy/manifest.json").unlink()
    return tmp_path


def change(folder: Path, **facts: object) -> None:
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**content, **facts}))


def test_a_discriminator_is_loaded_as_it_was_trained_without_data(digits_run: Folders) -> None:
    run = load_discriminator("toy", digits_run.weights)
    assert run.name == "toy"
    assert not run.network.training
    train = load_split("digits", digits_run.data, "train")
    guide = load_classifier("digits-guide", digits_run.weights).network
    modes = cluster_modes(guide, train, run.config.modes, torch.float32).modes[:50]
    extractor = FrozenFeatures(guide, torch.float32)
    wanted = GuidedDiscriminator(run.spec, extractor, run.config.modes).eval()
    wanted.load_state_dict(load_file(run.folder / DISCRIMINATOR))
    assert isinstance(run.network, GuidedDiscriminator)
    scales = extractor.scales(train.images[:N_SCALED])
    assert torch.equal(run.network.scales, scales)
    assert not torch.equal(scales, torch.ones(2))
    images, labels = scale(train.images[:50]), train.labels[:50]
    with torch.no_grad():
        assert torch.equal(run.network(images, labels, modes), wanted(images, labels, modes))


def test_its_logits_depend_on_the_scales_that_were_saved_with_it(own: Path) -> None:
    images, labels = 2 * torch.rand(20, 1, 28, 28) - 1, torch.arange(20) % 10
    modes = torch.arange(20) // 10
    with torch.no_grad():
        before = load_discriminator("toy", own).network(images, labels, modes)
        state = load_file(own / "toy" / DISCRIMINATOR)
        save_file({**state, "scales": 2 * state["scales"]}, own / "toy" / DISCRIMINATOR)
        after = load_discriminator("toy", own).network(images, labels, modes)
    assert torch.equal(before[:, 0], after[:, 0])  # the head that sees pixels alone
    assert float((before - after)[:, 1:].abs().min()) > 1e-5


def test_a_run_without_a_discriminator_says_so(own: Path) -> None:
    (own / "toy" / DISCRIMINATOR).unlink()
    with pytest.raises(InputError, match=f"has no {DISCRIMINATOR}"):
        load_discriminator("toy", own)


def test_a_guide_that_has_changed_is_refused(own: Path) -> None:
    change(own / "toy", guide_sha256="0" * 64)
    with pytest.raises(InputError, match="the guide digits-guide is not the one that"):
        load_discriminator("toy", own)


def test_a_guide_that_is_missing_is_named(own: Path) -> None:
    change(own / "toy", guide="nobody")
    with pytest.raises(InputError, match="no classifier run 'nobody'"):
        load_discriminator("toy", own)


def test_a_guide_is_no_way_out_of_the_folder(own: Path) -> None:
    change(own / "toy", guide="../../etc")
    with pytest.raises(InputError, match="is not a run name"):
        load_discriminator("toy", own)


def test_a_guide_of_other_images_is_refused(own: Path) -> None:
    weights = (SHIPPED / "mnist-guide/classifier.safetensors").read_bytes()
    change(own / "toy", guide="mnist-guide", guide_sha256=hashlib.sha256(weights).hexdigest())
    with pytest.raises(InputError, match="was trained on mnist"):
        load_discriminator("toy", own)


def test_the_guide_that_fits_is_found_behind_ones_own_of_its_name(own: Path) -> None:
    shutil.copytree(SHIPPED / "mnist-guide", own / "digits-guide")
    run = load_discriminator("toy", own)
    assert run.guide is not None
    assert run.guide.folder == SHIPPED / "digits-guide"


def test_the_guide_beside_a_run_is_found_wherever_the_run_is(own: Path, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "digits-guide", own / "special")
    change(own / "toy", guide="special")
    run = load_discriminator(str(own / "toy"), tmp_path / "elsewhere")
    assert run.guide is not None
    assert run.guide.name == "special"


def test_a_discriminator_of_an_earlier_version_is_refused_in_a_line(own: Path) -> None:
    state = load_file(own / "toy" / DISCRIMINATOR)
    del state["scales"]
    save_file(state, own / "toy" / DISCRIMINATOR)
    with pytest.raises(InputError, match="scales is in only one of them") as caught:
        load_discriminator("toy", own)
    assert "\n" not in str(caught.value)


def test_a_discriminator_that_is_not_what_was_written_is_refused(
    digits_run: Folders, tmp_path: Path
) -> None:
    shutil.copytree(digits_run.weights / "toy", tmp_path / "toy")
    content = (tmp_path / "toy" / DISCRIMINATOR).read_bytes()
    (tmp_path / "toy" / DISCRIMINATOR).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(InputError, match="is damaged"):
        load_discriminator("toy", tmp_path)


def test_a_discriminator_of_pixels_only_needs_no_guide(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    config = gan_config("mlp", "digits", batch_size=400, epochs=1, device="cpu")
    folder = train_gan(config, folders, name="plain").folder
    assert folder is not None
    (folder / "manifest.json").unlink()
    change(folder, guide="nobody", guide_sha256="0" * 64)
    run = load_discriminator("plain", folders.weights)
    assert run.guide is None
    with torch.no_grad():
        none = torch.zeros(2, dtype=torch.int64)
        assert run.network(torch.zeros(2, 1, 28, 28), none, none).shape == (2,)


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_shipped_discriminators_find_test_images_more_real_than_generated_ones(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue("mnist") if name == "mnist" else tmp_path
    real = subset(load_split(name, folder, "test"), 300)
    run, generator = load_discriminator(name, tmp_path), load_generator(name, tmp_path).network
    n, labels, n_modes = len(real), real.labels, run.config.modes

    @torch.no_grad()
    def mean_logit(images: torch.Tensor) -> float:
        """Return the mean over images of the largest logit of any mode."""
        modes = [torch.full_like(labels, i) for i in range(n_modes)]
        logits = [run.network(images, labels, mode).mean(1) for mode in modes]
        return float(torch.stack(logits, dim=1).max(dim=1).values.mean())

    with torch.no_grad():
        fake = generator(noise(1, n, generator.z_dim), labels)
    grain = 2 * torch.rand(fake.shape) - 1
    of_real, of_fake = mean_logit(scale(real.images)), mean_logit(fake)
    assert of_real > of_fake
    assert of_fake > mean_logit(grain) + 1


def test_toy_training_saves_scales_in_its_checkpoint_too(tmp_path: Path) -> None:
    folders = in_folder(tmp_path)
    folder = train_gan(digits_config(), folders, name="x").folder
    assert folder is not None
    saved, kept = load_file(folder / DISCRIMINATOR), load_file(folder / "checkpoint.safetensors")
    assert torch.equal(saved["scales"], kept["discriminator.scales"])
