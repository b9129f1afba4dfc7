"""What all tests share."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def root():
    """The top of the repository."""
    return Path(__file__).parents[1]


@pytest.fixture
def rng():
    """Random numbers that are the same in every run."""
    return np.random.default_rng(440)
