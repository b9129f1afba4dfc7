"""Open the course in JupyterLab."""

import argparse
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRST = "notebooks/00_start_here.ipynb"


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


def quieten(prefix: Path) -> None:
    """Let no question about news or updates stand on a learner's first screen; a choice in
    JupyterLab overrules it.
    """
    file = prefix / "share/jupyter/lab/settings/overrides.json"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        file.write_text(
            json.dumps({"@jupyterlab/apputils-extension:notification": quiet}), encoding="utf-8"
        )


def command(*, port: int | None, rest: list[str]) -> list[str]:
    """Return the command that starts JupyterLab on the first notebook."""
    asked = ["--ServerApp.port_retries=0", f"--ServerApp.port={port}"] if port else []
    root = (
        ["--allow-root"]
        if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in rest
        else []
    )
    first = [
        f"--LabApp.default_url=/lab/tree/{FIRST}"
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
    options, rest = parser.parse_known_args(argv)
    if options.port and not is_free(options.port):
        return (
            f"Port {options.port} is taken. Choose another, or leave --port out and the first free "
            "one is used."
        )
    rest += ["--no-browser"] * options.no_browser
    print("Opening JupyterLab. To close it: Ctrl-C here, twice.", flush=True)
    quieten(Path(sys.prefix))
    words = command(port=options.port, rest=rest)
    os.chdir(ROOT)
    if os.name != "nt":
        os.execv(words[0], words)  # so that Ctrl-C and other signals reach JupyterLab itself
    return subprocess.call(words)


if __name__ == "__main__":
    sys.exit(main())
