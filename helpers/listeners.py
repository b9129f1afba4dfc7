"""Simulated listeners with a known ability: they take blind tests in our tests, and for whoever cannot listen."""

import numpy as np


class SimulatedListener:
    """A listener with a known ability, who can take any blind test.

    Parameters
    ----------
    p_correct : float, default 0.5
        Rate of right ABX answers: .5 guesses; `abx_rate` turns a d' into a rate.
    quality : dict of str to float, optional
        What each condition is worth to this listener [0 to 100], for ranking and MUSHRA; 100 where not listed.
    noise : float, default 0.0
        Standard deviation of one judgement [points].
    seed : int, default 0
        The same seed gives the same answers.

    Raises
    ------
    ValueError
        If `p_correct` is no rate, or `noise` is negative.

    Examples
    --------
    >>> SimulatedListener(quality={"noisy": 20, "clean": 95}).rank(["noisy", "clean"])
    ['clean', 'noisy']
    """

    def __init__(self, *, p_correct: float = 0.5, quality: dict | None = None, noise: float = 0.0, seed: int = 0):
        if not 0 <= p_correct <= 1 or noise < 0:
            raise ValueError(f"p_correct is a rate from 0 to 1, noise is not negative; got {p_correct} and {noise}")
        self.p_correct, self.quality, self.noise = p_correct, quality or {}, noise
        self.rng = np.random.default_rng(seed)

    def abx(self, x: str) -> str:
        """Answer "A" or "B" when X is `x`.

        Parameters
        ----------
        x : {"A", "B"}
            The truth, told to nobody else.

        Returns
        -------
        str
            `x` with a chance of `p_correct`.
        """
        return x if self.rng.random() < self.p_correct else "AB".replace(x, "")

    def rate(self, names: list) -> list[int]:
        """Rate conditions.

        Parameters
        ----------
        names : list of str
            Conditions, each of them heard once.

        Returns
        -------
        list of int
            0 to 100 for each.
        """
        return [int(value) for value in np.clip(np.rint(self._heard(names)), 0, 100)]

    def rank(self, names: list) -> list:
        """Put conditions in order.

        Parameters
        ----------
        names : list of str
            Conditions, each of them heard once.

        Returns
        -------
        list of str
            The same, best first.
        """
        heard = self._heard(names)
        return [names[i] for i in np.argsort(heard)[::-1]]

    def _heard(self, names: list) -> np.ndarray:
        worth = [self.quality.get(name, 100) for name in names]
        return np.array(worth) + self.noise * self.rng.standard_normal(len(names))


def simulated(listener: SimulatedListener, kind: str, names: list[str], screen: int, item: str) -> list[dict]:
    """Return one screen's answers to a blind test, in the form in which the page sends them."""
    if kind == "abx":
        x = "AB"[listener.rng.integers(2)]
        return [{"trial": screen + 1, "x": x, "answer": listener.abx(x)}]
    heard = [names[i] for i in listener.rng.permutation(len(names))]
    letter = dict(zip(heard, "ABCDEFGHI", strict=False))
    if kind == "rank":
        return [{"rank": i + 1, "track": n, "letter": letter[n]} for i, n in enumerate(listener.rank(heard))]
    rated = zip(heard, listener.rate(heard), strict=True)
    return [{"item": item, "condition": n, "letter": letter[n], "rating": rating} for n, rating in rated]
