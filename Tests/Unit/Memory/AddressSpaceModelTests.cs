using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Xunit;
using Result = Ukl.Kernel.Abi.Result;

namespace Ukl.Tests.Unit.Memory;

/// <summary>Random call sequences against a model that knows one thing per page: what it allows and which byte it holds.</summary>
public unsafe class AddressSpaceModelTests
{
    private const ulong Page = SimulatedProgram.Page;
    private const int SequenceLength = 120;
    private const int Sequences = 300;

    /// <summary>The window lies across a boundary of 1 GiB, so every level of tables comes and goes.</summary>
    private const ulong WindowPages = 48;

    private const ulong Window = 0x40_0000_0000 - (WindowPages / 2 * Page);
    private const ulong WindowEnd = Window + (WindowPages * Page);

    private sealed class Cell
    {
        public byte Value;
    }

    private sealed class ModelPage
    {
        public Protection Protection;
        public Cell[]? Shared;
        public int Index;
        public Cell? Private;

        /// <summary>Null beyond the end of a shared object.</summary>
        public Cell? Cell => Shared == null ? Private : Index < Shared.Length ? Shared[Index] : null;
    }

    private sealed class Model : IDisposable
    {
        private readonly SimulatedProgram _program = new(WindowEnd);
        private readonly SortedDictionary<ulong, ModelPage> _pages = [];

        public void Dispose() => _program.Dispose();

        public void Step((byte Operation, byte A, byte B, byte C, byte D) step)
        {
            ulong address = Window + (step.A % WindowPages * Page);
            ulong count = 1 + (step.B % 9ul);
            var protection = (Protection)(step.C % 8);
            switch (step.Operation % 9)
            {
                case 0:
                    MapAt(address, count, protection, isShared: step.D % 4 == 0);
                    break;
                case 1:
                    MapAnywhere(count, protection);
                    break;
                case 2:
                    Assert.Equal(0, _program.Space->Unmap(address, count * Page).Value);
                    Forget(address, count);
                    break;
                case 3:
                    Protect(address, count, protection);
                    break;
                case 4:
                    DontNeed(address, count);
                    break;
                case 5:
                    Remap(address, count, 1 + (step.C % 12ul), (RemapFlags)(step.D % 4), Window + (step.D % WindowPages * Page));
                    break;
                case 6:
                    Lock(address, count, step.C % 2 == 0);
                    break;
                default:
                    for (ulong i = 0; i < count; i++)
                        Touch(address + (i * Page), step.Operation % 9 == 7, step.C);
                    break;
            }
            _program.CheckInvariants();
        }

        public void CheckAll()
        {
            for (VirtualMemoryArea* area = _program.Space->FirstArea; area != null; area = area->Next)
            {
                for (ulong address = area->Start; address < area->End; address += Page)
                    Assert.True(_pages.ContainsKey(address));
            }
            Assert.Equal((nuint)_pages.Count, _program.Space->TotalPages);
            foreach (ulong address in _pages.Keys.ToArray())
                Touch(address, isWrite: false, 0);
        }

        private void MapAt(ulong address, ulong count, Protection protection, bool isShared)
        {
            MapFlags flags = MapFlags.Fixed | MapFlags.Anonymous | (isShared ? MapFlags.Shared : MapFlags.Private);
            Assert.Equal((long)address, _program.Space->Map(address, count * Page, protection, flags).Value);
            Cell[]? shared = isShared ? NewCells(count) : null;
            for (ulong i = 0; i < count; i++)
                _pages[address + (i * Page)] = new ModelPage { Protection = protection, Shared = shared, Index = (int)i, Private = isShared ? null : new Cell() };
        }

        private void MapAnywhere(ulong count, Protection protection)
        {
            ulong expected = HighestGap(count);
            Assert.Equal((long)expected, _program.Space->Map(0, count * Page, protection, MapFlags.Private | MapFlags.Anonymous).Value);
            for (ulong i = 0; i < count; i++)
                _pages[expected + (i * Page)] = new ModelPage { Protection = protection, Private = new Cell() };
        }

        private void Protect(ulong address, ulong count, Protection protection)
        {
            Result result = _program.Space->Protect(address, count * Page, protection);
            Errno expected = Errno.None;
            for (ulong i = 0; i < count; i++)
            {
                if (!_pages.TryGetValue(address + (i * Page), out ModelPage? page))
                {
                    expected = Errno.ENOMEM;
                    break;
                }
                page.Protection = protection;
            }
            Assert.Equal(expected, result.Error);
        }

        private void DontNeed(ulong address, ulong count)
        {
            Result result = _program.Space->Advise(address, count * Page, Advice.DontNeedLocked);
            bool hasHole = false;
            for (ulong i = 0; i < count; i++)
            {
                if (!_pages.TryGetValue(address + (i * Page), out ModelPage? page))
                    hasHole = true;
                else if (page.Shared == null)
                    page.Private!.Value = 0;
            }
            Assert.Equal(hasHole ? Errno.ENOMEM : Errno.None, result.Error);
        }

        private void Lock(ulong address, ulong count, bool isLock)
        {
            bool hasHole = Enumerable.Range(0, (int)count).Any(i => !_pages.ContainsKey(address + ((ulong)i * Page)));
            Result result = isLock ? _program.Space->Lock(address, count * Page, onFault: true) : _program.Space->Unlock(address, count * Page);
            Assert.Equal(hasHole ? Errno.ENOMEM : Errno.None, result.Error);
        }

