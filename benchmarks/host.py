"""What stands beside every figure: the machine, the versions, the threads, and what else kept the machine busy."""

import ctypes
import gc
import json
import os
import platform
import re
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import llvmlite.binding

QUIET = 0.5         # cores busy with other work, above which a figure is not to be trusted
PROC = Path("/proc/self/status")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
FEATURES = ("avx2", "avx512f", "avx512bf16", "neon")      # of those that a processor has, the widest are named


def describe_machine():
    """Processor, cores, caches, memory, system and Python of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    return {"processor": processor(), "cores": cores(), "caches": caches(),
            "memory_gb": memory and round(memory / 2**30, 1),
            "system": f"{platform.system()} {platform.release()}", "python": platform.python_version()}


def processor():
    """The model as the system calls it, and the architecture as LLVM does: "AMD EPYC (znver4, avx512f, avx512bf16)"."""
    known = llvmlite.binding.get_host_cpu_features()
    features = [name for name in FEATURES if known.get(name)]
    if "avx512f" in features:
        features.remove("avx2")
    return f"{model()} ({', '.join([llvmlite.binding.get_host_cpu_name(), *features])})"


def model():
    """The processor's name, as a shop would print it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
        name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)[1]
    except (OSError, TypeError):        # another system, or a processor without the line
        name = platform.processor() or platform.machine()
    return re.sub(r"\s+", " ", re.sub(r"\((R|TM)\)|CPU|@.*", "", name)).strip()


def processor_folder():
    """The folder of results/ that holds this processor's figures: "amd-epyc-znver4"."""
    return re.sub(r"[^a-z0-9]+", "-", f"{model()} {llvmlite.binding.get_host_cpu_name()}".lower()).strip("-")


def caches():
    """The caches that the first core reaches: "L1d 32K, L2 1024K, L3 32768K"; None where the system does not tell."""
    def read(cache, name):
        return (cache / name).read_text().strip()
    try:
        found = [(read(cache, "level"), read(cache, "type"), read(cache, "size")) for cache in CACHES.glob("index*")]
    except OSError:
        return None
    return ", ".join(f"L{level}{'d' if kind == 'Data' else ''} {size}" for level, kind, size in sorted(found)
                     if kind != "Instruction") or None


def cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def describe_versions(*others):
    """Versions of what is measured: the package and its commit, NumPy and its BLAS, numba, and other packages."""
    import minillm

    known = {"minillm": minillm.__version__, "commit": commit(), "blas": describe_blas(usual_blas())}
    for name in ("numpy", "numba", "llvmlite", *others):
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            known[name] = "not installed"
    return known


def blas_variables():
    """{name: value} of the environment variables that tell a BLAS which core to take, or how many threads.

    Most of them can only slow it, so the sides of a benchmark run without them.
    """
    known = re.compile("(OPENBLAS|GOTO|MKL|BLIS|VECLIB|ONEDNN|DNNL)_|OMP_NUM_THREADS$|ATEN_CPU_CAPABILITY$")
    return {name: value for name, value in os.environ.items() if known.match(name)}


def usual_blas():
    """What threadpoolctl says of NumPy's BLAS; where blas_variables are set, in a process without them."""
    if not blas_variables():
        from threadpoolctl import threadpool_info

        return threadpool_info()
    code = "import numpy, threadpoolctl, json; print(json.dumps(threadpoolctl.threadpool_info()))"
    environment = {name: value for name, value in os.environ.items() if name not in blas_variables()}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    return json.loads(done.stdout)


def describe_blas(pools):
    """What threadpoolctl's list of thread pools says of the BLAS among them: "openblas 0.3.31 as SkylakeX"."""
    for pool in pools:
        if pool["user_api"] == "blas":
            core = f" as {pool['architecture']}" if "architecture" in pool else ""
            return f"{pool['internal_api']} {pool['version']}{core}"
    return "unknown to threadpoolctl"


def commit():
    """The commit of this clone, with a + where files were changed since."""
    def git(*words):
        done = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, check=True)
        return done.stdout.decode().strip()
    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def thread_count():
    """Threads that the kernels run on, and that the other sides are set to."""
    import numba

    return numba.config.NUMBA_NUM_THREADS


def variables():
    """The environment variables that were set to something else than usual, as text: ", NUMBA_NUM_THREADS=1"."""
    known = ("NUMBA_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "MINILLM_MATMUL", "MINILLM_KERNELS",
             "TOKENIZERS_PARALLELISM")
    return "".join(f", {name}={os.environ[name]}" for name in known if name in os.environ)


def machine_lines(content):
    """Machine, versions, threads and load of a report, a line each."""
    machine, load = content["machine"], content["load"]
    average = "unknown" if load["average"] is None else f"{load['average']:.2f}"
    busy = "unknown" if load["others_before"] is None else f"{load['others_before']:.2f} cores"
    return "\n".join([
        f"machine:  {machine['processor']}, {machine['cores']} cores, {machine['caches'] or 'caches unknown'}",
        f"system:   {machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}",
        "versions: " + ", ".join(f"{name} {value}" for name, value in content["versions"].items()),
        f"threads:  {content['threads']}{content['variables']}",
        f"load:     {average} on average over the last minute; other work now: {busy}"])


class Load:
    """How busy other work keeps the machine: before the run, and on average while it lasts."""

    def __init__(self, sample):
        """sample: seconds to look at the cores before anything is timed."""
        self.average = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        self.at, self.busy, self.own = time.perf_counter(), busy_seconds(), own_seconds()
        time.sleep(sample)
        self.before = self.others()

    def others(self):
        """Cores that other processes have kept busy since the start; None where the system does not tell.

        Children count as ours once they have ended.
        """
        if self.busy is None:
            return None
        spent = (busy_seconds() - self.busy) - (own_seconds() - self.own)
        return round(max(spent, 0.0) / (time.perf_counter() - self.at), 2)

    def warning(self):
        """A line that says that the machine is not quiet, or None.

        The load average also holds what the benchmark before this one did, so that it decides only where the
        system does not tell how busy the cores are now.
        """
        now = self.before if self.before is not None else self.average
        if now is None or now <= QUIET:
            return None
        return (f"WARNING: other work keeps {now:.2f} cores busy, limit {QUIET} (load {self.average:.2f}): "
                "the figures are not to be trusted; run it again on a quiet machine.")


def busy_seconds():
    """Seconds that the machine's cores have worked since it was started, all processes together."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    except OSError:
        return None
    user, nice, system, idle, waiting, irq, softirq, stolen = map(int, fields)
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    """Seconds that this process and its ended children have worked."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def resident():
    """Memory of this process in MB, after what is free was handed back; None where the system does not tell."""
    gc.collect()
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)
    return from_status("VmRSS")


def reset_peak():
    """Let peak() start from what the process holds now: making the parameters may have taken more for a moment."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak():
    """Largest memory of this process in MB since reset_peak.

    Not ru_maxrss of getrusage: it begins with the memory of the process that started this one.
    """
    return from_status("VmHWM")


def from_status(name):
    """A size in /proc/self/status, in MB; None where there is none."""
    try:
        line = next(line for line in PROC.read_text().splitlines() if line.startswith(name + ":"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) / 1024
