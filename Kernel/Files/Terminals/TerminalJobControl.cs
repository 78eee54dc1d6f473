// Which processes may use a terminal: sessions, foreground and background groups. Source: credentials(7), tcsetpgrp(3), ioctl_tty(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

public unsafe partial struct Terminal
{
    private readonly bool IsControllingCurrent => _sessionId != 0 && _sessionId == Process.Current->SessionId;

    // What a background process gets for reading (SIGTTIN), or for writing and changing (SIGTTOU).
    private readonly Errno CheckForeground(int signal)
    {
        Process* process = Process.Current;
        if (!IsControllingCurrent || _foregroundGroup == 0 || process->GroupId == _foregroundGroup)
            return Errno.None;
        if (Signals.IsIgnored(process, signal) || Scheduler.Current->SignalMask.Contains(signal))
            return signal == Signal.SIGTTIN ? Errno.EIO : Errno.None;
        // Nobody would continue the group once it is stopped.
        if (IsOrphaned(process->GroupId))
            return Errno.EIO;
        Signals.SendToGroup(process->GroupId, signal);
        return Errno.ERESTARTSYS;
    }

    // A group is orphaned when no member has a parent in the same session but outside the group.
    private static bool IsOrphaned(int group)
    {
        for (Process* process = ThreadTable.FirstProcess; process != null; process = process->NextInTable)
        {
            if (process->GroupId != group)
                continue;
            Process* parent = ThreadTable.FindProcess(process->ParentId);
            if (parent != null && parent->SessionId == process->SessionId && parent->GroupId != group)
                return false;
        }
        return true;
    }

    // TIOCSPGRP.
    private Errno SetForegroundGroup(UserPtr<int> argument)
    {
        Errno error = CheckForeground(Signal.SIGTTOU);
        if (error != Errno.None)
            return error;
        if (!IsControllingCurrent)
            return Errno.ENOTTY;
        if (!argument.TryRead(out int group))
            return Errno.EFAULT;
        if (group < 0)
            return Errno.EINVAL;
        for (Process* process = ThreadTable.FirstProcess; process != null; process = process->NextInTable)
        {
            if (process->GroupId != group)
                continue;
            if (process->SessionId != _sessionId)
                return Errno.EPERM;
            _foregroundGroup = group;
            return Errno.None;
        }
        return Errno.ESRCH;
    }

    // TIOCSCTTY: only a session leader without terminal may take one; with argument 1 root takes it away from another session.
    private Errno TakeAsControlling(ulong argument)
    {
        Process* process = Process.Current;
        bool isLeader = process->SessionId == process->Id;
        if (isLeader && IsControllingCurrent)
            return Errno.None;
        if (!isLeader || ControllingOf(process) != null)
            return Errno.EPERM;
        if (_sessionId != 0 && (argument != 1 || process->Credentials.EffectiveUserId != 0))
            return Errno.EPERM;
        SetSession(process);
        return Errno.None;
    }

    // TIOCNOTTY. A process's terminal is its session's, so only the leader can give it up.
    private readonly Errno GiveUp()
    {
        Process* process = Process.Current;
        if (!IsControllingCurrent)
            return Errno.ENOTTY;
        if (process->SessionId != process->Id)
            return Errno.EPERM;
        EndSession(_sessionId);
        return Errno.None;
    }
}
