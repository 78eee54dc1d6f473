using System;
using System.CommandLine;
using System.IO;
using System.Linq;
using Ukl.Generators;
using Ukl.Lint.Elf;
using Ukl.Lint.Linking;

namespace Ukl.Lint.Commands;

/// <summary>Prints the system calls that a linked image can make, and the places that cannot be judged; ends with 1 when there are any.</summary>
internal static class CallsCommand
{
    public static Command Create()
    {
        var image = new Argument<FileInfo>("image") { Description = "An image of a linked level, with its symbols (APP.debug)." };
        var command = new Command("calls", "Prints the system calls that an image can make.") { image };
        command.SetAction(result =>
        {
            CallNumbers calls = CallNumbers.Read(ElfFile.Read(result.GetRequiredValue(image).FullName));
            Console.WriteLine(string.Join(' ', calls.Numbers.Select(number => LinuxSyscalls.NameOf(number) ?? $"{number}")));
            foreach (string place in calls.Unproven)
                Console.WriteLine($"not known: {place}");
            return calls.Unproven.Count == 0 ? 0 : 1;
        });
        return command;
    }
}
