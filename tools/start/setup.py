"""Make or mend .venv, the environment of the course.

Standard library only: this runs before anything is installed. The stamp `.venv/course.json` is
written last, so an install that was interrupted has none, and the next start mends it.
"""

import argparse
import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from tools.start import packages
from tools.start.packages import TRIED, NotToBeHad, SetupError, environ, say, venv_python

STOPPED = "Stopped. Run the same command again: it goes on where it stopped."

# group: (its name for a learner, file of pins, MB to download, MB on disk), measured on Linux
GROUPS = {
    "learner": ("packages", "pins.txt", 205, 850),
    "torch": ("PyTorch", "pins-torch.txt", 200, 900),
    "optional": ("PESQ, a speech quality measure", "pins-optional.txt", 1, 5),
    "dev": ("what the tests need", "pins-dev.txt", 75, 320),
    "peers": ("losses to compare with", "pins-peers.txt", 2, 10),
}
CUDA_MB = 3000  # what CUDA adds to torch's download, about


def fingerprint(group: str) -> str:
    """Return a hash of what a group pins."""
    pins = packages.ROOT / "tools" / GROUPS[group][1]
    return hashlib.sha256(pins.read_bytes().replace(b"\r", b"")).hexdigest()[:16]


def read_stamp() -> dict:
    """Return what the last finished install wrote, or nothing."""
    with contextlib.suppress(OSError, ValueError):
        stamp = json.loads((packages.VENV / "course.json").read_text(encoding="utf-8"))
        return stamp if isinstance(stamp, dict) else {}
    return {}


def write_stamp(groups: dict[str, str]) -> None:
    """Write what is installed, and one file of each package so that a later start sees what
    somebody deleted.
    """
    site = packages.site_packages()
    witnesses = [*site.glob("*.dist-info/METADATA"), *site.glob("*/__init__.py")]
    stamp = {
        "root": str(packages.ROOT),
        "python": probe(venv_python()),
        "groups": groups,
        "witnesses": sorted(path.relative_to(packages.VENV).as_posix() for path in witnesses),
    }
    (packages.VENV / "course.json").write_text(json.dumps(stamp, indent=1), encoding="utf-8")


def probe(python: Path) -> str | None:
    """Return the version of a Python that starts and has pip, else None."""
    code = (
        "import sys, importlib.util as u; print('%d.%d.%d' % sys.version_info[:3] if "
        "u.find_spec('pip') else '')"
    )
    try:
        done = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, env=environ(), timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def installed() -> dict[str, str]:
    """Return the groups of a whole environment; nothing where it was moved, broken or never
    finished.
    """
    stamp = read_stamp()
    whole = (
        stamp.get("root") == str(packages.ROOT)
        and all((packages.VENV / name).exists() for name in stamp["witnesses"])
        and probe(venv_python()) == stamp["python"]
    )
    return stamp["groups"] if whole else {}


def wanted(*, dev: bool, torch: bool | None) -> list[str]:
    """Return the groups to have; without a word about torch, the last choice holds."""
    if torch is None:
        torch = "torch" in read_stamp().get("groups", {"torch": ""})
    learner = ["learner", *(["torch"] if torch else []), "optional"]
    return [*learner, *(["dev"] if dev else []), *(["peers"] if dev and torch else [])]


def check_python(version: tuple[int, ...] = sys.version_info) -> None:
    """Refuse a Python that is too old; a newer one is tried."""
    have = f"{version[0]}.{version[1]}"
    if tuple(version[:2]) < (3, 11):
        raise SetupError(f"The course needs Python {TRIED}; this is Python {have}.")
    if tuple(version[:2]) > (3, 13):
        say(
            f"Python {have} is newer than those the course was tried with ({TRIED}); trying it all "
            "the same."
        )


def check_folder(megabytes: int) -> None:
    """Refuse a folder that cannot be written, or a disk without the room."""
    test = packages.ROOT / ".course-write-test"
    try:
        test.touch()
        test.unlink()
    except OSError as error:
        reason = f"{packages.ROOT} cannot be written ({error.strerror or error})"
        raise SetupError(f"{reason}. Copy the course to a folder of your own.") from error
    free = shutil.disk_usage(packages.ROOT).free // 10**6
    if free < megabytes:
        raise SetupError(
            f"Too little disk space in {packages.ROOT}: {megabytes} MB are needed, {free} MB are "
            "free."
        )


