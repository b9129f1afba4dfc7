"""What the checks of unit 37 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import functools

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.learned import Unfit, learned, one_number
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

# ---- a complex mask -----------------------------------------------------------------------------


def mask_probes() -> list[Probe]:
    """Return cells that can be done in the head, then cells of noise with several limits."""
    first = (np.array([2j, 6.0 + 0j]), np.array([2 + 2j, 2j]), 1.0)
    probes = [Probe(first, "S = [2i, 6], Y = [2 + 2i, 2i], limit = 1")]
    for seed, (shape, limit) in enumerate((((5, 7), 1.0), ((4, 6), 2.0), ((8, 3), 0.5))):
        rng = np.random.default_rng(370 + seed)
        S, Y = rng.normal(size=(2, 2, *shape))
        S, Y = S[0] + 1j * S[1], Y[0] + 1j * Y[1]
        probes.append(Probe((S, Y, limit), f"{shape[0]} by {shape[1]} cells and limit = {limit:g}"))
    return probes


def _short(M, limit):
    return M * np.minimum(1, limit / np.abs(M))


def _mask(S, Y, limit):
    return _short(S / Y, limit)


MASK_SLIPS = (
    ("lengths only", lambda S, Y, c: np.minimum(np.abs(S) / np.abs(Y), c) + 0j),
    ("upside down", lambda S, Y, c: _short(Y / S, c)),
    ("no limit", lambda S, Y, c: S / Y),
    (
        "parts limited",
        lambda S, Y, c: np.clip((S / Y).real, -c, c) + 1j * np.clip((S / Y).imag, -c, c),
    ),
    ("turned the other way", lambda S, Y, c: np.conj(_mask(S, Y, c))),
    ("turned the other way", lambda S, Y, c: _short(S * Y / np.abs(Y) ** 2, c)),
    ("all at the limit", lambda S, Y, c: c * (S / Y) / np.abs(S / Y)),
    ("applied already", lambda S, Y, c: _mask(S, Y, c) * Y),
    ("long ones to 0", lambda S, Y, c: np.where(np.abs(S / Y) > c, 0, S / Y)),
    ("long ones to the limit", lambda S, Y, c: np.where(np.abs(S / Y) > c, c, S / Y)),
    ("real part", lambda S, Y, c: (S / Y).real + 0j),
    ("squared length", lambda S, Y, c: S / Y * np.minimum(1, c / np.abs(S / Y) ** 2)),
)

# ---- the loss of a flow -------------------------------------------------------------------------


def loss_probes() -> list[Probe]:
    """Return noise, data and times, in batches of one to five."""
    first = (1, np.array([[1.0]]), np.array([[3.0]]), np.array([[0.5]]))
    probes = [Probe(first, "x0 = [[1]], x1 = [[3]], t = [[0.5]]")]
    for seed, shape in enumerate(((3, 2), (5, 4), (2, 6))):
        rng = np.random.default_rng(37 + seed)
        x0, x1 = rng.normal(size=(2, *shape))
        say = f"{shape[0]} examples of {shape[1]} numbers"
        times = rng.uniform(0.1, 0.9, (shape[0], 1))
        probes.append(Probe((shape[1], x0, x1 + 1, times), say))
    return probes


def _network(size: int, *, learns: bool):
    """Return a network of three weights that knows the time, and its weights."""
    import torch

    weights = torch.tensor([0.7, -0.4, 0.3], dtype=torch.float64, requires_grad=learns)

    def velocity(x, t):
        if x.shape[-1] != size or t.shape != (len(x), 1):
            shapes = f"{tuple(x.shape)} and {tuple(t.shape)}"
            raise Unfit(f"the network is called with shapes {shapes}: give it x and t")
        return weights[0] * x + weights[1] * t * x.roll(1, -1) + weights[2] * torch.tanh(x - t)

    return velocity, weights


def _read_loss(fn, size, x0, x1, t):
    """Return a loss and its slope for each weight; 0 where none comes back."""
    import torch

    given = [torch.from_numpy(x) for x in (x0, x1, t)]
    network, _ = _network(size, learns=False)
    first = fn(network, *given)
    if isinstance(first, (float, np.floating)):
        first = torch.tensor(float(first))  # the right number, perhaps, and no way back
    if not torch.is_tensor(first):
        return first
    one_number(first)
    network, weights = _network(size, learns=True)
    value = fn(network, *given)
    slopes = torch.zeros_like(weights)
    if torch.is_tensor(value) and value.requires_grad:
        value.backward()
        slopes = weights.grad
    return np.concatenate([[float(value)], slopes.detach().numpy()])


def _flow_loss(network, x0, x1, t, *, point=None, target=None, ends=lambda e: e.square().mean()):
    x = (1 - t) * x0 + t * x1 if point is None else point(x0, x1, t)
    wanted = x1 - x0 if target is None else target(x0, x1, x)
    return ends(network(x, t) - wanted)


def _model(**changes):
    """Return a model that takes tensors from a learner's call, and arrays from a comparison."""
    fn = functools.partial(_flow_loss, **changes)
    return lambda first, *rest: (
        fn(first, *rest) if callable(first) else _read_loss(fn, first, *rest)
    )


