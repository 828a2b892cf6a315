"""Sides that are timed in turn: long-lived processes, of which one works while the others sleep.

Two OpenMP pools in one process take the cores from each other, so each side has a process of its own. It waits
on a pipe, which costs nothing, and its threads have gone to sleep before the next side is asked.

A side is a class named as "module:Class" whose methods return what JSON or a pipe can carry.
"""

import importlib
import multiprocessing
import os
import time
import traceback
from contextlib import contextmanager

from common import PAUSE
from host import blas_variables, peak, reset_peak, resident


def make_side(target, *args):
    """An object of the class "module:Class"."""
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)(*args)


class Here:
    """A side in this process: for --quick, and where nothing stands against it."""

    def __init__(self, target, *args, environment=None):
        assert not environment, "what a variable changes is read on import; it takes a process of its own"
        self.side = make_side(target, *args)

    def ask(self, method, *args):
        """What the side's method returns."""
        return getattr(self.side, method)(*args)

    def close(self):
        """Let the side go."""
        self.side = None


class Apart:
    """A side in a process of its own, with further environment variables, and without those that slow a BLAS."""

    def __init__(self, target, *args, environment=None):
        context = multiprocessing.get_context("spawn")      # a fork would share the threads' locks
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, target, args), daemon=True)
        with variables({**dict.fromkeys(blas_variables()), **(environment or {})}):
            self.process.start()
        theirs.close()
        self._answer()

    def ask(self, method, *args):
        """What the side's method returns.  Raises:  RuntimeError with the traceback from over there."""
        self.pipe.send((method, args))
        return self._answer()

    def _answer(self):
        try:
            done, answer = self.pipe.recv()
        except EOFError:
            self.process.join()
            raise RuntimeError(f"a side ended with exit code {self.process.exitcode}; "
                               "was the memory full?") from None
        if not done:
            raise RuntimeError("in a side's process:\n" + answer)
        return answer

    def close(self):
        """End the process."""
        self.pipe.close()
        self.process.join()


def serve(pipe, target, args):
    """What runs in a side's process: answer until the pipe is closed."""
    try:
        side = make_side(target, *args)
        pipe.send((True, None))
        while True:
            method, args = pipe.recv()
            pipe.send((True, getattr(side, method)(*args)))
    except EOFError:
        return
    except Exception:
        pipe.send((False, traceback.format_exc()))


@contextmanager
def variables(values):
    """Environment variables for the processes that are started inside; None takes one away."""
    before = {name: os.environ.get(name) for name in values}
    set_variables(values)
    try:
        yield
    finally:
        set_variables(before)


def set_variables(values):
    """Set environment variables of this process; None takes one away."""
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def open_sides(targets, apart):
    """{name: ("module:Class", environment)} -> {name: side}, closed at the end."""
    sides = {}
    try:
        for name, (target, environment) in targets.items():
            sides[name] = (Apart if apart else Here)(target, environment=environment)
        yield sides
    finally:
        for side in sides.values():
            side.close()


def take_turns(sides, rounds, method, *args):
    """Ask the sides in turn, A B A B.  Returns {name: [answer of each round]}"""
    answers = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            time.sleep(PAUSE if len(sides) > 1 else 0)      # the other side's threads go to sleep
            answers[name].append(side.ask(method, *args))
    return answers


class Clocked:
    """A side whose one piece of work, `once()`, is repeated; the clock is here."""

    def seconds(self, n):
        """Seconds of a piece, after an untimed one that wakes the threads and fills the caches."""
        self.once()
        began = time.perf_counter()
        for _ in range(n):
            self.once()
        return (time.perf_counter() - began) / n


class Memory:
    """Memory of a process before and while a side works, in MB: all pages that it holds.

    A small object of the same class works first: imports, kernels and threads are not the model's memory.
    """

    def __init__(self, target, small, shape):
        side = make_side(target)
        side.build(*small)
        side.seconds(1)
        del side
        self.idle = resident()
        self.side = make_side(target)
        self.side.build(*shape)
        self.ready = resident()
        reset_peak()

    def measure(self):
        """{"idle": imports and kernels, "built": what build made, "work": what the work added at its peak}"""
        self.side.seconds(1)
        highest = peak()
        if highest is None or self.ready is None:
            return {"idle": None, "built": None, "work": None}
        return {"idle": self.idle, "built": self.ready - self.idle, "work": highest - self.ready}


def memory_of(target, small, shape, environment=None):
    """Memory.measure of a side that is built from `shape`, in a process of its own."""
    side = Apart("turns:Memory", target, small, shape, environment=environment)
    try:
        return side.ask("measure")
    finally:
        side.close()
