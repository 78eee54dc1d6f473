using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>
/// OpenSSL and the .NET layer above it, for programs that use cryptography: built against musl from the distribution's source package and from the
/// sources in the compiler's package, into the cache. The layer in the runtime pack looks for OpenSSL's shared libraries at run time, which a static
/// program does not have. Source of truth: OpenSSL's INSTALL.md, the CMakeLists.txt beside the layer's sources.
/// </summary>
/// <param name="repository">The tree and its cache.</param>
/// <param name="linker">Tells where libc's headers are.</param>
/// <param name="reporter">Told of the long steps.</param>
public sealed class OpenSslLibrary(Repository repository, Linker linker, Reporter reporter)
{
    /// <summary>How the runtime pack's own layer is called among a program's libraries.</summary>
    private const string Layer = "libSystem.Security.Cryptography.Native.OpenSsl.a";

    /// <summary>What every function of the layer begins with.</summary>
    private const string LayerPrefix = "CryptoNative_";

    private const string Ssl = "libssl.a", Crypto = "libcrypto.a", Headers = "include";

    private const string CompilerFlags = "-O2 -fPIE -ffunction-sections -fdata-sections";

    /// <summary>What .NET never calls is left out: old ciphers and hashes, DTLS, engines and loadable modules, time stamps, CMS.</summary>
    private const string Options =
        "no-shared no-module no-tests no-legacy no-engine no-async no-afalgeng no-comp no-ct no-ts no-cmp no-cms no-srp no-srtp no-dtls no-nextprotoneg no-ssl3 "
        + "no-weak-ssl-ciphers no-gost no-idea no-seed no-camellia no-aria no-bf no-cast no-rc4 no-rc5 no-md4 no-mdc2 no-whirlpool no-rmd160 no-sm2 no-sm3 no-sm4 "
        + "no-siv no-blake2 no-rfc3779 no-ec2m no-ui-console";

    private static readonly string[] Products = [Layer, Ssl, Crypto, Headers];

    /// <summary>What the layer's CMake script would find out about this OpenSSL.</summary>
    private const string LayerConfiguration =
        """
        #define HAVE_OPENSSL_EC2M 0
        #define HAVE_OPENSSL_ALPN 1
        #define HAVE_OPENSSL_CHACHA20POLY1305 1
        #define HAVE_OPENSSL_SHA3 1
        #define HAVE_OPENSSL_SHA3_SQUEEZE 0
        #define HAVE_OPENSSL_EVP_PKEY_SIGN_MESSAGE_INIT 0
        #define HAVE_OPENSSL_ENGINE 0

        """;

    /// <summary>
    /// The libraries with the static layer and OpenSSL in place of the runtime pack's layer; with a small layer when the program only hashes, and with none when
    /// it does not even that.
    /// </summary>
    /// <param name="description">The program.</param>
    /// <param name="imports">What its object takes from libraries.</param>
    public IReadOnlyList<string> Replace(ImageDescription description, IReadOnlySet<string> imports)
    {
        string[] others = [.. description.Libraries.Where(library => Path.GetFileName(library) != Layer)];
        string[] wanted = [.. imports.Where(name => name.StartsWith(LayerPrefix, StringComparison.Ordinal))];
        if (wanted.Length == 0 || others.Length == description.Libraries.Count)
            return others;
        string home = Get(description.Compiler);
        string crypto = Path.Combine(home, Crypto);
        string digests = linker.Assemble(
            repository.At("Sdk", "Link", "digests.c"),
            [.. CompilerFlags.Split(' '), "-Wno-deprecated-declarations", .. linker.HeaderOptions(LibcFlavor.Plain), "-I", Path.Combine(home, Headers)]);
        return wanted.Except(Lint.Elf.ElfFile.Read(digests).Symbols.Where(symbol => !symbol.IsUndefined).Select(symbol => symbol.Name)).Any()
            ? [.. others, Path.Combine(home, Layer), Path.Combine(home, Ssl), crypto]
            : [.. others, digests, crypto];
    }

