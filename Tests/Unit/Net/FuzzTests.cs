using System;
using System.Globalization;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>
/// Does anything that comes in break the stack? Wrong frames by a fixed seed; none may raise an exception, and at the end no buffer, connection or port is left. UKL_NET_FUZZ says how
/// many frames to hand over instead of the share that every run does, UKL_NET_FUZZ_SEED where to begin.
/// </summary>
public class FuzzTests
{
    private const int Share = 200_000;
    private const int FramesPerWorld = 20_000;

    [Fact]
    public void Wrong_frames_break_nothing_and_leave_nothing()
    {
        int count = Setting("UKL_NET_FUZZ", Share);
        int seed = Setting("UKL_NET_FUZZ_SEED", 1);
        for (int done = 0; done < count; done += FramesPerWorld, seed++)
        {
            try
            {
                using var world = new FuzzWorld(seed);
                world.Run(FramesPerWorld);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"seed {seed}: {exception.Message}", exception);
            }
        }
    }

    private static int Setting(string name, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : usual;
}
