// A page of the tour: files, folders, links, positions.

using System.Text;

namespace Ukl.Tour.Pages;

internal sealed class FilesPage : Page
{
    public override string Name => "files";

    public override string About => "files, folders, links, positions";

    public override void Visit(Guide guide)
    {
        string root = Path.Combine(Path.GetTempPath(), $"tour.{Environment.ProcessId}");
        Directory.CreateDirectory(root);
        try
        {
            VisitFiles(guide, root);
            VisitFolders(guide, root);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
        guide.Check(!Directory.Exists(root), "a folder is deleted with all that is in it");
    }

    private static void VisitFiles(Guide guide, string root)
    {
        string path = Path.Combine(root, "file.txt");
        File.WriteAllText(path, "line one\nline two\n");
        File.AppendAllText(path, "line three\n");
        guide.Sequence(["line one", "line two", "line three"], File.ReadAllLines(path), "lines are written, appended and read");
        FileInfo info = new(path);
        guide.Equal(29L, info.Length, "the length");
        guide.Check(DateTime.UtcNow - info.LastWriteTimeUtc < TimeSpan.FromMinutes(5), "the time of the last write");
        DateTime then = new(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(path, then);
        guide.Equal(then, File.GetLastWriteTimeUtc(path), "which can be set");

        using (FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite))
        {
            stream.Seek(5, SeekOrigin.Begin);
            stream.Write("ONE"u8);
            stream.Seek(-6, SeekOrigin.End);
            byte[] last = new byte[5];
            stream.ReadExactly(last);
            guide.Equal("three", Encoding.UTF8.GetString(last), "seeking from the end");
            stream.SetLength(8);
        }
        guide.Equal("line ONE", File.ReadAllText(path), "writing in the middle and cutting off");
        using (Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.Write(handle, "at ten"u8, 10);
            byte[] all = new byte[20];
            guide.Equal(16, RandomAccess.Read(handle, all, 0), "writing past the end leaves a hole");
            guide.Check(all[8] == 0 && all[9] == 0 && all[10] == 'a', "of zeroes");
        }
        File.Copy(path, path + ".copy");
        File.Move(path + ".copy", path + ".moved");
        guide.Check(File.ReadAllBytes(path).AsSpan().SequenceEqual(File.ReadAllBytes(path + ".moved")), "a copy that was moved is the same");
        guide.Throws<FileNotFoundException>(() => File.ReadAllText(path + ".copy"), "what is not there is not found");
        guide.Throws<IOException>(() => new FileStream(path, FileMode.CreateNew).Dispose(), "what is there is not created");
        File.CreateSymbolicLink(path + ".link", path);
        guide.Equal(path, File.ResolveLinkTarget(path + ".link", returnFinalTarget: true)!.FullName, "a symbolic link is followed");

        byte[] big = new byte[1 << 20];
        new Random(7).NextBytes(big);
        File.WriteAllBytesAsync(path + ".big", big).GetAwaiter().GetResult();
        guide.Check(File.ReadAllBytesAsync(path + ".big").GetAwaiter().GetResult().AsSpan().SequenceEqual(big), "a megabyte goes out and in asynchronously");
        if (OperatingSystem.IsWindows())
            return;
        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        File.SetUnixFileMode(path, mode);
        guide.Equal(mode, File.GetUnixFileMode(path), "permissions are kept");
    }

    private static void VisitFolders(Guide guide, string root)
    {
        for (int i = 0; i < 3; i++)
        {
            Directory.CreateDirectory(Path.Combine(root, "deep", $"{i}", "er"));
            File.WriteAllText(Path.Combine(root, "deep", $"{i}", "er", "leaf"), "");
        }
        guide.Equal(3, Directory.GetFiles(root, "leaf", SearchOption.AllDirectories).Length, "files are found in the depth");
        guide.Sequence(["0", "1", "2"], Directory.EnumerateDirectories(Path.Combine(root, "deep")).Select(Path.GetFileName).Order()!, "folders are listed");
        guide.Throws<IOException>(() => Directory.Delete(Path.Combine(root, "deep")), "a folder that is not empty stays");
        guide.Throws<DirectoryNotFoundException>(() => File.WriteAllText(Path.Combine(root, "absent", "x"), ""), "a folder that is not there takes no file");
        Directory.Move(Path.Combine(root, "deep"), Path.Combine(root, "moved"));
        guide.Check(File.Exists(Path.Combine(root, "moved", "2", "er", "leaf")), "a folder is moved with what it holds");
        string before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = root;
        guide.Check(Directory.Exists("moved"), "the current folder is where relative paths start");
        Environment.CurrentDirectory = before;
        using (FileSystemWatcher watcher = new(root))
            guide.Equal(root, watcher.Path, "a watcher is made");
    }
}
