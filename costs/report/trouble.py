"""What keeps a report from being true, said once: found, expected, and the command that mends it."""

from __future__ import annotations


class ReportError(Exception):
    """No report can be made; the command line and the function's log show the three parts."""

    def __init__(self, found: str, expected: str = "", mend: str = "") -> None:
        self.found, self.expected, self.mend = found, expected, mend
        lines = [found]
        if expected:
            lines.append(f"  expected: {expected}")
        if mend:
            lines.append(f"  mend it:  {mend}")
        super().__init__("\n".join(lines))
