"""Lead sheets of songs that nobody tuned anything on, stage by stage, with beats of four kinds.

    python3 -m tools.measure.score_sheet

writes data/tables/lead_sheets.csv: a row for each song and each kind of beats. The scores are
mir_eval's, but for the parts: there 10 lg of the energy of the truth over that of the error.
"""

import csv

import mir_eval
import numpy as np

from helpers import audio, music
from helpers.music import sheet_page

SEEDS = range(1000, 1024)
FORMS = ("AABA", "ABAB", "ABAC", "AABB")
SR = 22050
COLUMNS = ("seed", "form", "beats", "F_beats", "F_bars", "chords", "key", "tune", "F_form")
TABLE = audio.DATA / "tables" / "lead_sheets.csv"


def kinds_of_beats(score, y):
    """Return the beats of the score, half of them, the middles between them, and two trackers'."""
    true = score.beats()
    found = {"true": true, "half": true[::2], "off-beat": true + (true[1] - true[0]) / 2}
    found["network"] = None
    return found | {"rule": music.beat_track(y, sr=SR, by="rule")}


def chord_share(score, sheet):
    """Return the share of right seconds by the rule majmin."""
    rows = score.chords()
    truth = np.array([row[:2] for row in rows])
    edges = sheet.beats
    times = np.column_stack([edges[:-1], edges[1:]])
    times, names = mir_eval.util.adjust_intervals(
        times, list(sheet.chords), 0.0, truth.max(), "N", "N"
    )
    cut, wanted, said = mir_eval.util.merge_labeled_intervals(
        truth, [row[2] for row in rows], times, names
    )
    points = mir_eval.chord.majmin(wanted, said)
    return mir_eval.chord.weighted_accuracy(points, mir_eval.util.intervals_to_durations(cut))


def hertz(notes, times):
    """Return the pitch at each time [Hz], 0 where there is no note."""
    freqs = np.zeros(len(times))
    for start, end, pitch in notes:
        freqs[(times >= start) & (times < end)] = 440 * 2 ** ((pitch - 69) / 12)
    return freqs


def tune_share(score, sheet):
    """Return the share of the tune's time in which the pitch is right to a quarter tone."""
    times = np.arange(0, score.seconds(score.length), 0.01)
    part = score.parts[0]
    truth = [(score.seconds(a), score.seconds(a + n), p) for a, n, p, _ in part.notes]
    freqs = (hertz(truth, times), hertz(sheet.notes, times))
    v = [f > 0 for f in freqs]
    cents = [mir_eval.melody.hz2cents(f) for f in freqs]
    return mir_eval.melody.raw_pitch_accuracy(v[0], cents[0], v[1], cents[1])


def form_F(score, sheet):
    """Return F of the seams between phrases, within half a second."""
    truth = np.array([row[:2] for row in score.sections()])
    found = np.array([[sheet.beats[a], sheet.beats[b]] for a, b, _ in sheet.sections])
    return mir_eval.segment.detection(truth, found, window=0.5, trim=True)[2]


def key_points(score, sheet):
    """Return 1 for the right key, less for a near one; the tonic is that of the first chord."""
    names = [label.replace(":maj", " major").replace(":min", " minor") for label in
             (score.chords()[0][2], sheet.key)]  # fmt: skip
    return mir_eval.key.weighted_score(*names)


def scores(score, sheet):
    """Return the six numbers of a row."""
    bars = sheet.beats[[a for a, _ in sheet.bars()]]
    return (
        mir_eval.beat.f_measure(score.beats(), sheet.beats[:-1]),
        mir_eval.beat.f_measure(score.beats()[::4], bars),
        chord_share(score, sheet),
        key_points(score, sheet),
        tune_share(score, sheet),
        form_F(score, sheet),
    )


def parts_db(score, sheet, y):
    """Return how far each part of a page stands above its error [dB]."""
    tracks = sheet_page.sheet_tracks(sheet, y, sr=SR)
    whole = sum(tracks[name] for name in sheet_page.PARTS["recording"])
    scale = whole @ y / (y @ y)
    found = {}
    for name, part in (("melody", "melody"), ("drums", "drums")):
        some = tuple(p for p in score.parts if p.name == part)
        if some:
            alone = music.Score("part", some, score.tempo, score.length)
            gain = scale * _gain_in_mix(score, y)
            truth = gain * music.play(alone, level_db=None)
            error = tracks[name] - truth
            found[name] = 10 * np.log10(np.sum(truth**2) / np.sum(error**2))
    return found


def _gain_in_mix(score, y):
    raw = music.play(score, level_db=None)
    return raw @ y / (raw @ raw)


def main():
    """Score all songs and write the table."""
    rows = []
    apart = {"melody": [], "drums": []}
    for seed in SEEDS:
        form = FORMS[seed % len(FORMS)]
        score = music.song_of_form(seed, form)
        y = music.play(score)
        for kind, beats in kinds_of_beats(score, y).items():
            sheet = music.lead_sheet(y, sr=SR, beats=beats)
            numbers = [f"{value:.3f}" for value in scores(score, sheet)]
            rows.append((seed, form, kind, *numbers))
            if kind == "network":
                for name, db in parts_db(score, sheet, y).items():
                    apart[name].append(db)
        print(*rows[-5:], sep="\n", flush=True)
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    for name, values in apart.items():
        print(f"{name}: {np.mean(values):.1f} ± {np.std(values):.1f} dB, {len(values)} songs")


if __name__ == "__main__":
    main()
