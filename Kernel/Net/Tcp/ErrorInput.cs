// What ICMP says of segments that were sent. Sources of truth: RFC 5927 (whom to believe), RFC 5461 (soft errors), RFC 1122 section 4.2.3.9; which errors end what is Linux's
// choice.
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Errors from the network.</summary>
internal static unsafe class ErrorInput
{
    /// <summary>Takes an error in; one that does not fit what is in flight is forged or late and changes nothing.</summary>
    public static void Process(NetworkStack* stack, in TransportError error)
    {
        FlowEntry* flow = stack->Tcp.Flows.Find(error.Local, error.Remote, error.LocalPort, error.RemotePort);
        if (flow == null)
            return;
        if (flow->Kind == FlowKind.Request)
        {
            var request = (ConnectionRequest*)flow;
            if (error.Sequence == request->Iss && error.Error != Errno.EMSGSIZE)
                Requests.Remove(request);
            return;
        }
        if (flow->Kind != FlowKind.Connection)
            return;
        var c = (TcpConnection*)flow;
        if (Sequence.IsBefore(error.Sequence, c->SndUna) || Sequence.IsAfter(error.Sequence, c->SndNxt))
            return;
        if (error.Error == Errno.EMSGSIZE)
        {
            Ip.IpOutput.LowerPathMtu(stack, error.Remote, error.Mtu);
            if (c->State is not (ConnectionState.SynSent or ConnectionState.SynReceived))
                PathMtu.OnTooBig(c);
            return;
        }
        if (c->State is ConnectionState.SynSent or ConnectionState.SynReceived)
            ConnectionLife.Fail(c, error.Error);
        else
            c->SoftError = error.Error;
    }
}
