"""A voice of the course: text in, phones, a score of durations and pitch, a mel, sound out.

`say` does all of it. `phones` is its front end, `score` what the network guesses of a sentence (how
long each phone lasts, and how high), `mel` the spectrogram of a score, which may be changed before.
The voice is that of Kathleen, who recorded an hour of hers for building voices and gave it to the
public domain. Trained by ``tools/training/voice.py``.

Refused: text without a word, a score that does not fit together (ValueError); weights that are
missing or damaged.
"""

import functools
import gzip
import re
from dataclasses import dataclass

import numpy as np

from helpers import _weights  # isort: skip  (says in one line that PyTorch is missing)
import torch
import torch.nn.functional as F
from torch import nn

from helpers._checks import DATA, read_verified
from helpers.vocoders import load_vocoder

__all__ = ["SR", "Score", "Voice", "lexicon", "load", "mel", "phones", "say", "score", "spell"]

SR = 16000
HOP = 256
ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
ONES += ["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"]
ONES += ["eighteen", "nineteen"]
TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SHORT = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "etc": "etcetera"}
ACCENTS = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿ"
LETTERS = "aaaaaaceeeeiiiinooooouuuuyy"
PLAIN = str.maketrans(ACCENTS + ACCENTS.upper(), LETTERS + LETTERS.upper())
MARKS = {".": ".", ",": ",", ";": ",", ":": ",", "?": ".", "!": "."}
# letters to phones, the longest piece first; $ is the end of the word
PIECES = """tion$=SH AH N|sion$=ZH AH N|ture$=CH ER|ough=AO|augh=AO|igh=AY|tch=CH|dge=JH|sch=S K|
    ing$=IH NG|ed$=D|es$=Z|le$=AH L|ch=CH|sh=SH|th=TH|ph=F|wh=W|ck=K|ng=NG|qu=K W|kn=N|wr=R|gh=G|
    ee=IY|ea=IY|ie=IY|ei=EY|oo=UW|ou=AW|ow=OW|oa=OW|oi=OY|oy=OY|ai=EY|ay=EY|au=AO|aw=AO|ew=UW|ue=UW|
    ar=AA R|er=ER|ir=ER|or=AO R|ur=ER|ce=S|ci=S IH|cy=S IY|ge=JH|gi=JH IH|bb=B|cc=K|dd=D|ff=F|gg=G|
    ll=L|mm=M|nn=N|pp=P|rr=R|ss=S|tt=T|zz=Z|y$=IY|e$=|a=AE|b=B|c=K|d=D|e=EH|f=F|g=G|h=HH|i=IH|j=JH|
    k=K|l=L|m=M|n=N|o=AA|p=P|q=K|r=R|s=S|t=T|u=AH|v=V|w=W|x=K S|y=IH|z=Z"""
RULES = sorted((rule.strip().split("=") for rule in PIECES.split("|")), key=lambda r: -len(r[0]))


@functools.cache
def lexicon() -> dict[str, str]:
    """Return the phones of 70 000 English words, by the word: an extract of CMUdict, no stress.

    >>> lexicon()["voice"]
    'V OY S'
    """
    path = DATA / "lexicon" / "words.txt.gz"
    read_verified(path)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(" ", 1) for line in file)


def spell(word: str) -> str:
    """Return phones for a word by rules of letters: a guess, for words that no lexicon has.

    Parameters
    ----------
    word : str
        One word in letters.

    Returns
    -------
    phones : str
        Names of phones as ARPAbet has them, a space between two.

    Examples
    --------
    >>> spell("blick")
    'B L IH K'
    """
    rest, found = word.lower() + "$", []
    while rest != "$":
        piece, names = next((rule for rule in RULES if rest.startswith(rule[0])), (rest[0], ""))
        found += names.split()
        rest = rest[len(piece.rstrip("$")) :]
    return " ".join(found) or "AH"  # a word of silent letters


