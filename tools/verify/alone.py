"""Run a notebook in any folder with any Python's kernel, while outdated calls in the course's own
code are errors.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

# The modules of the course and a notebook's cells; a library that warns about itself is none of
# ours.
OURS = r"(helpers|tools|__main__)(\.|$)"
STARTUP = f"""\
import warnings
for kind in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
    warnings.filterwarnings("error", category=kind, module={OURS!r})
"""


def strict_profile(folder: Path) -> dict[str, str]:
    """Write a profile in which our own outdated calls are errors; return the variable by which
    IPython finds it.
    """
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "00-warnings.py").write_text(STARTUP, encoding="utf-8")
    return {"IPYTHONDIR": str(folder / "ipython")}


def kernel_of(python: Path, folder: Path, env: dict[str, str]):
    """Return a manager that starts kernels of another environment's Python."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpecManager

    spec = {"display_name": "there", "language": "python", "env": env}
    spec["argv"] = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernels" / "there").mkdir(parents=True)
    (folder / "kernels" / "there" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    specs = KernelSpecManager(kernel_dirs=[str(folder / "kernels")], ensure_native_kernel=False)
    # files in place of ports: another kernel of this machine may take a port before this one has it
    wires = {} if os.name == "nt" else {"transport": "ipc", "ip": str(folder / "wire")}
    return AsyncKernelManager(kernel_name="there", kernel_spec_manager=specs, **wires)


def execute(
    path: Path, *, folder: Path, python: Path, env: dict[str, str], timeout: int = 600
) -> str:
    """Run a notebook from top to bottom in a folder, store nothing, and return what went wrong, or
    nothing.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    with tempfile.TemporaryDirectory() as own:
        manager = kernel_of(python, Path(own), {**env, **strict_profile(Path(own))})
        resources = {"metadata": {"path": str(folder)}}
        client = NotebookClient(
            nbformat.read(path, as_version=4), km=manager, timeout=timeout, resources=resources
        )
        try:
            # cleanup_kc ends the kernel too, though another made its manager
            client.execute(cleanup_kc=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except CellExecutionError as error:
            return f"{error.ename}: {error.evalue}\n{error.traceback}"
        except (CellTimeoutError, DeadKernelError, RuntimeError) as error:
            return f"{type(error).__name__}: {error}"
    return ""
