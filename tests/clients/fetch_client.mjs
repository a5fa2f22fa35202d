// A business server's calls, made with fetch; knows nothing of fakerelay.
const { RELAY_URL, RELAY_APPID, RELAY_TOKEN } = process.env;

async function call(step, request, fields) {
  const body = { appid: Number(RELAY_APPID), roomid: "room-1", streamtype: 1, ...fields };
  const path = `/app/${RELAY_APPID}/v2/rtmpforward/${request}?traceId=fetch-${step}`;
  const reply = await fetch(RELAY_URL + path, {
    method: "POST",
    headers: { token: RELAY_TOKEN, "Content-Type": "application/json;charset=utf-8" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  console.log(JSON.stringify({ step, status: reply.status, reply: await reply.json() }));
}

const one = "rtmp://cdn.example/live/one";
const two = "rtmp://cdn.example/live/two";
const layout = { templateid: 1, output: { width: 640, height: 360 } };
const other = { templateid: 3, output: { width: 1280, height: 720 } };

await call("start", "startrtmp", { taskid: "show", rtmpurl: one, mixconfig: layout });
await call("update", "startrtmp", { taskid: "show", rtmpurl: `${one},${two}`, mixconfig: other });
await call("conflict", "startrtmp", { taskid: "rival", rtmpurl: two, mixconfig: layout });
await call("stop", "stoprtmp", { taskid: "show" });
