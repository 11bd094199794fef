"""Reports: terminal, page, files, plots and comparisons, computed from the run record only."""
