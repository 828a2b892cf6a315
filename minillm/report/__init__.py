"""The report of a run: one page, report.html, made from the files in the run's folder."""

from minillm.report.compare import write_comparison
from minillm.report.page import write_report

__all__ = ["write_comparison", "write_report"]
