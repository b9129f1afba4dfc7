"""Runs in Pyodide: the archives under /in, as a page takes them, under /out (see lean.py)."""

import ast
import importlib
import io
import shutil
import sys
import tarfile
import types
import zipfile
from importlib._bootstrap_external import _code_to_timestamp_pyc
from pathlib import Path

LIBRARY = "/lib/python311.zip/"
PACKAGES = "/lib/python3.11/site-packages"
# what the course and whoever computes may import; what these and numpy import themselves is found
LIKELY = """
abc argparse array ast base64 bisect calendar cmath collections colorsys concurrent.futures
contextlib copy csv ctypes dataclasses datetime decimal difflib dis enum fractions functools gc
gzip hashlib heapq html importlib importlib.metadata importlib.resources inspect io itertools json
keyword linecache locale logging math numbers operator os pathlib pickle pkgutil platform pprint
queue random re reprlib secrets shutil signal statistics string struct symtable tempfile textwrap
threading time timeit tokenize tomllib traceback tracemalloc types typing urllib.parse warnings
wave weakref zipfile zlib __future__ _strptime encodings.aliases encodings.utf_8 encodings.ascii
encodings.latin_1 encodings.cp437 encodings.cp1252 encodings.utf_8_sig encodings.unicode_escape
encodings.raw_unicode_escape encodings.utf_16 encodings.utf_16_le encodings.utf_32 encodings.idna
encodings.charmap asyncio collections.abc importlib.util runpy socket subprocess urllib.request
"""
# of numpy: its tests and builds, and its manual, which stands beside the functions it is of
UNUSED = ("_tests.", "_simd.", "/testing/", "/setup", "/doc/", "/code_generators/", "conftest")
MANUAL = "numpy/core/_add_newdocs"


def bare(tree: ast.Module) -> ast.Module:
    """Empty all docstrings; they stay texts, which numpy counts on."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        value = first.value if isinstance(first, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            value.value = ""
    return tree


def without_lines(code: types.CodeType) -> types.CodeType:
    """Return code that says of no step in which line it stands, which takes a third of code."""
    constants = tuple(
        without_lines(one) if isinstance(one, types.CodeType) else one for one in code.co_consts
    )
    # PEP 626, as of Python 3.11: a byte for up to eight steps, of kind 15 (none), less one
    eights, rest = divmod(len(code.co_code) // 2, 8)
    table = bytes([0xF8 + 7] * eights + [0xF8 + rest - 1] * (rest > 0))
    return code.replace(co_consts=constants, co_linetable=table)


def compiled(source: bytes, name: str, whole: bool = False) -> bytes:
    """Return a module as Python writes it beside its source; whole with docstrings and lines."""
    tree = ast.parse(source)
    code = compile(tree if whole else bare(tree), name, "exec", dont_inherit=True)
    return bytes(_code_to_timestamp_pyc(code if whole else without_lines(code)))


def stripped(wasm: bytes) -> bytes:
    """Return a module of WebAssembly without the names of its functions, its last but one part."""
    out = [wasm[:8]]
    at = 8
    while at < len(wasm):
        size, body = leb(wasm, at + 1)
        length, text = leb(wasm, body)
        custom = wasm[at] == 0
        if not (custom and wasm[text : text + length] == b"name"):
            out.append(wasm[at : body + size])
        at = body + size
    return b"".join(out)


def leb(raw: bytes, at: int) -> tuple[int, int]:
    """Return a number of WebAssembly, and where it ends."""
    value = 0
    shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at


def library() -> None:
    """Keep of the standard library what is imported, or likely will be."""
    for name in LIKELY.split():
        importlib.import_module(name)
    with tarfile.open("/in/numpy.tar") as archive:
        archive.extractall(PACKAGES)
    importlib.import_module("numpy")
    kept = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    with (
        zipfile.ZipFile("/in/python_stdlib.zip") as old,
        zipfile.ZipFile("/out/python_stdlib.zip", "w") as new,
    ):
        for name in old.namelist():
            own = name.startswith(("pyodide/", "_pyodide/"))  # asks for its docstrings
            if name.endswith(".py") and (own or LIBRARY + name in kept):
                raw = compiled(old.read(name), name, whole=own)
                new.writestr(zipfile.ZipInfo(name + "c"), raw)


def numpy() -> None:
    """Keep of numpy what computes."""
    with tarfile.open("/in/numpy.tar") as old, tarfile.open("/out/numpy.tar", "w") as new:
        for member in old:
            name = member.name
            if not name.endswith((".py", ".so")) or any(part in name for part in UNUSED):
                continue
            raw = b"" if name.startswith(MANUAL) else old.extractfile(member).read()
            if name.endswith(".py"):
                raw = compiled(raw, name)
                name += "c"
            else:
                raw = stripped(raw)
            entry = tarfile.TarInfo(name)
            entry.size = len(raw)
            new.addfile(entry, io.BytesIO(raw))


def course() -> None:
    """Compile the helpers; data stay as they are."""
    with zipfile.ZipFile("/in/course.zip") as old, zipfile.ZipFile("/out/course.zip", "w") as new:
        for name in old.namelist():
            raw = old.read(name)
            if name.endswith(".py") and not name.startswith("data/"):
                raw = compiled(raw, name)
                name += "c"
            new.writestr(zipfile.ZipInfo(name), raw)


MADE = {"python_stdlib.zip": library, "numpy.tar": numpy, "course.zip": course}
for path in sorted(Path("/in").iterdir()):
    if path.name in MADE:
        MADE[path.name]()
    else:
        shutil.copy(path, Path("/out") / path.name)
