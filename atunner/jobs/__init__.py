"""The queue's worker: which job is worked on, for how long, and how it ends."""
