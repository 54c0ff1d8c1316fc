"""What answers predictions: inside Lambda, and the client that calls it. No Pulumi, no training."""
