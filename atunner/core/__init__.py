"""Values, ports, errors and rules; imports nothing of ours."""
