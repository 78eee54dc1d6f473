// How generated directories declare their entries: once, for looking up a name and for listing alike.
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files.Proc;

/// <summary>
/// Is shown all entries of a directory and either keeps the one whose name is sought, or hands them on to a reader of the directory. Entries with fixed names come first,
/// always in the same order; then those whose names are numbers, in ascending order.
/// </summary>
public unsafe ref struct ProcVisitor
{
    // Positions 0 and 1 are the dots; a number n stands at NumberedBase + n.
    private const ulong FirstPosition = 2;
    private const ulong NumberedBase = 256;
    private const int MaxDigits = 10;

    private readonly ReadOnlySpan<byte> _sought;
    private readonly OpenFile* _file;
    private readonly DirectorySink* _sink;
    private readonly ulong _parentNumber;
    private ulong _position;

    /// <summary>The entry that was sought; its mode is 0 when there is none.</summary>
    public ProcNode Found;

    /// <summary>Looks for a name.</summary>
    public ProcVisitor(ReadOnlySpan<byte> sought)
    {
        _sought = sought;
        _position = FirstPosition;
    }

    /// <summary>Lists the entries from an open directory's position on.</summary>
    public ProcVisitor(OpenFile* file, DirectorySink* sink)
    {
        _file = file;
        _sink = sink;
        _parentNumber = file->Inode->Number;
        _position = FirstPosition;
    }

    /// <summary>Whether nothing more needs to be shown.</summary>
    public bool IsDone { get; private set; }

    private readonly bool IsSearch => _file == null;

    /// <summary>The least number that is of interest; in a search, the sought one. The owner of numbered entries need not show others.</summary>
    public readonly uint FirstNumber
    {
        get
        {
            if (!IsSearch)
                return _file->Position <= NumberedBase ? 0 : (uint)(_file->Position - NumberedBase);
            return TryParse(_sought, out uint number) ? number : uint.MaxValue;
        }
    }

    /// <summary>A file that everybody may read.</summary>
    public void File(scoped ReadOnlySpan<byte> name, delegate*<ProcKey, TextBuffer*, Errno> content, ProcKey key = default) =>
        File(name, 0x124, content, null, key);

    /// <summary>A file with permissions and, unless <paramref name="store"/> is null, the possibility to write.</summary>
    public void File(scoped ReadOnlySpan<byte> name, uint permissions, delegate*<ProcKey, TextBuffer*, Errno> content, delegate*<ProcKey, ReadOnlySpan<byte>, Errno> store, ProcKey key) =>
        Add(name, new ProcNode { Mode = ModeBits.Regular | permissions, Content = content, Store = store, Key = key });

    /// <summary>A directory.</summary>
    public void Directory(scoped ReadOnlySpan<byte> name, delegate*<ProcKey, ref ProcVisitor, void> entries, ProcKey key = default) =>
        Add(name, new ProcNode { Mode = ModeBits.Directory | 0x16d, Entries = entries, Key = key });

    /// <summary>A symbolic link.</summary>
    public void Link(scoped ReadOnlySpan<byte> name, delegate*<ProcKey, TextBuffer*, Errno> target, delegate*<ProcKey, Path*, Result> follow = null, ProcKey key = default) =>
        Add(name, new ProcNode { Mode = ModeBits.SymbolicLink | 0x1ff, Target = target, Follow = follow, Key = key });

    /// <summary>An entry with a fixed name.</summary>
    public void Add(scoped ReadOnlySpan<byte> name, in ProcNode node)
    {
        Show(name, node, _position);
        _position++;
    }

    /// <summary>An entry whose name is a number.</summary>
    public void AddNumbered(uint number, in ProcNode node)
    {
        Span<byte> digits = stackalloc byte[MaxDigits];
        int at = MaxDigits;
        uint rest = number;
        do
        {
            digits[--at] = (byte)('0' + rest % 10);
            rest /= 10;
        }
        while (rest != 0);
        Show(digits[at..], node, NumberedBase + number);
    }

    /// <summary>The inode number of an entry: the same each time, and different for different entries.</summary>
    public static ulong NumberOf(ulong parentNumber, ReadOnlySpan<byte> name)
    {
        const ulong prime = 0x100_0000_01b3;
        ulong hash = parentNumber * 0x9e37_79b9_7f4a_7c15 + 0xcbf2_9ce4_8422_2325;
        for (int i = 0; i < name.Length; i++)
            hash = (hash ^ name[i]) * prime;
        return hash;
    }

    private void Show(scoped ReadOnlySpan<byte> name, in ProcNode node, ulong position)
    {
        if (IsDone)
            return;
        if (IsSearch)
        {
            if (FileNames.AreEqual(name, _sought))
            {
                Found = node;
                IsDone = true;
            }
        }
        else if (position >= _file->Position)
        {
            IsDone = !_sink->Add(_file, name, NumberOf(_parentNumber, name), ModeBits.DirectoryEntryType(node.Mode), position + 1);
        }
    }

    private static bool TryParse(ReadOnlySpan<byte> name, out uint number)
    {
        number = 0;
        if (name.Length is 0 or >= MaxDigits || (name.Length > 1 && name[0] == '0'))
            return false;
        for (int i = 0; i < name.Length; i++)
        {
            if (name[i] is < (byte)'0' or > (byte)'9')
                return false;
            number = number * 10 + name[i] - '0';
        }
        return true;
    }
}
