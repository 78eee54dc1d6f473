// Which method carries out which command. Names of up to 16 letters are two machine words, so that finding one is a few comparisons.

namespace KeyValue.Commands;

/// <summary>A command.</summary>
/// <param name="name">As in error messages, in lower case.</param>
/// <param name="arity">How many arguments it takes with its name; negative: at least as many.</param>
/// <param name="run">Carries it out.</param>
internal readonly unsafe struct Command(string name, int arity, delegate*<in Request, void> run)
{
    /// <summary>As in error messages, in lower case.</summary>
    public readonly string Name = name;

    /// <summary>How many arguments it takes with its name; negative: at least as many.</summary>
    public readonly int Arity = arity;

    /// <summary>Carries it out.</summary>
    public readonly delegate*<in Request, void> Run = run;
}

/// <summary>All commands.</summary>
internal static unsafe class CommandTable
{
    private const int LongestName = 16;

    private const int Size = 256;

    private const int MostShown = 128;

    private static readonly Command[] All =
    [
        new("append", 3, &StringCommands.Append),
        new("auth", -2, &ServerCommands.Auth),
        new("client", -2, &ServerCommands.Client),
        new("command", -1, &ServerCommands.Command),
        new("config", -2, &ServerCommands.Config),
        new("dbsize", 1, &ServerCommands.DbSize),
        new("decr", 2, &StringCommands.Decr),
        new("decrby", 3, &StringCommands.DecrBy),
        new("del", -2, &KeyCommands.Del),
        new("echo", 2, &ServerCommands.Echo),
        new("exists", -2, &KeyCommands.Exists),
        new("expire", -3, &KeyCommands.Expire),
        new("flushall", -1, &ServerCommands.Flush),
        new("flushdb", -1, &ServerCommands.Flush),
        new("get", 2, &StringCommands.Get),
        new("getdel", 2, &StringCommands.GetDel),
        new("hello", -1, &ServerCommands.Hello),
        new("incr", 2, &StringCommands.Incr),
        new("incrby", 3, &StringCommands.IncrBy),
        new("info", -1, &ServerCommands.Info),
        new("keys", 2, &KeyCommands.Keys),
        new("mget", -2, &StringCommands.MGet),
        new("mset", -3, &StringCommands.MSet),
        new("persist", 2, &KeyCommands.Persist),
        new("pexpire", -3, &KeyCommands.PExpire),
        new("ping", -1, &ServerCommands.Ping),
        new("pttl", 2, &KeyCommands.PTtl),
        new("quit", -1, &ServerCommands.Quit),
        new("select", 2, &ServerCommands.Select),
        new("set", -3, &StringCommands.Set),
        new("strlen", 2, &StringCommands.StrLen),
        new("ttl", 2, &KeyCommands.Ttl),
        new("type", 2, &KeyCommands.Type),
        new("unlink", -2, &KeyCommands.Del),
    ];

    private static readonly Entry[] Table = Build();

    private readonly struct Entry(ulong low, ulong high, Command command)
    {
        public readonly ulong Low = low, High = high;

        public readonly Command Command = command;
    }

    /// <summary>How many commands there are.</summary>
    public static int Count => All.Length;

    /// <summary>Carries out a request, or answers why not.</summary>
    public static void Run(in Request request)
    {
        ReadOnlySpan<byte> name = request[0];
        (ulong low, ulong high) = Pack(name);
        for (uint slot = Slot(low, high); ; slot = (slot + 1) % Size)
        {
            ref readonly Entry entry = ref Table[slot];
            if (entry.Low == low && entry.High == high && entry.Command.Run != null)
            {
                int arity = entry.Command.Arity;
                if (arity > 0 ? request.Count == arity : request.Count >= -arity)
                    entry.Command.Run(request);
                else
                    WrongArity(request, entry.Command.Name);
                return;
            }
            if (entry.Command.Run == null)
                break;
        }
        Unknown(request);
    }

    /// <summary>The answer to a command that was given too few or too many arguments.</summary>
    public static void WrongArity(in Request request, string name) =>
        request.Reply.Error([.. "ERR wrong number of arguments for '"u8, .. System.Text.Encoding.ASCII.GetBytes(name), .. "' command"u8]);

    private static void Unknown(in Request request)
    {
        List<byte> text = [.. "ERR unknown command '"u8];
        text.AddRange(Shown(request[0]));
        text.AddRange("', with args beginning with: "u8);
        for (int index = 1; index < request.Count && text.Count < MostShown; index++)
        {
            text.Add((byte)'\'');
            text.AddRange(Shown(request[index]));
            text.AddRange("' "u8);
        }
        request.Reply.Error(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(text));
    }

    private static ReadOnlySpan<byte> Shown(ReadOnlySpan<byte> given) => given[..Math.Min(given.Length, MostShown)];

    private static Entry[] Build()
    {
        Entry[] table = new Entry[Size];
        foreach (Command command in All)
        {
            (ulong low, ulong high) = Pack(System.Text.Encoding.ASCII.GetBytes(command.Name));
            uint slot = Slot(low, high);
            while (table[slot].Command.Run != null)
                slot = (slot + 1) % Size;
            table[slot] = new Entry(low, high, command);
        }
        return table;
    }

    private static uint Slot(ulong low, ulong high) => (uint)(((low ^ high) * 0x9E3779B97F4A7C15) >> 56);

    private static (ulong Low, ulong High) Pack(ReadOnlySpan<byte> name)
    {
        if (name.Length > LongestName)
            return (0, 0);
        ulong low = 0, high = 0;
        for (int index = Math.Min(name.Length, 8) - 1; index >= 0; index--)
            low = (low << 8) | (uint)(name[index] & ~0x20);
        for (int index = name.Length - 1; index >= 8; index--)
            high = (high << 8) | (uint)(name[index] & ~0x20);
        return (low, high);
    }
}
