"""What can this machine do at the most, and which BLAS does it have?

    python benchmarks/machine.py                                                 (--against torch: PyTorch's too)

The limit of arithmetic is a loop of multiply-adds that never leaves the registers (peaks.py): in float32, and in
bfloat16 where the processor multiplies pairs of them (AVX512-BF16). "Of the limit" means of this one everywhere.
Beside it stands a product of 2,048 x 2,048 matrices by NumPy's BLAS, named with its version and the core that it
runs as. Where environment variables tell BLAS how to run, it is timed with them and without, each in a process of its
own. Memory is a copy of 256 MB.
"""

from common import Report, flags, parse, progress
from host import blas_variables, thread_count
from peaks import PRECISIONS, memory_speed, register_peak
from pictures import bars
from turns import Apart

COLUMNS = [("what", "GFLOP/s", ""), ("one", "one core", ",.1f"), ("all", "all cores", ",.1f"),
           ("share", "of the limit, one core", ".1%"), ("shares", "all cores", ".1%")]
MEMORY_COLUMNS = [("what", "GB/s, read and written together", ""), ("one", "one core", ",.1f"),
                  ("all", "all cores", ",.1f")]


def limits(tries):
    """A row for each precision that has an instruction of its own."""
    rows = []
    for precision in PRECISIONS:
        one, every = (register_peak(precision, threads, tries) / 1e9 for threads in (1, thread_count()))
        rows.append({"what": f"limit: multiply-adds in registers, {precision}", "one": one, "all": every,
                     "share": 1.0, "shares": 1.0, "precision": precision})
    return rows


def libraries(against):
    """(side, its environment, what it computes in) of every product that is timed."""
    found = [("products:NumpyBlas", {}, "float32")]
    if blas_variables():
        found.append(("products:NumpyBlas", blas_variables(), "float32"))
    if against:
        found += [("pytorch:Float32", {}, "float32"), ("pytorch:BFloat16", {}, "bfloat16")]
    return found


def product_row(target, environment, precision, limit, size, tries):
    """Speed of a library's square product, the best of some tries."""
    side = Apart(target, environment=environment)
    try:
        what = f"{side.ask('describe')}, {precision}"
        progress(what)
        side.ask("build", "dy W", size, size, size)
        speeds = []
        for threads in (1, thread_count()):
            side.ask("threads", threads)
            speeds.append(2e-9 * size**3 / min(side.ask("seconds", 1) for _ in range(tries)))
    finally:
        side.close()
    told = "".join(f", {name}={value}" for name, value in environment.items())
    one, every = speeds
    return {"what": what + told, "one": one, "all": every,
            "share": one / limit["one"], "shares": every / limit["all"], "precision": precision}


def main(argv=None):
    """The processor alone, then its libraries, then its memory."""
    args = parse(flags(__doc__, against=("torch",)), argv)
    report, tries = Report(__file__, __doc__, args), 2 * args.rounds
    progress("registers")
    rows = limits(tries)
    # without an instruction for bfloat16 its products are made of float32's
    limit = {"bfloat16": rows[0], **{row["precision"]: row for row in rows}}
    products = [product_row(*library, limit[library[2]], 128 if args.quick else 2048, tries)
                for library in libraries(args.against)]
    shown = [*rows, *products]
    report.table("Arithmetic", COLUMNS, shown)
    best = max((row for row in products if row["precision"] == "float32"), key=lambda row: row["all"])
    report.note(f"The best BLAS in float32: {best['what']}, {best['all']:,.1f} GFLOP/s.")
    if len(rows) == 1:
        report.note("This processor has no instruction for products of bfloat16 that is used here.")
    progress("memory")
    one, every = (memory_speed(threads, 1 if args.quick else 256) / 1e9 for threads in (1, thread_count()))
    report.table("Memory", MEMORY_COLUMNS, [{"what": "copy", "one": one, "all": every}])
    for row in rows:
        report.headline(f"register peak, {row['precision']}, GFLOP/s", row["all"], ",.0f")
    report.headline("best BLAS, float32, GFLOP/s", best["all"], ",.0f")

    def draw(axes):
        bars(axes, [row["what"] for row in shown], {"one core": [row["one"] for row in shown],
                                                    "all cores": [row["all"] for row in shown]},
             "GFLOP/s (higher is better)")
    report.finish(draw)


if __name__ == "__main__":
    main()
