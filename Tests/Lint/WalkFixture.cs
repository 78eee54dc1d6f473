using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Microsoft.CodeAnalysis;
using Ukl.Kernel.Diagnostics;
using Ukl.Lint.Elf;
using Ukl.Lint.Names;
using Ukl.Lint.Symbols;

namespace Ukl.Tests.Lint;

/// <summary>
/// A small kernel, compiled by ilc and linked into a library that this process loads and calls, so that there is a real stack of real frames to walk.
/// </summary>
public sealed unsafe class WalkFixture : IDisposable
{
    private const string Source = """
        using System;
        using System.Runtime;
        using System.Runtime.CompilerServices;
        namespace Ukl.Kernel.Test;
        static unsafe class Walker
        {
            [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "capture")] static extern void Capture(ulong* state);

            [RuntimeExport("walk")]
            public static long Enter(delegate*<ulong*, void> callback, ulong* state)
            {
                long first = Outer(callback, state, 3);
                return first + 1;
            }

            [MethodImpl(MethodImplOptions.NoInlining)]
            static long Outer(delegate*<ulong*, void> callback, ulong* state, int count)
            {
                Block block = default;
                block.Last = count;
                return Middle(callback, state, count, &block) + block.Last;
            }

            [MethodImpl(MethodImplOptions.NoInlining)]
            static long Middle(delegate*<ulong*, void> callback, ulong* state, int count, Block* block)
            {
                byte* bytes = stackalloc byte[count * 100];
                bytes[0] = 5;
                long result = Deep<Small>(callback, state, count, block, bytes, 1, 2, 3);
                return result + bytes[0];
            }

            [MethodImpl(MethodImplOptions.NoInlining)]
            static long Deep<T>(delegate*<ulong*, void> callback, ulong* state, long a, Block* b, byte* c, long d, long e, long f) where T : struct
            {
                Capture(state);
                callback(state);
                return a + b->Last + c[0] + d * e - f;
            }

            struct Small { }
            [InlineArray(100)] struct Hundred { private long _first; }
            struct Block { public Hundred Numbers; public long Last; }
        }
        """;

    // As ukl_capture_frame in Kernel/Arch/X64/cpu.S, and what the stack cookie of stackalloc needs.
    private const string Assembly = """
                .globl  capture
                .type   capture, @function
        capture:
                mov     (%rsp), %rax
                mov     %rax, 0(%rdi)
                lea     8(%rsp), %rax
                mov     %rax, 8(%rdi)
                mov     %rbp, 16(%rdi)
                ret
                .globl  RhpFallbackFailFast
                .hidden RhpFallbackFailFast
        RhpFallbackFailFast:
                hlt
                .data
                .globl  __security_cookie
                .hidden __security_cookie
        __security_cookie:
                .quad   0x1234567
                .section .note.GNU-stack, "", @progbits
        """;

    [ThreadStatic] private static WalkFixture? s_walking;

    private readonly Toolchain _tools = new();
    private readonly nint _library;

    public WalkFixture()
    {
        KernelAssembly = _tools.Compile("Ukl.Kernel", OutputKind.DynamicallyLinkedLibrary, ("/source/Kernel/Walker.cs", Source), ("/source/Attributes.cs", Toolchain.RuntimeAttributes));
        _tools.CompileKernel(KernelAssembly, "kernel.o");
        File.WriteAllText(_tools.At("capture.S"), Assembly);
        _tools.Run("gcc", "-c", "-o", "capture.o", "capture.S");
        _tools.Run("ld.lld", "-shared", "--gc-sections", "--eh-frame-hdr", "-o", "walk.so", "kernel.o", "capture.o");
        Image = ElfFile.Read(_tools.At("walk.so"));
        Table = MakeTable(Image);
        _library = NativeLibrary.Load(_tools.At("walk.so"));
        Base = (ulong)NativeLibrary.GetExport(_library, "walk") - Image.Symbols.First(symbol => symbol.Name == "walk").Value;
        s_walking = this;
        UnwindState state = default;
        Result = ((delegate* unmanaged<nint, UnwindState*, long>)NativeLibrary.GetExport(_library, "walk"))((nint)(delegate* unmanaged<UnwindState*, void>)&OnCaptured, &state);
        s_walking = null;
    }

    internal string KernelAssembly { get; }

    internal ElfFile Image { get; }

    /// <summary>The symbol table of the library.</summary>
    internal byte[] Table { get; }

    /// <summary>What link addresses and addresses in this process differ by.</summary>
    internal ulong Base { get; }

    /// <summary>What the walked function returned: it must not have been disturbed.</summary>
    internal long Result { get; }

    /// <summary>The addresses of the walk, innermost first, as link addresses.</summary>
    internal List<ulong> Frames { get; } = [];

    public void Dispose()
    {
        NativeLibrary.Free(_library);
        _tools.Dispose();
    }

    internal byte[] MakeTable(ElfFile image)
    {
        using var names = new Demangler([KernelAssembly]);
        return ImageSymbols.Make(image, names, new(["Ukl.Kernel"], [], "/source"));
    }

    /// <summary>Links the same kernel with the kernel's own linker script, with an object more if there is one.</summary>
    internal ElfFile LinkImage(string output, byte[]? more)
    {
        string script = Path.Combine(_tools.At("image.ld"));
        File.WriteAllText(script, Resource("image.ld"));
        List<string> arguments = ["-static", "--gc-sections", "--eh-frame-hdr", "--entry", "walk", "-T", script, "-o", output, "kernel.o", "capture.o"];
        if (more is not null)
        {
            File.WriteAllBytes(_tools.At("more.o"), more);
            arguments.Add("more.o");
        }
        _tools.Run("ld.lld", arguments);
        return ElfFile.Read(_tools.At(output));
    }

    /// <summary>The unwind tables as loaded in this process.</summary>
    internal UnwindTable UnwindTable()
    {
        var symbols = new SymbolTable(Table);
        ulong header = Base + symbols.FrameHeaderAddress, frames = Base + symbols.FramesAddress;
        return new(new((void*)header, (int)symbols.FrameHeaderLength), header, new((void*)frames, (int)symbols.FramesLength), frames);
    }

    [UnmanagedCallersOnly]
    private static void OnCaptured(UnwindState* state)
    {
        WalkFixture fixture = s_walking!;
        UnwindTable table = fixture.UnwindTable();
        UnwindState at = *state;
        fixture.Frames.Add(at.Rip - fixture.Base);
        while (table.TryStep(ref at, isReturnAddress: true, &Read))
            fixture.Frames.Add(at.Rip - fixture.Base);
    }

    private static bool Read(ulong address, ulong* value)
    {
        *value = *(ulong*)address;
        return true;
    }

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(WalkFixture).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
