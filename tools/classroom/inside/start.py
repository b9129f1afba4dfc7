"""Start a kernel that has given up what a submission must not have (`start JOB -f FILE`).

Limits on memory, processor time, files and processes hold for the process and all that it starts.
On Linux 5.13 and later the kernel (Landlock) refuses every file but what the job lists.
"""

import contextlib
import ctypes
import json
import os
import struct
import sys

EVERY_RIGHT = 13  # of Landlock's first version; later ones know more


def landlock_version() -> int:
    """Return which Landlock this system has; 0 where it has none."""
    if not sys.platform.startswith("linux"):
        return 0
    create = ctypes.CDLL(None, use_errno=True).syscall
    return max(create(444, None, 0, 1), 0)  # landlock_create_ruleset, asked for its version


def landlock(readable: list[str], writable: list[str], *, network: bool) -> None:
    """Ask the system to refuse all other files, to this process and to all that it starts, and
    connections unless it has a network of its own.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = landlock_version()
    every = (1 << EVERY_RIGHT) - 1 | (version >= 2) << 13 | (version >= 3) << 14
    fields = [every]
    if version >= 4:
        fields.append(0 if network else 3)  # no TCP
    if version >= 6:
        fields.append(3)  # no signals to others, no abstract sockets of others
    rules = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = libc.syscall(444, rules, len(rules), 0)
    if ruleset < 0:
        raise OSError("Landlock made no set of rules")
    for paths, rights in ((readable, 0b1101), (writable, every)):  # execute, read, list
        for path in filter(os.path.exists, paths):
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = rights if os.path.isdir(path) else rights & 0b111 | rights & 1 << 14
            libc.syscall(445, ruleset, 1, struct.pack("=Qi", allowed, fd), 0)  # landlock_add_rule
            os.close(fd)
    no_new_privileges = libc.prctl(38, 1, 0, 0, 0)
    if no_new_privileges != 0 or libc.syscall(446, ruleset, 0) != 0:  # landlock_restrict_self
        raise OSError("Landlock could not be set")
    os.close(ruleset)


def hide(paths: list[str]) -> None:
    """Lay an empty folder over others, such as that of the sockets of the system's services."""
    libc = ctypes.CDLL(None, use_errno=True)
    for path in filter(os.path.isdir, paths):
        libc.mount(b"none", os.fsencode(path), b"tmpfs", 0, b"size=4k")


def limit(limits: dict[str, int]) -> None:
    """Set limits that cannot be raised again."""
    import resource  # Windows has none, and a refusal of its own

    for name, most in limits.items():
        which = getattr(resource, f"RLIMIT_{name}", None)
        if which is None:
            continue
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(which, (most, most))


def main() -> None:
    """Give up what the job says and become a kernel."""
    with open(sys.argv.pop(1), encoding="utf-8") as file:
        job = json.load(file)
    if job["spaces"]:  # in a process space of its own a parent's number says nothing
        os.environ.pop("JPY_PARENT_PID", None)
    hide(job["hide"])
    limit(job["limits"])
    if job["landlock"]:
        landlock(job["readable"], job["writable"], network=job["spaces"])
    sys.path = [place for place in sys.path if place not in ("", os.getcwd())]  # the kernel adds it
    from . import answers  # noqa: F401, I001 - bound before a submission changes what it uses
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if __name__ == "__main__":
    main()
