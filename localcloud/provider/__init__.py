"""A stand-in for the `aws` provider plugin, for machines where the official one cannot be had."""
