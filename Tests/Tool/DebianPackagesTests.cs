using Ukl.Tool;
using Ukl.Tool.Build;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class DebianPackagesTests
{
    [Fact]
    public void Stanzas_give_binary_and_source_lines() =>
        Assert.Equal(
            [
                "deb [signed-by=/usr/share/keyrings/k.gpg] http://packages.example/debian bookworm main",
                "deb-src [signed-by=/usr/share/keyrings/k.gpg] http://packages.example/debian bookworm main",
                "deb [signed-by=/usr/share/keyrings/k.gpg] http://packages.example/debian bookworm-updates main",
                "deb-src [signed-by=/usr/share/keyrings/k.gpg] http://packages.example/debian bookworm-updates main",
            ],
            DebianPackages.DeriveSources(
            [
                ("debian.sources",
                    """
                    # comment
                    Types: deb
                    URIs: http://packages.example/debian
                    Suites: bookworm bookworm-updates
                    Components: main
                    Signed-By: /usr/share/keyrings/k.gpg

                    Types: deb
                    URIs: https://deb.nodesource.com/node_20.x
                    Suites: nodistro
                    Components: main

                    Enabled: no
                    URIs: http://old.debian.example/debian
                    Suites: buster
                    Components: main
                    """),
            ]));

    [Fact]
    public void Lines_keep_their_options_and_third_parties_are_left_out() =>
        Assert.Equal(
            ["deb [arch=amd64] http://packages.example/ubuntu jammy main universe", "deb-src [arch=amd64] http://packages.example/ubuntu jammy main universe"],
            DebianPackages.DeriveSources(
            [
                ("sources.list",
                    """
                    deb [arch=amd64] http://packages.example/ubuntu jammy main universe # the archive
                    deb-src http://packages.example/ubuntu jammy main
                    deb https://packages.microsoft.com/debian/12/prod bookworm contrib
                    """),
            ]));

    [Fact]
    public void No_source_at_all_is_said() => Assert.Throws<ToolException>(() => DebianPackages.DeriveSources([("sources.list", "")]));
}
