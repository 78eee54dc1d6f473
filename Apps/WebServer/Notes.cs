// A small JSON service over notes kept in memory: list, read, add, change, delete.

using System.Collections.Concurrent;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace WebServer;

/// <summary>A note as it is sent: the server chooses the number of a new one.</summary>
public sealed record Note(int Id, string Text, bool IsDone = false);

/// <summary>The serializers of everything that travels as JSON, made at compile time.</summary>
[JsonSerializable(typeof(Note))]
[JsonSerializable(typeof(IEnumerable<Note>))]
[JsonSerializable(typeof(Upload))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class Json : JsonSerializerContext;

internal static class Notes
{
    private const int MostNotes = 10_000;

    private static readonly ConcurrentDictionary<int, Note> All = new() { [1] = new Note(1, "Boot the machine", IsDone: true) };

    private static int last = 1;

    public static void MapNotes(this WebApplication app)
    {
        RouteGroupBuilder notes = app.MapGroup("/notes");
        notes.MapGet("/", IEnumerable<Note> () => All.Values.OrderBy(note => note.Id));
        notes.MapGet("/{id:int}", Results<Ok<Note>, NotFound> (int id) =>
            All.TryGetValue(id, out Note? note) ? TypedResults.Ok(note) : TypedResults.NotFound());
        notes.MapPost("/", Results<Created<Note>, ProblemHttpResult> (Note given) =>
        {
            if (All.Count >= MostNotes)
                return TypedResults.Problem("There are too many notes.", statusCode: StatusCodes.Status507InsufficientStorage);
            Note note = given with { Id = Interlocked.Increment(ref last) };
            All[note.Id] = note;
            return TypedResults.Created($"/notes/{note.Id}", note);
        });
        notes.MapPut("/{id:int}", Results<NoContent, NotFound> (int id, Note given) =>
            All.TryGetValue(id, out Note? note) && All.TryUpdate(id, given with { Id = id }, note) ? TypedResults.NoContent() : TypedResults.NotFound());
        notes.MapDelete("/{id:int}", Results<NoContent, NotFound> (int id) =>
            All.TryRemove(id, out _) ? TypedResults.NoContent() : TypedResults.NotFound());
    }
}
