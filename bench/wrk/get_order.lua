-- An order by its id, with its lines, over the orders that were prepared.

dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

local requests = {}

function init()
  seed()
  local with = headers()
  for index, id in ipairs(ids("orders")) do
    requests[index] = wrk.format("GET", "/v1/sales-orders/" .. id, with)
  end
end

function request()
  return requests[math.random(#requests)]
end
