import { useSearchParams } from "react-router";

/** One model or two, in the address: `?model=a&beside=b`. At first the newest. */
export function useChosenModels(talkers: string[]) {
  const [address, setAddress] = useSearchParams();
  const first = address.get("model") ?? talkers[0] ?? "";
  const second = address.get("beside");
  const choose = (models: string[]) => {
    const [model = "", beside] = models;
    setAddress({ model, ...(beside === undefined ? {} : { beside }) }, { replace: true });
  };
  return { models: second === null ? [first] : [first, second], choose };
}
