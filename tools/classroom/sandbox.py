"""What a submission's kernel may have: a copy of the course without answers, a folder of its own,
and no more of the computer than this system can withhold.
"""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools import notebooks
from tools.classroom.inside import start

ROOT = notebooks.ROOT
INSIDE = "earup_grading"  # what tools/classroom/inside is called in a kernel
MEGA = 2**20
FILE = 50 * MEGA  # bytes of one file that a submission writes
FOLDER = 200 * MEGA  # bytes of all of them
PROCESSES = 64
# Where the truth stands; a copy for grading has nothing of it.
ANSWERS = ("solutions.toml", "teach.md", "checks.py")
NO_CHECKS = '''"""In a copy for grading a check only notes what it is given; it is asked later."""

from {inside} import answers
from helpers.coursework.feedback import NOT_ATTEMPTED, Result


def _note(key):
    def later(fn, texts):
        answers.CHECKED[key] = fn
        return Result(NOT_ATTEMPTED, "This is checked after the notebook has run.")

    return later


CHECKS = {{key: _note(key) for key in {keys!r}}}
'''


# ---- what this system offers ---------------------------------------------------------------------


@dataclass(frozen=True)
class Isolation:
    """What keeps a submission apart on this system."""

    wrapper: str  # "bubblewrap", "unshare", or nothing
    landlock: bool

    @property
    def spaces(self) -> bool:
        """Whether a kernel has a process space of its own and no network."""
        return bool(self.wrapper)

    @property
    def files(self) -> bool:
        """Whether the system itself refuses files of others."""
        return self.landlock or self.wrapper == "bubblewrap"

    def told(self) -> list[str]:
        """Return what isolates here, and what does not, as sentences."""
        by = [name for name in (self.wrapper, "Landlock" * self.landlock) if name]
        lines = []
        if self.files:
            means = "Landlock" if self.wrapper == "unshare" else " and ".join(by)
            lines.append(f"Files: only a folder of its own and a copy of the course ({means}).")
        else:
            lines.append(
                "Files: NOT guarded. A submission can read and change whatever you can, the "
                "solutions in this folder too."
            )
        if self.spaces:
            lines.append(f"Network: none. Processes: a space of its own ({self.wrapper}).")
        else:
            tcp = "no TCP (Landlock), but UDP" if self.landlock else "not cut off"
            lines.append(f"Network: {tcp}. Processes: a group of its own, ended with all its own.")
        if not (self.files and self.spaces):
            lines.append(
                "For more, install bubblewrap (Linux), or grade in a container or as a user "
                "who owns nothing."
            )
        return lines


@functools.cache
def isolation() -> Isolation:
    """Return what works here; a tool that is there and may not do its work counts for nothing."""
    landlock = start.landlock_version() > 0
    for wrapper, command in (("bubblewrap", bubblewrap), ("unshare", unshare)):
        if works(command([], [])):
            return Isolation(wrapper, landlock)
    return Isolation("", landlock)