    /// <summary>The folder with the archives and the headers, built when the cache does not have it.</summary>
    private string Get(string compiler)
    {
        string sources = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(compiler)!, "..", "native", "src"));
        string home = Path.Combine(repository.Cache, $"openssl-{Key(sources)}");
        if (!IsComplete(home))
            reporter.Step("Building OpenSSL (once per machine, some minutes)", () => Build(sources, home));
        return home;
    }

    private static bool IsComplete(string home) => Products.All(name => Path.Exists(Path.Combine(home, name)));

    /// <summary>Changes whenever the result would: with the recipe, libc, the distribution's release and the compiler's package, which brings the layer.</summary>
    private string Key(string sources)
    {
        string release = File.Exists("/etc/os-release") ? File.ReadAllText("/etc/os-release") : "";
        byte[] recipe = Encoding.UTF8.GetBytes($"{CompilerFlags}\n{Options}\n{LayerConfiguration}\n{HeaderFolders()}\n{sources}\n{release}");
        return Convert.ToHexStringLower(SHA256.HashData(recipe))[..12];
    }

    private string HeaderFolders() => string.Join(' ', linker.HeaderOptions(LibcFlavor.Plain));

    private void Build(string layer, string home)
    {
        Directory.CreateDirectory(home);
        using IDisposable guard = FileLock.Take(Path.Combine(home, "lock"));
        if (IsComplete(home))
            return;
        string work = Path.Combine(home, "work");
        if (Directory.Exists(work))
            Directory.Delete(work, recursive: true);
        Directory.CreateDirectory(work);
        string source = Path.Combine(work, "openssl");
        new DebianPackages(repository).UnpackSource("openssl", source);
        CompileOpenSsl(source);
        string built = CompileLayer(layer, Path.Combine(work, "layer"), Path.Combine(source, Headers));
        File.Move(built, Path.Combine(home, Layer), overwrite: true);
        foreach (string archive in (string[])[Ssl, Crypto])
            File.Move(Path.Combine(source, archive), Path.Combine(home, archive), overwrite: true);
        Directory.Move(Path.Combine(source, Headers), Path.Combine(home, Headers));
        Directory.Delete(work, recursive: true);
    }

    private void CompileOpenSsl(string source)
    {
        const string Purpose = "OpenSSL could not be built";
        string[] arguments = ["Configure", "linux-x86_64", "--prefix=/usr", "--openssldir=/etc/ssl", .. Options.Split(' '), .. CompilerFlags.Split(' '), .. linker.HeaderOptions(LibcFlavor.Plain)];
        CommandRunner.Require(Purpose, "perl", arguments, source);
        CommandRunner.Require(Purpose, "make", ["-j", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture), "build_libs"], source);
    }

    private string CompileLayer(string sources, string folder, string headers)
    {
        const string Purpose = "The layer of .NET above OpenSSL could not be built";
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "pal_crypto_config.h"), LayerConfiguration);
        File.WriteAllText(Path.Combine(folder, "pal_config.h"), ""); // The layer includes it and asks nothing of it.
        string own = Path.Combine(sources, "libs", "System.Security.Cryptography.Native");
        string[] options =
        [
            .. CompilerFlags.Split(' '), "-DLOCAL_BUILD", "-DPALEXPORT=EXTERN_C", "-DTARGET_UNIX", "-DOPENSSL_API_COMPAT=0x10100000L",
            .. linker.HeaderOptions(LibcFlavor.Plain), "-I", sources, "-I", Path.Combine(sources, "libs", "Common"), "-I", folder, "-I", headers,
        ];
        // opensslshim.c is what looks for shared libraries; entrypoints.c is a table for those who load this layer as one.
        string[] files = [.. Directory.GetFiles(own, "*.c").Where(file => Path.GetFileName(file) is not ("opensslshim.c" or "entrypoints.c")).Order(StringComparer.Ordinal)];
        CommandRunner.Require(Purpose, "gcc", ["-c", .. options, .. files], folder);
        string archive = Path.Combine(folder, Layer);
        CommandRunner.Require(Purpose, "ar", ["crs", archive, .. Directory.GetFiles(folder, "*.o").Order(StringComparer.Ordinal)]);
        return archive;
    }
}
