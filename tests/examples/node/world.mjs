// A vendor of a test's own: another app, other addresses in use, another journal.
import { after } from "node:test";

const CONTROL = `${process.env.FAKERELAY_CONTROL_URL}/_fakerelay/v1`;
const opened = [];

// At the end of the file, so that hooks of yours still find what their test left.
after(() => Promise.all(opened.map((id) => ask("DELETE", `worlds/${id}`))));

export async function openWorld(test, wishes = {}) {
  const world = await ask("POST", "worlds", wishes);
  opened.push(world.id);
  const list = async (what, query = "") =>
    (await ask("GET", `${what}?appid=${world.appid}&${query}`)).items;
  const lists = {
    tasks: () => list("tasks"),
    requests: () => list("requests"),
    // Once so many were delivered, or after five seconds as many as were.
    callbacks: (count) => list("callbacks", `state=delivered&count=${count}&wait_seconds=5`),
  };
  test.after(async () => {
    if (test.passed === false) tell(await lists.requests());
  });
  return { ...world, ...lists };
}

// One request of the control plane.
export async function ask(method, path, body) {
  const reply = await fetch(`${CONTROL}/${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

function tell(requests) {
  for (const { operation, status, code, problem, fault } of requests) {
    const why = problem ?? fault;
    console.error(`${operation}: HTTP ${status}, code ${code}`, why ? JSON.stringify(why) : "");
  }
}
