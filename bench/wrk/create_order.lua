-- An order of the back office with three lines, created and confirmed in one request.

dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

local customers, products, with

function init()
  seed()
  customers, products, with = ids("customers"), ids("products"), headers()
end

function request()
  return wrk.format("POST", "/v1/sales-orders", with, order_body(customers, products, "true"))
end
