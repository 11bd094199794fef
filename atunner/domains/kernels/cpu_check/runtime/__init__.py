"""C++ that a checked kernel is compiled and linked with."""
