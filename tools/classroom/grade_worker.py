"""The process in which a submission's code runs: it answers calls with plain values, and decides
nothing.

The grader asks for a function by name. Here, the cells are searched for that function and for
whatever it names; that much is run, and no more. Then the function is called with what the grader
sends, and what comes back goes out as numbers. Whether it is right is judged in the grader's own
process, where nothing of the submission ever runs.

Before the first line of a submission is run, this process gives up memory, processor time, new
processes, the network, and all files but its own folder and the packages (`confine`). Where the
kernel has Landlock (Linux 5.13 and later) it is the kernel that refuses files; elsewhere Python's
audit hooks do, which stop what people write and not an attacker.
"""

import ast
import base64
import ctypes
import dis
import json
import linecache
import os
import re
import struct
import sys
import traceback
import types

import numpy as np

LIMIT = 32_000_000  # bytes in one message
CELL = "code cell"


# ---- values as text, both ways -------------------------------------------------------------------


def pack(value: object, functions: list) -> object:
    """Return a value as JSON can hold it; what is no number, array, list, short text or function
    keeps its type's name only.
    """
    if value is None or value is Ellipsis or isinstance(value, bool):
        return {"k": "const", "v": {None: 0, Ellipsis: 1, False: 2, True: 3}[value]}
    if isinstance(value, (int, float)) and not isinstance(value, np.generic):
        return {"k": "int" if isinstance(value, int) else "float", "v": float(value).hex()}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        if value.nbytes > LIMIT // 2:
            raise MemoryError("the result is too large to be sent")
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        return {"k": kind, "d": value.dtype.str, "s": list(value.shape), "v": data}
    if type(value) is str and len(value) <= 40:  # a letter of a figure, for example
        return {"k": "text", "v": value}
    if isinstance(value, (list, tuple)) and len(value) < 1000:
        return {"k": type(value).__name__, "v": [pack(v, functions) for v in value]}
    if isinstance(value, (types.FunctionType, types.MethodType)) and functions is not None:
        functions.append(value)
        return {"k": "function", "v": len(functions) - 1}
    return {"k": "other", "v": type(value).__name__[:40]}


def unpack(form: dict, call) -> object:
    """Return what `pack` was given; a function becomes one that goes through `call(number,
    args)`.
    """
    kind, value = form["k"], form.get("v")
    if kind == "const":
        return (None, Ellipsis, False, True)[value]
    if kind == "text":
        return str(value)[:40]
    if kind in ("int", "float"):
        return {"int": int, "float": float}[kind](float.fromhex(value))
    if kind in ("array", "scalar"):
        if not re.fullmatch(r"[<>|=]?[biufc]\d{1,2}", form["d"]):
            raise ValueError("no array of numbers")
        raw = bytearray(base64.b64decode(value))
        array = np.frombuffer(raw, form["d"]).reshape(tuple(form["s"]))
        return array if kind == "array" else array[()]
    if kind in ("list", "tuple"):
        return {"list": list, "tuple": tuple}[kind](unpack(v, call) for v in value)
    if kind == "function" and call is not None:
        return lambda *args: call(value, args)
    name = re.sub(r"\W", "", str(value)) or "thing"
    return type(name, (), {})()


def send(fd: int, message: dict) -> None:
    """Write one message: its length, then JSON."""
    data = json.dumps(message).encode()
    if len(data) > LIMIT:
        short = {
            "error": ["MemoryError"],
            "text": "the result is too large to be sent",
            "id": message.get("id"),
        }
        data = json.dumps(short).encode()
    view = memoryview(struct.pack(">I", len(data)) + data)
    while view:
        view = view[os.write(fd, view) :]


def receive(fd: int) -> dict:
    """Read one message; EOFError where there is none any more."""
    (size,) = struct.unpack(">I", _exactly(fd, 4))
    if size > LIMIT:
        raise ValueError(f"a message of {size} bytes")
    message = json.loads(_exactly(fd, size))
    if not isinstance(message, dict):
        raise ValueError("no message")
    return message