def works(command: list[str]) -> bool:
    """Tell whether Python starts within a wrapper."""
    if not sys.platform.startswith("linux") or shutil.which(command[0]) is None:
        return False
    trial = [*command, sys.executable, "-I", "-c", "import json"]
    try:
        done = subprocess.run(trial, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def bubblewrap(readable: list[str], writable: list[str]) -> list[str]:
    """Return the beginning of a command that sees these folders and no others."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for path in [*system(), *readable]:
        command += ["--ro-bind-try", path, path]
    for path in writable:
        command += ["--bind", path, path]
    return [*command, "--remount-ro", "/", "--remount-ro", "/dev", "--"]


def unshare(readable: list[str], writable: list[str]) -> list[str]:
    """Return the beginning of a command with process and network spaces of its own; the files are
    left to Landlock.
    """
    command = ["unshare", "--user", "--map-root-user", "--net", "--ipc", "--uts", "--pid", "--fork"]
    return [*command, "--kill-child=SIGKILL", "--mount", "--mount-proc", "--"]


@functools.cache
def system() -> list[str]:
    """Return the folders that Python, its packages and the libraries under them lie in."""
    found = [sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), "/usr", "/lib", "/lib64"]
    found += [str(Path(sys.executable).resolve().parents[1]), "/bin", "/sbin", "/etc/fonts"]
    found += ["/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"]
    found += ["/sys/devices/system/cpu", "/sys/fs/cgroup"]
    return list(dict.fromkeys(path for path in found if path != "/"))


DEVICES = ["/proc", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"]


# ---- the copy of the course ----------------------------------------------------------------------


def stage(into: Path) -> None:
    """Write the course as a submission may see it: helpers and data, and no answer."""
    ignore = shutil.ignore_patterns(*ANSWERS)
    shutil.copytree(ROOT / "helpers", into / "helpers")
    shutil.copytree(ROOT / "data", into / "data", ignore=ignore)
    shutil.copytree(ROOT / "tools/classroom/inside", into / INSIDE)
    from helpers.coursework import catalogue

    for unit in catalogue.units():
        text = NO_CHECKS.format(inside=INSIDE, keys=list(catalogue.exercises(unit)))
        (into / "data/coursework" / unit / "checks.py").write_text(text, encoding="utf-8")
    warm(into / "warm")


def warm(into: Path) -> None:
    """Copy what packages work out once on a computer, or each kernel would do it again: where the
    fonts lie (matplotlib), and librosa's compiled functions (numba).
    """
    (into / "fonts").mkdir(parents=True)
    (into / "numba").mkdir()
    with contextlib.suppress(ImportError, OSError):
        import matplotlib

        for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
            shutil.copy2(path, into / "fonts")
    packages = Path(sysconfig.get_path("purelib"))
    for path in [*packages.glob("librosa/**/*.nbi"), *packages.glob("librosa/**/*.nbc")]:
        source = path.parents[1]  # numba keeps a folder for each folder of sources, named so
        place = f"{source.name}_{hashlib.sha1(str(source).encode()).hexdigest()}"
        (into / "numba" / place).mkdir(exist_ok=True)
        shutil.copy2(path, into / "numba" / place)


class Box:
    """The folder of one kernel, and the command that starts it there."""

    def __init__(self, course: Path, memory: int, seconds: float):
        self.course = course
        self.memory = memory
        self.seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="earup-", ignore_cleanup_errors=True)
        self.home = Path(self._folder.name).resolve()
        self.notebooks = self.home / "notebooks"
        self.notebooks.mkdir()
        for name in ("helpers", "data", INSIDE):
            (self.home / name).symlink_to(course / name)
        shutil.copytree(course / "warm", self.home / ".warm")

    def kernel_spec(self) -> Path:
        """Write how the kernel is started and return the folder that Jupyter looks into."""
        shelter = isolation()
        job = self.home / "job.json"
        job.write_text(json.dumps(self._job(shelter)), encoding="utf-8")
        command = [sys.executable, "-B", "-m", f"{INSIDE}.start", str(job), "-f"]
        wrap = {"bubblewrap": bubblewrap, "unshare": unshare}.get(shelter.wrapper)
        if wrap:
            command = [*wrap([str(self.course)], [str(self.home)]), *command]
        spec = {"argv": [*command, "{connection_file}"], "display_name": "grading"}
        spec |= {"language": "python", "interrupt_mode": "message"}
        folder = self.home / "kernels" / "grading"
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        return folder.parent

    def _job(self, shelter: Isolation) -> dict:
        """Return what the kernel gives up."""
        limits = {"AS": self.memory * MEGA, "FSIZE": FILE, "CORE": 0, "NOFILE": 512}
        limits["CPU"] = int(self.seconds)
        others = 0 if shelter.spaces else own_threads()  # which count only where spaces are shared
        limits["NPROC"] = 512 + others
        devices = DEVICES if shelter.spaces else [*DEVICES[1:], "/proc/self", "/proc/cpuinfo"]
        return {
            "spaces": shelter.spaces,
            "landlock": shelter.landlock,
            "hide": ["/run"] if shelter.wrapper == "unshare" else [],
            "limits": limits,
            "readable": [*system(), *devices, str(self.course)],
            "writable": [str(self.home), "/dev/null"],
        }

    def environment(self) -> dict[str, str]:
        """Return the environment of the kernel: nothing of the teacher's but the way to Python."""
        kept = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
        found = {name: os.environ[name] for name in kept if name in os.environ}
        threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        found |= dict.fromkeys(threads, "1")
        home = str(self.home)
        found |= {
            "HOME": home,
            "TMPDIR": home,
            "PYTHONPATH": home,
            "IPYTHONDIR": f"{home}/.ipython",
        }
        found |= {"MPLCONFIGDIR": f"{home}/.warm/fonts", "NUMBA_CACHE_DIR": f"{home}/.warm/numba"}
        found |= {"EARUP_PROGRESS": f"{home}/progress.json", "EARUP_RESULTS": home}
        return found | {"PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "2"}

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()


# ---- what is watched from outside ----------------------------------------------------------------


class Watch:
    """Sees what a kernel and all that it started use, and ends them."""

    def __init__(self, pid: int, box: Box):
        import psutil

        self.box = box
        self.root = psutil.Process(pid)

    def processes(self) -> list:
        """Return every process that belongs to the kernel."""
        import psutil

        with contextlib.suppress(psutil.NoSuchProcess):
            return [self.root, *self.root.children(recursive=True)]
        return []

    def processor_seconds(self) -> float:
        """Return the processor time that all of them have used."""
        import psutil

        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                total += sum(process.cpu_times()[:4])  # its own and that of its ended children
        return total

    def excess(self) -> str:
        """Return which limit is passed, or an empty string."""
        import psutil

        processes = self.processes()
        if len(processes) > PROCESSES:
            return f"it started more than {PROCESSES} processes"
        memory = 0
        for process in processes:
            with contextlib.suppress(psutil.Error):
                memory += process.memory_info().rss
        if memory > self.box.memory * MEGA:
            many = f"its {len(processes) - 1} processes" if len(processes) > 4 else "it"
            return f"{many} took more than {self.box.memory} MB of memory (--memory)"
        if folder_size(self.box.home) > FOLDER:
            return f"it wrote more than {FOLDER // MEGA} MB"
        return ""

    def end(self) -> None:
        """Kill them all: the group at once, however fast it grows, then what left the group. A
        process space of their own dies with its first process.
        """
        import psutil

        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self.root.pid) == self.root.pid:  # never ours
                os.killpg(self.root.pid, signal.SIGKILL)
        for _ in range(20):
            processes = self.processes()
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            if len(processes) < 2:
                break


def own_threads() -> int:
    """Return how many threads this user runs, which the system counts as processes."""
    import psutil

    total = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == os.getuid():
                total += process.num_threads()
    return total


def folder_size(folder: Path) -> int:
    """Return the bytes of all files of a folder; what vanishes meanwhile counts for nothing."""
    total = 0
    waiting = [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
