"""What it is worth: return on investment, buying against renting, right-sizing."""