def _exactly(fd: int, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = os.read(fd, min(size - len(data), 1 << 16))
        if not more:
            raise EOFError
        data += more
    return bytes(data)


# ---- the part of a notebook that a function needs ------------------------------------------------


def statements(cells: list[str]) -> list[tuple[ast.stmt, str]]:
    """Return the statements of all cells that can be read, each with the name that tracebacks give
    its cell.
    """
    found = []
    for number, cell in enumerate(cells, 1):
        plain = re.sub(
            r"^[ \t]*[%!].*$", "", cell, flags=re.MULTILINE
        )  # what only Jupyter understands
        place = f"{CELL} {number}"
        linecache.cache[place] = (len(plain), None, plain.splitlines(True), place)
        try:
            found += [(node, place) for node in ast.parse(plain).body]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return found


def binds(node: ast.AST) -> set[str]:
    """Return the names that a statement gives a value to."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(a.asname or a.name).split(".")[0] for a in node.names}
    return {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def needed(name: str, cells: list[str]) -> list[tuple[ast.stmt, str]]:
    """Return the last definition of a name with every statement that gives a value to something it
    names, in order.
    """
    every = statements(cells)
    homes = [i for i, (node, _) in enumerate(every) if name in binds(node)]
    if not homes:
        return []
    chosen, wanted = set(), [homes[-1]]
    while wanted:
        index = wanted.pop()
        if index not in chosen:
            chosen.add(index)
            used = {n.id for n in ast.walk(every[index][0]) if isinstance(n, ast.Name)} - {name}
            wanted += [
                i
                for i, (node, _) in enumerate(every)
                if used & binds(node) and name not in binds(node)
            ]
    return [every[i] for i in sorted(chosen)]


def build(name: str, cells: list[str]):
    """Return a submission's function, or a message that says why there is none."""
    parts = needed(name, cells)
    if not parts:
        broken = next(
            (say for cell in cells if f"def {name}" in cell and (say := _syntax(cell))), None
        )
        return {"missing": broken or f"no cell defines {name}"}
    space = {"__name__": "__main__", "np": np}
    for node, place in parts:
        exec(compile(ast.Module([node], []), place, "exec"), space)
    return space[name]


def _syntax(cell: str) -> str | None:
    """Return what is wrong with the grammar of a cell."""
    try:
        ast.parse(cell)
    except SyntaxError as error:
        return f"the cell cannot be read: {error.msg} in line {error.lineno}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"the cell cannot be read: {type(error).__name__}"
    return None


# ---- one call ------------------------------------------------------------------------------------


def empty(fn: object) -> bool:
    """Tell whether a function has no body at all."""
    names = [i.opname for i in dis.get_instructions(fn)] if hasattr(fn, "__code__") else []
    return names == [i.opname for i in dis.get_instructions(lambda: None)]


def told(error: BaseException) -> dict:
    """Return an exception as a message: the names of its classes, its text, and the line of the
    cell.
    """
    try:
        text = str(error)
    except BaseException:  # a submission's exception may do anything when it is asked for its text
        text = ""
    lines = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(CELL)]
    place = f" (line {lines[-1].lineno} of {lines[-1].filename}: {lines[-1].line})" if lines else ""
    names = [c.__name__[:60] for c in type(error).__mro__][:8]
    return {"error": names, "text": text.split("\n")[0][:300] + place[:200]}


def answer(fn: object, request: dict, call) -> dict:
    """Call a submission's function and return what came of it, with its arguments as they are
    afterwards.
    """
    args = [unpack(a, call) for a in request["args"]]
    kwargs = {k: unpack(v, call) for k, v in request["kwargs"].items()}
    try:
        with np.errstate(all="ignore"):
            value = fn(*args, **kwargs)
        after = [pack(a, []) if isinstance(a, np.ndarray) else None for a in args]
        return {"value": pack(value, None), "after": after, "empty": value is None and empty(fn)}
    except BaseException as error:
        return told(error)


def serve(inbox: int, outbox: int) -> None:
    """Answer requests until the grader closes the pipe."""
    cells, fn, number = (
        [],
        None,
        None,
    )  # number of the request: the grader takes no reply to another one

    def reply(message: dict) -> None:
        send(outbox, message | {"id": number})

    def call(which: int, args: tuple) -> object:
        reply({"call": which, "args": [pack(a, None) for a in args]})
        came = receive(inbox)
        if "error" in came:
            raise ValueError(came["error"])
        return unpack(came["value"], None)

    while True:
        try:
            request = receive(inbox)
        except EOFError:
            return
        number = request["id"]
        if "cells" in request:
            cells = request["cells"]
            reply({"ready": True})
        elif "name" in request:
            try:
                fn = build(request["name"], cells)
                reply(
                    fn
                    if isinstance(fn, dict)
                    else {"callable": callable(fn), "type": type(fn).__name__}
                )
            except BaseException as error:
                reply(told(error))
        else:
            reply(answer(fn, request, call))


# ---- what is given up before the first line of a submission --------------------------------------


