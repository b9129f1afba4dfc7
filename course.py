#!/usr/bin/env python3
"""The commands of the course: `python3 course.py lab` opens it, `python3 course.py test` tests it.

This file only picks the verb; what a verb does lives in tools/. It uses nothing but the standard
library, and it is written so that an older Python can still read it and say what is wrong.
"""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))

# verb: (where it lives under tools/, what it does, which packages it needs: none, the learner's, or
# the tests' too)
VERBS = {
    "lab": (
        "start.lab",
        "open the course in JupyterLab; the first time it also sets it up",
        "learner",
    ),
    "test": ("verify.test", "run everything that the continuous integration runs", "dev"),
    "setup": ("start.setup", "make or mend the environment in .venv, and nothing else", None),
    "execute": ("verify.execute", "run notebooks again and store their text and figures", "dev"),
    "check": ("verify.check", "linters and what notebooks may store", "dev"),
    "site": ("site", "run the notebooks and build a site of them", "dev"),
    "matrix": (
        "verify.matrix",
        "run the course on other Pythons and versions of its packages",
        "dev",
    ),
    "bench": ("measure.bench", "measure our figures and their peers in one run", "dev"),
    "release": (
        "classroom.release",
        "make the student, the solution or the teacher set",
        "learner",
    ),
    "grade": ("classroom.grade", "grade a folder of notebooks into a table", "learner"),
    "address": ("site.address", "show the course's address, or rewrite it everywhere", None),
}


def usage():
    """Return the help text."""
    verbs = "\n".join(f"  {verb:<9}{what}" for verb, (_, what, _) in VERBS.items())
    return "usage: python3 course.py VERB [options]\n\n" + verbs + "\n\nVERB --help tells more."


def run(command):
    """Hand over to a command in the course's folder, so that Ctrl-C and other signals reach it and
    nobody else.
    """
    sys.stdout.flush()
    if os.name != "nt":
        os.chdir(ROOT)
        os.execv(command[0], command)
    process = subprocess.Popen(command, cwd=ROOT)  # Windows cannot hand over
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the command got it too, and decides what it means


def main(argv):
    """Run one verb and return its exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python must hear it from us
        need = "The course needs Python 3.11, 3.12 or 3.13"
        return (
            f"{need}; this is {sys.version.split()[0]}. Install one of them and run this again "
            "with it."
        )
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    verb, options = argv[0], argv[1:]
    if verb not in VERBS:
        return f"There is no verb {verb!r}.\n\n{usage()}"

    from tools.start import setup

    python = sys.executable
    module, _, needs = VERBS[verb]
    if needs and not {"-h", "--help"} & set(options):
        try:
            setup.ensure(dev=needs == "dev")
        except setup.SetupError as error:
            return str(error)
        except KeyboardInterrupt:
            return setup.STOPPED
        python = str(setup.venv_python())
    return run([python, "-m", "tools." + module, *options])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
