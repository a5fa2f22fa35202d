// Calls that meet faults, made with fetch: prints what comes of each.
const { RELAY_URL, RELAY_APPID, RELAY_TOKEN, RELAY_CASES } = process.env;

function post(uid, milliseconds) {
  const fields = { roomid: "room", streamtype: 2, uid, rtmpurl: `rtmp://cdn.example/${uid}` };
  return fetch(`${RELAY_URL}/app/${RELAY_APPID}/v2/rtmpforward/startrtmp?traceId=${uid}`, {
    method: "POST",
    headers: { token: RELAY_TOKEN, "Content-Type": "application/json;charset=utf-8" },
    body: JSON.stringify({ appid: Number(RELAY_APPID), ...fields }),
    signal: AbortSignal.timeout(milliseconds),
  });
}

async function see(uid, milliseconds) {
  try {
    const reply = await post(uid, milliseconds);
    return reply.ok ? `code ${(await reply.json()).code}` : `HTTP ${reply.status}`;
  } catch (error) {
    return error.cause?.code ? `${error.name} ${error.cause.code}` : error.name;
  }
}

for (const [uid, seconds] of JSON.parse(RELAY_CASES)) {
  await (await post("warm", 10_000)).text();
  const began = performance.now();
  const seen = await see(uid, seconds * 1000);
  console.log(JSON.stringify([uid, seen, (performance.now() - began) / 1000]));
}
