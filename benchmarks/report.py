"""What every benchmark says of its machine, what it can be told, and where its tables are: README.md."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path

README = Path(__file__).with_name("README.md")


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
    """Put `text` between the marks called `name` in README.md. Raises `LookupError` without such marks."""
    before, _, after = _around(name)
    begin, end = _marks(name)
    README.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def arguments(description: str | None, *, quick: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark has: `--quick` (it does `quick`), `--write`.

    `make bench` hands the same options to all of them.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{quick}: a look, no result")
    parser.add_argument("--write", action="store_true", help="put tables and figures into this folder")
    return parser


def parsed(parser: argparse.ArgumentParser, *, name: str, fixed: Sequence[str] = ()) -> argparse.Namespace:
    """Return the options of the command line. `name`: of the marks that `--write` needs in README.md.

    `fixed`: options whose defaults the goals speak of, so that a result has no others. What would fail after
    an hour of measuring fails here.
    """
    options = parser.parse_args()
    if options.write and options.quick:
        parser.error("a quick look is no result: leave out --write")
    if options.write:
        for each in fixed:
            if getattr(options, each) != parser.get_default(each):
                parser.error(f"the goal says {parser.get_default(each)}: leave out --{each} or --write")
        _around(name)
    return options


def _around(name: str) -> tuple[str, str, str]:
    begin, end = _marks(name)
    before, begun, rest = README.read_text(encoding="utf-8").partition(begin)
    inside, ended, after = rest.partition(end)
    if not begun or not ended:
        raise LookupError(f"There is no {begin!r} with {end!r} behind it in {README.name}.")
    return before, inside, after


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