        private void Remap(ulong address, ulong oldCount, ulong newCount, RemapFlags flags, ulong target)
        {
            ulong oldEnd = address + (oldCount * Page);
            VirtualMemoryArea* area = _program.Space->FindArea(address);
            bool isOneArea = area != null && area->End >= oldEnd;
            bool isFixed = (flags & RemapFlags.Fixed) != 0;
            bool mayMove = (flags & RemapFlags.MayMove) != 0;
            ulong targetEnd = target + (newCount * Page);
            bool canGrow = isOneArea && area->End == oldEnd && HasRoom(oldEnd, address + (newCount * Page));
            ulong highest = HighestGap(newCount);

            Result result = _program.Space->Remap(address, oldCount * Page, newCount * Page, flags, target);
            bool overlaps = target < oldEnd && address < targetEnd;
            if ((isFixed && !mayMove) || (isFixed && area != null && overlaps))
            {
                Assert.Equal(Errno.EINVAL, result.Error);
                return;
            }
            if (area == null)
            {
                Assert.Equal(Errno.EFAULT, result.Error);
                return;
            }
            if (newCount < oldCount)
                Forget(address + (newCount * Page), oldCount - newCount);
            if (newCount <= oldCount && !isFixed)
            {
                Assert.Equal((long)address, result.Value);
                return;
            }
            ulong moved = Math.Min(oldCount, newCount);
            if (newCount > oldCount && !isOneArea)
            {
                Assert.Equal(Errno.EFAULT, result.Error);
                return;
            }
            if (isFixed && result.Error == Errno.EFAULT)
            {
                Assert.False(isOneArea);
                return;
            }
            ulong destination = isFixed ? target : canGrow ? address : highest;
            if (!isFixed && !canGrow && !mayMove)
            {
                Assert.Equal(Errno.ENOMEM, result.Error);
                return;
            }
            Assert.Equal((long)destination, result.Value);
            ModelPage[] pages = [.. Enumerable.Range(0, (int)moved).Select(i => _pages[address + ((ulong)i * Page)])];
            Forget(address, moved);
            if (destination != address)
                Forget(destination, newCount);
            for (ulong i = 0; i < newCount; i++)
            {
                ModelPage first = pages[0];
                _pages[destination + (i * Page)] = i < moved ? pages[i] : new ModelPage
                {
                    Protection = first.Protection,
                    Shared = first.Shared,
                    Index = first.Index + (int)i,
                    Private = first.Shared == null ? new Cell() : null,
                };
            }
        }

        private void Touch(ulong address, bool isWrite, byte value)
        {
            byte seen = 0;
            FaultOutcome outcome = isWrite ? _program.TryWrite(address, value) : _program.TryRead(address, out seen);
            if (!_pages.TryGetValue(address, out ModelPage? page))
                Assert.Equal(FaultOutcome.NotMapped, outcome);
            else if (isWrite ? (page.Protection & Protection.Write) == 0 : page.Protection == Protection.None)
                Assert.Equal(FaultOutcome.Forbidden, outcome);
            else if (page.Cell == null)
                Assert.Equal(FaultOutcome.BeyondFile, outcome);
            else
            {
                Assert.Equal(FaultOutcome.Resolved, outcome);
                if (isWrite)
                    page.Cell.Value = value;
                else
                    Assert.Equal(page.Cell.Value, seen);
            }
        }

        private void Forget(ulong address, ulong count)
        {
            for (ulong i = 0; i < count; i++)
                _pages.Remove(address + (i * Page));
        }

        private bool HasRoom(ulong start, ulong end)
        {
            for (ulong address = start; address < end; address += Page)
            {
                if (_pages.ContainsKey(address))
                    return false;
            }
            return true;
        }

        private ulong HighestGap(ulong count)
        {
            ulong address = WindowEnd - (count * Page);
            while (!HasRoom(address, address + (count * Page)))
                address -= Page;
            return address;
        }

        private static Cell[] NewCells(ulong count) => [.. Enumerable.Range(0, (int)count).Select(_ => new Cell())];
    }

    [Fact]
    public void Random_calls_behave_like_the_model_and_give_all_memory_back()
    {
        using (var warm = new Model())
            warm.Step((0, 0, 0, 3, 0));
        Gen<(byte, byte, byte, byte, byte)[]> sequences = ArbMap.Default.GeneratorFor<(byte, byte, byte, byte, byte)>().ArrayOf(SequenceLength);
        Prop.ForAll(
            Arb.From(sequences, Shorter),
            steps =>
            {
                nuint before = PageAllocator.FreePages;
                using (var model = new Model())
                {
                    foreach ((byte, byte, byte, byte, byte) one in steps)
                        model.Step(one);
                    model.CheckAll();
                }
                Assert.Equal(before, PageAllocator.FreePages);
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(Sequences));
    }

    /// <summary>The same calls without one stretch of them, long stretches first.</summary>
    private static IEnumerable<T[]> Shorter<T>(T[] steps)
    {
        for (int length = steps.Length / 2; length > 0; length /= 2)
        {
            for (int at = 0; at + length <= steps.Length; at += length)
                yield return [.. steps[..at], .. steps[(at + length)..]];
        }
    }
}
