using System.Runtime.InteropServices;

Console.WriteLine($"Hello from UKL: {RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}");
foreach (string argument in args)
    Console.WriteLine($"argument: {argument}");
return 0;