def _number(n: int) -> str:
    """Return a whole number in words."""
    if n < 20:
        return ONES[n]
    for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if n >= size:
            rest = " " + _number(n % size) if n % size else ""
            return f"{_number(n // size)} {name}{rest}"
    return TENS[n // 10] + (" " + ONES[n % 10] if n % 10 else "")


def _spoken(match: re.Match) -> str:
    """Return in words what stands for money or for a number."""
    money, whole, part = match[1], int(match[2].replace(",", "")), match[3]
    if whole >= 10**9:
        raise ValueError(f"the number {whole} is too large; numbers below 1 000 000 000 are read")
    if money:
        unit = " dollar " if whole == 1 else " dollars "
        cents = int((part or "").ljust(2, "0")[:2])
        return " " + _number(whole) + unit + (_number(cents) if cents else "") + " "
    digits = [ONES[int(digit)] for digit in part or ""]
    # letters on either side, as in "1st", are a word of their own
    return " ".join(["", _number(whole), *(["point", *digits] if digits else []), ""])


def phones(text: str) -> list[str]:
    """Return the phones of a text, with its gaps and pauses.

    Numbers and a few abbreviations are written out, words are looked up in `lexicon`, and those
    that are missing are spelt by `spell`.

    Parameters
    ----------
    text : str
        English.

    Returns
    -------
    list of str
        ARPAbet without stress; " " between words, "," and "." for pauses, "#" at both ends. A
        question ends like a statement, since the voice has never read one.

    Examples
    --------
    >>> " ".join(phones("My voice, Dr. Bell.")).replace("   ", " _ ")
    '# M AY _ V OY S , D AA K T ER _ B EH L . #'
    """
    if not isinstance(text, str):
        raise ValueError(f"text={text!r} is no text; give a str")
    text = text.translate(PLAIN)
    text = text.replace("’", "'").replace("—", " , ").replace(" - ", " , ").replace("%", " percent")
    text = re.sub(r"(\$?)(\d[\d,]*)(?:\.(\d+))?", _spoken, text)
    text = re.sub(r"\b(Mr|Mrs|Dr|St|etc)\.", lambda match: SHORT[match[1].lower()], text)
    found = ["#"]
    for word in re.findall(r"[a-zA-Z']+|[.,;:?!]", text):
        if word in MARKS:
            if found[-1] == " ":
                found[-1] = MARKS[word]
            continue
        word = word.lower().strip("'")
        if word:
            found += [*(lexicon().get(word) or spell(word)).split(" "), " "]
    if len(found) == 1:
        raise ValueError(f"there is no word in {text!r}; write what is to be said in letters")
    if found[-1] in " ,":  # nothing follows
        found.pop()
    return [*found, "#"]


@dataclass
class Score:
    """A sentence as the voice will say it, one entry for each of n phones.

    Attributes
    ----------
    phones : list of str
        As `phones` gives them.
    frames : np.ndarray, shape (n,), int
        How long each lasts [frames of 16 ms]; 0 for a gap between words that is no pause.
    hertz : np.ndarray, shape (n,)
        Its pitch [Hz]; 0 without a voice.
    voiced, energy : np.ndarray, shape (n,)
        The share of its frames that has a pitch; how strong it is, (mean log-mel + 6) / 2.
    """

    phones: list[str]
    frames: np.ndarray
    hertz: np.ndarray
    voiced: np.ndarray
    energy: np.ndarray


class Block(nn.Module):
    """A convolution along time, then a small network for each place, led around both."""

    def __init__(self, size: int, width: int, up: int = 2, *, drop: float = 0.0, given: int = 0):
        super().__init__()
        self.along = nn.Conv1d(size, size, width, padding=width // 2, groups=size)
        self.norm = nn.LayerNorm(size)
        self.up = nn.Linear(size, up * size)
        self.down = nn.Linear(up * size, size)
        self.gain = nn.Parameter(torch.full((size,), 0.3))
        self.drop = nn.Dropout(drop)
        self.given = nn.Linear(given, 2 * size) if given else None

    def forward(self, x, mask, given=None):
        """Return an array like x (B, T, size); `given` (B, k) scales and shifts inside."""
        z = self.norm(self.along((x * mask).transpose(1, 2)).transpose(1, 2))
        if self.given is not None:
            scale, shift = self.given(given)[:, None].chunk(2, 2)
            z = z * (1 + scale) + shift
        return x + self.gain * self.drop(self.down(F.gelu(self.up(z))))


class Acoustic(nn.Module):
    """Phones to a guess of durations and pitch, and from all of these to the mean mel."""

    def __init__(self, symbols: int, size: int):
        super().__init__()
        self.letters = nn.Embedding(symbols, size)
        self.text = nn.ModuleList(Block(size, 7, drop=0.15) for _ in range(4))
        self.guess = nn.ModuleList(Block(size, 5, 1, drop=0.3) for _ in range(3))
        self.guessed = nn.Linear(size, 4)  # log(1 + frames), pitch, share voiced, energy
        self.prosody = nn.Linear(3, size)
        self.place = nn.Linear(3, size)
        self.sound = nn.ModuleList(Block(size, 9, drop=0.15) for _ in range(5))
        self.norm = nn.LayerNorm(size)
        self.out = nn.Linear(size, 80)
        self.drop = nn.Dropout(0.15)
        self.drop_guess = nn.Dropout(0.2)

    def read(self, ids, counts):
        """Return what is known of phones (B, n): hidden (B, n, size), guesses (B, n, 4), mask."""
        mask = (torch.arange(ids.shape[1]) < counts[:, None].cpu()).to(ids.device)[..., None]
        z = self.drop(self.letters(ids))
        for block in self.text:
            z = block(z, mask)
        q = self.drop_guess(z.detach() * 0.9 + z * 0.1)  # guessing shall not bend the reading
        for block in self.guess:
            q = block(q, mask)
        return z, self.guessed(q), mask

    def forward(self, z, prosody, frames):
        """Return the mean mel (B, T, 80), what it was made from (B, T, size), and a mask."""
        end = frames.cumsum(1)
        t = torch.arange(int(end.max()), device=z.device).expand(len(z), -1)
        k = torch.searchsorted(end, t.contiguous(), right=True).clamp(max=frames.shape[1] - 1)
        mask = (t < end[:, -1:])[..., None]
        size = frames.gather(1, k).clamp(min=1)
        passed = t - (end - frames).gather(1, k)  # frames since the phone began
        place = torch.stack([passed / size, (size - 1 - passed) / size, size.log()], 2)
        h = z + self.prosody(prosody)
        h = h.gather(1, k[..., None].expand(-1, -1, h.shape[2])) + self.place(place)
        for block in self.sound:
            h = block(h, mask)
        h = self.norm(h)
        return self.out(h), h, mask


class Detail(nn.Module):
    """What the mean leaves out: the velocity of a flow from noise to the difference."""

    def __init__(self, size: int):
        super().__init__()
        self.enter = nn.Linear(160, size)
        self.hidden = nn.Linear(size, size)
        self.time = nn.Sequential(nn.Linear(64, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU())
        self.blocks = nn.ModuleList(Block(size, 7, drop=0.05, given=size) for _ in range(5))
        self.norm = nn.LayerNorm(size)
        self.out = nn.Linear(size, 80)

    def forward(self, x, mean, h, t, mask):
        """Return velocities like x (B, T, 80) at the times t (B,), from 0 (noise) to 1."""
        waves = 1000 ** torch.linspace(0, 1, 32, device=x.device) * t[:, None] * 6.28
        now = self.time(torch.cat([waves.sin(), waves.cos()], 1))
        z = self.enter(torch.cat([x, mean], 2)) + self.hidden(h)
        for block in self.blocks:
            z = block(z, mask, now)
        return self.out(self.norm(z)) * mask


class Voice(nn.Module):
    """The two networks, and the scales of what they speak about."""

    def __init__(self, symbols: list[str], pitch: tuple[float, float], size: int = 176):
        super().__init__()
        self.symbols = symbols
        self.pitch = pitch  # mean and spread of ln(Hz) over voiced frames
        self.acoustic = Acoustic(len(symbols), size)
        self.detail = Detail(size)
        for name in ("mel_mean", "mel_spread", "missing"):  # of each band; of what the mean misses
            self.register_buffer(name, torch.ones(80))

    def ids(self, names) -> torch.Tensor:
        """Return phones as numbers, shape (1, n)."""
        unknown = [name for name in names if name not in self.symbols]
        if unknown or not names:
            raise ValueError(f"the voice does not know {unknown}; give phones as `phones` does")
        return torch.tensor([[self.symbols.index(name) for name in names]])

    def flow(self, mean, h, mask, *, steps: int = 8, spread: float = 0.7, seed: int = 0):
        """Return the mean mel with detail: steps along the flow, from noise of some spread."""
        noise = torch.Generator().manual_seed(seed)
        x = spread * torch.randn(mean.shape, generator=noise)
        for k in range(steps):
            x = x + self.detail(x, mean, h, torch.full((len(x),), k / steps), mask) / steps
        return mean + x * self.missing


@functools.cache
def load(path="voice") -> Voice:
    """Return the trained networks, ready to be asked.

    Parameters
    ----------
    path : str or path-like
        A file of weights, or the name of one in ``data/weights``.
    """
    tensors, config, _ = _weights.load(path)
    net = Voice(**config)
    net.load_state_dict(tensors)
    return net.eval()


@torch.no_grad()
def score(text) -> Score:
    """Return what the voice would make of a text: how long each phone lasts, and how high it is.

    Parameters
    ----------
    text : str or list of str
        A sentence, or its phones.

    Returns
    -------
    score : Score
        Its phones, frames and hertz, to be changed and given to `mel`.

    Examples
    --------
    >>> made = score("Hello.")
    >>> len(made.phones) == len(made.frames) == len(made.hertz)
    True
    """
    names = list(text) if isinstance(text, list | tuple) else phones(text)
    net = load()
    guess = net.acoustic.read(net.ids(names), torch.tensor([len(names)]))[1][0].numpy().T
    frames = np.maximum(np.round(np.expm1(guess[0])), 0).astype(int)
    gap = np.array([name == " " for name in names])
    frames = np.where(gap, np.where(frames < 4, 0, frames), np.maximum(frames, 1))
    voiced = np.clip(guess[2], 0, 1) * (frames > 0)
    hertz = np.exp(net.pitch[0] + net.pitch[1] * guess[1]) * (voiced > 0.2)
    return Score(names, frames, hertz, voiced, guess[3] * (frames > 0))


@torch.no_grad()
def mel(made: Score, *, how: str = "flow", seed: int = 0) -> np.ndarray:
    """Return the log-mel of a score, in the format of the vocoder "gan".

    Parameters
    ----------
    made : Score
        From `score`; change its numbers as you like.
    how : {"flow", "mean"}
        With detail, drawn by a flow, or the mean alone.
    seed : int
        Of the noise that the flow begins with.

    Returns
    -------
    np.ndarray, shape (80, frames)
        Natural logarithms of mel magnitudes, for a sound of about -26 dBFS.
    """
    if how not in ("flow", "mean"):
        raise ValueError(f'how={how!r} is not known; say "flow" or "mean"')
    parts = [np.asarray(x) for x in (made.frames, made.hertz, made.voiced, made.energy)]
    if {len(part) for part in parts} != {len(made.phones)} or parts[0].min() < 0:
        raise ValueError("a score needs one number for each phone, and no negative frames")
    if not parts[0].sum():
        raise ValueError("no phone of the score lasts a frame; make some of them longer")
    net = load()
    z = net.acoustic.read(net.ids(made.phones), torch.tensor([len(made.phones)]))[0]
    height = (np.log(np.maximum(parts[1], 1)) - net.pitch[0]) / net.pitch[1] * (parts[1] > 0)
    prosody = torch.tensor(np.stack([height, *parts[2:]], 1)[None], dtype=torch.float32)
    mean, h, mask = net.acoustic(z, prosody, torch.tensor(parts[0].astype(np.int64))[None])
    found = net.flow(mean, h, mask, seed=seed) if how == "flow" else mean
    return (found[0] * net.mel_spread + net.mel_mean).T.numpy()


def say(text, *, how: str = "flow", seed: int = 0) -> np.ndarray:
    """Return a text, or a `Score`, as sound.

    Parameters
    ----------
    text : str or Score
        What is to be said.
    how, seed
        As for `mel`.

    Returns
    -------
    np.ndarray, shape (n,)
        Sound at 16 kHz with an RMS of -26 dBFS, or less where its peak would pass -6 dBFS.

    Examples
    --------
    >>> y = say("Hello.")
    >>> bool(abs(np.sqrt(np.mean(y**2)) - 0.05) < 1e-3)
    True
    """
    made = text if isinstance(text, Score) else score(text)
    y = load_vocoder("gan").synthesize(mel(made, how=how, seed=seed))
    y = y - np.mean(y)
    gain = min(0.05 / (np.sqrt(np.mean(y**2)) + 1e-9), 0.5 / (np.max(np.abs(y)) + 1e-9))
    return gain * y
