"""Each alert proved against everything running: a fault is done to it, the alert fires, arrives at a receiver, and clears."""
