import { useEffect, useState } from "react";
import type { Sampling } from "../../lib/conversation";

const KEY = "kargah.playground.settings";
// Some tokens a second on a CPU: an answer should not take minutes unless that is wanted.
const MAX_TOKENS = 64;

export interface ChatSettings {
  system: string;
  sampling: Sampling;
}

const DEFAULTS: ChatSettings = {
  system: "",
  sampling: { temperature: null, topP: null, maxTokens: MAX_TOKENS, seed: null },
};

/** How answers are sampled; kept for as long as the tab is. */
export function useSampling(): [ChatSettings, (change: ChatSettings) => void] {
  const [settings, change] = useState(kept);
  useEffect(() => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(settings));
    } catch {
      // they last as long as the page, then
    }
  }, [settings]);
  return [settings, change];
}

function kept(): ChatSettings {
  try {
    return { ...DEFAULTS, ...(JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Partial<ChatSettings>) };
  } catch {
    return DEFAULTS;
  }
}
