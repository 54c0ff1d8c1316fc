"""Return on investment: what came back for each dollar that was spent."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from costs.value.inputs import Inputs

Usd = Annotated[Decimal, Field(allow_inf_nan=False)]


class Roi(Inputs):
    """What was given, in dollars over the same time, and what follows from it.

    A cost of nothing or less has no return: it is refused.
    """

    benefit: Usd = Field(description="US dollars that it brought")
    cost: Usd = Field(gt=0, description="US dollars that it cost")
    months: Decimal | None = Field(None, gt=0, allow_inf_nan=False, description="Months that both are for")

    @property
    def gain(self) -> Decimal:
        """Dollars; below 0 for a loss."""
        return self.benefit - self.cost

    @property
    def share(self) -> Decimal:
        """(benefit - cost) / cost: 4 is 400 %."""
        return self.gain / self.cost

    @property
    def payback_months(self) -> Decimal | None:
        """When the benefit has paid the cost; None where the time is not known, or nothing comes back."""
        return self.cost * self.months / self.benefit if self.months and self.benefit > 0 else None

    def facts(self) -> dict[str, Any]:
        """For machines; money is a text."""
        return {
            "benefit_usd": f"{self.benefit:f}", "cost_usd": f"{self.cost:f}", "gain_usd": f"{self.gain:f}",
            "roi": f"{self.share:f}", "roi_pct": f"{self.share * 100:f}",
            "payback_months": None if self.payback_months is None else f"{self.payback_months:f}",
            "source": "given",
        }  # fmt: skip


def render(roi: Roi) -> str:
    """For people."""
    lines = [
        f"benefit         {roi.benefit:,.2f} dollars (given)",
        f"cost            {roi.cost:,.2f} dollars (given)",
        f"gain            {roi.gain:,.2f} dollars",
        f"ROI             {roi.share * 100:,.1f} % = (benefit - cost) / cost",
    ]
    if roi.payback_months is not None:
        lines.append(f"paid back after {roi.payback_months:,.1f} months, if the benefit comes evenly")
    return "\n".join(lines)
