"""What AWS refuses and the emulators behind let pass, each with AWS's own code and words."""
