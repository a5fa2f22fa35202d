// Stands for the code under test: it knows the vendor by a URL, and nothing of fakerelay.
export class Publisher {
  constructor(url, appid, token) {
    Object.assign(this, { url, appid, token });
  }

  async start(uid, rtmpurl) {
    const body = { appid: this.appid, roomid: "room1", streamtype: 2, uid, rtmpurl };
    const path = `/app/${this.appid}/v2/rtmpforward/startrtmp?traceId=start-${uid}`;
    const reply = await fetch(this.url + path, {
      method: "POST",
      headers: { token: this.token, "Content-Type": "application/json;charset=utf-8" },
      body: JSON.stringify(body),
    });
    return (await reply.json()).code;
  }
}