LOSS_SLIPS = (
    ("no slope", _model(ends=lambda e: e.square().mean().detach())),
    ("the data as target", _model(target=lambda x0, x1, x: x1)),
    ("backwards", _model(target=lambda x0, x1, x: x0 - x1)),
    ("the rest of the way", _model(target=lambda x0, x1, x: x1 - x)),
    ("time turned round", _model(point=lambda x0, x1, t: t * x0 + (1 - t) * x1)),
    ("asked at the data", _model(point=lambda x0, x1, t: x1)),
    ("asked at the noise", _model(point=lambda x0, x1, t: x0)),
    ("noise added", _model(point=lambda x0, x1, t: x1 + t * x0)),
    ("summed", _model(ends=lambda e: e.square().sum())),
    ("summed over numbers", _model(ends=lambda e: e.square().sum(dim=1).mean())),
    ("not squared", _model(ends=lambda e: e.abs().mean())),
    ("a root too many", _model(ends=lambda e: e.square().mean().sqrt())),
    ("noise as target", _model(target=lambda x0, x1, x: x0)),
)

# ---- Euler's steps ------------------------------------------------------------------------------


def _swirl(x, t):
    return x[:, ::-1] * np.array([-1.0, 1.0]) + t


def _pull(x, t):
    return (np.array([1.0, -0.5]) - x) * (0.5 + t)


def _clock(x, t):
    return np.full(x.shape, 2.0 * t)


def euler_probes() -> list[Probe]:
    """Return a velocity that grows with time, then fields that depend on place and time."""
    cases = (
        (_clock, np.zeros((1, 2)), 2, "the velocity 2t everywhere, x = [[0, 0]], steps = 2"),
        (_swirl, np.array([[1.0, 0.0], [0.3, -2.0]]), 5, "a field that turns, 2 dots, steps = 5"),
        (_pull, np.array([[0.0, 0.0], [3.0, 1.0]]), 4, "a field that pulls, 2 dots, steps = 4"),
        (_pull, np.array([[2.0, -1.0]]), 1, "a field that pulls, 1 dot, steps = 1"),
    )
    return [Probe(case[:3], case[3]) for case in cases]


def _follow(velocity, x, steps, *, time=lambda k, n: k / n, length=lambda n: 1 / n, count=0):
    for k in range(steps + count):
        x = x + length(steps) * velocity(x, time(k, steps))
    return x


def _with(**how):
    return lambda velocity, x, steps: _follow(velocity, x, steps, **how)


def _from_the_start(velocity, x, steps):
    made = x
    for k in range(steps):
        made = made + velocity(x, k / steps) / steps
    return made


def _middle(velocity, x, steps):
    for k in range(steps):
        half = x + 0.5 / steps * velocity(x, k / steps)
        x = x + velocity(half, (k + 0.5) / steps) / steps
    return x


