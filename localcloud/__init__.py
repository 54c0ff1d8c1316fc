"""The emulated AWS account on this machine, started and stopped by the command line."""
