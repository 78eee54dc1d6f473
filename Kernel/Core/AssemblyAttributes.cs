using System.Runtime.CompilerServices;

// Zeroing every local on entry would cost on hot paths; locals are assigned before use, which the compiler checks.
[module: SkipLocalsInit]
