"""What all tests share: the import path, and the last line about the gradients that were checked."""

import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "1000")     # beside other work, waiting threads must not spin for long

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:      # in the background of a script
    signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import gradcheck  # noqa: E402  (found on the path set above)
import numba  # noqa: E402  (after GOMP_SPINCOUNT)
import pytest  # noqa: E402


def pytest_collection_modifyitems(items):
    """Leave out what trains for many steps where loops run in Python: a step takes seconds there."""
    if numba.config.DISABLE_JIT:
        for item in items:
            if item.get_closest_marker("training"):
                item.add_marker(pytest.mark.skip(reason="would train for many minutes where loops run in Python"))


def pytest_sessionfinish(session):
    """With -n 2, a process that ran tests hands its gradients to the one that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["gradients"] = {name: float(error) for name, error in gradcheck.WORST.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a process has handed back; one that crashed has handed back nothing."""
    gradcheck.WORST.update(getattr(node, "workeroutput", {}).get("gradients", {}))


def pytest_terminal_summary(terminalreporter):
    """Print how many gradients were compared with central differences, and the worst of them."""
    if gradcheck.WORST:
        name = max(gradcheck.WORST, key=gradcheck.WORST.get)
        terminalreporter.write_line(f"gradient ledger: {len(gradcheck.WORST)} gradients checked, "
                                    f"worst relative error {gradcheck.WORST[name]:.1e} ({name})")
