"""The baseline: the original guided GAN with a textbook training loop in plain PyTorch."""

import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from cgan.config.recipes import RECIPES
from cgan.data.splits import Split
from cgan.models.classifiers import CLASSIFIERS
from cgan.models.registry import make_generator
from cgan.models.transposed import UnlabelledDiscriminator

BATCH_SIZE = 64
RATE, BETAS = 2e-3, (0.5, 0.999)
GUIDANCE = 0.5
D_EVERY = 2
NO_LABELS = torch.zeros(0)  # this discriminator uses no labels


class Pictures(Dataset):
    """A data set like torchvision's: every image becomes a PIL image and is transformed."""

    def __init__(self, split: Split):
        """Use the images of `split`, which have one channel."""
        self.images, self.labels = split.images[:, 0].numpy(), split.labels.tolist()
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
        )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return an image [1, H, W] in [-1, 1] and its label."""
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


class Textbook:
    """The training loop, one step at a time.

    If the discriminator is not updated on a batch, its two passes are skipped. This makes the
    baseline faster.
    """

    def __init__(self, split: Split, seed: int = 1):
        """Build the networks for `split`; the guide is untrained, which takes the same time."""
        torch.manual_seed(seed)
        self.split, self.steps = split, 0
        recipe = RECIPES["guided-original"]
        self.generator = make_generator(recipe, split.spec)
        self.discriminator = UnlabelledDiscriminator(split.spec)
        self.guide = CLASSIFIERS["original-cnn"](split.spec).eval().requires_grad_(False)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), RATE, BETAS)
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), RATE, BETAS)
        self.batches = self._endless()

    def step(self) -> dict[str, float]:
        """Train on one batch; return the values to log."""
        real, _ = next(self.batches)
        labels = torch.randint(self.split.spec.n_classes, (len(real),))
        fake = self.generator(torch.randn(len(real), self.generator.z_dim), labels)
        log = {"images": float(len(real))}
        if self.steps % D_EVERY == 0:
            log |= self._teach_discriminator(real, fake.detach())
        log |= self._teach_generator(fake, labels)
        self.steps += 1
        return log

    def images_per_second(self, n_steps: int) -> float:
        """Return the images per second of `n_steps` steps."""
        start = time.perf_counter()
        n_images = sum(self.step()["images"] for _ in range(n_steps))
        return n_images / (time.perf_counter() - start)

    def _teach_discriminator(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        self.d_optimizer.zero_grad()
        on_real = self._believed(real)
        real_loss = F.binary_cross_entropy(on_real, torch.ones_like(on_real))
        real_loss.backward()
        on_fake = self._believed(fake)
        fake_loss = F.binary_cross_entropy(on_fake, torch.zeros_like(on_fake))
        fake_loss.backward()
        self.d_optimizer.step()
        loss = real_loss + fake_loss
        return {
            "D loss": loss.item(),
            "D(x)": on_real.mean().item(),
            "D(G(z)) before": on_fake.mean().item(),
        }

    def _teach_generator(self, fake: Tensor, labels: Tensor) -> dict[str, float]:
        self.g_optimizer.zero_grad()
        judged = self._believed(fake)
        said = F.log_softmax(self.guide(fake), dim=1)
        adversarial = F.binary_cross_entropy(judged, torch.ones_like(judged))
        guidance = F.nll_loss(said, labels)
        loss = (1 - GUIDANCE) * adversarial + GUIDANCE * guidance
        loss.backward()
        self.g_optimizer.step()
        return {
            "G loss": loss.item(),
            "guidance loss": guidance.item(),
            "D(G(z))": judged.mean().item(),
            "C accuracy": (said.argmax(1) == labels).float().mean().item(),
        }

    def _believed(self, images: Tensor) -> Tensor:
        """Return the probabilities [B] that images are real."""
        return self.discriminator.logits([images], NO_LABELS, NO_LABELS).sigmoid()

    def _endless(self) -> Iterator[tuple[Tensor, Tensor]]:
        loader = DataLoader(Pictures(self.split), BATCH_SIZE, shuffle=True, num_workers=0)
        while True:
            yield from loader