def make_venv() -> None:
    """Make .venv anew, unless a sound one of the same Python is there to be mended."""
    version = probe(venv_python())
    if version and version.split(".")[:2] == [str(n) for n in sys.version_info[:2]]:
        if damaged := packages.forget_damaged():
            say(f"      damaged, to be installed again: {', '.join(damaged)}")
        return
    if packages.VENV.exists():
        say("      the .venv that is there does not work with this Python: making it anew")
        shutil.rmtree(packages.VENV)
    base = getattr(sys, "_base_executable", None) or sys.executable
    done = subprocess.run(
        [base, "-m", "venv", packages.VENV], capture_output=True, text=True, env=environ()
    )
    if done.returncode:
        shutil.rmtree(packages.VENV, ignore_errors=True)
        if "ensurepip" in done.stdout + done.stderr:
            raise SetupError(
                "This Python lacks its venv part. On Debian and Ubuntu: sudo apt install "
                "python3-venv"
            )
        raise packages.fault(done.stdout + done.stderr)


def install(group: str) -> str:
    """Install one group and return what the stamp is to say of it."""
    source = (
        ["--no-deps"] if group == "peers" else []
    )  # or pip would fetch another torch where ours is missing
    if group == "torch":
        own = packages.own_sources(venv_python())
        source = packages.torch_source(system=sys.platform, nvidia=packages.has_nvidia(), own=own)
    try:
        packages.pip_install([*source, "-r", f"tools/{GROUPS[group][1]}"])
    except NotToBeHad as error:
        if group != "torch":
            raise
        say(f"      {error}\n      Parts 1 and 2 need no PyTorch; part 3 does.")
        return "unavailable " + fingerprint(group)
    except SetupError:
        if group != "optional":
            raise
        say(
            "      not installed: a C compiler is needed. Everything else works; metrics.pesq will "
            "say so."
        )
        return "unavailable " + fingerprint(group)
    return fingerprint(group)


def plan(groups: list[str]) -> tuple[str, int]:
    """Return what is about to be downloaded, in words, and the disk space that it takes [MB]."""
    download, disk = (sum(GROUPS[group][i] for group in groups) for i in (2, 3))
    cuda = "torch" in groups and sys.platform.startswith("linux") and packages.has_nvidia()
    download, disk = download + cuda * CUDA_MB, disk + 2 * cuda * CUDA_MB
    what = (
        "Python packages"
        + (" with PyTorch" if "torch" in groups else "")
        + (" for CUDA" if cuda else "")
    )
    return f"{what}, about {download} MB to download and {disk} MB on disk", disk


def ensure(*, dev: bool = False, torch: bool | None = None, again: bool = False) -> None:
    """Make sure that the environment is there, and return at once where it is; `again` retries what
    failed.
    """
    have = installed()
    todo = [
        g for g in wanted(dev=dev, torch=torch) if have.get(g, "").split(" ")[-1] != fingerprint(g)
    ]
    todo += [g for g in have if again and g not in todo and have[g].startswith("unavailable")]
    if not todo:
        return
    check_python()
    text, megabytes = plan(todo)
    check_folder(megabytes)
    what = "Adding to" if have else "Mending" if packages.VENV.exists() else "Setting up"
    say(
        f"{what} the course in {packages.VENV}: {text}. This happens once; what pip has kept is "
        "not fetched again."
    )
    steps = len(todo) + 2
    say(f"[1/{steps}] the environment")
    if not have:
        make_venv()
    (packages.VENV / "course.json").unlink(missing_ok=True)
    for number, group in enumerate(todo, start=2):
        say(f"[{number}/{steps}] {GROUPS[group][0]}")
        have[group] = install(group)
    say(
        f"[{steps}/{steps}] the package helpers, and compiling what is slow on first use (half a "
        "minute)"
    )
    packages.pip_install(["--no-deps", "--no-build-isolation", "--editable", "."])
    subprocess.run(
        [venv_python(), "-m", "tools.start.warm"], cwd=packages.ROOT, check=False, env=environ()
    )
    write_stamp(have)
    say("The course is set up.")


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py setup`."""
    parser = argparse.ArgumentParser(prog="course.py setup", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--no-torch", action="store_true", help="leave PyTorch out; parts 1 and 2 need none"
    )
    parser.add_argument("--dev", action="store_true", help="with what the tests need")
    parser.add_argument("--fresh", action="store_true", help="throw .venv away first")
    options = parser.parse_args(argv)
    try:
        if options.fresh and packages.VENV.exists():
            check_python()
            shutil.rmtree(packages.VENV)
        ensure(dev=options.dev, torch=not options.no_torch, again=True)
    except SetupError as error:
        return str(error)
    except KeyboardInterrupt:
        return STOPPED
    say("Ready: python3 course.py lab")
    return 0


if __name__ == "__main__":
    sys.exit(main())
