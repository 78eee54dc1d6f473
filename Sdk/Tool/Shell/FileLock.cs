namespace Ukl.Tool.Shell;

/// <summary>A lock between processes, for work in folders that all trees of a machine share.</summary>
public static class FileLock
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Takes the lock and waits for it if need be; disposing gives it back.</summary>
    /// <param name="path">The lock's file; its folder must exist.</param>
    public static IDisposable Take(string path)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                Thread.Sleep(Pause);
            }
        }
    }
}
