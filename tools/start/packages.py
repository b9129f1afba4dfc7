"""Run pip for setup: where torch comes from, and what a failure means to a learner."""

import csv
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
TRIED = "3.11, 3.12 or 3.13"


class SetupError(Exception):
    """Something a learner can mend; its text is the one line to show."""


class NotToBeHad(SetupError):
    """A pinned package that does not exist for this system and Python."""


# what pip says, and what a learner should read; the first that fits wins
FAULTS = [
    (
        r"No space left on device|Errno 28|not enough space",
        "The disk is full. Free some space and run this again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "The server's certificate was refused: a proxy, or a wrong clock? See {log}",
    ),
    (
        r"Failed to establish a new connection|NewConnectionError|[Nn]ame "
        r"resolution|getaddrinfo|Max retries exceeded"
        r"|Connection (refused|broken|reset|aborted)|timed out|ProxyError|IncompleteRead",
        "No network: the packages could not be fetched. Connect and run this again; what has "
        "arrived is kept.",
    ),
    (
        r"Read-only file system|Permission denied|Access is denied",
        "{venv} cannot be written. Copy the course elsewhere.",
    ),
]
NOT_TO_BE_HAD = (
    r"No matching distribution found for (\S+)|requires a different Python|ResolutionImpossible"
)


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def venv_python(venv: Path | None = None) -> Path:
    """Return the environment's Python, on Windows as elsewhere."""
    return (venv or VENV) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def environ() -> dict[str, str]:
    """Return the variables for the environment's Python, less those that bend where it imports from
    or installs to.
    """
    bent = {"PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX"}
    return {k: v for k, v in os.environ.items() if k not in bent} | {
        "PIP_USER": "0",
        "PYTHONUTF8": "1",
    }


def own_sources(python: Path) -> bool:
    """Return whether the user's pip configuration names where packages come from."""
    listed = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, env=environ()
    )
    return bool(
        re.search(
            r"^\S*\.(index-url|extra-index-url|find-links|no-index)=", listed.stdout, re.MULTILINE
        )
    )


def has_nvidia() -> bool:
    """Return whether an NVIDIA driver is installed."""
    return bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia/version").exists()


def torch_source(*, system: str, nvidia: bool, own: bool) -> list[str]:
    """Return pip's options for torch: its CPU build on Linux without a driver, unless the user
    names sources.
    """
    if own or nvidia or not system.startswith("linux"):
        return []
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return ["--index-url", settings["tool"]["course"]["torch_cpu_index"]]


def fault(output: str) -> SetupError:
    """Return the error whose one line tells a learner why pip failed."""
    log = f"{VENV / 'setup.log'}"
    for pattern, line in FAULTS:
        if re.search(pattern, output):
            return SetupError(line.format(log=log, venv=VENV))
    if found := re.search(NOT_TO_BE_HAD, output):
        what, have = found[1] or "a pinned package", ".".join(map(str, sys.version_info[:2]))
        return NotToBeHad(
            f"{what} cannot be had for Python {have} on this system. Use Python {TRIED}. See {log}"
        )
    errors = [line[7:] for line in output.splitlines() if line.startswith("ERROR: ")]
    return SetupError(
        f"The packages could not be installed: {errors[-1] if errors else 'pip stopped'}. See {log}"
    )


def pip_install(arguments: list[str], *, python: Path | None = None) -> None:
    """Run pip install, which shows its own progress, and raise SetupError with one clear line."""
    options = ["--disable-pip-version-check", "--no-input", "--log", VENV / "setup.log"]
    done = subprocess.run(
        [python or venv_python(), "-m", "pip", "install", *options, *arguments],
        stderr=subprocess.PIPE,  # where pip says what went wrong
        text=True,
        errors="replace",
        env=environ(),
        cwd=ROOT,
    )
    if done.returncode:
        raise fault(done.stderr)


def site_packages() -> Path:
    """Return the environment's folder of packages."""
    return next(
        p
        for p in [*VENV.glob("lib/python*/site-packages"), VENV / "Lib/site-packages"]
        if p.is_dir()
    )


def forget_damaged() -> list[str]:
    """Drop pip's memory of packages that lack files, so that it installs them again; return their
    names.
    """
    damaged = []
    for info in site_packages().glob("*.dist-info"):
        try:
            with (info / "RECORD").open(newline="", encoding="utf-8") as record:
                files = [
                    row[0] for row in csv.reader(record) if row and not row[0].endswith(".pyc")
                ]
            sound = (info / "INSTALLER").exists() and all(
                (info.parent / name).exists() for name in files
            )
        except OSError:
            sound = False
        if not sound:
            damaged.append(info.name.split("-")[0])
            shutil.rmtree(info)
    return sorted(damaged)
