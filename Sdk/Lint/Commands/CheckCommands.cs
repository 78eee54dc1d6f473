using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Ukl.Lint.Checks;
using Ukl.Lint.Elf;
using Ukl.Lint.Names;

namespace Ukl.Lint.Commands;

/// <summary>The two checks of the no-GC discipline. They print MSBuild errors and end with 1 when there are any.</summary>
internal static class CheckCommands
{
    public static Command Kernel()
    {
        var target = new Argument<FileInfo>("object") { Description = "The object that ilc made of the kernel alone (--nativelib --multifile)." };
        var others = new Argument<FileInfo[]>("others") { Description = "The other objects of the link: what they refer to is where the check starts." };
        Option<FileInfo[]> assemblies = Assemblies(), references = References();
        Option<string[]> roots = new("--root") { Description = "A symbol to start from as well, such as the linker's entry." };
        var command = new Command("kernel", "Checks the kernel-only link: which reachable kernel method needs what the kernel does not have.") { target, others, assemblies, references, roots };
        command.SetAction(result =>
        {
            var provided = new HashSet<string>();
            var wanted = new HashSet<string>(result.GetValue(roots) ?? []);
            foreach (FileInfo other in result.GetValue(others) ?? [])
            {
                foreach (ElfSymbol symbol in ElfFile.Read(other.FullName).Symbols)
                {
                    if (symbol.Binding != ElfBinding.Local)
                        (symbol.IsUndefined ? wanted : provided).Add(symbol.Name);
                }
            }
            return Run(result.GetRequiredValue(target), result.GetRequiredValue(assemblies), result.GetValue(references) ?? [], wanted, provided);
        });
        return command;
    }

    public static Command Joint()
    {
        var target = new Argument<FileInfo>("object") { Description = "The object that ilc made of program and kernel together." };
        Option<FileInfo[]> assemblies = Assemblies(), references = References();
        var command = new Command("joint", "Checks the machine code of every kernel method in a joint object.") { target, assemblies, references };
        command.SetAction(result => Run(result.GetRequiredValue(target), result.GetRequiredValue(assemblies), result.GetValue(references) ?? [], null, new HashSet<string>()));
        return command;
    }

    private static Option<FileInfo[]> Assemblies() =>
        new("--assembly") { Description = "An assembly under the discipline; its metadata gives methods their names.", Required = true };

    private static Option<FileInfo[]> References() =>
        new("--reference") { Description = "Another assembly that was compiled, only for its names." };

    private static int Run(FileInfo target, FileInfo[] assemblies, FileInfo[] references, HashSet<string>? roots, HashSet<string> provided)
    {
        using var names = new Demangler(assemblies.Concat(references).Select(assembly => assembly.FullName));
        var options = new CheckOptions([.. assemblies.Select(assembly => Path.GetFileNameWithoutExtension(assembly.Name))], roots, provided);
        List<Violation> violations = DisciplineCheck.Run(ElfFile.Read(target.FullName), names, options);
        foreach (Violation violation in violations)
            Console.WriteLine(violation.Format(Environment.CurrentDirectory));
        return violations.Count == 0 ? 0 : 1;
    }
}
