using System.Xml.Linq;
using Ukl.Tool;
using Ukl.Tool.Build;
using Ukl.Tool.Qemu;
using Ukl.Tool.Testing;
using Xunit;
using TestResult = Ukl.Tool.Testing.TestResult;

namespace Ukl.Tests.Tool;

/// <summary>What the tool reads from MSBuild and xunit, and what it gives to QEMU.</summary>
public sealed class BuildOutputTests
{
    [Fact]
    public void Errors_are_shown_once_and_without_the_project() =>
        Assert.Equal(
            ["/a/b.cs(1,2): error CS0001: bad"],
            MsBuild.Errors("/a/b.cs(1,2): error CS0001: bad [/a/a.csproj]\n  /a/b.cs(1,2): error CS0001: bad [/a/a.csproj]\n/a/c.cs(1,1): warning CS2: meh [/a/a.csproj]\n"));

    [Fact]
    public void A_description_has_single_and_repeated_keys()
    {
        ImageDescription description = ImageDescription.Parse(["name=Hello", "library=/a=b.a", "library=/c.o", "content=/x/data.txt|sub\\data.txt", "nonsense"]);
        Assert.Equal("Hello", description.Name);
        Assert.Equal(["/a=b.a", "/c.o"], description.Libraries);
        Assert.Equal([("/x/data.txt", "sub/data.txt")], description.Content);
        Assert.Contains("'object'", Assert.Throws<ToolException>(() => description.Object).Message);
    }

    [Fact]
    public void A_report_of_xunit_gives_a_result_per_test() =>
        Assert.Equal(
            [new TestResult("S", "a", null), new TestResult("S", "b", "no good")],
            HostTestRunner.Parse("S", XElement.Parse(
                """
                <assemblies><assembly><collection>
                  <test name="a" result="Pass"/>
                  <test name="b" result="Fail"><failure><message>no
                good</message></failure></test>
                  <test name="c" result="Skip"/>
                </collection></assembly></assemblies>
                """)));

    [Fact]
    public void A_command_line_can_be_pasted_into_a_shell() =>
        Assert.Equal("qemu-system-x86_64 -m 256 -append 'a b' 'it'\\''s' ''", QemuCommand.Display(["-m", "256", "-append", "a b", "it's", ""]));

    [Theory]
    [InlineData("/etc/hostname", "/etc/hostname", "/app/hostname")]
    [InlineData("/etc/hostname:/etc/name", "/etc/hostname", "/etc/name")]
    public void A_file_for_the_guest_lies_beside_the_program_unless_told(string text, string source, string target) =>
        Assert.Equal(new GuestFile(source, target), GuestFile.Parse(text));

    [Theory]
    [InlineData(":/x")]
    [InlineData("a:relative")]
    public void A_file_for_the_guest_needs_both_places(string text) => Assert.Throws<ToolException>(() => GuestFile.Parse(text));

    [Fact]
    public void A_machine_is_checked_before_it_is_started()
    {
        new MachineOptions().Validate();
        foreach (MachineOptions wrong in (MachineOptions[])[new() { Type = "vax" }, new() { Cpus = 0 }, new() { Memory = 0 }, new() { Type = "microvm", IsIso = true }])
            Assert.Throws<ToolException>(wrong.Validate);
    }
}
