"""What every benchmark says of its machine, and where its last table is kept: README.md of this folder."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
from pathlib import Path


def machine() -> str:
    """One line that says where and when the numbers were taken, and how busy the machine was."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return (
        f"{today}, {os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, load average {os.getloadavg()[0]:.1f}"
    )


def put_between(name: str, text: str) -> None:
    """Put `text` between the marks called `name` in README.md."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    readme = Path(__file__).with_name("README.md")
    before, _, rest = readme.read_text(encoding="utf-8").partition(begin)
    if not rest:
        raise LookupError(f"There is no {begin!r} in {readme.name}.")
    after = rest.partition(end)[2]
    readme.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
