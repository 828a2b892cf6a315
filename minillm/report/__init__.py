"""What a run leaves for the eye: one page, report.html, drawn from what lies in its folder."""

from minillm.report.page import write_report

__all__ = ["write_report"]
