"""Evidence about a program: counters, hot lines, remarks, forecasts and opcode counts, and the files that hold them."""
