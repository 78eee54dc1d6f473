using Ukl.Tool.Build;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Bench;

/// <summary>redis-server as a static program, built from the distribution's source package into the cache: an unmodified Linux server, and what our KeyValue is measured beside.</summary>
/// <param name="repository">The tree and its cache.</param>
/// <param name="reporter">Told of the long step.</param>
public sealed class RedisServer(Repository repository, Reporter reporter)
{
    private const string Name = "redis-server";

    /// <summary>The program, built when the cache does not have it.</summary>
    public string Get()
    {
        string folder = Path.Combine(repository.Cache, "redis");
        string program = Path.Combine(folder, Name);
        if (!File.Exists(program))
            reporter.Step("Building redis-server (once per machine)", () => Build(folder, program));
        return program;
    }

    private void Build(string folder, string program)
    {
        string work = Path.Combine(folder, "work");
        if (Directory.Exists(work))
            Directory.Delete(work, recursive: true);
        Directory.CreateDirectory(work);
        string source = Path.Combine(work, "source");
        new DebianPackages(repository).UnpackSource("redis", source);
        CommandRunner.Require(
            "redis-server could not be built", "make", ["-C", "src", $"-j{Environment.ProcessorCount}", "MALLOC=libc", "CFLAGS=-static", "LDFLAGS=-static", Name], source);
        CommandRunner.Require("redis-server could not be stripped", "objcopy", ["--strip-debug", Path.Combine(source, "src", Name), $"{program}.new"]);
        File.Move($"{program}.new", program, overwrite: true);
        Directory.Delete(work, recursive: true);
    }
}
