using Ukl.Tool.Bench;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class LoadGeneratorsTests
{
    private const string Wrk = """
        Running 10s test @ http://10.77.0.2:80/
          1 threads and 50 connections
          Thread Stats   Avg      Stdev     Max   +/- Stdev
            Latency    10.60ms    2.50ms  38.21ms   88.11%
            Req/Sec     4.74k   380.00     5.46k    70.00%
          Latency Distribution
             50%   10.12ms
             75%   11.00ms
             90%   13.20ms
             99%    1.20s
          47160 requests in 10.00s, 4.59MB read
        Requests/sec:   4715.12
        Transfer/sec:    469.77KB
        """;

    [Fact]
    public void Wrk_is_read_with_its_units()
    {
        LoadResult result = LoadGenerators.ParseWrk(Wrk)!;
        Assert.Equal(new LoadResult(47160, 4715.12, 10.12, 1200, 0), result);
    }

    [Theory]
    [InlineData("  Socket errors: connect 1, read 2, write 3, timeout 4", 10)]
    [InlineData("  Non-2xx or 3xx responses: 7", 7)]
    [InlineData("  Socket errors: connect 1, read 0, write 0, timeout 0\n  Non-2xx or 3xx responses: 7", 8)]
    public void Errors_of_wrk_are_summed(string lines, long errors) =>
        Assert.Equal(errors, LoadGenerators.ParseWrk(Wrk.Replace("Requests/sec", $"{lines}\nRequests/sec", StringComparison.Ordinal))!.Errors);

    [Theory]
    [InlineData("unable to connect to 10.77.0.2:80 Connection refused")]
    [InlineData("")]
    public void What_did_not_run_has_no_result(string output)
    {
        Assert.Null(LoadGenerators.ParseWrk(output));
        Assert.Null(LoadGenerators.ParseRedis(output, "get", 1));
    }

    [Fact]
    public void The_line_of_the_test_is_read()
    {
        const string Output = """
            "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
            "SET","1.00","1","1","1","1","1","1"
            "GET","12345.67","4.0","0.2","3.9","5.0","6.5","9.0"
            """;
        Assert.Equal(new LoadResult(1000, 12345.67, 3.9, 6.5, 0), LoadGenerators.ParseRedis(Output, "get", 1000));
    }
}
