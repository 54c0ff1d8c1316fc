"""Prices, estimates and reports. Money is a Decimal in US dollars, never a float."""
