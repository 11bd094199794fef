"""Above the wiring: how leased jobs become runs, each in processes of its own."""
