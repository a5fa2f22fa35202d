// A vendor of a test's own: another app, other addresses in use, another journal.
const CONTROL = `${process.env.FAKERELAY_CONTROL_URL}/_fakerelay/v1`;

export async function openWorld(test, wishes = {}) {
  const world = await ask("POST", "worlds", wishes);
  test.after(() => ask("DELETE", `worlds/${world.id}`));
  return { ...world, tasks: async () => (await ask("GET", `tasks?appid=${world.appid}`)).items };
}

async function ask(method, path, body) {
  const reply = await fetch(`${CONTROL}/${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}
