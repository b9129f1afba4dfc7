"""Firefox, driven without a window by WebDriver BiDi, which it speaks itself."""

import itertools
import json
import os
import re
import shutil
import subprocess
import time

import websocket

PREFERENCES = {
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


def find():
    """The program, or nothing."""
    return os.environ.get("EARUP_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One window; ``errors`` holds what its pages complained of."""

    def __init__(self, program, profile):
        lines = [
            f'user_pref("{name}", {json.dumps(value)});' for name, value in PREFERENCES.items()
        ]
        (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
        command = [program, "--headless", "--no-remote", "--profile", profile]
        self.log = profile / "told.txt"
        with self.log.open("w") as told:
            self.process = subprocess.Popen(
                [*command, "--remote-debugging-port=0"], stdout=told, stderr=told
            )
        self.errors, self.numbers = [], itertools.count(1)
        self.socket = websocket.create_connection(
            f"{self._address()}/session", timeout=180, suppress_origin=True
        )
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded"])
        (self.context,) = [c["context"] for c in self.ask("browsingContext.getTree")["contexts"]]

    def _address(self):
        """Where it listens, which it tells at its start."""
        for _ in range(600):
            if found := re.search(r"BiDi listening on (ws://\S+)", self.log.read_text()):
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"Firefox does not listen: {self.log.read_text()[-500:]}")

    def ask(self, method, **params):
        """Send a command, and return its result."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self.socket.recv())
            if told.get("method") == "log.entryAdded" and told["params"]["level"] == "error":
                self.errors.append(told["params"]["text"])
            if told.get("id") == number:
                if told["type"] == "error":
                    raise RuntimeError(f"{method}: {told['message']}")
                return told["result"]

    def go(self, address, width=1280, height=900):
        """Open a page, and return when it has loaded."""
        size = {"width": width, "height": height}
        self.ask("browsingContext.setViewport", context=self.context, viewport=size)
        self.ask("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def evaluate(self, function, *arguments):
        """Call a function of the page, wait for what it promises, and return it (as JSON)."""
        text = f"async () => JSON.stringify(await ({function})(...{json.dumps(arguments)}) ?? null)"
        told = self.ask(
            "script.callFunction",
            functionDeclaration=text,
            awaitPromise=True,
            target={"context": self.context},
            userActivation=True,
        )
        if told["type"] == "exception":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def wait(self, function, *arguments, seconds=120):
        """Return what a function of the page gives as soon as that is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.evaluate(function, *arguments):
                return found
            time.sleep(0.2)
        raise TimeoutError(f"not within {seconds} s: {function}")

    def press(self, *keys):
        """Press and let go keys, one after the other."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keys", "actions": actions}
        self.ask("input.performActions", context=self.context, actions=[source])

    def close(self):
        """End it."""
        self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
