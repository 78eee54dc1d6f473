// From a path to a place in the tree. Source: path_resolution(7), symlink(7), openat2(2).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>Limits on a walk (RESOLVE_* of openat2(2)).</summary>
[Flags]
public enum ResolveFlags : uint
{
    None = 0,

    /// <summary>Do not cross mounts: EXDEV.</summary>
    NoCrossDevice = 1,

    /// <summary>Do not follow links that are not text (/proc/self/fd/3): ELOOP.</summary>
    NoMagicLinks = 2,

    /// <summary>Do not follow symbolic links: ELOOP.</summary>
    NoSymbolicLinks = 4,

    /// <summary>Do not leave the starting directory: EXDEV.</summary>
    Beneath = 8,

    /// <summary>The starting directory is the root for this walk.</summary>
    InRoot = 16,

    /// <summary>Only what is cached: EAGAIN otherwise. Nothing here sleeps, so it always succeeds.</summary>
    Cached = 32,

    Known = 63,
}

/// <summary>
/// A walk along a path. <see cref="ToParent"/> goes to the directory of the last component and leaves its name in <see cref="Name"/>; <see cref="Finish"/>
/// takes the last step. A symbolic link puts its text in front of what is left of the path. The text must outlive the walk; <see cref="End"/> frees.
/// </summary>
public unsafe struct PathWalk
{
    private const int MaximumLinks = 40;

    // What is left of the path is kept at the end of the buffer, so that a link's text (at most PATH_MAX) fits in front.
    private const int LinkBufferSize = 3 * FileNames.MaximumPathLength;

    private FileSystemContext* _context;
    private byte* _at;
    private byte* _end;
    private byte* _nameStart;
    private int _nameLength;
    private byte* _linkBuffer;
    private int _linkCount;
    private ResolveFlags _resolve;
    private Path _base;

    /// <summary>Where the walk is. Carries references; take it with <see cref="TakePosition"/>.</summary>
    public Path Position;

    /// <summary>Slashes follow the last component: it must be a directory.</summary>
    public bool HasTrailingSlash;

    /// <summary>The walk ended at the target of a link that is not text; there is no last component.</summary>
    public bool HasJumped;

    /// <summary>The last component; empty when the path is only slashes.</summary>
    public readonly ReadOnlySpan<byte> Name => new(_nameStart, _nameLength);

    /// <summary>Whether the last component is missing, "." or "..".</summary>
    public readonly bool IsNameSpecial => _nameLength == 0 || FileNames.IsDots(Name);

    /// <summary>
    /// Begins a walk. A relative path begins at <paramref name="directory"/> (a descriptor of <paramref name="files"/> or AT_FDCWD). EBADF, ENOTDIR. The empty path is ENOENT. On failure there is
    /// nothing to end.
    /// </summary>
    public static Errno Begin(PathWalk* walk, FileSystemContext* context, FileTable* files, int directory, PathText* text, ResolveFlags resolve = ResolveFlags.None)
    {
        *walk = default;
        walk->_context = context;
        walk->_resolve = resolve;
        walk->_at = text->Bytes;
        walk->_end = walk->_at + text->Length;
        if (text->IsEmpty)
            return Errno.ENOENT;
        bool isAbsolute = *walk->_at == '/';
        bool isConfined = (resolve & (ResolveFlags.Beneath | ResolveFlags.InRoot)) != 0;
        if (isAbsolute && (resolve & ResolveFlags.Beneath) != 0)
            return Errno.EXDEV;
        if (isAbsolute && !isConfined)
        {
            walk->Position = context->Root.Share();
            return Errno.None;
        }
        if (directory == Fd.CurrentDirectory)
        {
            walk->Position = context->WorkingDirectory.Share();
        }
        else
        {
            if (files == null || !files->TryGet(new Fd(directory), out OpenFile* file))
                return Errno.EBADF;
            if (file->Path.IsEmpty || !file->Inode->IsDirectory)
                return Errno.ENOTDIR;
            walk->Position = file->Path.Share();
        }
        if (isConfined)
            walk->_base = walk->Position.Share();
        return Errno.None;
    }