def landlock(readable: list[str], listable: list[str], writable: list[str]) -> bool:
    """Ask the kernel to refuse every file outside these folders, to this process and all that it
    starts.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(444, None, 0, 1)  # landlock_create_ruleset, asked for its version
    if version < 1:
        return False
    every = (
        (1 << 13) - 1 | (version >= 2) << 13 | (version >= 3) << 14
    )  # rights on files, as the version knows them
    net, scope = (
        (3 if version >= 4 else 0),
        (3 if version >= 6 else 0),
    )  # TCP; signals and sockets of others
    fields = [every, net, scope][: 1 + (version >= 4) + (version >= 6)]
    rules = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = libc.syscall(444, rules, len(rules), 0)
    if ruleset < 0:
        return False
    for paths, rights in (
        (readable, 0b1101),
        (listable, 0b1000),
        (writable, every),
    ):  # execute, read a file, list
        for path in filter(os.path.exists, paths):
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = rights if os.path.isdir(path) else rights & 0b111 | rights & 1 << 14
            libc.syscall(445, ruleset, 1, struct.pack("=Qi", allowed, fd), 0)  # landlock_add_rule
            os.close(fd)
    done = (
        libc.prctl(38, 1, 0, 0, 0) == 0 and libc.syscall(446, ruleset, 0) == 0
    )  # no new privileges; restrict self
    os.close(ruleset)
    return done


def guard(readable: tuple[str, ...], listable: tuple[str, ...], writable: tuple[str, ...]) -> None:
    """Refuse through Python's audit hooks what a submission has no use for."""
    real, sep, fspath, fsdecode = os.path.realpath, os.sep, os.fspath, os.fsdecode
    never = (
        "subprocess.",
        "os.system",
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "os.spawn",
        "os.kill",
        "pty.",
    )
    never += (
        "socket.",
        "ctypes.",
        "resource.",
        "sqlite3.",
        "os.symlink",
        "os.link",
        "os.chmod",
        "os.chown",
        "signal.",
    )
    touched = (
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.mkdir",
        "os.truncate",
        "os.utime",
        "shutil.",
    )
    looked = ("os.listdir", "os.scandir", "os.chdir")

    def inside(path: object, roots: tuple[str, ...]) -> bool:
        if isinstance(path, int) or path is None:
            return True
        full = real(fsdecode(fspath(path)))
        return any(full == root or full.startswith(root + sep) for root in roots)

    def hook(event: str, args: tuple) -> None:
        if event.startswith(never):
            raise PermissionError(f"grading does not allow {event}")
        if event == "open":
            path, mode, flags = (*args, None, None, None)[:3]
            change = (isinstance(mode, str) and set(mode) & set("wax+")) or (
                isinstance(flags, int) and flags & 3
            )
            if not inside(path, writable if change else readable + writable):
                raise PermissionError("grading allows files of the submission's own folder only")
        elif event.startswith(touched) and not all(
            inside(a, writable) for a in args if isinstance(a, (str, bytes))
        ):
            raise PermissionError("grading allows changes in the submission's own folder only")
        elif event in looked and not (
            inside(args[0], readable + writable) or real(fsdecode(args[0])) in listable
        ):
            raise PermissionError("grading shows the submission's own folder only")

    sys.addaudithook(hook)


def confine(job: dict) -> bool:
    """Give up what a submission must not have; return whether the kernel guards the files too."""
    import resource

    limits = {
        "AS": job["memory"],
        "CPU": job["cpu"],
        "FSIZE": job["file"],
        "CORE": 0,
        "NOFILE": 64,
        "NPROC": 0,
    }
    for name, limit in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))
    roots = [
        tuple(map(os.path.realpath, paths))
        for paths in (job["readable"], job["listable"], [job["folder"]])
    ]
    kernel = landlock(*map(list, roots))
    guard(*roots)
    return kernel


def main() -> None:
    """Take the job from the grader, give up the rest of the world, and serve."""
    inbox, outbox = int(sys.argv[1]), int(sys.argv[2])
    job = receive(inbox)
    import helpers  # so that the package is found before its folder's neighbours are hidden

    stub = types.ModuleType(
        "helpers.coursework"
    )  # a setup cell imports it; the real one knows every answer
    sys.modules["helpers.coursework"] = helpers.coursework = stub
    for name in (
        "certificate",
        "check",
        "hint",
        "predict",
        "progress",
        "quiz",
        "reset",
        "solution",
    ):
        setattr(stub, name, lambda *args, **kwargs: None)
    os.chdir(job["folder"])
    send(outbox, {"kernel": confine(job), "id": job["id"]})
    serve(inbox, outbox)


if __name__ == "__main__":
    main()
