// What happens to mappings when the content they show goes away. Source: truncate(2), mmap(2) on pages beyond the end of a file.
namespace Ukl.Kernel.Memory;

public unsafe partial struct AddressSpace
{
    /// <summary>
    /// Takes the pages of some content from <paramref name="firstPage"/> on out of all mappings, private copies too, because the content ends there now: the next touch asks
    /// it again. <paramref name="content"/> is <see cref="MappedFile.Content"/>.
    /// </summary>
    public static void ForgetContent(void* content, ulong firstPage)
    {
        for (AddressSpace* space = s_first; space != null; space = space->_nextSpace)
        {
            for (VirtualMemoryArea* area = space->_areas.First; area != null; area = area->Next)
            {
                if (area->File.Content != content || !area->File.IsPresent || area->FilePage + area->PageCount <= firstPage)
                    continue;
                ulong start = area->FilePage >= firstPage ? area->Start : area->Start + ((firstPage - area->FilePage) << PageShift);
                space->DropPages(start, area->End);
            }
        }
    }

    private static void Unlink(AddressSpace* space)
    {
        if (s_first == space)
        {
            s_first = space->_nextSpace;
            return;
        }
        AddressSpace* previous = s_first;
        while (previous->_nextSpace != space)
            previous = previous->_nextSpace;
        previous->_nextSpace = space->_nextSpace;
    }
}
