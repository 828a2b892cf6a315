"""A short fuzzing campaign: damaged checkpoints load or are one CheckpointError."""

import fuzz


def test_damaged_files_load_or_are_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(fuzz, "SECOND", float("inf"))       # a test does not depend on the machine's speed
    results = fuzz.campaign(count=200, seed=1)
    assert [row[0] for rows in results.values() for row in rows if row[0] not in ("loads", "refused")] == []
    assert all(sum(row[0] == "refused" for row in rows) > 10 for rows in results.values())
    lines, good = fuzz.table(results)
    assert good and lines[-1].startswith("| all | 200 |")
