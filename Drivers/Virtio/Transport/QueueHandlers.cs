using System.Runtime.CompilerServices;

namespace Ukl.Drivers.Virtio.Transport;

/// <summary>The handlers behind an interrupt that several queues and the configuration share.</summary>
internal unsafe struct QueueHandlers
{
    private const int Capacity = 8;

    private HandlerArray _handlers;
    private Handler _configuration;

    /// <summary>Sets a queue's handler; false when its number is too high.</summary>
    internal bool TrySet(ushort queue, delegate*<void*, void> function, void* context)
    {
        if (queue >= Capacity)
            return false;
        _handlers[queue].Function = function;
        _handlers[queue].Context = context;
        return true;
    }

    /// <summary>Sets the handler of changes of the configuration.</summary>
    internal void SetConfiguration(delegate*<void*, void> function, void* context)
    {
        _configuration.Function = function;
        _configuration.Context = context;
    }

    /// <summary>Calls the queues' handlers.</summary>
    internal readonly void CallQueues()
    {
        for (int i = 0; i < Capacity; i++)
        {
            if (_handlers[i].Function != null)
                _handlers[i].Function(_handlers[i].Context);
        }
    }

    /// <summary>Calls the configuration's handler.</summary>
    internal readonly void CallConfiguration()
    {
        if (_configuration.Function != null)
            _configuration.Function(_configuration.Context);
    }

    private struct Handler
    {
        internal delegate*<void*, void> Function;
        internal void* Context;
    }

    [InlineArray(Capacity)]
    private struct HandlerArray
    {
        private Handler _first;
    }
}
