// The commands on server and connection. Source of truth: the command reference of Redis, by name; redis-cli and redis-benchmark send COMMAND,
// CONFIG GET, CLIENT and HELLO by themselves.

using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace KeyValue.Commands;

internal static class ServerCommands
{
    /// <summary>The version of Redis whose commands these are, for clients that ask.</summary>
    private const string Version = "7.0.0";

    public static void Ping(in Request request)
    {
        if (request.Count == 1)
            request.Reply.Raw("+PONG\r\n"u8);
        else if (request.Count == 2)
            request.Reply.Bulk(request[1]);
        else
            CommandTable.WrongArity(request, "ping");
    }

    public static void Echo(in Request request) => request.Reply.Bulk(request[1]);

    public static void Quit(in Request request)
    {
        request.Reply.Ok();
        request.Reply.Close();
    }

    public static void Select(in Request request)
    {
        if (!Numbers.TryParse(request[1], out long number))
            request.Reply.Error("ERR value is not an integer or out of range"u8);
        else if (number != 0)
            request.Reply.Error("ERR DB index is out of range"u8);
        else
            request.Reply.Ok();
    }

    public static void Auth(in Request request) =>
        request.Reply.Error("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"u8);

    public static void DbSize(in Request request) => request.Reply.Integer(request.Store.Count);

    public static void Flush(in Request request)
    {
        request.Store.Clear();
        request.Reply.Ok();
    }

    public static void Command(in Request request)
    {
        if (request.Count == 2 && request.Is(1, "COUNT"u8))
            request.Reply.Integer(CommandTable.Count);
        else
            request.Reply.Array(0); // No descriptions: clients then go by what they know.
    }

    public static void Client(in Request request)
    {
        if (request.Is(1, "SETNAME"u8) || request.Is(1, "SETINFO"u8))
            request.Reply.Ok();
        else if (request.Is(1, "GETNAME"u8))
            request.Reply.Null();
        else
            UnknownSubcommand(request, "CLIENT"u8);
    }

    public static void Config(in Request request)
    {
        if (!request.Is(1, "GET"u8))
        {
            UnknownSubcommand(request, "CONFIG"u8);
            return;
        }
        Settings settings = request.Database.Settings;
        (string Name, string Value)[] all =
        [
            ("appendonly", "no"),
            ("databases", "1"),
            ("maxclients", Text(settings.MaxClients)),
            ("maxmemory", Text(settings.MaxMemory)),
            ("maxmemory-policy", "noeviction"),
            ("port", Text(settings.Port)),
            ("proto-max-bulk-len", Text(settings.MaxValue)),
            ("save", ""),
        ];
        List<(string Name, string Value)> chosen = [];
        foreach ((string name, string value) in all)
            for (int index = 2; index < request.Count; index++)
                if (Pattern.Matches(request[index], Encoding.ASCII.GetBytes(name)))
                {
                    chosen.Add((name, value));
                    break;
                }
        request.Reply.Array(chosen.Count * 2);
        foreach ((string name, string value) in chosen)
        {
            request.Reply.Bulk(Encoding.ASCII.GetBytes(name));
            request.Reply.Bulk(Encoding.ASCII.GetBytes(value));
        }
    }

    public static void Hello(in Request request)
    {
        if (request.Count > 1 && !request.Is(1, "2"u8))
        {
            request.Reply.Error("NOPROTO unsupported protocol version"u8);
            return;
        }
        request.Reply.Array(6);
        request.Reply.Bulk("server"u8);
        request.Reply.Bulk("redis"u8);
        request.Reply.Bulk("version"u8);
        request.Reply.Bulk(Encoding.ASCII.GetBytes(Version));
        request.Reply.Bulk("proto"u8);
        request.Reply.Integer(2);
    }

    public static void Info(in Request request)
    {
        Database database = request.Database;
        string text = string.Create(CultureInfo.InvariantCulture,
            $"""
            # Server
            redis_version:{Version}
            server_name:KeyValue
            uptime_in_seconds:{(long)Stopwatch.GetElapsedTime(database.Started).TotalSeconds}

            # Clients
            connected_clients:{database.Clients}
            maxclients:{database.Settings.MaxClients}

            # Memory
            used_memory:{database.Store.Memory}
            maxmemory:{database.Settings.MaxMemory}
            gc_allocated_bytes:{GC.GetTotalAllocatedBytes(precise: true)}

            # Stats
            total_connections_received:{database.Connections}
            total_commands_processed:{database.Commands}
            expired_keys:{database.Store.Expired}
            keyspace_hits:{database.Hits}
            keyspace_misses:{database.Misses}

            # Keyspace
            db0:keys={database.Store.Count},expires={database.Store.Expiring}

            """);
        request.Reply.Bulk(Encoding.ASCII.GetBytes(text.ReplaceLineEndings("\r\n")));
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void UnknownSubcommand(in Request request, ReadOnlySpan<byte> command) =>
        request.Reply.Error([.. "ERR unknown subcommand '"u8, .. request[1], .. "'. Try "u8, .. command, .. " HELP."u8]);
}
