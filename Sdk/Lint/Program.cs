// The command: ukl-lint kernel|joint|… Ends with 0 when all is well, 1 when there are findings, 2 when its input cannot be read.
using System;
using System.IO;
using Ukl.Lint.Commands;

try
{
    return CommandLine.Create().Parse(args).Invoke(new() { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"ukl-lint: error UKL1000: {e.Message}");
    return 2;
}
