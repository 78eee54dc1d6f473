// Hashes of many lengths by every function of .NET, in one go, in pieces and with a key. Compiled into the tool and into Tests/Programs/Digests: both must print the same.

using System.Security.Cryptography;

/// <summary>Prints what must be the same wherever it is computed.</summary>
public static class Digests
{
    private const int Longest = 300;

    private static readonly (string Name, HashAlgorithmName Algorithm, Func<byte[], byte[]> Whole, Func<byte[], byte[], byte[]> Keyed)[] Functions =
    [
        ("md5", HashAlgorithmName.MD5, MD5.HashData, HMACMD5.HashData),
        ("sha1", HashAlgorithmName.SHA1, SHA1.HashData, HMACSHA1.HashData),
        ("sha256", HashAlgorithmName.SHA256, SHA256.HashData, HMACSHA256.HashData),
        ("sha384", HashAlgorithmName.SHA384, SHA384.HashData, HMACSHA384.HashData),
        ("sha512", HashAlgorithmName.SHA512, SHA512.HashData, HMACSHA512.HashData),
        ("sha3-256", HashAlgorithmName.SHA3_256, SHA3_256.HashData, HMACSHA3_256.HashData),
        ("sha3-384", HashAlgorithmName.SHA3_384, SHA3_384.HashData, HMACSHA3_384.HashData),
        ("sha3-512", HashAlgorithmName.SHA3_512, SHA3_512.HashData, HMACSHA3_512.HashData),
    ];

    /// <summary>Prints lines, the same ones in every run.</summary>
    public static void Print(Action<string> line)
    {
        byte[] data = [.. Enumerable.Range(0, Longest).Select(index => (byte)(index * 7))];
        foreach ((string name, HashAlgorithmName algorithm, Func<byte[], byte[]> whole, Func<byte[], byte[], byte[]> keyed) in Functions)
        {
            List<byte> all = [];
            using IncrementalHash pieces = IncrementalHash.CreateHash(algorithm);
            using IncrementalHash keyedPieces = IncrementalHash.CreateHMAC(algorithm, data);
            for (int length = 0; length <= Longest; length++)
            {
                byte[] part = data[..length];
                all.AddRange(whole(part));
                all.AddRange(keyed(part, data));
                all.AddRange(keyed(data, part));
                pieces.AppendData(part);
                keyedPieces.AppendData(part);
                all.AddRange(pieces.GetCurrentHash());
                all.AddRange(keyedPieces.GetCurrentHash());
                if (length % 50 != 0)
                    continue;
                all.AddRange(pieces.GetHashAndReset());
                all.AddRange(keyedPieces.GetHashAndReset());
            }
            line($"{name} {Convert.ToHexStringLower(whole([.. all]))}");
        }
        line($"shake128 {Convert.ToHexStringLower(Shake128.HashData(data, 500))}");
        line($"shake256 {Convert.ToHexStringLower(Shake256.HashData(data, 500))}");
        byte[] random = RandomNumberGenerator.GetBytes(1000);
        line($"random {random.Distinct().Count() > 200}");
    }
}
