-- The same order as two requests. Needs a thread for each connection: then the answers of a
-- thread come in the order of its requests, and the order to confirm is the one just created.

dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

local customers, products, with
local created -- path of the order to confirm next

function init()
  seed()
  customers, products, with = ids("customers"), ids("products"), headers()
end

-- What comes next is decided by the answers: wrk calls this once more than it sends.
function request()
  if created then
    return wrk.format("POST", created .. "/confirm", with)
  end
  return wrk.format("POST", "/v1/sales-orders", with, order_body(customers, products, "false"))
end

function response(status, answer)
  created = nil
  if status ~= 201 then
    return
  end
  for name, value in pairs(answer) do
    if name:lower() == "location" then
      created = value
    end
  end
  if not created then
    error("a created order without its Location")
  end
end
