-- Sends the requests of a file, each a line of "<Authorization header><TAB><body>", in random order.
local requests = {}

function init(arguments)
  math.randomseed(tonumber(arguments[2]))
  for line in io.lines(arguments[1]) do
    local tab = line:find("\t")
    local headers = { ["content-type"] = "application/json" }
    if tab > 1 then headers["authorization"] = line:sub(1, tab - 1) end
    local method = #line > tab and "POST" or "GET"
    requests[#requests + 1] = wrk.format(method, nil, headers, #line > tab and line:sub(tab + 1) or nil)
  end
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency)
  io.write(string.format("\n%d %d %.3f %.3f %d\n", summary.requests, summary.duration, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
