"""A recogniser of coffee orders: letters from sound, by the rule of CTC.

`load` gives the network, `letter_scores` what it says of a recording: a logarithm of a probability
for each letter in each frame of 32 ms. `beam` reads text out of them, on request only text that a
`Grammar` allows; `order_grammar` is that of the orders, and `slots` says what an order asks for.
Trained by ``tools/training/orders.py``.

Refused: what is no recording of one channel (ValueError); weights that are missing or damaged.
"""

import functools
import itertools
import math
import re

import numpy as np

from helpers import _weights, audio  # isort: skip  (says in one line that PyTorch is missing)
import torch
import torch.nn.functional as F
from torch import nn

from helpers._checks import check
from helpers.mel import filterbank

__all__ = [
    "ALPHABET", "FRAME_MS", "Grammar", "Letters", "beam", "letter_scores", "load", "log_mel",
    "order_grammar", "slots",
]  # fmt: skip

ALPHABET = "-abcdefghijklmnopqrstuvwxyz' "  # "-" is the blank
SR = 16000
HOP = 256
FRAME_MS = 2000 * HOP / SR  # two hops a frame of letters
KERNELS = (7, 9, 11, 13, 15)


@functools.cache
def _bank() -> np.ndarray:
    return filterbank(sr=SR, n_fft=512, n_mels=40, fmin=60, fmax=7600)


def log_mel(y, *, sr) -> np.ndarray:
    """Return what the network sees: 40 mel bands every 16 ms, at one level whatever that of `y`.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Recording.
    sr : int
        Sampling rate [Hz]; another one than 16 kHz is converted.

    Returns
    -------
    numpy.ndarray, shape (40, 1 + n // 256)
        Logarithm of the mel magnitudes of `y` at an RMS of 0.05, shifted and scaled.
    """
    y = audio.resample(check(y), sr=sr, to=SR)
    y = 0.05 * y / (np.sqrt(np.mean(y**2)) + 1e-9)
    samples = torch.from_numpy(y.astype(np.float32))
    S = torch.stft(samples, 512, HOP, window=torch.hann_window(512), return_complex=True).abs()
    return (np.log(_bank() @ S.numpy() + 1e-3) + 3) / 2.5


