"""How good an enhancer is: on repeatable mixtures while it trains, then on a folder that no
training has seen.
"""

import csv
import warnings
from pathlib import Path

import numpy as np
import torch

from helpers import audio, metrics

__all__ = ["evaluate", "heldout", "summary", "validate", "validate_copies", "validate_loss"]


@torch.no_grad()
def validate(model, mixtures, *, n: int = 48) -> float:
    """Return the mean improvement in SI-SDR over n mixtures at 0, 5 and 10 dB.

    Parameters
    ----------
    model : torch.nn.Module
        Noisy waveforms (B, n) in, estimates out.
    mixtures : sequence of Mixtures
        Those to draw from, in turn.
    n : int, default 48
        How many mixtures.

    Returns
    -------
    float
        Mean improvement [dB].
    """
    gains, where = [], next(model.parameters()).device
    for index in range(n):
        noisy, clean = mixtures[index % len(mixtures)].item(0, index)
        estimate = model(torch.from_numpy(noisy)[None].to(where))[0].float().cpu().numpy()
        gains.append(metrics.si_sdr(estimate, clean) - metrics.si_sdr(noisy, clean))
    return float(np.mean(gains))


@torch.no_grad()
def validate_loss(model, supplies, *, n: int = 48) -> float:
    """Return minus the mean loss of a model that brings its own.

    Parameters
    ----------
    model : torch.nn.Module
        With `forward` and `loss`.
    supplies : sequence of Mixtures or Crops
        Those to draw from, in turn.
    n : int, default 48
        How many items.

    Returns
    -------
    float
        The higher, the better.
    """
    losses, where = [], next(model.parameters()).device
    for index in range(n):
        given, wanted = (
            torch.from_numpy(y)[None].to(where)
            for y in supplies[index % len(supplies)].item(0, index)
        )
        losses.append(float(model.loss(model(given), wanted)))
    return -float(np.mean(losses))


@torch.no_grad()
def validate_copies(model, supplies, *, n: int = 12) -> float:
    """Return the mean PESQ of what a vocoder makes of the mels that it learns from.

    Parameters
    ----------
    model : torch.nn.Module
        Of a vocoder: ``to_mel[0]`` makes the mel, `generate` the sound.
    supplies, n
        As for `validate_loss`.

    Returns
    -------
    float
        Mean PESQ-WB.
    """
    found, where = [], next(model.parameters()).device
    for index in range(n):
        given, wanted = supplies[index % len(supplies)].item(0, index)
        log_mel = model.to_mel[0](torch.from_numpy(given)[None].to(where))
        copy = model.generate(log_mel, len(wanted))[0].cpu().numpy()
        found.append(metrics.pesq(copy, wanted, sr=16000))
    return float(np.mean(found))


def heldout(folder):
    """Yield every mixture of a held-out folder.

    Parameters
    ----------
    folder : path
        Folder with manifest.csv, whose columns noisy, clean, snr_db, noise_type name files and
        conditions.

    Yields
    ------
    row : dict
        The line of the manifest.
    noisy, clean : np.ndarray, shape (n,)
        Mixture and speech.
    sr : int
        Their sampling rate [Hz].

    Raises
    ------
    ValueError
        If there is no manifest, or the two files of a pair differ in rate or length.
    """
    folder = Path(folder)
    if not (folder / "manifest.csv").is_file():
        raise ValueError(f"{folder} holds no manifest.csv; name a folder like shared/heldout")
    for row in csv.DictReader((folder / "manifest.csv").read_text(encoding="utf-8").splitlines()):
        noisy, sr = audio.load(folder / row["noisy"])
        clean, clean_sr = audio.load(folder / row["clean"])
        if sr != clean_sr:
            raise ValueError(
                f"{row['noisy']} is at {sr} Hz but {row['clean']} at {clean_sr} Hz; resample one"
            )
        if noisy.shape != clean.shape:
            raise ValueError(
                f"{row['noisy']} has {len(noisy)} samples but {row['clean']} {len(clean)}; cut "
                "both to the same length"
            )
        yield row, noisy, clean, sr


def evaluate(enhance, folder, *, quality: bool = True) -> list[dict]:
    """Return the scores of every mixture of a held-out folder.

    Parameters
    ----------
    enhance : callable
        ``enhance(y, sr=sr)``, from a noisy waveform to an estimate of the same length.
    folder : path
        As for `heldout`.
    quality : bool, default True
        PESQ-WB and STOI too.

    Returns
    -------
    list of dict
        One row a mixture: file, snr_db, noise_type; si_sdr, pesq, stoi of the estimate and, with
        _in, of the input. What has no score, as the PESQ of silence, is NaN; a warning says why.
    """
    rows = []
    for row, noisy, clean, sr in heldout(folder):
        out = {
            "file": row["noisy"],
            "snr_db": float(row["snr_db"]),
            "noise_type": row["noise_type"],
        }
        before, after = scores(noisy, clean, sr=sr, quality=quality), enhance(noisy, sr=sr)
        out |= scores(after, clean, sr=sr, quality=quality)
        rows.append(out | {name + "_in": value for name, value in before.items()})
    return rows


def summary(rows: list[dict]) -> str:
    """Return a table: for each SNR the mean scores of input and estimate, and the improvement in
    SI-SDR; a mean leaves out rows without a score.

    Parameters
    ----------
    rows : list of dict
        From `evaluate`.

    Returns
    -------
    str
        Lines of text.
    """
    names = [n for n in ("si_sdr", "pesq", "stoi") if n in rows[0]]
    lines = ["input SNR    n  " + "".join(f"{n:>8} in  ->  out" for n in names) + "   SI-SDR gain"]
    for db in sorted({row["snr_db"] for row in rows}):
        some = [row for row in rows if row["snr_db"] == db]
        mean = {
            key: _mean([row[key] for row in some])
            for key in some[0]
            if key.removesuffix("_in") in names
        }
        cells = "".join(f"{mean[n + '_in']:>11.3f} -> {mean[n]:>6.3f}" for n in names)
        lines.append(
            f"{db:>6.0f} dB {len(some):>4}  {cells}{mean['si_sdr'] - mean['si_sdr_in']:>+12.2f} dB"
        )
    return "\n".join(lines)


def scores(estimate, clean, *, sr: int, quality: bool = True) -> dict:
    """Return SI-SDR [dB] and, with `quality`, PESQ-WB and STOI."""
    found = {"si_sdr": float(metrics.si_sdr(estimate, clean))}
    if quality:
        found |= {name: _score(name, estimate, clean, sr=sr) for name in ("pesq", "stoi")}
    return found


def _score(name: str, estimate, clean, *, sr: int) -> float:
    """Return PESQ or STOI, or NaN and a warning: one clip must not cost the rest."""
    try:
        return getattr(metrics, name)(estimate, clean, sr=sr)
    except ValueError as error:
        warnings.warn(f"a row has no {name}: {error}", stacklevel=4)
        return float("nan")


def _mean(values: list[float]) -> float:
    """Return the mean of those that are numbers; NaN if none is."""
    known = [v for v in values if not np.isnan(v)]
    return float(np.mean(known)) if known else float("nan")
