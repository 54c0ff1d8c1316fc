"""The policy pack: what the engine refuses before anything is created. One module for each theme."""
