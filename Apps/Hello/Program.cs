// The first program: greets, says where it runs and shows its arguments.

using System;
using System.Runtime.InteropServices;

Console.WriteLine($"Hello from {RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}");
if (args.Length > 0)
    Console.WriteLine($"Arguments: {string.Join(' ', args)}");
return 0;