def _whole_way(velocity, x, steps):
    been = [x]
    for k in range(steps):
        been.append(been[-1] + velocity(been[-1], k / steps) / steps)
    return np.array(been)


EULER_SLIPS = (
    ("steps of length 1", _with(length=lambda n: 1.0)),
    ("time one step ahead", _with(time=lambda k, n: (k + 1) / n)),
    ("time stands still", _with(time=lambda k, n: 0.0)),
    ("time counts steps", _with(time=lambda k, n: k)),
    ("time to the end", _with(time=lambda k, n: k / max(n - 1, 1))),
    ("backwards", _with(length=lambda n: -1 / n)),
    ("time runs back", _with(time=lambda k, n: 1 - k / n)),
    ("one step too many", _with(count=1)),
    ("one step too few", _with(count=-1)),
    ("velocity of the start", _from_the_start),
    ("midpoints", _middle),
    ("the whole way", _whole_way),
    ("the change only", lambda v, x, n: _follow(v, x, n) - x),
)

# ---- one round of k-means -----------------------------------------------------------------------


def _nearest(X, book):
    return ((X[:, None] - book) ** 2).sum(axis=2).argmin(axis=1)


def move_probes() -> list[Probe]:
    """Return three rows in the head, then noise, once with an entry that nobody chooses."""
    first = (np.array([[1.0], [2.0], [9.0]]), np.array([[0.0], [10.0], [50.0]]))
    probes = [Probe(first, "X = [[1], [2], [9]], book = [[0], [10], [50]]")]
    for seed, (n, dims, size) in enumerate(((20, 2, 4), (15, 3, 3), (30, 2, 6))):
        rng = np.random.default_rng(73 + seed)
        X, book = rng.normal(size=(n, dims)), rng.normal(size=(size, dims))
        if seed == 1:
            book[1] += 40
        probes.append(Probe((X, book), f"{n} rows of {dims} numbers and a book of {size}"))
    return probes


def _moved(X, book, *, of=lambda some: some.mean(axis=0), empty=lambda entry: entry, near=_nearest):
    chosen = near(X, book)
    made = [
        of(X[chosen == k]) if np.any(chosen == k) else empty(entry) for k, entry in enumerate(book)
    ]
    return np.array(made)


def _changed(**how):
    return lambda X, book: _moved(X, book, **how)


def _medians(some):
    return np.median(some, axis=0)


def _farthest(X, book):
    return ((X[:, None] - book) ** 2).sum(axis=2).argmax(axis=1)


def _one_after_another(X, book):
    """Move an entry for each row, at once, half of the way."""
    made = book.copy()
    for row in X:
        k = _nearest(row[None], made)[0]
        made[k] = (made[k] + row) / 2
    return made


def _nearest_row(X, book):
    return X[((X[:, None] - book) ** 2).sum(axis=2).argmin(axis=0)]


MOVE_SLIPS = (
    ("empty ones to 0", _changed(empty=np.zeros_like)),
    ("empty ones to NaN", _changed(empty=lambda entry: entry * np.nan)),
    ("empty ones to the mean", lambda X, book: _moved(X, book, empty=lambda e: X.mean(axis=0))),
    ("sums", _changed(of=lambda some: some.sum(axis=0))),
    ("divided by all", lambda X, b: _moved(X, b, of=lambda some: some.sum(axis=0) / len(X))),
    ("two rounds", lambda X, book: _moved(X, _moved(X, book))),
    ("medians", _changed(of=_medians)),
    ("farthest", _changed(near=_farthest)),
    ("one after another", _one_after_another),
    ("the nearest row", _nearest_row),
    ("half way", lambda X, book: (book + _moved(X, book)) / 2),
    ("names", lambda X, book: _nearest(X, book)),
    ("rows replaced", lambda X, book: book[_nearest(X, book)]),
    ("the old book", lambda X, book: book),
)

# ---- the residual quantiser ---------------------------------------------------------------------


