-- What the scripts share. wrk gives each thread a Lua state of its own; in each, init() runs first.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

-- Call it in init(): every thread draws other numbers, and every run too.
function seed()
  math.randomseed(os.time() * 100 + number)
end

function ids(name)
  local list = {}
  for line in io.lines(os.getenv("BENCH_IDS") .. "/" .. name) do
    list[#list + 1] = line
  end
  return list
end

function headers()
  return {
    ["Authorization"] = "Bearer " .. os.getenv("BENCH_API_KEY"),
    ["Content-Type"] = "application/json",
  }
end

local order = '{"customer_id":"%s","currency":"USD","confirm":%s,"lines":['
  .. '{"product_id":"%s","quantity":"%d"},'
  .. '{"product_id":"%s","quantity":"%d"},'
  .. '{"product_id":"%s","quantity":"%d"}]}'

-- Like the reference statements: a random customer, three random products, one quantity.
function order_body(customers, products, confirm)
  local third = math.floor(#products / 3)
  local quantity = math.random(1, 5)
  return order:format(customers[math.random(#customers)], confirm,
    products[math.random(1, third)], quantity,
    products[math.random(third + 1, 2 * third)], quantity,
    products[math.random(2 * third + 1, #products)], quantity)
end

-- The line that tandem-bench reads: requests, microseconds, errors, p50 and p99 in microseconds.
function done(summary, latency)
  local e = summary.errors
  if e.status > 0 then
    io.write("answers that were not a success: ", e.status, "\n")
  end
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
