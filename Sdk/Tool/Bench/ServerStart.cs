using System.Net.Sockets;
using System.Text;
using Ukl.Tool.Network;
using Ukl.Tool.Qemu;

namespace Ukl.Tool.Bench;

/// <summary>How soon, and in how little memory, an HTTP server in a guest answers its first request.</summary>
/// <param name="accelerator">kvm or tcg.</param>
public sealed class ServerStart(string accelerator)
{
    private const int HttpPort = 80, MostMemory = 256;

    /// <summary>A segment sent before the guest has a card is lost, and Linux sends it again only after a second: so each attempt is a new one.</summary>
    private static readonly TimeSpan Attempt = TimeSpan.FromMilliseconds(25), Pause = TimeSpan.FromMilliseconds(2);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60), AnswerLimit = TimeSpan.FromSeconds(10), MemoryLimit = TimeSpan.FromSeconds(20);

    private static readonly MachineOptions Machine = new() { CpuModel = "max,-erms,-fsrm" };

    /// <summary>The time from QEMU's start to the first byte of an answer, in seconds: the least of several boots.</summary>
    public double Seconds(NetworkImage image, int boots)
    {
        double least = double.MaxValue;
        for (int boot = 0; boot < boots; boot++)
            least = Math.Min(least, TimeToAnswer(image, Machine, Limit));
        return least;
    }

    /// <summary>The least memory, in MiB, in which the server still answers.</summary>
    public int LeastMemory(NetworkImage image)
    {
        int fails = 1, works = MostMemory;
        while (works - fails > 1)
        {
            int middle = (works + fails) / 2;
            if (Answers(image, middle))
                works = middle;
            else
                fails = middle;
        }
        return works;
    }

    private bool Answers(NetworkImage image, int memory)
    {
        try
        {
            TimeToAnswer(image, Machine with { Memory = memory }, MemoryLimit);
            return true;
        }
        catch (ToolException)
        {
            return false;
        }
    }

    private double TimeToAnswer(NetworkImage image, MachineOptions machine, TimeSpan limit)
    {
        using NetworkRig rig = new();
        rig.KnowGuest();
        machine = machine with { Extra = NetworkRig.CardOnTap(machine.Type) };
        using NetworkGuest guest = new(rig, status => image.Arguments(machine, accelerator, status));
        while (true)
        {
            try
            {
                using Socket socket = guest.Connect(HttpPort, Attempt);
                socket.ReceiveTimeout = (int)AnswerLimit.TotalMilliseconds;
                socket.Send(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: guest\r\n\r\n"));
                byte[] answer = new byte[1024];
                int size = socket.Receive(answer);
                if (size > 0 && answer.AsSpan(0, size).StartsWith("HTTP/1.1 200"u8))
                    return guest.Started.Elapsed.TotalSeconds;
                throw guest.Failure($"the first request was answered by '{Encoding.ASCII.GetString(answer, 0, size).Split('\r')[0]}'");
            }
            catch (SocketException) when (!guest.HasEnded && guest.Started.Elapsed < limit)
            {
                Thread.Sleep(Pause);
            }
            catch (SocketException)
            {
                throw guest.Failure($"no request was answered within {limit.TotalSeconds:0} s");
            }
        }
    }
}
