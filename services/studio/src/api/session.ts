// Who is logged in, where people must: the tokens of a session, kept for all tabs of this browser.
import { ApiProblem } from "./problem";

interface Tokens {
  access: string;
  refresh: string;
}

const KEY = "kargah.session";
const PROJECT_KEY = "kargah.project";
const listeners = new Set<() => void>();

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // the session lasts as long as the page, then
  }
}

let tokens: Tokens | null = parsed(stored(KEY));
let project: string | null = stored(PROJECT_KEY);

function parsed(text: string | null): Tokens | null {
  try {
    return text === null ? null : (JSON.parse(text) as Tokens);
  } catch {
    return null;
  }
}

/** The headers that say who asks, and for which project. */
export function identity(): Record<string, string> {
  return {
    ...(tokens ? { authorization: `Bearer ${tokens.access}` } : {}),
    ...(project ? { "x-kargah-project": project } : {}),
  };
}

export function chosenProject(): string | null {
  return project;
}

export function chooseProject(name: string | null): void {
  project = name;
  store(PROJECT_KEY, name);
}

/** Called when nobody is logged in any more and somebody must be, or somebody else is. */
export function onSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function logIn(name: string, password: string): Promise<void> {
  keep(await ask("/api/auth/login", { name, password }));
}

/** Leaves nothing of what was said or chosen for whoever comes next at this browser; what this page holds goes with it. */
export async function logOut(): Promise<void> {
  const refresh = tokens?.refresh;
  forget();
  chooseProject(null);
  clearTab();
  if (refresh) await post("/api/auth/logout", { refreshToken: refresh }).catch(() => undefined);
}

/** New tokens for the ones of `used`. False: there are none, and somebody must log in. Tabs take turns: a refresh
 * token is good once. */
export async function renew(used: string | undefined): Promise<boolean> {
  return navigator.locks.request("kargah.session", async () => {
    tokens = parsed(stored(KEY)) ?? tokens;
    if (tokens === null) return false;
    if (`Bearer ${tokens.access}` !== used) return true; // another tab was faster
    try {
      keep(await ask("/api/auth/refresh", { refreshToken: tokens.refresh }));
      return true;
    } catch (error) {
      if (error instanceof ApiProblem && !error.passing) return signedOut();
      throw error;
    }
  });
}

function signedOut(): false {
  forget();
  tellAll();
  return false;
}

function tellAll(): void {
  for (const tell of listeners) tell();
}

function clearTab(): void {
  try {
    sessionStorage.clear();
  } catch {
    // storage that is switched off holds nothing
  }
}

/** Another tab logged in or out: this one shows nobody's things to somebody else. New tokens of the same session are
 * taken over when they are needed. */
export function otherTabChanged(before: string | null, after: string | null): boolean {
  return (before === null) !== (after === null);
}

/** Called once, when the page begins. */
export function watchOtherTabs(): void {
  window.addEventListener("storage", ({ key, oldValue, newValue }) => {
    if (key !== KEY || !otherTabChanged(oldValue, newValue)) return;
    tokens = parsed(newValue);
    project = stored(PROJECT_KEY);
    if (tokens === null) clearTab();
    tellAll();
  });
}

function keep(answer: { accessToken: string; refreshToken: string }): void {
  tokens = { access: answer.accessToken, refresh: answer.refreshToken };
  store(KEY, JSON.stringify(tokens));
}

function forget(): void {
  tokens = null;
  store(KEY, null);
}

function post(path: string, body: object): Promise<Response> {
  return fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

async function ask(path: string, body: object): Promise<{ accessToken: string; refreshToken: string }> {
  const answer = await post(path, body).catch(() => {
    throw new ApiProblem(0, null, "unreachable");
  });
  const told = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiProblem(answer.status, told, told?.detail ?? `HTTP ${answer.status}`);
  return told;
}
