"""The reports under tests/gpu-reports/, and what README.md says of them between its two marks."""

import datetime
import re

from running import report as reports

from . import results

BEGIN, END = "<!-- gpu-figures: begin -->", "<!-- gpu-figures: end -->"
FOLDER = "tests/gpu-reports"
NONE_YET = ("There is no report of a run on a GPU yet; `tests/gpu/visit` makes one, and measures Sluice's own kernels\n"
            "beside cuDNN, PyTorch and the limit, figure by figure.\n")


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


class Filed:
    """A report, and the names that it is filed under."""

    def __init__(self, report):
        head = report.head
        self.report, self.visit, self.commit = report, head["visit"], head["commit"]
        self.gpu, self.driver = head["machine"]["gpu"], head["machine"].get("driver", "")
        time = datetime.datetime.fromisoformat(head["time"].replace("Z", "+00:00"))
        time = time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)
        self.time = time.astimezone(datetime.timezone.utc)
        self.date = self.time.strftime("%Y-%m-%d")
        self.machine = f"{slug(self.gpu)}-{self.date}"  # a folder of bench/results/
        self.name = f"{self.time:%Y%m%dT%H%M%SZ}-{slug(self.gpu)}-{slug(self.visit)}.jsonl"

    @property
    def card(self):
        """As `predictions --gpu` has it, or ""."""
        match = re.search(r"\b(h100|h200)\b", self.gpu.lower())
        return match[1] if match else ""


def all_of(root):
    """Those that are filed, oldest first."""
    return sorted((Filed(reports.read(path)) for path in (root / FOLDER).glob("*.jsonl")), key=lambda one: one.time)


def counts_text(counts):
    return (f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped, "
            f"{counts['cut']} not run")


def newest_of_each(filed):
    """{gpu: its reports of its newest day, the newest of each visit}."""
    found = {}
    for one in filed:
        of_day = found.setdefault(one.gpu, {})
        if of_day and next(iter(of_day.values())).date != one.date:
            of_day.clear()
        of_day[one.visit] = one
    return {gpu: list(visits.values()) for gpu, visits in found.items()}


def _times(value):
    return f"{value:.3g}x" if value else ""


def _row(row):
    limit = (row.get("against") or [""])[0] == "limit"
    least = ("within " if limit else "") + _times(row.get("at_least")) if row.get("at_least") else "stated"
    reached = row["verdict"]
    if "worst" in row:
        reached = (f"{_times(row['geometric_mean'])} on average of {row['measured']} of {row['shapes']} shapes, worst "
                   f"{_times(row['worst'])}: {row['verdict']}")
    return f"| {row['figure']} | {least} | {_times(row.get('aim'))} | {reached} |\n"


def section(root):
    """What stands between the marks."""
    parts = []
    for gpu, of_day in newest_of_each(all_of(root)).items():
        last = of_day[-1]
        counts = {key: sum(one.report.counts()[key] for one in of_day) for key in reports.RESULTS}
        commits = ", ".join(dict.fromkeys(f"`{one.commit[:12]}`" for one in of_day))
        visits = ", ".join(one.visit + (" (killed before its end)" if one.report.killed else "") for one in of_day)
        text = (f"{gpu}, driver {last.driver}, {last.date}, commit {commits}, visits {visits}:\n"
                f"{counts_text(counts)}.")
        rows = results.figures(root / "bench" / "results" / last.machine)
        if rows:
            text += (" A figure is the other's time over\nSluice's, of the limit Sluice's over it; more in "
                     f"`bench/results/{last.machine}/`.\n\n"
                     "| figure | at least | aim | reached |\n|---|---|---|---|\n" + "".join(_row(row) for row in rows))
        else:
            text += " No figure has been measured yet.\n"
        parts.append(text)
    return "\n".join(parts) or NONE_YET


def update_readme(root):
    """True if it changed. Errors: results.Failure where the marks are missing."""
    path = root / "README.md"
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN + "\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise results.Failure(f"README.md has no lines {BEGIN} and {END} around the GPU's figures; put them back")
    return results.write(path, before + begin + section(root) + end + after)
