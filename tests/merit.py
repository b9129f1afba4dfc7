"""The reference tables of windows, and each of their windows from its definition."""

import csv
from pathlib import Path

import numpy as np


def table(name):
    """Rows of one table in data/tables, as dicts of text."""
    path = Path(__file__).parents[1] / "data" / "tables" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def window_of(row, n):
    """A window of windows_figures_of_merit.csv or windows_cola.csv, from its definition in the
    former.
    """
    name, parameter = row["window"], row["parameter"]
    if name == "rectangular":
        return "boxcar"
    if name.startswith("bartlett"):
        return "bartlett"
    if name.startswith("cosine"):
        return np.sin(np.pi * np.arange(n) / n)
    if name == "welch":
        return 1 - (2 * np.arange(n) / n - 1) ** 2
    if name == "tukey":
        return "tukey", float(parameter.split()[1])
    if name in ("kaiser", "gaussian"):
        letter, value = parameter.split()[0].split("=")
        if name == "gaussian":
            return name, n / 2 / float(value)
        return name, float(value) * (np.pi if letter == "alpha" else 1)
    if parameter == "25/46":  # the table rounds its terms
        return "general_hamming", 25 / 46
    (terms,) = (
        r["definition_or_cosine_terms"]
        for r in MERIT
        if (r["window"], r["parameter"]) == (name, parameter)
    )
    return "general_cosine", [
        np.divide(*map(float, (*t.split("/"), 1)[:2])) for t in terms.split(",")
    ]


MERIT = table("windows_figures_of_merit")
NAMES = [f"{row['window'][:9]}-{row['parameter'][:12]}" for row in MERIT]
