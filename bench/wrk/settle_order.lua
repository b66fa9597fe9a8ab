-- An order with three lines is created and confirmed, delivered, invoiced and paid: four requests. Needs a thread
-- for each connection: then the answers of a thread come in the order of its requests.

dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

local customers, products, with
local order, customer, invoice, gross -- of the order that is under way
local step = "order"

function init()
  seed()
  customers, products, with = ids("customers"), ids("products"), headers()
end

function request()
  if step == "deliver" then
    return wrk.format("POST", "/v1/sales-orders/" .. order .. "/deliveries", with, "{}")
  elseif step == "invoice" then
    return wrk.format("POST", "/v1/sales-orders/" .. order .. "/invoices", with, '{"post":true}')
  elseif step == "pay" then
    local body = '{"direction":"in","party_type":"customer","party_id":"%s","amount":"%s","allocations":[{"document_id":"%s"}]}'
    return wrk.format("POST", "/v1/payments", with, body:format(customer, gross, invoice))
  end
  return wrk.format("POST", "/v1/sales-orders", with, order_body(customers, products, "true"))
end

function response(status, answer, body)
  local from = step
  step = "order"
  if status ~= 201 then
    return
  end
  if from == "order" then
    order, customer = body:match('"id":"([^"]+)"'), body:match('"customer_id":"([^"]+)"')
    step = "deliver"
  elseif from == "deliver" then
    step = "invoice"
  elseif from == "invoice" then
    invoice, gross = body:match('"id":"([^"]+)"'), body:match('"gross":"([^"]+)"')
    step = "pay"
  end
end