    /// <summary>Ends a walk: releases where it is and frees what it took.</summary>
    public void End()
    {
        Position.Release();
        _base.Release();
        if (_linkBuffer != null)
            KernelHeap.Free(_linkBuffer);
        _linkBuffer = null;
    }

    /// <summary>Hands the position and its references over to the caller.</summary>
    public Path TakePosition()
    {
        Path path = Position;
        Position = default;
        return path;
    }

    /// <summary>Walks to the directory that holds the last component.</summary>
    public Errno ToParent()
    {
        while (true)
        {
            while (_at < _end && *_at == '/')
                _at++;
            _nameStart = _at;
            while (_at < _end && *_at != '/')
                _at++;
            _nameLength = (int)(_at - _nameStart);
            byte* next = _at;
            while (next < _end && *next == '/')
                next++;
            if (next == _end)
            {
                HasTrailingSlash = next != _at;
                return _nameLength == 0 ? Errno.None : CheckDirectory();
            }
            Errno error = Step(true);
            if (error != Errno.None)
                return error;
        }
    }

    /// <summary>
    /// Walks the whole path. A symbolic link at its end is followed when <paramref name="follow"/> says so or slashes follow it. ENOTDIR when slashes follow something else.
    /// </summary>
    public Errno Finish(bool follow)
    {
        do
        {
            Errno error = ToParent();
            if (error == Errno.None && _nameLength != 0)
                error = Step(follow || HasTrailingSlash);
            if (error != Errno.None)
                return error;
        }
        while (_at < _end && !IsRestSlashes());
        return HasTrailingSlash && !Position.Inode->IsDirectory ? Errno.ENOTDIR : Errno.None;
    }

    /// <summary>Takes the last step when <see cref="IsNameSpecial"/>.</summary>
    public Errno FinishSpecial() => _nameLength == 0 ? Errno.None : Step(false);

    /// <summary>Looks the last component up without going there. ENOENT when there is none. The path carries references.</summary>
    public Errno LookUp(out Path child) => Child(out child);

    /// <summary>
    /// Follows a symbolic link that <see cref="LookUp"/> found as the last component. Unless <see cref="HasJumped"/> is set after, the walk goes on with <see cref="ToParent"/>.
    /// </summary>
    public Errno Follow(Inode* link) => FollowLink(link);

    private readonly bool IsRestSlashes()
    {
        for (byte* at = _at; at < _end; at++)
        {
            if (*at != '/')
                return false;
        }
        return true;
    }

    private readonly Errno CheckDirectory()
    {
        if (!Position.Inode->IsDirectory)
            return Errno.ENOTDIR;
        return Permissions.Check(_context, Position.Inode, Permission.Execute);
    }

    private Errno Step(bool follow)
    {
        Errno error = CheckDirectory();
        if (error != Errno.None)
            return error;
        if (FileNames.IsDots(Name))
            return _nameLength == 1 ? Errno.None : Up();
        error = Child(out Path child);
        if (error != Errno.None)
            return error;
        if (child.Inode->IsSymbolicLink && follow)
        {
            error = FollowLink(child.Inode);
            child.Release();
            return error;
        }
        Position.Release();
        Position = child;
        return Errno.None;
    }

    private Errno Up()
    {
        if (!_base.IsEmpty && Position.Is(_base))
            return (_resolve & ResolveFlags.InRoot) != 0 ? Errno.None : Errno.EXDEV;
        if (Position.Is(_context->Root))
            return Errno.None;
        // From the root of a mount, ".." is that of the place it covers.
        Path at = Position;
        while (at.Dentry == at.Mount->Root && !at.Mount->Point.IsEmpty)
        {
            if ((_resolve & ResolveFlags.NoCrossDevice) != 0)
                return Errno.EXDEV;
            at = at.Mount->Point;
            if (at.Is(_context->Root))
                break;
        }
        if (!at.Is(_context->Root) && at.Dentry->Parent != null)
            at.Dentry = at.Dentry->Parent;
        return Enter(at.Share());
    }

