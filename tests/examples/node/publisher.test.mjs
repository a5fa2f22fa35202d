import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { Publisher } from "./publisher.mjs"; // your code
import { ask, openWorld } from "./world.mjs";

const ADDRESS = "rtmp://cdn.example.com/live/main";

test("a relay is started", async (t) => {
  const world = await openWorld(t);
  const publisher = new Publisher(world.url, world.appid, world.token);
  assert.equal(await publisher.start("anna", ADDRESS), 0);
  assert.deepEqual((await world.tasks()).map((task) => task.uid), ["anna"]);
});

test("an address has one task at a time", async (t) => {
  const world = await openWorld(t, { settings: { concurrent_pushes: 9 } });
  const publisher = new Publisher(world.url, world.appid, world.token);
  assert.equal(await publisher.start("anna", ADDRESS), 0);
  assert.equal(await publisher.start("bob", ADDRESS), 40901);
});

test("a reply that is lost leaves the relay running", async (t) => {
  const world = await openWorld(t);
  const publisher = new Publisher(world.url, world.appid, world.token);
  const steps = [{ fault: "drop_after_commit" }]; // for one call
  await ask("POST", `faults?world=${world.id}`, { steps });
  await assert.rejects(publisher.start("anna", ADDRESS), TypeError);
  assert.equal((await world.tasks()).length, 1);
});

test("a push that fails is told", async (t) => {
  const told = [];
  const service = createServer(async (request, response) => { // your service
    told.push(await new Response(request).json());
    response.end();
  });
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
  t.after(() => service.close());
  const callback_url = `http://127.0.0.1:${service.address().port}/callbacks`;
  const world = await openWorld(t, { callback_url });
  await new Publisher(world.url, world.appid, world.token).start("anna", ADDRESS);
  const push = { appid: world.appid, uid: "anna", status: "cdn_failed" };
  await ask("POST", "pushes/status", push);
  assert.equal((await world.callbacks(2)).length, 2);
  assert.deepEqual(told.map((each) => each.context.status), [0, 1]);
});