def token_probes() -> list[Probe]:
    """Return the worked example, then frames with books of several sizes."""
    small = [np.array([[0.0], [8.0]]), np.array([[-1.0], [1.0]]), np.array([[-0.3], [0.3]])]
    say = "x = [7.3] and books of [0, 8], [−1, 1] and [−0.3, 0.3]"
    probes = [Probe((np.array([7.3]), small), say)]
    for seed, (dims, size, depth) in enumerate(((3, 5, 4), (2, 8, 3), (6, 4, 6), (4, 16, 5))):
        rng = np.random.default_rng(137 + seed)
        books = [rng.normal(size=(size, dims)) / (1 + 0.5 * k) for k in range(depth)]
        x = rng.normal(size=dims) + 0.5
        probes.append(Probe((x, books), f"{dims} numbers and {depth} books of {size}"))
    return probes


def _by_square(left, book):
    return int(((book - left) ** 2).sum(axis=1).argmin())


def _quantise(x, books, *, choose=_by_square, take=lambda left, entry: left - entry):
    tokens, left = [], x
    for book in books:
        tokens.append(choose(left, book))
        left = take(left, book[tokens[-1]])
    return np.array(tokens)


def _of_x(x, books):
    """Take every entry away from the frame itself."""
    tokens, left = [], x
    for book in books:
        tokens.append(_by_square(left, book))
        left = x - book[tokens[-1]]
    return np.array(tokens)


def _chosen(**how):
    return lambda x, books: _quantise(x, books, **how)


TOKEN_SLIPS = (
    ("no residual", _chosen(take=lambda left, entry: left)),
    ("added", _chosen(take=lambda left, entry: left + entry)),
    ("turned round", _chosen(take=lambda left, entry: entry - left)),
    ("entry only", _chosen(take=lambda left, entry: entry)),
    ("from the frame", _of_x),
    ("farthest", _chosen(choose=lambda left, b: int(((b - left) ** 2).sum(axis=1).argmax()))),
    ("largest product", _chosen(choose=lambda left, book: int((book @ left).argmax()))),
    ("sum of differences", _chosen(choose=lambda left, b: int(np.abs((b - left).sum(1)).argmin()))),
    (
        "absolute differences",
        _chosen(choose=lambda left, b: int(np.abs(b - left).sum(axis=1).argmin())),
    ),
    ("counted from 1", lambda x, books: _quantise(x, books) + 1),
    ("last book first", lambda x, books: _quantise(x, books[::-1])[::-1]),
    ("first only", lambda x, books: _quantise(x, books)[:1]),
)

# ---- an interval for a pair ---------------------------------------------------------------------


def paired_probes() -> list[Probe]:
    """Return four utterances, then more of them, each with draws."""
    probes = []
    for seed, (n, draws, shift) in enumerate(((4, 60, 0.5), (12, 200, 0.1), (19, 150, -1.0))):
        rng = np.random.default_rng(372 + seed)
        a = rng.normal(size=n) * 3 + 2
        b = a + shift + 0.4 * rng.normal(size=n)
        say = f"{n} utterances and {draws} draws"
        probes.append(Probe((a, b, rng.integers(n, size=(draws, n))), say))
    return probes


ENDS = (0.025, 0.975)


def _paired(a, b, draws):
    return np.quantile((b - a)[draws].mean(axis=1), ENDS)


def _apart(a, b, draws):
    return np.quantile(b[draws].mean(axis=1), ENDS) - np.quantile(a[draws].mean(axis=1), ENDS)


def _normal(a, b, draws):
    means = (b - a)[draws].mean(axis=1)
    return means.mean() + 1.96 * means.std() * np.array([-1, 1])


def _error(a, b, draws):
    d = b - a
    return d.mean() + 1.96 * d.std(ddof=1) / np.sqrt(len(d)) * np.array([-1, 1])


