"""The baseline: a guided GAN as textbooks and its authors write it, in plain PyTorch."""

import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from cgan.data import Split
from cgan.networks import CLASSIFIERS

BATCH_SIZE = 64
RATE, BETAS = 2e-3, (0.5, 0.999)
GUIDANCE = 0.5
D_EVERY = 2
Z_DIM = 20
SLOPE = 0.2


class Generator(nn.Module):
    """Noise [B, 20] and labels int64 [B] -> images [B, 1, 28, 28]; the label enters one-hot."""

    def __init__(self, n_classes: int = 10):
        """Build for images of 28x28."""
        super().__init__()
        self.n_classes = n_classes
        self.body = nn.Sequential(
            nn.Linear(n_classes + Z_DIM, 7 * 7 * 128),
            nn.LeakyReLU(SLOPE),
            nn.Unflatten(1, (128, 7, 7)),
            nn.ConvTranspose2d(128, 128, 4, 2, 1),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(SLOPE),
            nn.ConvTranspose2d(128, 64, 4, 2, 1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(64, 1, 3, 1, 1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return images in [-1, 1]."""
        return self.body(torch.cat([F.one_hot(labels, self.n_classes).float(), z], dim=1))


class Discriminator(nn.Module):
    """Images [B, 1, 28, 28] -> probabilities [B] of being real; it is not told the label."""

    def __init__(self) -> None:
        """Build for images of 28x28."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 32, 3, 2, 1),
            nn.LeakyReLU(SLOPE),
            *_block(32, 64, 2),
            *_block(64, 128, 2),
            *_block(128, 256, 1),
            nn.Flatten(),
            nn.Linear(256 * 4 * 4, 1),
            nn.Sigmoid(),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities [B]."""
        return self.body(images).squeeze(1)


def _block(n_in: int, n_out: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(n_in, n_out, 3, stride, 1), nn.BatchNorm2d(n_out), nn.LeakyReLU(SLOPE)]


class Pictures(Dataset):
    """A data set in torchvision's manner: every image is made a picture and transformed."""

    def __init__(self, split: Split):
        """Show the images of `split`, which have one channel."""
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

    On a batch on which the discriminator does not learn its two passes are left out altogether,
    which is in the baseline's favour.
    """

    def __init__(self, split: Split, seed: int = 1):
        """Build the networks for `split`; the guide is untrained, which costs the same time."""
        torch.manual_seed(seed)
        self.split, self.steps = split, 0
        self.generator, self.discriminator = Generator(split.spec.n_classes), Discriminator()
        self.guide = CLASSIFIERS["original-cnn"](split.spec).eval().requires_grad_(False)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), RATE, BETAS)
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), RATE, BETAS)
        self.batches = self._endless()

    def step(self) -> dict[str, float]:
        """Learn from one batch; return what the log shows."""
        real, _ = next(self.batches)
        labels = torch.randint(self.split.spec.n_classes, (len(real),))
        fake = self.generator(torch.randn(len(real), Z_DIM), labels)
        log = {"images": float(len(real))}
        if self.steps % D_EVERY == 0:
            log |= self._teach_discriminator(real, fake.detach())
        log |= self._teach_generator(fake, labels)
        self.steps += 1
        return log

    def images_per_second(self, n_steps: int) -> float:
        """Return how many images a second `n_steps` steps learn from."""
        start = time.perf_counter()
        n_images = sum(self.step()["images"] for _ in range(n_steps))
        return n_images / (time.perf_counter() - start)

    def _teach_discriminator(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        self.d_optimizer.zero_grad()
        on_real = self.discriminator(real)
        real_loss = F.binary_cross_entropy(on_real, torch.ones_like(on_real))
        real_loss.backward()
        on_fake = self.discriminator(fake)
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
        judged = self.discriminator(fake)
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

    def _endless(self) -> Iterator[tuple[Tensor, Tensor]]:
        loader = DataLoader(Pictures(self.split), BATCH_SIZE, shuffle=True, num_workers=0)
        while True:
            yield from loader
