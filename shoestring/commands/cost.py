"""`shoestring cost`: what a plan costs, what was spent, what it bought."""

from __future__ import annotations

from shoestring.commands.deferred import group

COMMANDS = {
    "plan": (
        "cost_plan:plan",
        "Price a plan before it is applied: what stays, what works and goes at its worst, and the difference.",
    ),
    "report": ("cost_report:report", "Say what a week cost, what it bought, and what to change."),
    "rightsize": (
        "cost_report:rightsize",
        "Say what is larger than it needs to be, what less would save, and the line that changes it.",
    ),
    "roi": ("cost_value:roi", "Return on investment: (benefit - cost) / cost."),
    "tco": (
        "cost_value:tco",
        "A bought GPU server against EC2, spot and SageMaker, with the hours after which it pays.",
    ),
}
app = group(COMMANDS)
