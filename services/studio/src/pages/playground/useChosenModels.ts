import { useAddress } from "../../ui/address";

/** One model or two, in the address: `?model=a&beside=b`. At first the newest. */
export function useChosenModels(talkers: string[]) {
  const [address, change] = useAddress();
  const first = address.get("model") ?? talkers[0] ?? "";
  const second = address.get("beside");
  const choose = ([model, beside]: string[]) => change({ model, beside });
  return { models: second === null ? [first] : [first, second], choose };
}
