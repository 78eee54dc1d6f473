namespace Ukl.Kernel.Net.Tcp;

/// <summary>
/// Acknowledgements that answer what cannot be right (RFC 5961): an honest other end that is confused hears where this end stands, a blind attacker learns nothing.
/// Also for segments without data outside the window, so that two confused ends do not answer each other for ever.
/// </summary>
internal static unsafe class ChallengeAck
{
    /// <summary>At most one in this time for each connection (RFC 5961 section 7; Linux: tcp_invalid_ratelimit).</summary>
    private const ulong Interval = 500_000_000;

    /// <summary>Sends one if none was sent lately.</summary>
    public static void Send(TcpConnection* c)
    {
        if (IsAllowed(c))
            SegmentSender.SendAcknowledgment(c);
    }

    private static bool IsAllowed(TcpConnection* c)
    {
        ulong now = c->Stack->Now;
        if (c->LastChallenge != 0 && now - c->LastChallenge < Interval)
            return false;
        c->LastChallenge = now;
        return true;
    }
}
