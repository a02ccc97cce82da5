// What is chosen on a page is in its address: a view can be kept and shared.
import { useCallback, useRef } from "react";
import { useSearchParams } from "react-router";

/** What the query is to hold, by name; nothing (null, undefined, "") takes a name out, what is not named stays. */
type Changes = Record<string, string | null | undefined>;

/** `replace: false` makes an entry of its own in the browser's history. */
export type ChangeAddress = (changes: Changes, options?: { replace: boolean }) => void;

/** The address's query, and what changes it: the same function at every drawing, so that effects may call it. */
export function useAddress(): [URLSearchParams, ChangeAddress] {
  const [address, setAddress] = useSearchParams();
  const latest = useRef({ address, setAddress });
  latest.current = { address, setAddress };
  const change = useCallback<ChangeAddress>((changes, { replace } = { replace: true }) => {
    const now = latest.current;
    const next = new URLSearchParams(now.address);
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    if (next.toString() !== now.address.toString()) now.setAddress(next, { replace });
  }, []);
  return [address, change];
}
