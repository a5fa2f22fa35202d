import assert from "node:assert/strict";
import { test } from "node:test";

import { Publisher } from "./publisher.mjs"; // your code
import { openWorld } from "./world.mjs";

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
