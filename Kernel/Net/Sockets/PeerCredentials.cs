using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>struct ucred: who stands behind a socket or a message (SO_PEERCRED, SCM_CREDENTIALS; unix(7)).</summary>
public unsafe struct PeerCredentials
{
    public int ProcessId;
    public uint UserId;
    public uint GroupId;

    /// <summary>Nobody.</summary>
    public static PeerCredentials None => new() { UserId = uint.MaxValue, GroupId = uint.MaxValue };

    /// <summary>The current process with its effective ids, as SO_PEERCRED tells them.</summary>
    public static PeerCredentials Effective
    {
        get
        {
            Process* process = Process.Current;
            return new() { ProcessId = process->Id, UserId = process->Credentials.EffectiveUserId, GroupId = process->Credentials.EffectiveGroupId };
        }
    }

    /// <summary>The current process with its real ids, as the kernel fills in SCM_CREDENTIALS.</summary>
    public static PeerCredentials Real
    {
        get
        {
            Process* process = Process.Current;
            return new() { ProcessId = process->Id, UserId = process->Credentials.UserId, GroupId = process->Credentials.GroupId };
        }
    }
}
