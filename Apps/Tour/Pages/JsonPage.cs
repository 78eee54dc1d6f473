// A page of the tour: reading and writing with generated code, and the document.

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ukl.Tour.Pages;

internal sealed record Part(string Name, decimal Price, DateTime Made, string[] Tags, Part? Inner = null);

[JsonSerializable(typeof(Part))]
[JsonSerializable(typeof(Dictionary<string, int[]>))]
[JsonSourceGenerationOptions(WriteIndented = false, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class PartContext : JsonSerializerContext;

internal sealed class JsonPage : Page
{
    public override string Name => "json";

    public override string About => "reading and writing with generated code, and the document";

    public override void Visit(Guide guide)
    {
        Part part = new("Gehäuse \"A\"", 12.50m, new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), ["x", "y"], new Part("Inner", 1, default, []));
        string text = JsonSerializer.Serialize(part, PartContext.Default.Part);
        guide.Check(text.StartsWith("{\"name\":\"Geh\\u00E4use \\u0022A\\u0022\",\"price\":12.50,\"made\":\"2026-01-02T03:04:05Z\""), "an object is written");
        Part? back = JsonSerializer.Deserialize(text, PartContext.Default.Part);
        guide.Check(back is { Name: "Gehäuse \"A\"", Price: 12.50m, Inner.Name: "Inner", Tags: ["x", "y"] }, "and read back");
        Dictionary<string, int[]>? numbers = JsonSerializer.Deserialize("""{"a":[1,2],"b":[]}""", PartContext.Default.DictionaryStringInt32Array);
        guide.Equal(2, numbers!["a"][1], "a dictionary of arrays is read");

        using JsonDocument document = JsonDocument.Parse("""{ "deep": { "list": [ 1, 2.5e3, null, "text", true ] } }""");
        JsonElement list = document.RootElement.GetProperty("deep").GetProperty("list");
        guide.Equal(2500.0, list[1].GetDouble(), "a document is walked");
        guide.Equal(JsonValueKind.Null, list[2].ValueKind, "and tells kinds");

        JsonException error = guide.Throws<JsonException>(() => JsonDocument.Parse("{ \"a\": }"), "what is wrong is refused");
        guide.Equal(0L, error.LineNumber, "with its place");

        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            writer.WriteStartArray();
            for (int i = 0; i < 1000; i++)
                writer.WriteNumberValue(i);
            writer.WriteEndArray();
        }
        using JsonDocument array = JsonDocument.Parse(stream.ToArray());
        guide.Equal(1000, array.RootElement.GetArrayLength(), "a writer writes to a stream");
    }
}
