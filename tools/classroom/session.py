"""One notebook, run as Jupyter runs it in a kernel of its own, and its functions asked there."""

import ast
import asyncio
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from helpers.coursework.probing import TooLong
from tools.classroom import sandbox
from tools.classroom.inside import values

START = 240  # seconds that a kernel may take to start on a busy machine
GRACE = 10  # seconds that a call may take on the clock whatever it computes
PATIENCE = 4  # times the processor seconds that may pass on the clock


class Ended(BaseException):
    """The kernel is gone; `by_limit` if it was ended here. No `Exception`, so no check takes it for
    an answer.
    """

    def __init__(self, why: str, *, by_limit: bool):
        super().__init__(why)
        self.by_limit = by_limit


class Waited(BaseException):
    """Much more time passed than was computed in: the machine is busy, or the function waits."""


class Runner(NotebookClient):
    """Executes cells and keeps nothing of what they show but which of them failed."""

    def __init__(self, notebook, **options):
        super().__init__(notebook, allow_errors=True, record_timing=False, **options)
        self.failed = {}  # number of the cell as Jupyter shows it -> (name, text, source)

    def process_message(self, msg, cell, cell_index):
        """Take in that a cell is done or failed."""
        content = msg["content"]
        if msg["msg_type"] == "execute_input":
            cell["execution_count"] = content.get("execution_count")
        if msg["msg_type"] == "error":
            text = str(content.get("evalue", ""))[:300]
            name = str(content.get("ename", "Error"))[:60]
            self.failed[cell.get("execution_count")] = (name, text, cell.source)
        if msg["msg_type"] == "status":
            super().process_message(msg, cell, cell_index)


