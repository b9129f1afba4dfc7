"""The training loop that every setting shares, and its command line: ``python3 -m helpers.training --help``.

- `helpers.training.mixtures`: speech and noise from two folders, mixed on the fly.
- `helpers.training.loop`: steps, validation, the best weights, a log, and going on after a stop.
- `helpers.training.evaluation`: SI-SDR, PESQ and STOI on mixtures that no training has seen.
"""

from helpers.training.evaluation import evaluate, validate
from helpers.training.loop import Plan, train
from helpers.training.mixtures import Corpus, Crops, Mixtures

__all__ = ["Corpus", "Crops", "Mixtures", "Plan", "evaluate", "train", "validate"]
