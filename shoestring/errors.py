"""One kind of error for people: what was found, what was expected, and the command that mends it."""

from __future__ import annotations


MEND = "  mend it:  "


class UserError(Exception):
    """Shown as one message without a traceback; the command exits with 1.

    Args:
        found: what is the case.
        expected: what should be the case; may be empty where `found` says it all.
        mend: the command or edit that mends it; may be empty.
    """

    def __init__(self, found: str, expected: str = "", mend: str = "") -> None:
        self.found, self.expected, self.mend = found, expected, mend
        lines = [found]
        if expected:
            lines.append(f"  expected: {expected}")
        if mend:
            lines.append(f"{MEND}{mend}")
        super().__init__("\n".join(lines))