class Session:
    """A kernel in which a notebook has run."""

    def __init__(self, cells: list[str], beside: dict[str, bytes], course: Path, options):
        self.options = options
        self.failed = {}
        self.stopped = {}  # number of a cell -> why it was interrupted
        self._kept = children()
        self._clock = None
        self.box = sandbox.Box(course, options.memory, options.total_seconds)
        self._loop = asyncio.new_event_loop()
        try:
            for name, data in beside.items():
                (self.box.notebooks / name).write_bytes(data)
            self._do(self._start(cells))
            self._do(self._run())
        except BaseException:
            self.close()
            raise

    def _do(self, coroutine):
        return self._loop.run_until_complete(coroutine)

    async def _start(self, cells: list[str]) -> None:
        """Start the kernel; its sockets are files of its folder, which need no network."""
        import nbformat
        import zmq.asyncio
        from jupyter_client import AsyncKernelManager
        from jupyter_client.kernelspec import KernelSpecManager

        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, 2 * values.LIMIT)  # what is larger is thrown away
        context.setsockopt(zmq.RCVHWM, 50)
        context.setsockopt(zmq.LINGER, 0)
        self._context = context
        specs = KernelSpecManager(kernel_dirs=[str(self.box.kernel_spec())])
        home = self.box.home
        self.manager = AsyncKernelManager(
            context=context,
            kernel_spec_manager=specs,
            kernel_name="grading",
            transport="ipc",
            ip=str(home / "k"),
            connection_file=str(home / "kernel.json"),
        )
        code = [nbformat.v4.new_code_cell(cell) for cell in cells]
        notebook = nbformat.v4.new_notebook(cells=code)
        self.client = Runner(notebook, km=self.manager, startup_timeout=START)
        await self.manager.start_kernel(
            cwd=str(self.box.notebooks),
            env=self.box.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent if sys.platform.startswith("linux") else None,
        )
        self.watch = sandbox.Watch(self.manager.provisioner.process.pid, self.box)
        try:
            await self.client.async_start_new_kernel_client()
        except RuntimeError as error:
            raise Ended(f"the kernel did not start ({error})", by_limit=True) from None

    # ---- the notebook ----------------------------------------------------------------------------

    async def _run(self) -> None:
        """Execute every cell; a watcher interrupts what takes too long and ends what takes too
        much.
        """
        watcher = asyncio.ensure_future(self._watch())
        deadline = time.monotonic() + PATIENCE * self.options.total_seconds
        self._over = ""
        number = 0
        try:
            for index, cell in enumerate(self.client.nb.cells):
                number += bool(cell.source.strip())
                self._clock = (number, self.watch.processor_seconds(), time.monotonic())
                await self.client.async_execute_cell(cell, index)
                if time.monotonic() > deadline:
                    self._end(f"it took too long in all, by Cell In[{number}]")
                    raise DeadKernelError
        except DeadKernelError:
            why = self._over or f"it ends its own kernel in Cell In[{number}]"
            raise Ended(why, by_limit=bool(self._over)) from None
        except Exception as error:  # a submission that changes what its kernel speaks with
            garbled = f"its kernel says what cannot be read ({type(error).__name__})"
            why = self._over or f"{garbled} in Cell In[{number}]"
            raise Ended(why, by_limit=bool(self._over)) from None
        finally:
            watcher.cancel()
            self._clock = None
        self.failed = self.client.failed

    async def _watch(self) -> None:
        """Look four times a second at what the running cell uses."""
        asked = None
        while True:
            await asyncio.sleep(0.25)
            if why := self.watch.excess():
                return self._end(f"{why} in Cell In[{self._clock[0]}]")
            if self._clock is None:
                continue
            number, before, since = self._clock
            computed = self.watch.processor_seconds() - before
            waited = time.monotonic() - since
            most = self.options.cell_seconds
            if computed < most and waited < PATIENCE * most:
                continue
            if asked is None or asked[0] != number:
                asked = (number, time.monotonic())
                self.stopped[number] = f"Cell In[{number}] was stopped after {most:g} seconds"
                await self.manager.interrupt_kernel()
            elif time.monotonic() - asked[1] > 5:
                return self._end(f"Cell In[{number}] could not be stopped after {most:g} seconds")

    def _end(self, why: str) -> None:
        """End the kernel for a reason."""
        self._over = why
        self.watch.end()

    # ---- one function ----------------------------------------------------------------------------

    def ask(self, request: dict, seconds: float, functions: tuple = ()) -> dict:
        """Return the reply to a request; raises TooLong, Waited or Ended where there is none."""
        try:
            return self._do(self._ask(request, seconds, functions))
        except Exception as error:  # whatever came back, it was no reply
            why = f"the kernel answers nothing that can be read ({type(error).__name__})"
            raise Ended(why, by_limit=False) from None

    async def _ask(self, request: dict, seconds: float, functions: tuple) -> dict:
        import zmq
        import zmq.asyncio

        module = f"__import__('{sandbox.INSIDE}.answers', fromlist=['ask'])"
        channels = self.client.kc
        number = channels.execute(
            f"{module}.ask({json.dumps(request)!r})",
            silent=True,
            store_history=False,
            user_expressions={"given": f"{module}.given()"},
            allow_stdin=bool(functions),
        )
        before = self.watch.processor_seconds()
        since = time.monotonic()
        looked = since
        poller = zmq.asyncio.Poller()
        for channel in (channels.shell_channel, channels.stdin_channel):
            poller.register(channel.socket, zmq.POLLIN)
        while True:
            ready = dict(await poller.poll(200))
            if channels.stdin_channel.socket in ready:
                asked = await channels.get_stdin_msg(timeout=1)
                channels.input(self._outside(asked["content"]["prompt"], functions))
            if channels.shell_channel.socket in ready:
                reply = await channels.get_shell_msg(timeout=1)
                if reply["parent_header"].get("msg_id") == number:
                    return given(reply)
            if time.monotonic() - looked > 0.2:
                await self._hold(before, since, seconds)
                looked = time.monotonic()

    async def _hold(self, before: float, since: float, seconds: float) -> None:
        """Raise what forbids to wait on."""
        if not await self.manager.is_alive():
            raise Ended("it ends its own kernel", by_limit=False)
        if why := self.watch.excess():
            self._end(why)
            raise Ended(why, by_limit=True)
        waited = time.monotonic() - since
        if self.watch.processor_seconds() - before >= seconds:
            await self._interrupt()
            raise TooLong
        if waited > PATIENCE * seconds + GRACE:
            await self._interrupt()
            raise Waited(f"{waited:.0f} seconds passed")

    async def _interrupt(self) -> None:
        """Stop the function, and the kernel with it if it will not stop."""
        await self.manager.interrupt_kernel()
        with contextlib.suppress(Exception):
            number = self.client.kc.kernel_info()
            for _ in range(20):
                reply = await self.client.kc.get_shell_msg(timeout=5)
                if reply["parent_header"].get("msg_id") == number:
                    return
        self._end("it could not be stopped")

    def _outside(self, prompt: str, functions: tuple) -> str:
        """Call a function that the check itself handed over, and return its result as text."""
        try:
            asked = json.loads(prompt)
            args = [values.unpack(a, None) for a in asked["args"]]
            return json.dumps({"value": values.pack(functions[asked["call"]](*args), None)})
        except Exception as error:
            return json.dumps({"error": str(error)[:300]})

    @property
    def alive(self) -> bool:
        """Whether the kernel can be asked."""
        return self._do(self.manager.is_alive())

    def close(self) -> None:
        """End the kernel and everything that it started, and remove its folder."""
        if self._loop.is_closed():
            return
        if hasattr(self, "watch"):
            self.watch.end()
        if hasattr(self, "manager"):
            with contextlib.suppress(Exception):
                if self.client.kc is not None:
                    self.client.kc.stop_channels()
                self._do(self.manager.shutdown_kernel(now=True))
            self._context.destroy(linger=0)
        end_orphans(self._kept)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._do(asyncio.sleep(0))
        self._loop.close()
        self.box.close()


def given(reply: dict) -> dict:
    """Return what the reply of a kernel holds."""
    content = reply["content"]
    if content.get("status") != "ok":
        raise ValueError(str(content.get("ename")))
    text = content["user_expressions"]["given"]["data"]["text/plain"]
    found = json.loads(ast.literal_eval(text))
    if not isinstance(found, dict):
        raise ValueError("no reply")
    return found


# ---- processes that try to stay (Linux) ----------------------------------------------------------


def die_with_parent() -> None:
    """Let a process end with its parent, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def adopt_orphans() -> None:
    """Let processes that lose their parent become ours, so that none can hide from being ended."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def children() -> set[int]:
    """Return the processes that are ours."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(map(int, listed.read_text().split())) if listed.exists() else set()


def end_orphans(kept: set[int]) -> None:
    """End what a submission left running, but not what was there before."""
    for _ in range(100):
        if not (pids := children() - kept):
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
