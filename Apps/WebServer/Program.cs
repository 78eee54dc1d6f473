// An ordinary ASP.NET Core program: what a small service does, by minimal API on Kestrel. Addresses, certificates and log levels come from
// appsettings.json and from arguments: --Kestrel:Endpoints:Http:Url=http://*:8080. Apps/SecureWebServer is the same program with HTTPS.

using WebServer;

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
{
    Args = args,
    ContentRootPath = AppContext.BaseDirectory, // appsettings.json and wwwroot lie beside the program, wherever it is started from.
});
#if HTTPS
builder.WebHost.UseKestrelHttpsConfiguration(); // A slim builder leaves HTTPS out: it is a third of the program.
#endif
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, Json.Default));

WebApplication app = builder.Build();
app.UseStaticFiles();
app.UseWebSockets();
app.MapGet("/", () => "Hello from ASP.NET Core\n");
app.MapNotes();
app.MapTransfers();
app.MapEvents();
app.MapEcho();
app.Run();