    private Errno Enter(Path path)
    {
        Errno error = CrossMounts(ref path);
        if (error != Errno.None)
        {
            path.Release();
            return error;
        }
        Position.Release();
        Position = path;
        return Errno.None;
    }

    private readonly Errno CrossMounts(ref Path path)
    {
        while (path.Dentry->MountCount != 0)
        {
            Mount* mount = Mount.Find(path.Mount, path.Dentry);
            if (mount == null)
                break;
            if ((_resolve & ResolveFlags.NoCrossDevice) != 0)
                return Errno.EXDEV;
            Path covered = path;
            path = new Path { Mount = mount, Dentry = mount->Root }.Share();
            covered.Release();
        }
        return Errno.None;
    }

    private readonly Errno Child(out Path child)
    {
        child = default;
        Dentry* directory = Position.Dentry;
        Dentry* dentry = Dentry.Find(directory, Name);
        if (dentry == null)
        {
            if (directory->IsDeleted)
                return Errno.ENOENT;
            if (_nameLength > FileNames.MaximumLength)
                return Errno.ENAMETOOLONG;
            Inode* inode = null;
            Result found = directory->Inode->Operations->Lookup(directory->Inode, Name, &inode);
            if (found.IsError)
                return found.Error;
            dentry = Dentry.Add(directory, Name, inode);
            if (dentry == null)
                return Errno.ENOMEM;
        }
        Position.Mount->References++;
        child = new Path { Mount = Position.Mount, Dentry = dentry };
        Errno error = CrossMounts(ref child);
        if (error != Errno.None)
            child.Release();
        return error;
    }

    private Errno FollowLink(Inode* link)
    {
        if (++_linkCount > MaximumLinks || (_resolve & ResolveFlags.NoSymbolicLinks) != 0)
            return Errno.ELOOP;
        Path target;
        Result jump = link->Operations->FollowLink(link, &target);
        if (jump.Error == Errno.ENOSYS)
            return FollowText(link);
        if (jump.IsError)
            return jump.Error;
        if ((_resolve & ResolveFlags.NoMagicLinks) != 0 || !_base.IsEmpty)
        {
            target.Release();
            return _base.IsEmpty ? Errno.ELOOP : Errno.EXDEV;
        }
        Position.Release();
        Position = target;
        HasJumped = _at == _end || IsRestSlashes();
        return Errno.None;
    }

    private Errno FollowText(Inode* link)
    {
        if (_linkBuffer == null && (_linkBuffer = (byte*)KernelHeap.Allocate(LinkBufferSize)) == null)
            return Errno.ENOMEM;
        int rest = (int)(_end - _at);
        if (rest > LinkBufferSize - 2 * FileNames.MaximumPathLength)
            return Errno.ENAMETOOLONG;
        // The rest moves to the end (it may be there already), the text is read at the start and then put in front of the rest.
        byte* end = _linkBuffer + LinkBufferSize;
        new ReadOnlySpan<byte>(_at, rest).CopyTo(new Span<byte>(end - rest, rest));
        Result length = link->Operations->ReadLink(link, _linkBuffer, FileNames.MaximumPathLength);
        if (length.IsError)
            return length.Error;
        if (length.Value == 0)
            return Errno.ENOENT;
        if (length.Value >= FileNames.MaximumPathLength)
            return Errno.ENAMETOOLONG;
        int count = (int)length.Value;
        _end = end;
        _at = end - rest - count;
        new ReadOnlySpan<byte>(_linkBuffer, count).CopyTo(new Span<byte>(_at, count));
        if (*_at != '/')
            return Errno.None;
        if ((_resolve & ResolveFlags.Beneath) != 0)
            return Errno.EXDEV;
        Position.Release();
        Position = (_base.IsEmpty ? _context->Root : _base).Share();
        return Errno.None;
    }
}
