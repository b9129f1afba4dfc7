"""What the checks of unit 40 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import functools

import numpy as np

from helpers import audio
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve


def leaks_probes() -> list[Probe]:
    """Return a leak of one half, a clean split, a whole one, and others by lot."""
    calls = [
        (["ann", "ann", "bob", "eve"], ["ann", "ann", "ann", "cid", "dan", "fay"]),
        (["ann", "bob"], ["cid", "dan", "dan"]),
        (["ann", "bob", "bob", "cid"], ["bob", "ann"]),
        (["bob", "ann", "ann"], ["ann", "bob", "bob", "bob", "cid"]),
    ]
    rng = np.random.default_rng(40)
    names = ["ann", "bob", "cid", "dan", "eve", "fay", "gus"]
    for size in (9, 14):
        train, test = rng.choice(names[:4], size), rng.choice(names[2:], 2 * size)
        calls.append((train.tolist(), test.tolist()))
    return [Probe((train, test), f"train = {train} and test = {test}") for train, test in calls]


def _met(train, test):
    return float(np.mean([name in set(train) for name in test]))


def _both(train, test):
    return set(train) & set(test)


LEAKS_SLIPS = (
    ("people, not clips", lambda train, test: len(_both(train, test)) / len(set(test))),
    ("of the training", lambda train, test: _met(test, train)),
    ("the clean share", lambda train, test: 1 - _met(train, test)),
    ("a count", lambda train, test: _met(train, test) * len(test)),
    ("percent", lambda train, test: 100 * _met(train, test)),
    ("divided by training", lambda train, test: _met(train, test) * len(test) / len(train)),
    (
        "divided by all",
        lambda train, test: _met(train, test) * len(test) / (len(train) + len(test)),
    ),
    ("yes or no", lambda train, test: float(bool(_both(train, test)))),
    ("people counted", lambda train, test: len(_both(train, test))),
    ("over all people", lambda train, test: len(_both(train, test)) / len(set(train) | set(test))),
    (
        "place by place",
        lambda train, test: np.mean([a == b for a, b in zip(train, test, strict=False)]),
    ),
)


def split_probes() -> list[Probe]:
    """Return groups in turn, in blocks, of unequal size, and one exactly at the limit."""
    places = {"awb": 0.882, "kal": 0.113, "rms": 0.255, "slt": 0.052, "zoe": 0.4}
    calls = [
        (["awb", "kal", "rms", "slt"], 0.2),
        (["slt", "slt", "awb", "kal", "kal", "rms"], 0.3),
        (["rms"] * 5 + ["slt", "awb", "zoe", "zoe"], 0.4),
        (["zoe", "awb", "rms", "slt", "kal", "awb", "awb", "rms"], 0.6),
        (["awb", "awb", "zoe", "kal", "rms", "rms"], 0.113),
    ]
    return [
        Probe((groups, places, share), f"groups = {groups} and share = {share}")
        for groups, share in calls
    ]


def _place(groups, places):
    return np.array([places[group] for group in groups])


def _ranked(groups, places, share, key):
    """Mark the clips of the first of the groups, by some order, a share of all groups."""
    names = sorted(set(groups), key=key)
    return 1 * np.isin(groups, names[: round(share * len(names))])


def _filled(groups, places, share):
    """Mark whole groups by their places until they hold the share of the clips."""
    chosen = np.zeros(len(groups), dtype=bool)
    for name in sorted(set(groups), key=places.get):
        if chosen.sum() < share * len(groups):
            chosen |= np.array(groups) == name
    return 1 * chosen


SPLIT_SLIPS = (
    ("training and test", lambda g, places, share: 1 * (_place(g, places) >= share)),
    ("training and test", lambda g, places, share: 1 * (_place(g, places) > share)),
    ("the first clips", lambda g, places, share: 1 * (np.arange(len(g)) < round(share * len(g)))),
    ("the first clips", lambda g, places, share: 1 * (np.arange(len(g)) < int(share * len(g)))),
    (
        "the last clips",
        lambda g, places, share: 1 * (np.arange(len(g))[::-1] < int(share * len(g))),
    ),
    (
        "the last clips",
        lambda g, places, share: 1 * (np.arange(len(g))[::-1] < round(share * len(g))),
    ),
    ("the first groups", lambda g, places, share: _ranked(g, places, share, places.get)),
    ("until full", _filled),
    ("names sorted", lambda g, places, share: _ranked(g, places, share, str)),
    ("the limit too", lambda g, places, share: 1 * (_place(g, places) <= share)),
    ("places returned", lambda g, places, share: _place(g, places)),
    ("one per group", lambda g, places, share: 1 * np.array([places[x] < share for x in set(g)])),
    ("indices", lambda g, places, share: np.flatnonzero(_place(g, places) < share)),
)


def people_probes() -> list[Probe]:
    """Return people with few and with many clips, drawn twice, once and not at all."""
    rng = np.random.default_rng(41)
    probes = []
    for sizes, drawn in (
        ((3, 1, 2), ["ann", "ann", "bob"]),
        ((8, 2, 2, 4), ["dan", "bob", "dan", "ann"]),
        ((5, 12, 3, 9, 2), ["eve", "eve", "eve", "bob", "cid"]),
        ((1, 6, 4), ["cid", "ann", "ann"]),
    ):
        names = ["ann", "bob", "cid", "dan", "eve"][: len(sizes)]
        people = np.repeat(names, sizes)
        hits = (rng.random(len(people)) < np.repeat(rng.uniform(0.2, 0.9, len(sizes)), sizes)) * 1
        hits[:: len(hits) - 1] = (1, 0)
        order = rng.permutation(len(people))
        say = f"{len(people)} clips by {len(sizes)} people and drawn = {drawn}"
        probes.append(Probe((hits[order], people[order], drawn), say))
    return probes


def _drawn(hits, people, drawn):
    return np.concatenate([hits[people == one] for one in drawn])


PEOPLE_SLIPS = (
    ("mean of means", lambda h, p, d: np.mean([h[p == one].mean() for one in d])),
    ("twice is once", lambda h, p, d: h[np.isin(p, d)].mean()),
    ("all clips", lambda h, p, d: h.mean()),
    ("not drawn", lambda h, p, d: h[~np.isin(p, d)].mean()),
    ("a count", lambda h, p, d: _drawn(h, p, d).sum()),
    ("divided by all", lambda h, p, d: _drawn(h, p, d).sum() / len(h)),
    ("divided by people", lambda h, p, d: _drawn(h, p, d).sum() / len(d)),
    ("wrong ones", lambda h, p, d: 1 - _drawn(h, p, d).mean()),
    ("percent", lambda h, p, d: 100 * _drawn(h, p, d).mean()),
    ("one clip each", lambda h, p, d: np.mean([h[p == one][0] for one in d])),
    ("clips drawn", lambda h, p, d: h[: len(d)].mean()),
    ("mean of means", lambda h, p, d: np.mean([h[p == one].mean() for one in set(d)])),
)


def buffer_probes() -> list[Probe]:
    """Return short and long lists, buffers of one, of some, and of more than there are items."""
    probes = []
    for count, size in ((6, 2), (5, 1), (9, 4), (12, 3), (4, 9), (8, 5)):
        picks = np.round(np.random.default_rng(10 * count + size).random(count), 3)
        items = list(range(10, 10 + count))
        say = f"items = {items}, size = {size} and picks = {picks.tolist()}"
        probes.append(Probe((items, size, picks), say))
    return probes


def _through(
    items, size, picks, *, first=0, room=None, last=list, place=None, taken=None, front=False
) -> list:
    """Return what leaves a buffer that may do one thing or another in its own way."""
    held, out = [], []
    place = place or (lambda pick, held: int(pick * len(held)))
    for number, item in enumerate(items):
        held.insert(0 if front else len(held), item)
        if len(held) > (size if room is None else room(size)):
            k = len(out) if taken is None else taken(number)
            out.append(held.pop(place(picks[min(k + first, len(picks) - 1)], held)))
    return np.array(out + last(held))


def _early(items, size, picks):
    """Take one out before the new item is in."""
    held, out = [], []
    for item in items:
        if len(held) >= size:
            out.append(held.pop(int(picks[len(out)] * len(held))))
        held.append(item)
    return np.array(out + held)


def _swapped(items, size, picks):
    """Put the newest item into the place of the one that leaves."""
    held, out = [], []
    for item in items:
        held.append(item)
        if len(held) > size:
            k = int(picks[len(out)] * len(held))
            held[k], held[-1] = held[-1], held[k]
            out.append(held.pop())
    return np.array(out + held)


def _with(**how):
    return lambda items, size, picks: _through(items, size, picks, **how)


def _rest_first(items, size, picks):
    out = _through(items, size, picks)
    left = max(0, len(items) - size)
    return np.roll(out, -left)


def _all_at_once(items, picks):
    """Pick from all items that are left."""
    held, out = list(items), []
    while held:
        out.append(held.pop(int(picks[len(out)] * len(held))))
    return np.array(out)


BUFFER_SLIPS = (
    ("rest forgotten", _with(last=lambda held: [])),
    ("one too early", _with(room=lambda size: size - 1)),
    ("before it is put in", _early),
    ("rest backwards", _with(last=lambda held: held[::-1])),
    ("as they came", lambda items, size, picks: np.array(items)),
    ("always the last", _with(place=lambda pick, held: -1)),
    ("pick of the item", _with(taken=lambda number: number)),
    ("swapped", _swapped),
    ("no buffer", lambda items, size, picks: _all_at_once(items, picks)),
    ("one pick too few", _with(first=1)),
    ("rest first", _rest_first),
    ("put in front", _with(front=True)),
    ("place from the back", _with(place=lambda pick, held: -1 - int(pick * len(held)))),
    ("rounded", _with(place=lambda pick, held: min(round(pick * len(held)), len(held) - 1))),
)


def mask_probes() -> list[Probe]:
    """Return batches whose filling is zero, large, or not a zero at all, with zeros among the real
    values.
    """
    rng = np.random.default_rng(42)
    probes = []
    for lengths, filling in (((4, 2), 0.0), ((1, 5, 3), 0.0), ((6, 2, 4), 9.0), ((3, 3), -1.0)):
        batch = np.full((len(lengths), max(lengths) + 1), filling)
        for row, n in zip(batch, lengths, strict=True):
            row[:n] = np.round(rng.uniform(-3, 6, n), 1)
            row[n // 2] = 0.0
        say = f"a batch of shape {batch.shape}, filled with {filling:g}, and lengths = {lengths}"
        probes.append(Probe((batch, np.array(lengths)), say))
    return probes


def _real(batch, lengths):
    return np.arange(batch.shape[1]) < np.asarray(lengths)[:, None]


def _sums(batch, lengths):
    return (batch * _real(batch, lengths)).sum(axis=1)


def _rows(batch, lengths, fn):
    return np.array([fn(row[:n]) for row, n in zip(batch, lengths, strict=True)])


MASK_SLIPS = (
    ("no mask", lambda b, n: b.mean(axis=1)),
    ("divided by T", lambda b, n: _sums(b, n) / b.shape[1]),
    ("sums", _sums),
    ("zeros left out", lambda b, n: b.sum(axis=1) / (b != 0).sum(axis=1)),
    ("zeros left out", lambda b, n: _sums(b, n) / ((b != 0) & _real(b, n)).sum(axis=1)),
    ("one too many", lambda b, n: _rows(b, n + 1, np.mean)),
    ("one too few", lambda b, n: _rows(b, np.maximum(n - 1, 0), np.mean)),
    ("one mean for all", lambda b, n: b[_real(b, n)].mean()),
    ("over the batch", lambda b, n: b.mean(axis=0)),
    ("the filling", lambda b, n: (b * ~_real(b, n)).sum(axis=1) / (~_real(b, n)).sum(axis=1)),
    ("the shortest", lambda b, n: b[:, : n.min()].mean(axis=1)),
    ("the longest", lambda b, n: b[:, : n.max()].mean(axis=1)),
    ("divided by the longest", lambda b, n: _sums(b, n) / n.max()),
    ("last values", lambda b, n: _rows(b[:, ::-1], n, np.mean)),
    ("the median", lambda b, n: _rows(b, n, np.median)),
    ("root of the mean square", lambda b, n: _rows(b**2, n, np.mean) ** 0.5),
)

SCENES = ("clean", "in rain", "in rain, 20 dB quieter")


@functools.cache
def _recordings() -> tuple:
    """Return (scene, levels of the frames [dB], truth) of two voices in three scenes."""
    found = []
    rain = audio.clip("rain")[0]
    for name in ("italian", "russian"):
        y, sr = audio.clip(name)
        middles = (np.arange(len(y) // 512) * 512 + 256) / sr
        spoken = np.zeros(len(middles), dtype=bool)
        for row in audio.table("clip_times"):
            if row["clip"] == name:
                spoken |= (middles >= float(row["start_s"])) & (middles < float(row["end_s"]))
        rainy = audio.mix(y, np.resize(rain, len(y)), snr_db=10)
        for scene, made in zip(SCENES, (y, rainy, 0.1 * rainy), strict=True):
            frames = made[: len(made) // 512 * 512].reshape(-1, 512)
            levels = 10 * np.log10((frames.astype(float) ** 2).mean(axis=1) + 1e-10)
            found.append((f"{name}, {scene}", levels, spoken))
    return tuple(found)


def speech_probes() -> list[Probe]:
    """Return the levels of two voices, clean, in rain, and quieter."""
    return [Probe((levels,), f"the levels of {name}") for name, levels, _ in _recordings()]


def _wrong(got: list) -> dict[str, float]:
    """Return the share of wrong frames in each scene, on average over the voices."""
    shares = {scene: [] for scene in SCENES}
    for says, (name, _, spoken) in zip(got, _recordings(), strict=True):
        shares[name.split(", ", 1)[1]].append(np.mean((np.asarray(says) > 0.5) != spoken))
    return {scene: float(np.mean(some)) for scene, some in shares.items()}


def _speech_measured(got: list) -> str:
    return (
        "wrong frames: " + ", ".join(f"{100 * w:.0f} % {s}" for s, w in _wrong(got).items()) + "."
    )


def _one_answer(got: list) -> bool:
    return any(len(set((np.asarray(says) > 0.5).tolist())) == 1 for says in got)


SPEECH_SLIPS = (
    ("always the same", lambda levels: np.ones(levels.shape)),
    ("turned round", lambda levels: 1.0 - good_detector(levels)),
    ("clean", lambda levels: 1.0 * (levels > levels.max() - 18)),
    ("rain", lambda levels: 1.0 * (levels > np.percentile(levels, 10) + 3)),
    ("quiet", lambda levels: good_detector(levels) * (levels > -54)),
)
SPEECH_GOALS = (
    ("always the same", _one_answer),
    ("turned round", lambda got: _wrong(got)[SCENES[0]] > 0.5),
    ("clean", lambda got: _wrong(got)[SCENES[0]] > 0.10),
    ("rain", lambda got: _wrong(got)[SCENES[1]] > 0.15),
    ("quiet", lambda got: _wrong(got)[SCENES[2]] > 0.15),
)


def good_detector(levels):
    """Return where a limit between quiet and loud frames is passed by most of seven neighbours."""
    low, high = np.percentile(levels, [10, 90])
    loud = levels > low + 0.2 * (high - low)
    padded = np.pad(loud.astype(float), 3, mode="edge")
    return 1 * (np.convolve(padded, np.ones(7), mode="valid") > 3.5)


def leaks_view():
    """Return tests of ten clips of which more and more are by somebody who teaches."""
    met = np.arange(11)
    return met, [(["ann", "bob"], ["ann"] * k + ["cid"] * (10 - k)) for k in met.tolist()]


def people_view():
    """Return a person who is never right, drawn with one who always is, more and more often."""
    times = np.arange(1, 9)
    hits, people = np.array([0, 0, 0, 0, 1, 1]), np.array(["ann"] * 4 + ["bob"] * 2)
    return times, [(hits, people, ["ann"] + ["bob"] * k) for k in times.tolist()]


def buffer_view():
    """Return sixty items through a buffer of ten."""
    picks = np.random.default_rng(0).random(60)
    return np.arange(60), [(list(range(60)), 10, picks)]


def mask_view():
    """Return ramps that end earlier and earlier, and are filled with zeros."""
    lengths = np.arange(2, 31)
    ramp = np.arange(30.0)
    return lengths, [(np.where(ramp < lengths[:, None], ramp, 0.0), lengths)]


def speech_view():
    """Return the Italian voice in rain."""
    levels = _recordings()[1][1]
    return np.arange(levels.size) * 0.032, [(levels,)]


CHECKS = {
    "40.leaks": Check(
        leaks_probes,
        _met,
        LEAKS_SLIPS,
        atol=1e-9,
        shows=Curve(leaks_view, "clips of ten whose speaker teaches", "share that leaks"),
    ),
    "40.split": Check(
        split_probes,
        lambda groups, places, share: 1 * (_place(groups, places) < share),
        SPLIT_SLIPS,
        atol=1e-9,
    ),
    "40.people": Check(
        people_probes,
        lambda hits, people, drawn: _drawn(hits, people, drawn).mean(),
        PEOPLE_SLIPS,
        atol=1e-9,
        shows=Curve(people_view, "times that the better one is drawn", "share that is right"),
    ),
    "40.buffer": Check(
        buffer_probes,
        _through,
        BUFFER_SLIPS,
        atol=1e-9,
        shows=Curve(buffer_view, "left as number", "came as number"),
    ),
    "40.mask": Check(
        mask_probes,
        lambda batch, lengths: _sums(batch, lengths) / lengths,
        MASK_SLIPS,
        atol=1e-9,
        shows=Curve(mask_view, "real values", "mean of a ramp"),
    ),
    "40.speech": Check(
        speech_probes,
        good_detector,
        SPEECH_SLIPS,
        atol=1e-9,
        goals=SPEECH_GOALS,
        measured=_speech_measured,
        shows=Curve(speech_view, "time [s]", "decision", other="one good answer"),
    ),
}
