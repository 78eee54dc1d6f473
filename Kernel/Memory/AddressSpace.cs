namespace Ukl.Kernel.Memory;

/// <summary>The virtual memory of a process.</summary>
public struct AddressSpace
{
}
