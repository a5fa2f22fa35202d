-- The calls of one benchmark: wrk -s load.lua URL -- MODE TOKEN RUN
-- starting: a new task each time, in each run; same: updates with the same address;
-- changing: with another each time; stopping: starts and stops.
local count = 0

function init(args)
  mode = args[1]
  run = args[3]
  headers = { ["token"] = args[2], ["Content-Type"] = "application/json;charset=utf-8" }
end

local function start(taskid, address)
  return string.format(
    '{"appid":1234,"roomid":"room-1","rtmpurl":"rtmp://cdn.example.com/live/%s","streamtype":1,' ..
    '"taskid":"%s","mixconfig":{"templateid":2,"output":{"width":1280,"height":720,"fps":24,"bitrate":1600}}}',
    address, taskid)
end

local function stop(taskid)
  return string.format('{"appid":1234,"roomid":"room-1","streamtype":1,"taskid":"%s"}', taskid)
end

function request()
  count = count + 1
  local operation, body = "startrtmp", nil
  if mode == "same" then
    body = start("task-1", "stream-1?key=abc")
  elseif mode == "changing" then
    body = start("task-1", "stream-" .. count .. "?key=abc")
  elseif mode == "starting" then
    body = start("task-" .. run .. "-" .. count, "stream-" .. run .. "-" .. count .. "?key=abc")
  elseif count % 2 == 1 then
    body = start("task-" .. (count + 1) / 2, "stream-" .. count .. "?key=abc")
  else
    -- Well behind the starts, which are still on their way on other connections.
    operation, body = "stoprtmp", stop("task-" .. math.max(count / 2 - 200, 1))
  end
  local path = "/app/1234/v2/rtmpforward/" .. operation .. "?traceId=10.0.0.1-1700000000-" .. count .. "-42"
  return wrk.format("POST", path, headers, body)
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d\n", summary.requests, summary.duration, summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