PAIRED_SLIPS = (
    ("a minus b", lambda a, b, d: _paired(b, a, d)),
    ("90 %", lambda a, b, d: np.quantile((b - a)[d].mean(axis=1), (0.05, 0.95))),
    ("not in pairs", _apart),
    ("not in pairs", lambda a, b, d: np.quantile(b[d].mean(1) - a[d[::-1]].mean(1), ENDS)),
    ("no draws", lambda a, b, d: np.quantile(b - a, ENDS)),
    ("scores, not means", lambda a, b, d: np.quantile((b - a)[d], ENDS)),
    ("over the draws", lambda a, b, d: np.quantile((b - a)[d].mean(axis=0), ENDS)),
    ("a normal curve", _normal),
    ("a formula", _error),
    ("turned round", lambda a, b, d: _paired(a, b, d)[::-1]),
    ("the extremes", lambda a, b, d: np.quantile((b - a)[d].mean(axis=1), (0, 1))),
    ("medians", lambda a, b, d: np.quantile(np.median((b - a)[d], axis=1), ENDS)),
    ("b alone", lambda a, b, d: np.quantile(b[d].mean(axis=1), ENDS)),
    ("quartiles", lambda a, b, d: np.quantile((b - a)[d].mean(axis=1), (0.25, 0.75))),
)

# ---- what a right function makes ----------------------------------------------------------------


def mask_view():
    """Return cells that grow longer and turn, over one of length 1."""
    length = np.linspace(0.05, 3, 40)
    return length, [(length * np.exp(1j * length), np.ones(40) + 0j, 1.0)]


def loss_view():
    """Return times, and one example at each."""
    times = np.linspace(0.02, 0.98, 25)
    x0, x1 = np.array([[0.5, -1.0]]), np.array([[1.5, 1.0]])
    return times, [(2, x0, x1, np.array([[t]])) for t in times]


def euler_view():
    """Return numbers of steps, and where a dot arrives after so many."""
    steps = np.arange(1, 13)
    return steps, [(_pull, np.array([[-2.0, 1.0]]), int(n)) for n in steps]


def move_view():
    """Return entries in a row, and data that lies in four heaps."""
    rng = np.random.default_rng(5)
    X = np.concatenate([rng.normal(middle, 0.3, 20) for middle in (1, 3, 4, 8)])[:, None]
    book = np.arange(0.0, 10.0)[:, None]
    return book[:, 0], [(X, book)]


def token_view():
    """Return numbers from 0 to 8, each with the books of the worked example."""
    books = token_probes()[0].args[1]
    places = np.linspace(-1, 9.3, 60)
    return places, [(np.array([x]), books) for x in places]


def paired_view():
    """Return gains of one system over another, with the same draws."""
    rng = np.random.default_rng(9)
    a, noise = rng.normal(size=(2, 15))
    draws = rng.integers(15, size=(200, 15))
    shifts = np.linspace(-1, 1, 21)
    return shifts, [(a, a + shift + noise, draws) for shift in shifts]


CHECKS = {
    "37.mask": Check(
        mask_probes,
        _mask,
        MASK_SLIPS,
        atol=1e-9,
        shows=Curve(mask_view, "length of S", "length of the mask", np.abs),
    ),
    "37.loss": learned(
        _read_loss,
        "a tensor that holds one number",
        loss_probes,
        functools.partial(_read_loss, _flow_loss),
        LOSS_SLIPS,
        atol=1e-9,
        shows=Curve(loss_view, "time", "loss", lambda made: made[:, 0]),
    ),
    "37.euler": Check(
        euler_probes,
        _follow,
        EULER_SLIPS,
        atol=1e-9,
        shows=Curve(euler_view, "steps", "place", lambda made: made[:, 0, 0]),
    ),
    "37.move": Check(
        move_probes,
        _moved,
        MOVE_SLIPS,
        atol=1e-9,
        shows=Curve(move_view, "entry before", "entry after"),
    ),
    "37.tokens": Check(
        token_probes,
        _quantise,
        TOKEN_SLIPS,
        atol=1e-9,
        shows=Curve(token_view, "x", "tokens, read as one number", lambda made: made @ [4, 2, 1]),
    ),
    "37.paired": Check(
        paired_probes,
        _paired,
        PAIRED_SLIPS,
        atol=1e-9,
        shows=Curve(paired_view, "gain", "lower end", lambda made: made[:, 0]),
    ),
}
