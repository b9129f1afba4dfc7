"""Open the course in JupyterLab."""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

from tools.start import copies, frontend

ROOT = Path(__file__).resolve().parents[2]
FIRST = "00_start_here.ipynb"


def is_free(port: int) -> bool:
    """Return whether nobody listens on a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # on Windows the same option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def command(*, port: int | None, rest: list[str], folder: str = copies.FOLDER) -> list[str]:
    """Return the command that starts JupyterLab on the first notebook of a folder."""
    asked = ["--ServerApp.port_retries=0", f"--ServerApp.port={port}"] if port else []
    root = (
        ["--allow-root"]
        if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in rest
        else []
    )
    first = [
        f"--LabApp.default_url=/lab/tree/{folder}/{FIRST}"
    ]  # also in the address that --no-browser prints
    return [sys.executable, "-m", "jupyterlab", *first, *asked, *root, *rest]


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py lab`."""
    parser = argparse.ArgumentParser(
        prog="course.py lab",
        description=__doc__,
        epilog="Other options go to JupyterLab as they are.",
    )
    parser.add_argument(
        "--port", type=int, help="a fixed port; without it the first free one from 8888 on"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address instead of opening a browser"
    )
    parser.add_argument(
        "--originals",
        action="store_true",
        help="work in notebooks/ itself, for who writes the course",
    )
    options, rest = parser.parse_known_args(argv)
    if options.port and not is_free(options.port):
        return (
            f"Port {options.port} is taken. Choose another, or leave --port out and the first free "
            "one is used."
        )
    rest += ["--no-browser"] * options.no_browser
    folder = "notebooks" if options.originals else copies.FOLDER
    try:
        said = [] if options.originals else copies.renew(ROOT)
    except OSError as error:  # a full disk, or a folder that cannot be written
        folder = "notebooks"
        why = error.strerror or error
        said = [f"Your own pages could not be made ({why}): these are the originals."]
    for line in said:
        print(line)
    print("Opening JupyterLab. To close it: Ctrl-C here, twice.", flush=True)
    with contextlib.suppress(OSError):  # without it the pages work, and do not wake by a button
        frontend.install(Path(sys.prefix))
    words = command(port=options.port, rest=rest, folder=folder)
    os.chdir(ROOT)
    if os.name != "nt":
        os.execv(words[0], words)  # so that Ctrl-C and other signals reach JupyterLab itself
    return subprocess.call(words)


if __name__ == "__main__":
    sys.exit(main())
