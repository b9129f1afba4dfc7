"""The critic of a generative adversarial network, which learns beside the generator of
`helpers.vocoders.gan`.
"""

import torch
from torch import nn
from torch.nn import functional

from helpers.vocoders.gan import Generator

__all__ = ["Adversary"]


class Critic(nn.Module):
    """Looks at a log magnitude as at a picture and gives each patch a mark: 1 for real, 0 for
    made.
    """

    def __init__(self, channels: int = 16):
        super().__init__()
        sizes = [
            (1, channels, (2, 1)),
            (channels, 2 * channels, (2, 2)),
            (2 * channels, 4 * channels, (2, 2)),
        ]
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, (5, 3), stride=s, padding=(2, 1)) for a, b, s in sizes
        )
        self.mark = nn.Conv2d(4 * channels, 1, 3, padding=1)

    def forward(self, log_magnitude):
        """Return the marks, and what each layer saw on the way."""
        x, seen = (log_magnitude[:, None] + 5) / 4, []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.2)
            seen.append(x)
        return self.mark(x), seen


class Adversary:
    """The generator's loss, and a critic that learns beside it; a least-squares GAN with matched
    features.

    A mean over all that might have been is a blur, and every distance to the truth rewards the
    mean. The critic does not: it has never seen a blurred recording.

    Parameters
    ----------
    generator : Generator
        Whose loss it is.
    weight : float
        Weight of the critic's opinion.
    rate : float, default 2e-4
        Learning rate of the critic.
    """

    def __init__(self, generator: Generator, weight: float, rate: float = 2e-4):
        self.generator, self.weight = generator, weight
        self.critic = Critic().to(next(generator.parameters()).device)
        self.optimizer = torch.optim.AdamW(self.critic.parameters(), rate, betas=(0.8, 0.99))

    def __call__(self, log_magnitude, y):
        """Let the critic take one step, and return what the generator should make smaller."""
        target = self.generator.target(y)
        self.critic.requires_grad_(True)
        made, real = self.critic(log_magnitude.detach())[0], self.critic(target)[0]
        self.optimizer.zero_grad(set_to_none=True)
        (made.square().mean() + (1 - real).square().mean()).backward()
        self.optimizer.step()
        self.critic.requires_grad_(False)
        mark, seen = self.critic(log_magnitude)
        with torch.no_grad():
            wanted = self.critic(target)[1]
        alike = sum(
            functional.l1_loss(a, b) / b.abs().mean() for a, b in zip(seen, wanted, strict=True)
        )
        return self.generator.loss(log_magnitude, y) + self.weight * (
            (1 - mark).square().mean() + alike
        )

    def state_dict(self) -> dict:
        """Return what a checkpoint keeps."""
        return {"critic": self.critic.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Go on from a checkpoint."""
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])
