using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Ukl.Kernel.Boot;

namespace Ukl.Tests.Unit.Boot;

/// <summary>A little physical memory in which tests build what firmware and boot loaders leave there.</summary>
internal sealed unsafe class PhysicalMemoryImage : IDisposable
{
    private readonly byte* _base;
    private readonly int _size;

    public PhysicalMemoryImage(int size)
    {
        _size = size;
        _base = (byte*)NativeMemory.AllocZeroed((nuint)size);
    }

    public PhysicalView View => new(_base, (ulong)_size);

    public Span<byte> Bytes => new(_base, _size);

    public void U8(int at, byte value) => Bytes[at] = value;

    public void U16(int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Bytes[at..], value);

    public void U32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Bytes[at..], value);

    public void U64(int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Bytes[at..], value);

    public void Text(int at, string text)
    {
        Encoding.UTF8.GetBytes(text, Bytes[at..]);
        U8(at + Encoding.UTF8.GetByteCount(text), 0);
    }

    public void Signature(int at, string text) => Encoding.ASCII.GetBytes(text, Bytes[at..]);

    /// <summary>Sets the byte at <paramref name="checksumAt"/> so that the sum over the table is 0.</summary>
    public void Checksum(int at, int length, int checksumAt)
    {
        U8(checksumAt, 0);
        byte sum = 0;
        foreach (byte value in Bytes.Slice(at, length))
            sum += value;
        U8(checksumAt, (byte)-sum);
    }

    public void Dispose() => NativeMemory.Free(_base);
}
