using System;
using System.CommandLine;
using System.IO;
using Ukl.Lint.Page;

namespace Ukl.Lint.Commands;

/// <summary>Writes the compatibility page, or checks that it is up to date.</summary>
internal static class PageCommand
{
    public static Command Create()
    {
        var kernel = new Argument<FileInfo>("kernel") { Description = "The kernel's assembly." };
        var page = new Argument<FileInfo>("page") { Description = "The page, docs/compatibility.md." };
        var check = new Option<bool>("--check") { Description = "Write nothing; end with 1 when the page is out of date." };
        var command = new Command("page", "Writes the page of supported system calls.") { kernel, page, check };
        command.SetAction(result =>
        {
            FileInfo file = result.GetRequiredValue(page);
            string text = CompatibilityPage.Write(CompatibilityPage.ReadCalls(result.GetRequiredValue(kernel).FullName));
            if (!result.GetValue(check))
            {
                Directory.CreateDirectory(file.DirectoryName!);
                File.WriteAllText(file.FullName, text);
                return 0;
            }
            if (file.Exists && File.ReadAllText(file.FullName) == text)
                return 0;
            Console.Error.WriteLine($"ukl-lint: error UKL1018: {file.FullName} is out of date: write it again with ukl-lint page");
            return 1;
        });
        return command;
    }
}