class Block(nn.Module):
    """Two separable convolutions, around which the input is led."""

    def __init__(self, size: int, kernel: int):
        super().__init__()
        deep = {"padding": kernel // 2, "groups": size, "bias": False}
        self.deep1 = nn.Conv1d(size, size, kernel, **deep)
        self.wide1 = nn.Conv1d(size, size, 1, bias=False)
        self.norm1 = nn.BatchNorm1d(size)
        self.deep2 = nn.Conv1d(size, size, kernel, **deep)
        self.wide2 = nn.Conv1d(size, size, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(size)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        """Return an array like x (B, size, T)."""
        z = F.relu(self.norm1(self.wide1(self.deep1(x))))
        z = self.norm2(self.wide2(self.deep2(z)))
        return self.drop(F.relu(x + z))


class Letters(nn.Module):
    """Mel spectrogram in, a score for each letter in each second frame out."""

    def __init__(self, *, size: int = 224):
        super().__init__()
        self.first = nn.Conv1d(40, size, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm1d(size)
        self.blocks = nn.Sequential(*[Block(size, kernel) for kernel in KERNELS])
        self.last = nn.Conv1d(size, len(ALPHABET), 1)

    def forward(self, x):
        """Return log-probabilities (B, (T + 1) // 2, 29) of features (B, 40, T)."""
        z = F.relu(self.norm(self.first(x)))
        z = self.last(self.blocks(z))
        return F.log_softmax(z.transpose(1, 2), dim=2)


@functools.cache
def load(path="orders") -> Letters:
    """Return the trained network, ready to be asked.

    Parameters
    ----------
    path : str or path-like
        A file of weights, or the name of one in ``data/weights``.
    """
    tensors, config, _ = _weights.load(path)
    net = Letters(**config)
    net.load_state_dict(tensors)
    return net.eval()


def letter_scores(y, *, sr, path="orders") -> np.ndarray:
    """Return the logarithm of the probability of each letter in each frame.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Recording, at any level.
    sr : int
        Sampling rate [Hz].
    path : str or path-like
        Weights, as for `load`.

    Returns
    -------
    numpy.ndarray, shape (frames, 29)
        Natural logarithms; a row for each 32 ms, a column for each letter of `ALPHABET`.

    Examples
    --------
    >>> import numpy as np
    >>> scores = letter_scores(np.sin(np.arange(16000)), sr=16000)
    >>> scores.shape
    (32, 29)
    >>> bool(np.allclose(np.exp(scores).sum(axis=1), 1, atol=1e-5))
    True
    """
    with torch.no_grad():
        x = torch.from_numpy(log_mel(y, sr=sr).astype(np.float32))
        return load(path)(x[None])[0].numpy().astype(float)


class Grammar:
    """Sentences that are allowed, as an automaton of letters.

    A piece is a pair of states (begin, end): `words` makes one of some texts, `either` one of some
    pieces, `chain` one that goes through some pieces in turn. `whole` is the piece that a sentence
    has to pass.
    """

    def __init__(self):
        self.letters: list[dict[str, set[int]]] = []
        self.free: list[set[int]] = []  # states that are reached without a letter
        self.whole = (0, 0)
        self._next: dict[tuple, frozenset] = {}

    def _state(self) -> int:
        self.letters.append({})
        self.free.append(set())
        return len(self.letters) - 1

    def words(self, texts) -> tuple[int, int]:
        """Return a piece that reads one of some texts."""
        pieces = []
        for text in texts:
            begin = here = self._state()
            for letter in text:
                after = self._state()
                self.letters[here].setdefault(letter, set()).add(after)
                here = after
            pieces.append((begin, here))
        return self.either(pieces)

    def either(self, pieces) -> tuple[int, int]:
        """Return a piece that goes through one of some pieces."""
        begin, end = self._state(), self._state()
        for first, last in pieces:
            self.free[begin].add(first)
            self.free[last].add(end)
        return begin, end

    def chain(self, pieces) -> tuple[int, int]:
        """Return a piece that goes through all pieces in turn."""
        for (_, last), (first, _) in itertools.pairwise(pieces):
            self.free[last].add(first)
        return pieces[0][0], pieces[-1][1]

    def _closed(self, states) -> frozenset:
        found, todo = set(states), list(states)
        while todo:
            fresh = self.free[todo.pop()] - found
            found |= fresh
            todo += fresh
        return frozenset(found)

    def start(self) -> frozenset:
        """Return the states in which a sentence begins."""
        return self._closed({self.whole[0]})

    def after(self, states: frozenset, letter: str) -> frozenset:
        """Return the states after one more letter; none if it is not allowed."""
        key = (states, letter)
        if key not in self._next:
            reached = (self.letters[state].get(letter, set()) for state in states)
            self._next[key] = self._closed(set().union(*reached))
        return self._next[key]

    def accepts(self, text: str) -> bool:
        """Tell whether a text is a whole sentence."""
        states = self.start()
        for letter in text:
            states = self.after(states, letter)
        return self.whole[1] in states


SIZES = ["small", "medium", "large", "eight ounce", "twelve ounce", "sixteen ounce", "twenty ounce"]
ROASTS = ["light roast", "medium roast", "dark roast"]
SHOTS = ["single shot", "double shot", "triple shot"]
OPENINGS = [
    "brew", "can i get", "can i have", "i want", "get me", "give me", "i'd like", "make me",
    "may i have",
]  # fmt: skip
DRINKS = [
    "americano", "cappuccino", "espresso", "iced mocha", "latte", "mocha", "coffee", "drip coffee",
    "house coffee", "iced coffee",
]  # fmt: skip
AMOUNTS = ["", "a little bit of ", "a bit of ", "some ", "a lot of ", "lots of "]
MILKS = ["milk", "skim milk", "whole milk", "soy milk", "almond milk", "cream"]
SUGARS = ["sugar", "brown sugar", "sweetener"]


@functools.cache
def order_grammar(drinks: tuple[str, ...] = tuple(DRINKS)) -> Grammar:
    """Return the grammar of the coffee orders: about 120 million sentences.

    Parameters
    ----------
    drinks : tuple of str
        What may be ordered, in the letters of `ALPHABET`.

    Raises
    ------
    ValueError
        If a drink holds what the network has no letter for, or `drinks` is a single text.

    Examples
    --------
    >>> order_grammar().accepts("can i get a tea")
    False
    >>> order_grammar((*DRINKS, "tea")).accepts("can i get a tea")
    True
    """
    wrong = [drink for drink in drinks if not re.fullmatch(r"[a-z']+( [a-z']+)*", str(drink))]
    if wrong or isinstance(drinks, str):
        remedy = 'a tuple of words in small letters from a to z, such as (*DRINKS, "tea")'
        raise ValueError(f"drinks={drinks!r} must be {remedy}")
    g = Grammar()

    def spaced(texts):
        return g.words([" " + text for text in texts])

    def added(kinds):
        return spaced([amount + kind for amount in AMOUNTS for kind in kinds])

    nothing = g.words([""])
    before = [nothing]
    for count in (1, 2, 3):
        for kinds in itertools.permutations((SIZES, ROASTS, SHOTS), count):
            before.append(g.chain([spaced(kind) for kind in kinds]))
    ends = [g.words([""])]  # not the one above, or the drink could be left out
    for kinds in ((MILKS,), (SUGARS,), (MILKS, SUGARS), (SUGARS, MILKS)):
        pieces = [spaced(["with"]), added(kinds[0])]
        if len(kinds) == 2:
            pieces += [spaced(["and"]), added(kinds[1])]
        ends.append(g.chain(pieces))
    start = [g.words(OPENINGS), spaced(["a", "an"])]
    g.whole = g.chain([*start, g.either(before), spaced(drinks), g.either(ends)])
    return g


def _sum(a: float, b: float) -> float:
    """Return the logarithm of the sum of two numbers that are given by theirs."""
    low, high = min(a, b), max(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def beam(scores, *, width: int = 24, grammar: Grammar | None = None) -> str:
    """Return the likeliest text: all paths that say the same count together.

    Parameters
    ----------
    scores : numpy.ndarray, shape (frames, 29)
        What `letter_scores` returns.
    width : int
        How many beginnings of texts are kept after each frame.
    grammar : Grammar, optional
        Only its sentences are allowed.

    Returns
    -------
    str
        The text; "" if a grammar is given and no beginning that was kept is a whole sentence of it.

    Notes
    -----
    Prefix beam search [1]_.

    References
    ----------
    .. [1] A. Hannun and others, "First-pass large vocabulary continuous speech recognition using
       bi-directional recurrent DNNs" (2014), arXiv 1408.2873.

    Examples
    --------
    >>> import numpy as np
    >>> frame = np.full(29, 1e-9)
    >>> frame[:2] = 0.6, 0.4  # blank, a
    >>> beam(np.log([frame, frame]))  # the blank wins each frame, and the letter all the same
    'a'
    """
    start = grammar.start() if grammar else None
    kept = {"": (0.0, -math.inf, start)}  # log P that ends in a blank, in a letter; the states
    for frame in scores:
        new: dict[str, tuple] = {}

        def add(text, blank, letter, states, new=new):
            was = new.get(text, (-math.inf, -math.inf, states))
            new[text] = (_sum(was[0], blank), _sum(was[1], letter), states)

        likely = [k for k in range(1, len(ALPHABET)) if frame[k] > -12]
        for text, (blank, letter, states) in kept.items():
            both = _sum(blank, letter)
            add(text, both + frame[0], -math.inf, states)
            if text:
                add(text, -math.inf, letter + frame[ALPHABET.index(text[-1])], states)
            for k in likely:
                after = grammar.after(states, ALPHABET[k]) if grammar else None
                if grammar and not after:
                    continue
                before = blank if text.endswith(ALPHABET[k]) else both
                add(text + ALPHABET[k], -math.inf, before + frame[k], after)
        ranked = sorted(new.items(), key=lambda item: -_sum(item[1][0], item[1][1]))
        kept = dict(ranked[:width])
    for text, (_, _, states) in kept.items():
        if grammar is None or grammar.whole[1] in states:
            return text
    return ""


def slots(text: str, drinks: tuple[str, ...] = tuple(DRINKS)) -> dict[str, str]:
    """Return what an order asks for: size, roast, shots, drink, milk, sugar, as far as named.

    `drinks` are those of the grammar that read it.

    Examples
    --------
    >>> slots("can i get a large mocha with some soy milk")
    {'size': 'large', 'drink': 'mocha', 'milk': 'some soy milk'}
    """
    head, _, tail = text.partition(" with ")
    found = {}
    sizes = "|".join(SIZES).replace("medium", "medium(?! roast)")
    kinds = {"size": sizes, "roast": "|".join(ROASTS), "shots": "|".join(SHOTS)}
    known = "|".join(sorted(drinks, key=len, reverse=True))
    for name, options in (kinds | {"drink": f"(?:{known})$"}).items():
        match = re.search(rf"\b(?:{options})", head)
        if match:
            found[name] = match.group()
    for part in tail.split(" and ") if tail else []:
        found["sugar" if re.search("sugar|sweetener", part) else "milk"] = part
    return found
