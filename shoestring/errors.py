"""One kind of error for people: what was found, what was expected, and the command that mends it."""

from __future__ import annotations


class UserError(Exception):
    """Shown as one message without a traceback; the command exits with `code`.

    Args:
        found: what is the case.
        expected: what should be the case; may be empty where `found` says it all.
        mend: the command or edit that mends it; may be empty.
        code: the exit code, 1 by default.
    """

    def __init__(self, found: str, expected: str = "", mend: str = "", code: int = 1) -> None:
        self.found, self.expected, self.mend, self.code = found, expected, mend, code
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The three parts, a line each."""
        lines = [self.found]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.mend:
            lines.append(f"  mend it:  {self.mend}")
        return "\n".join(lines)
