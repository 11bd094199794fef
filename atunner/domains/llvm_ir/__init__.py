"""C programs and their LLVM IR: fixed builds, flags, passes, loop metadata, rewritten loops; verified and measured."""
