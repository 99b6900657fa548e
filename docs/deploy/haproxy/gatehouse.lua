-- Asks Gatehouse who sent a request, and whether it may pass (docs/FRONTS.md).
--
--   http-request lua.gatehouse 127.0.0.1:4180
--
-- sets txn.gatehouse_passes and, of who is signed in, txn.gatehouse_user, _email, _groups and _authorization. No answer,
-- and any answer but 2xx, means that it may not.

local told = {
  user = "x-auth-request-user",
  email = "x-auth-request-email",
  groups = "x-auth-request-groups",
  authorization = "authorization",
}

-- Headers by which Gatehouse knows the sender.
local asked_with = { "cookie", "authorization", "host", "user-agent", "x-forwarded-for" }

core.register_action("gatehouse", { "http-req" }, function(txn, address)
  local given = txn.http:req_get_headers()
  local headers = {
    ["x-forwarded-method"] = { txn.f:method() },
    ["x-forwarded-uri"] = { txn.f:pathq() },
  }
  for _, name in ipairs(asked_with) do
    if given[name] then
      headers[name] = {}
      for index = 0, #given[name] do -- HAProxy counts from 0
        table.insert(headers[name], given[name][index])
      end
    end
  end

  local answer = core.httpclient():get({ url = "http://" .. address .. "/oauth2/auth", headers = headers, timeout = 5000 })
  local passes = answer ~= nil and answer.status ~= nil and answer.status >= 200 and answer.status < 300
  txn:set_var("txn.gatehouse_passes", passes)
  if not passes then return end
  for name, header in pairs(told) do
    local values = answer.headers[header]
    if values then txn:set_var("txn.gatehouse_" .. name, values[0]) end
  end
end, 1)
