using System;

namespace Ukl.Kernel.Abi;

/// <summary>
/// On the switch of a driver: a system call without which nothing can use the driver. An image whose program can make none of its calls is linked without it.
/// Read by Sdk/Lint/Linking/KernelSwitches.cs.
/// </summary>
/// <param name="name">Linux's name of the call.</param>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public sealed class ServesCallAttribute(string name) : Attribute
{
    /// <summary>Linux's name of the call.</summary>
    public string Name { get; } = name;
}
